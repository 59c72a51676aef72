"""What is said in a validation, in which order, and under which conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from client.messages import tr


class Step(StrEnum):
    """A condition under which the assistant must understand, in the order of the protocol."""

    SHORT = "short"
    LONG = "long"
    NOISE = "noise"
    DISTANCE = "distance"
    CONVERSATION = "conversation"
    INTERRUPTION = "interruption"
    OTHER = "other"  # recordings that belong to none of them


@dataclass(frozen=True)
class Saying:
    """One sentence of the protocol."""

    name: str  # of this one alone, such as noise-2
    step: Step
    sentence: str
    interrupts: bool = False  # it is said into the reply to the one before it


FULL = tuple(step for step in Step if step is not Step.OTHER)

# No figures: "2" and "deux" would count as different words. The last but one sentence must get a long reply.
_SENTENCES: dict[str, dict[Step, Sequence[str]]] = {
    "fr": {
        Step.SHORT: ("Bonjour, comment vas-tu aujourd'hui ?",),
        Step.LONG: (
            "Je voudrais que tu m'expliques pourquoi le ciel est bleu pendant la journée et pourquoi il devient rouge "
            "au moment où le soleil se couche.",
        ),
        Step.NOISE: (
            "Quelle est la capitale de la France ?",
            "Peux-tu me donner une idée de repas simple pour ce soir, sans viande et sans fromage ?",
        ),
        Step.DISTANCE: (
            "Quel est ton nom ?",
            "Raconte-moi en une phrase ce que fait un boulanger pendant la nuit.",
        ),
        Step.CONVERSATION: (
            "J'aimerais partir en voyage au bord de la mer.",
            "Quelle région me conseilles-tu ?",
            "Et que peut-on y manger ?",
            "Merci, c'est une bonne idée.",
        ),
        Step.INTERRUPTION: (
            "Raconte-moi une longue histoire qui se passe dans une forêt.",
            "Attends, parle-moi plutôt de la montagne.",
        ),
    },
    "en": {
        Step.SHORT: ("Hello, how are you today?",),
        Step.LONG: (
            "I would like you to explain to me why the sky is blue during the day and why it turns red when the sun "
            "goes down in the evening.",
        ),
        Step.NOISE: (
            "What is the capital of France?",
            "Can you give me an idea for a simple dinner tonight, without meat and without cheese?",
        ),
        Step.DISTANCE: (
            "What is your name?",
            "Tell me in one sentence what a baker does during the night.",
        ),
        Step.CONVERSATION: (
            "I would like to travel to the sea.",
            "Which region do you recommend?",
            "And what do people eat there?",
            "Thank you, that is a good idea.",
        ),
        Step.INTERRUPTION: (
            "Tell me a long story that happens in a forest.",
            "Wait, tell me about the mountains instead.",
        ),
    },
}
LANGUAGES = tuple(_SENTENCES)


def protocol(language: str, steps: Sequence[Step] = FULL) -> tuple[Saying, ...]:
    """The sentences of these steps, in the protocol's order."""
    return tuple(
        Saying(f"{step}-{number}", step, sentence, step is Step.INTERRUPTION and number == 2)
        for step, sentences in _SENTENCES[language].items()
        if step in steps
        for number, sentence in enumerate(sentences, start=1)
    )


def title(step: Step) -> str:
    """What people call it."""
    return {
        Step.SHORT: tr("A short sentence"),
        Step.LONG: tr("A long sentence"),
        Step.NOISE: tr("With noise"),
        Step.DISTANCE: tr("From a distance"),
        Step.CONVERSATION: tr("A whole conversation"),
        Step.INTERRUPTION: tr("An interruption"),
        Step.OTHER: tr("Other recordings"),
    }[step]


def instruction(step: Step) -> str:
    """What the person is to do first."""
    return {
        Step.SHORT: tr("In a quiet room, half a metre from the microphone, as you talk with people."),
        Step.LONG: tr("As before, in one go, without haste."),
        Step.NOISE: tr("Now make noise: a radio, a fan, an open window. Leave it on for these sentences."),
        Step.DISTANCE: tr("Quiet again. Go three metres away from the microphone, and speak no louder than needed."),
        Step.CONVERSATION: tr("Come back. Some turns that belong together; listen to each reply to its end."),
        Step.INTERRUPTION: tr("Say the first sentence. While the assistant replies, the second one appears: say it."),
        Step.OTHER: "",
    }[step]
