"""From an SSML document to what is said of it."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from services.tts.engine import Word
from services.tts.phrases import Phrase
from services.tts.pieces import PieceCutter
from services.tts.reading.plain import PlainReader, ReadingOptions, pause_after
from services.tts.reading.ssml_document import Break, Said, Style, parse_ssml
from services.tts.reading.traced import Traced

_MARKS = re.compile(r"[ \u00a0\u202f]?[.,;:!?…»”)\]]{1,8}")


def read_ssml(document: str, language: str, options: ReadingOptions) -> Iterator[Phrase]:
    """The phrases of the document, whose spans are characters of it: each is cut and read when it is asked for.

    Breaks, and stretches in which there is nothing to say, are phrases without words. A document that is broken, or
    asks for what cannot be done, is an InvalidInputError at once.
    """
    return _phrases(document, parse_ssml(document, language), PlainReader(language, options))


def _phrases(document: str, items: Iterable[Said | Break], reader: PlainReader) -> Iterator[Phrase]:
    """Whatever is said in one style belongs together, over the borders of elements."""
    for style, group in groupby(items, lambda item: item.style if isinstance(item, Said) else None):
        if style is None:
            yield from (_pause(item, document) for item in group if isinstance(item, Break))
        else:
            yield from _read_group([item for item in group if isinstance(item, Said)], style, reader)


def _pause(item: Break, document: str) -> Phrase:
    if not item.is_asked_for:
        return Phrase((), item.at, item.at, item.ms)
    return Phrase((), item.at, document.index(">", item.at) + 1, asked_ms=item.ms)


def _read_group(group: Sequence[Said], style: Style, reader: PlainReader) -> Iterator[Phrase]:
    """Its sentences."""
    text = Traced.join(said.text for said in group)
    runs = _runs(group)
    cutter = PieceCutter()
    for piece in chain(cutter.push(text.text), cutter.flush()):
        words = _read_words(text, runs, piece.start, piece.end, reader)
        start, end = text.span(piece.start, piece.end)
        yield Phrase(words, start, end, pause_after(piece.text) if words else 0, style.speed, style.volume)


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
