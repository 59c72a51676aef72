"""services/tts/splitting.py: no phrase takes long to say, however little is written of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.engine import Word
from services.tts.phrases import Phrase
from services.tts.pieces import PieceCutter
from services.tts.reading.plain import ReadingOptions
from services.tts.reading.reader import Reader
from services.tts.spans import Timeline
from services.tts.splitting import in_breaths
from tests.support.speaking import phrase

_NUMBERS = "999 999 999 999 fois " * 20
_PROSE = (
    "Le chat est sur la table, et il regarde la mer qui monte doucement vers le port où dorment les bateaux de pêche "
    "et les filets, pendant que la vieille dame du phare compte les vagues, les heures, les goélands et les navires, "
    "enfin ses pas. "
)


def _phrases(text: str, language: str = "fr") -> list[Phrase]:
    reader, cutter = Reader(language, ReadingOptions()), PieceCutter()
    return [phrase for piece in [*cutter.push(text), *cutter.flush()] for phrase in reader.read(piece)]


def _parts(text: str, speed: float = 1.0) -> list[Phrase]:
    return [part for whole in _phrases(text) for part in in_breaths(whole, speed)]


def _texts(given: Phrase, speed: float = 1.0) -> list[str]:
    return [" ".join(word.text for word in part.words) for part in in_breaths(given, speed)]


def _said(part: Phrase) -> int:
    return len(" ".join(word.text for word in part.words))


@pytest.mark.parametrize("text", [_PROSE * 3, "Bonjour. ", ""])
@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_prose_stays_as_it_was_cut(text: str, speed: float) -> None:
    assert _parts(text, speed) == _phrases(text)


def test_the_prose_is_as_long_as_a_piece_may_be() -> None:
    assert 230 < len(_PROSE) <= 240


@pytest.mark.parametrize("speed", [1.0, 0.5, 0.25])
@pytest.mark.parametrize("text", [_NUMBERS, "9" * 600, "≤ " * 300, "URSS IEEE " * 60, '"x" ' * 100, "12/12/1999 " * 60])
def test_what_is_short_in_writing_is_not_long_in_saying(text: str, speed: float) -> None:
    parts = _parts(text, speed)
    assert max(_said(part) for part in parts) <= 330 * speed
    assert len(parts) >= sum(_said(whole) for whole in _phrases(text)) / (330 * speed)


def test_parts_end_at_a_mark_and_are_about_as_long() -> None:
    words = ["quatre-vingt-dix-neuf"] * 20
    words[11] += ","
    assert [text.count(" ") + 1 for text in _texts(phrase(" ".join(words)))] == [12, 8]
    words[11], words[2] = words[2], words[2] + ","
    assert [text.count(" ") + 1 for text in _texts(phrase(" ".join(words)))] == [10, 10]  # that mark comes too early


def test_parts_do_not_end_inside_of_what_was_written_together() -> None:
    said = [Word("quatre-vingt-dix-neuf", start, start + 9) for start in range(0, 100, 10) for _ in range(4)]
    parts = list(in_breaths(Phrase(tuple(said), 0, 100), 1.0))
    assert [len(part.words) for part in parts] == [12, 12, 8, 8]
    assert [(part.start, part.end) for part in parts] == [(0, 30), (30, 60), (60, 80), (80, 100)]


def test_the_pause_is_behind_the_last_part_and_the_style_is_everywhere() -> None:
    whole = Phrase(phrase(_PROSE * 2).words, 0, 470, 250, 0.75, 1.4, 2000)
    parts = list(in_breaths(whole, 1.0))
    assert len(parts) == 2
    assert [(part.pause_ms, part.asked_ms) for part in parts] == [(0, 0), (250, 2000)]
    assert {(part.speed, part.volume) for part in parts} == {(0.75, 1.4)}


def test_what_has_no_words_and_one_endless_word_stay_whole() -> None:
    for whole in (Phrase((), 3, 7, asked_ms=100), phrase("x" * 2000)):
        assert list(in_breaths(whole, 0.25)) == [whole]
    assert [len(text) for text in _texts(phrase(f"a {'x' * 2000} b"))] == [1, 2000, 1]


_words = st.lists(st.tuples(st.text("ab,.", min_size=1, max_size=150), st.integers(0, 3)), max_size=80)


@given(_words, st.sampled_from([0.25, 0.6, 1.0, 3.0]))
def test_words_and_their_characters_stay_the_same(said: list[tuple[str, int]], speed: float) -> None:
    """Words of one source stand together; spans are those that they have in the whole phrase."""
    ends = [sum(gap for _, gap in said[: index + 1]) for index in range(len(said))]
    words = tuple(Word(text, end + 1, end + 2) for (text, _), end in zip(said, ends, strict=True))
    whole = Phrase(words, 0, 1000)
    parts = list(in_breaths(whole, speed))
    assert tuple(word for part in parts for word in part.words) == words
    assert (parts[0].start, parts[-1].end) == (0, 1000)
    spans = [span for part in parts for span in Timeline.of(part, range(len(part.words)), 1.0).spans]
    assert spans == list(Timeline.of(whole, range(len(words)), 1.0).spans)
