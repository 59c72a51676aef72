"""From an SSML document to what is said of it."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from services.tts.engine import Word
from services.tts.phrases import Phrase
from services.tts.pieces import PieceCutter
from services.tts.reading.plain import PlainReader, ReadingOptions, pause_after
from services.tts.reading.ssml_document import Break, Said, Style, parse_ssml
from services.tts.reading.ssml_values import LONGEST_BREAK_MS
from services.tts.reading.traced import Traced

_MARKS = re.compile(r"[ \u00a0\u202f]?[.,;:!?…»”)\]]{1,8}")


def read_ssml(document: str, language: str, options: ReadingOptions) -> Iterator[Phrase]:
    """The phrases of the document, whose spans are characters of it: each is read when it is asked for.

    A document that is broken, or asks for what cannot be done, is an InvalidInputError at once.
    """
    items = parse_ssml(document, language)
    return _with_breaks(_phrases(items, PlainReader(language, options)))


def _phrases(items: Iterable[Said | Break], reader: PlainReader) -> Iterator[Phrase | Break]:
    """Whatever is said in one style belongs together, over the borders of elements."""
    for style, group in groupby(items, lambda item: item.style if isinstance(item, Said) else None):
        said = list(group)
        if style is None:
            yield from (item for item in said if isinstance(item, Break))
        else:
            yield from _read_group([item for item in said if isinstance(item, Said)], style, reader)


def _read_group(group: Sequence[Said], style: Style, reader: PlainReader) -> Iterator[Phrase]:
    """Its sentences."""
    text = Traced.join(said.text for said in group)
    runs = _runs(group)
    cutter = PieceCutter()
    for piece in [*cutter.push(text.text), *cutter.flush()]:
        words = _read_words(text, runs, piece.start, piece.end, reader)
        if words:
            start, end = text.span(piece.start, piece.end)
            yield Phrase(words, start, end, pause_after(piece.text), style.speed, style.volume)


def _runs(group: Sequence[Said]) -> list[tuple[int, int, str]]:
    """The stretches of the group's text that are read alike: where each begins and ends, and how it sounds."""
    runs: list[tuple[int, int, str]] = []
    end = 0
    for said in group:
        start, end = end, end + len(said.text.text)
        if runs and not said.ipa and not runs[-1][2]:
            start = runs.pop()[0]
        runs.append((start, end, said.ipa))
    return runs


def _read_words(
    text: Traced, runs: Sequence[tuple[int, int, str]], start: int, end: int, reader: PlainReader
) -> tuple[Word, ...]:
    """The words from `start` to `end`; the marks after a word in IPA belong to it."""
    words: list[Word] = []
    for run_start, run_end, ipa in runs[bisect_right(runs, start, key=lambda run: run[1]) :]:
        if run_start >= end:
            break
        if not ipa:
            words += reader.read(text.part(max(start, run_start), min(end, run_end)))
        elif run_start >= start:  # else it was said with the piece that it begins in
            marks = _MARKS.match(text.text, run_end, end)
            said = text.text[run_start:run_end] + (marks[0].strip() if marks else "")
            words.append(Word(said, *text.span(run_start, run_end), ipa))
    return tuple(words)


def _with_breaks(phrases: Iterable[Phrase | Break]) -> Iterator[Phrase]:
    """Each break lengthens the pause of the phrase before it. Breaks in a row add up, to the longest one at most."""
    last: Phrase | None = None
    asked_ms = 0
    for item in phrases:
        if isinstance(item, Break):
            asked_ms += item.ms if item.is_asked_for else 0
            if last is None and item.is_asked_for:
                last = Phrase((), item.at, item.at)
            if last is not None:
                pause_ms = max(last.pause_ms, asked_ms, 0 if item.is_asked_for else item.ms)
                last = replace(last, pause_ms=min(pause_ms, LONGEST_BREAK_MS))
        else:
            if last is not None:
                yield last
            last, asked_ms = item, 0
    if last is not None:
        yield last
