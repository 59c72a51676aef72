"""What is said to learn from, and by whom: every sentence in many voices, and random mixtures of their words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.closed_whisper.sentences import closed_set, homophones
from scripts.closed_whisper.synthesis import Speaker

SEED = 61
_CLIPS_OF_SENTENCE, _MIXTURES = {"fr": 110, "en": 150}, {"fr": 2800, "en": 900}
_BASES = {
    "fr": ("roa/fr", "roa/fr", "roa/fr", "roa/fr-BE", "roa/fr-CH"),
    "en": ("gmw/en-US", "gmw/en-US", "gmw/en-US", "gmw/en", "gmw/en-GB-x-rp"),
}
_USUAL = {"fr": "roa/fr", "en": "gmw/en-US+f2"}  # what the project itself speaks with
# Never trained, for the figures.
HELD_OUT_VARIANTS = ("f5", "m3", "Michael", "linda", "Hugo", "victor")
HELD_OUT_WORDS_PER_MINUTE = (137, 158, 173, 192)
_WORDS_PER_MINUTE = tuple(range(110, 221, 5))
_TOO_STRANGE = (
    "Demonic",
    "UniRobot",
    "anikaRobot",
    "RicishayMax",
    "robosoft",
    "AnxiousAndy",
    "Tweaky",
    "fast",
    "Storm",
)


@dataclass(frozen=True)
class Job:
    """One clip to be made. `whole` where it is a sentence of the set and no mixture."""

    text: str
    language: str
    speaker: Speaker
    seed: int
    whole: bool


def held_out(language: str, random: np.random.Generator) -> Speaker:
    """A voice that the model has never heard."""
    voice = f"{_BASES[language][random.integers(2)]}+{random.choice(HELD_OUT_VARIANTS)}"
    return Speaker(voice, int(random.choice(HELD_OUT_WORDS_PER_MINUTE)), int(random.integers(35, 65)))


def _speaker(language: str, variants: Sequence[str], random: np.random.Generator) -> Speaker:
    if random.random() < 0.12:
        return Speaker(_USUAL[language], int(random.integers(135, 166)))
    voice = str(random.choice(_BASES[language]))
    if random.random() < 0.9:
        voice += f"+{random.choice(variants)}"
    return Speaker(voice, int(random.choice(_WORDS_PER_MINUTE)), int(random.integers(20, 80)))


def jobs(all_variants: Sequence[str]) -> Iterator[Job]:
    """Every clip that is to be made, each by a speaker of its own."""
    variants = [v for v in all_variants if v not in HELD_OUT_VARIANTS and not v.startswith(_TOO_STRANGE)]
    random = np.random.default_rng(SEED)
    sentences = closed_set()
    for sentence in sentences:
        for _ in range(_CLIPS_OF_SENTENCE[sentence.language]):
            speaker = _speaker(sentence.language, variants, random)
            yield Job(sentence.text, sentence.language, speaker, int(random.integers(2**31)), whole=True)
    for language, count in _MIXTURES.items():
        texts = [sentence.words for sentence in sentences if sentence.language == language]
        for _ in range(count):
            words = [word for _ in range(random.integers(1, 5)) for word in _stretch(texts, random)]
            speaker = _speaker(language, variants, random)
            yield Job(" ".join(words), language, speaker, int(random.integers(2**31)), whole=False)


def _stretch(texts: list[tuple[str, ...]], random: np.random.Generator) -> tuple[str, ...]:
    """One to three words in a row of some sentence, no homophone alone."""
    alone = homophones()
    while True:
        words = texts[random.integers(len(texts))]
        begin = random.integers(len(words))
        stretch = words[begin : begin + random.integers(1, 4)]
        if len(stretch) > 1 or stretch[0] not in alone:
            return stretch
