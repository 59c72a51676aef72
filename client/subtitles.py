"""Transcripts as subtitles: segments → cues that can be read → SubRip or WebVTT. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, zip_longest

import numpy as np

# What broadcasters ask of subtitles: two lines at the most.
_LINE_WIDTH = 42
_MAX_CUE_MS = 7000
_MIN_CUE_MS = 1000  # as far as the next cue leaves room
_GAP_MS = 80  # two frames, so that one cue is seen to follow another
_PAUSE_MS = 300  # between words: a better place to cut than any other
_LONG_PAUSE_MS = 1500  # nothing stands on the screen while nobody speaks
_SENTENCE_ENDS, _CLAUSE_ENDS = tuple(".!?…。！？؟"), tuple(",;:—、，،؛")


@dataclass(frozen=True)
class Word:
    """A word and when it is said."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech; `words` may be empty."""

    text: str
    start_ms: float
    end_ms: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Cue:
    """What stands on the screen at a time."""

    lines: tuple[str, ...]
    start_ms: int
    end_ms: int


def srt(segments: Sequence[Segment]) -> str:
    """SubRip. An arrow in the text would be taken for a line of times."""
    blocks = (
        f"{number}\n{_times(cue, ',')}\n{_block(cue).replace('-->', '→')}\n"
        for number, cue in enumerate(cues(segments), 1)
    )
    return "\n".join(blocks)


def vtt(segments: Sequence[Segment]) -> str:
    """WebVTT."""
    blocks = (f"{_times(cue, '.')}\n{_escaped(_block(cue))}\n" for cue in cues(segments))
    return "\n".join(["WEBVTT\n", *blocks])


def _times(cue: Cue, separator: str) -> str:
    return f"{_time(cue.start_ms, separator)} --> {_time(cue.end_ms, separator)}"


def _time(time_ms: int, separator: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{ms:03}"


def _block(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cues(segments: Sequence[Segment]) -> list[Cue]:
    """At most two lines and seven seconds each, in order, and never two at a time."""
    timed = sorted((_cue(span) for segment in segments for span in _spans(_tokens(segment))), key=_start)
    fitted: list[Cue] = []
    for cue, following in zip_longest(timed, timed[1:]):
        fitted.append(_fitted(cue, fitted[-1].end_ms if fitted else 0, following))
    return fitted


def _cue(span: Sequence["_Token"]) -> Cue:
    return Cue(_lines(span) or (), max(0, round(span[0].start_ms)), max(0, round(span[-1].end_ms)))


def _start(cue: Cue) -> int:
    return cue.start_ms


def _fitted(cue: Cue, free_from_ms: int, following: Cue | None) -> Cue:
    """The cue long enough to be read, as far as the ones before and after let it."""
    start_ms = max(cue.start_ms, free_from_ms)
    end_ms = min(max(cue.end_ms, start_ms + _MIN_CUE_MS), start_ms + _MAX_CUE_MS)
    if following is not None:
        end_ms = min(end_ms, following.start_ms - _GAP_MS)
    return replace(cue, start_ms=start_ms, end_ms=max(end_ms, start_ms + 1))


@dataclass(frozen=True)
class _Token:
    """What may not be cut any further."""

    before: str  # a space, or nothing where it follows on the one before
    text: str
    start_ms: float
    end_ms: float


def _tokens(segment: Segment) -> list[_Token]:
    """Its words, each with its time: exact where that is known, else by where it stands in the text."""
    text = " ".join(segment.text.split())
    places, times_ms = _anchors(text, segment)
    tokens = []
    for match in re.finditer(r"\S+", text):
        begin, end = match.span()
        step = 1 if _width(match[0]) > _LINE_WIDTH else end - begin  # a web address, or Chinese: anywhere
        for at in range(begin, end, step):
            start_ms, end_ms = np.interp([at, at + step], places, times_ms)
            before = " " if at == begin else ""
            tokens.append(_Token(before, text[at : at + step], float(start_ms), float(end_ms)))
    return tokens


def _anchors(text: str, segment: Segment) -> tuple[list[int], list[float]]:
    """Places in the text whose times are known."""
    places: list[int] = []
    times_ms: list[float] = []
    for word in segment.words:
        begin = text.find(word.text, places[-1] if places else 0)
        if begin >= 0 and word.text:
            places += [begin, begin + len(word.text)]
            times_ms += [word.start_ms, word.end_ms]
    if not places:
        return [0, len(text)], [segment.start_ms, segment.end_ms]
    return places, list(accumulate(times_ms, max))


def _spans(tokens: Sequence[_Token]) -> Iterator[Sequence[_Token]]:
    """The tokens in cues: halved, where it reads best, until each part fits."""
    if not tokens:
        return
    long_ms = tokens[-1].end_ms - tokens[0].start_ms > _MAX_CUE_MS
    if len(tokens) == 1 or not (long_ms or _longest_pause_ms(tokens) > _LONG_PAUSE_MS or _lines(tokens) is None):
        yield tokens
        return
    cut = _best_cut(tokens)
    yield from _spans(tokens[:cut])
    yield from _spans(tokens[cut:])


def _longest_pause_ms(tokens: Sequence[_Token]) -> float:
    return max(after.start_ms - before.end_ms for before, after in pairwise(tokens))


def _best_cut(tokens: Sequence[_Token]) -> int:
    """Near the middle, and rather between sentences, at a pause or between clauses."""
    ends = list(accumulate(len(token.text) + len(token.before) for token in tokens))

    def cost(cut: int) -> float:
        before, after = tokens[cut - 1], tokens[cut]
        pause_ms = after.start_ms - before.end_ms
        gain = 2.0 * (pause_ms > _LONG_PAUSE_MS) + 0.4 * (pause_ms > _PAUSE_MS) - 2.0 * (not after.before)
        gain += 0.5 * before.text.endswith(_SENTENCE_ENDS) + 0.25 * before.text.endswith(_CLAUSE_ENDS)
        return abs(2 * ends[cut - 1] / ends[-1] - 1) - gain

    return min(range(1, len(tokens)), key=cost)


def _lines(tokens: Sequence[_Token]) -> tuple[str, ...] | None:
    """The tokens in one line, or in two that are about as long; None where they do not fit."""
    whole = _joined(tokens)
    if _width(whole) <= _LINE_WIDTH:
        return (whole,)
    if _width(whole) > 2 * _LINE_WIDTH + 1:
        return None
    pairs = [(_joined(tokens[:cut]), _joined(tokens[cut:])) for cut in range(1, len(tokens))]
    fitting = [pair for pair in pairs if max(map(_width, pair)) <= _LINE_WIDTH]
    return min(fitting, key=lambda pair: abs(_width(pair[0]) - _width(pair[1])), default=None)


def _joined(tokens: Sequence[_Token]) -> str:
    return "".join(token.before + token.text for token in tokens).strip()


def _width(text: str) -> int:
    """In columns: a Chinese character takes two, an accent that stands by itself none."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
