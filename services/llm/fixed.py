"""The last resort: a sentence that repeats what was understood and says that the model is away."""

import textwrap
from collections.abc import AsyncGenerator

from services.common.errors import UnsupportedError
from services.common.text import primary_language
from services.llm.engine import Finished, FinishReason, Generation, ReplyEvent, Role, TextDelta, ToolChoice

_MAX_REPEATED_CHARACTERS = 120  # eight seconds of speech: enough to know that one was heard
_SENTENCES = {
    "fr": (
        "J'ai compris : « {heard} ». ",
        "Mais mon modèle de langage ne répond pas en ce moment. Réessayez dans un instant.",
    ),
    "en": (
        "I understood: “{heard}”. ",
        "But my language model is away at the moment. Please try again shortly.",
    ),
    "de": (
        "Ich habe verstanden: „{heard}“. ",
        "Aber mein Sprachmodell antwortet gerade nicht. Bitte versuchen Sie es gleich noch einmal.",
    ),
    "es": (
        "He entendido: «{heard}». ",
        "Pero mi modelo de lenguaje no responde en este momento. Inténtelo de nuevo dentro de un instante.",
    ),
    "it": (
        "Ho capito: «{heard}». ",
        "Ma il mio modello linguistico al momento non risponde. Riprovi tra un istante.",
    ),
    "nl": (
        "Ik heb begrepen: “{heard}”. ",
        "Maar mijn taalmodel antwoordt op dit moment niet. Probeer het zo dadelijk opnieuw.",
    ),
    "pt": (
        "Percebi: «{heard}». ",
        "Mas o meu modelo de linguagem não responde neste momento. Tente de novo daqui a pouco.",
    ),
}
_FALLBACK = "en"


class FixedReplyEngine:
    """Needs no model. Speaks the person's language where it knows it, else the service's own, else English."""

    def __init__(self, language_code: str) -> None:
        self._language_code = language_code

    @property
    def context_tokens(self) -> int:
        """It has no tokens."""
        return 0

    @property
    def supports_tools(self) -> bool:
        """It calls none."""
        return False

    @property
    def supports_formats(self) -> bool:
        """Its sentences are what they are."""
        return False

    async def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        """The sentences, one after the other."""
        if request.format is not None:
            raise UnsupportedError("the fixed reply has no form but its own", field="response_format")
        if request.tool_choice is ToolChoice.REQUIRED:
            raise UnsupportedError("the fixed reply calls no tools", field="tools")
        understood, away = self._sentences(request.language_code)
        if heard := _last_words_of_the_person(request):
            yield TextDelta(understood.format(heard=heard))
        yield TextDelta(away)
        yield Finished(FinishReason.STOP)

    async def close(self) -> None:
        """Holds nothing."""

    def _sentences(self, language_code: str) -> tuple[str, str]:
        for code in (language_code, self._language_code):
            if sentences := _SENTENCES.get(primary_language(code)):
                return sentences
        return _SENTENCES[_FALLBACK]


def _last_words_of_the_person(request: Generation) -> str:
    said = next((message.content for message in reversed(request.messages) if message.role is Role.USER), "")
    # A word longer than all the room would leave nothing: then it is cut as it is.
    short = textwrap.shorten(said, _MAX_REPEATED_CHARACTERS, placeholder="…")
    return short if short != "…" else said.strip()[:_MAX_REPEATED_CHARACTERS] + "…"
