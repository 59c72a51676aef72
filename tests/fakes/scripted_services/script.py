"""What is said and what is replied, and how fast: what the scripted services and whoever talks to them agree on.

Speech is audio whose samples are not 0. The first of them is the number of a sentence; all others have one level. A
word takes 240 ms, so that sentences end with a message of a microphone that sends one every 20 ms.
"""

import re
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from services.common.audio import Samples

RATE_HZ = 16_000
MS_PER_WORD = 240
_LEVEL = -8_000  # no number of a sentence

NOISE = 1  # speech to the ear, without a word in it
BACKCHANNELS = range(2, 8)
QUESTIONS = range(100, 20_000)
INTERRUPTIONS = range(20_000, 32_768)  # a sample is no greater
_BACKCHANNELS = ("Oui.", "D'accord.", "Mm-hm.", "Ok.", "Ah oui.", "Je vois.")
_QUESTION = "Dis-moi quel temps fera {number} ?"
_INTERRUPTION = "Attends, arrête, parlons plutôt de {number}."
_NOISE_WORDS = 2  # that it lasts as long as

_OPENING = ("Voici", " pour", " le", " numéro", " {number},")
_BODY = (
    "la pluie viendra par l'ouest dans la soirée. Un vent léger soufflera sur toutes les collines. "
    "Les nuages laisseront ensuite passer quelques éclaircies."
)
OPENING_TOKENS = len(_OPENING)
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class EarsSpeed:
    """How fast the ears are. All but the decoding is measured in audio, not in time."""

    start_after_ms: int = 96
    soft_pause_ms: int = 100
    endpoint_ms: int = 300
    first_partial_ms: int = 300
    confirm_partial_ms: int = 150  # the second one comes so much after the first
    partial_every_ms: int = 300
    decode_ms: int = 60


@dataclass(frozen=True)
class MindSpeed:
    """How fast the mind is, and how much it says."""

    first_token_ms: int = 80
    tokens_per_s: float = 60.0
    reply_tokens: int = 40


@dataclass(frozen=True)
class MouthSpeed:
    """How fast the mouth is: the first audio of a piece, then all of it, as a share of how long it sounds."""

    first_audio_ms: int = 30
    rtf: float = 0.05
    ms_per_character: int = 60


def sentence(number: int) -> str:
    """The words of a sentence; empty where the number is none."""
    if number in BACKCHANNELS:
        return _BACKCHANNELS[number - BACKCHANNELS.start]
    if number in QUESTIONS:
        return _QUESTION.format(number=number)
    return _INTERRUPTION.format(number=number) if number in INTERRUPTIONS else ""


def speech(number: int, hesitation_ms: int = 0) -> Samples:
    """The sentence as it is spoken at RATE_HZ, with a silence in its middle where wanted."""
    words = len(sentence(number).split()) or _NOISE_WORDS
    samples = np.full(_samples(words * MS_PER_WORD), _LEVEL, np.int16)
    samples[0] = number
    middle = _samples(words // 2 * MS_PER_WORD)
    silence = np.zeros(_samples(hesitation_ms), np.int16)
    return np.concatenate([samples[:middle], silence, samples[middle:]])


def reply(number: int, tokens: int) -> list[str]:
    """The tokens of a reply: a first clause that ends with the number and a comma, then sentences."""
    body = islice(cycle(_BODY.split()), max(0, tokens - OPENING_TOKENS))
    written = [*(token.format(number=number) for token in _OPENING), *(f" {word}" for word in body)]
    return [*written[:-1], written[-1].rstrip(",.") + "."]


def number_in(text: str) -> int:
    """The number that a text is about: its last one; 0 where there is none."""
    found = _NUMBER.findall(text)
    return int(found[-1]) if found else 0


def _samples(duration_ms: int) -> int:
    return duration_ms * RATE_HZ // 1000
