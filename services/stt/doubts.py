"""Whether a decoding is to be believed: the signs by which a Whisper shows that it went wrong. Pure."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

# The thresholds are those of the model's authors.
LEAST_LOG_PROBABILITY = -1.0
_MOST_COMPRESSION = 2.4  # text that gzip makes this much smaller repeats itself
_SILENT_NO_SPEECH = 0.6
# What the compression of a short text does not show: the same few tokens in a row, again and again. People say
# "non, non, non, non" too, so it takes more than that.
_LOOP_TOKENS, _LOOP_TIMES, _LOOP_LENGTH = 8, 4, 24


class Doubt(Enum):
    """Why a decoding is not believed."""

    LOG_PROBABILITY = "log_probability"
    COMPRESSION = "compression"
    REPETITION = "repetition"
    NO_SPEECH = "no_speech"


@dataclass(frozen=True)
class Decoding:
    """What a decoder wrote, and how sure it was."""

    text: str
    tokens: Sequence[int]
    log_probability: float  # the mean of its tokens
    no_speech: float  # 0 to 1
    hit_the_limit: bool  # it did not end by itself


def doubt_of(decoding: Decoding, least_log_probability: float = LEAST_LOG_PROBABILITY) -> Doubt | None:
    """The first reason not to believe it."""
    if decoding.hit_the_limit or _repeats(decoding.tokens):
        return Doubt.REPETITION
    if _compression(decoding.text) > _MOST_COMPRESSION:
        return Doubt.COMPRESSION
    if bool(decoding.text) == (decoding.no_speech > _SILENT_NO_SPEECH):  # words from silence, or none from speech
        return Doubt.NO_SPEECH
    if decoding.log_probability < least_log_probability:
        return Doubt.LOG_PROBABILITY
    return None


def is_silence(decoding: Decoding) -> bool:
    """Whether the decoder believes that nobody spoke: it says so, and what it wrote all the same is improbable."""
    return decoding.no_speech > _SILENT_NO_SPEECH and decoding.log_probability < LEAST_LOG_PROBABILITY


def best_of(decodings: Sequence[Decoding]) -> Decoding:
    """Of several none of which is believed, the most probable that does not repeat itself."""
    fluent = [decoding for decoding in decodings if doubt_of(decoding) not in {Doubt.REPETITION, Doubt.COMPRESSION}]
    # An empty one has no improbable word: its probability says nothing beside those that have some.
    fluent = [decoding for decoding in fluent if decoding.text] or fluent
    return max(fluent or decodings, key=lambda decoding: decoding.log_probability)


def _repeats(tokens: Sequence[int]) -> bool:
    said = list(tokens)
    for size in range(1, _LOOP_TOKENS + 1):
        times = max(_LOOP_TIMES, -(-_LOOP_LENGTH // size))
        starts = range(len(said) - size * times + 1)
        if any(said[start : start + size] * times == said[start : start + size * times] for start in starts):
            return True
    return False


def _compression(text: str) -> float:
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain)) if plain else 0.0
