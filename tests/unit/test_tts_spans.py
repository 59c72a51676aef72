"""Which characters each chunk says, against a voice whose every sound is known (tests/fakes/voices.py)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.engine import Word
from services.tts.phrases import Phrase
from services.tts.spans import Span, Timeline
from services.tts.track import SpokenChunk
from tests.fakes.voices import ScriptedVoice
from tests.support.speaking import Hall, heard_number, phrases

_TEXTS = ("Bien sûr, ", "je regarde cela tout de suite. ", "Il fera beau   demain, ", "a b c d e f. ", "Fin")


def _check(chunks: list[SpokenChunk], words: list[Word]) -> None:
    """Every chunk says the word that sounds in it, and none that does not sound in it or the chunks beside it."""
    last = 0
    sounding = [last := last if (number := heard_number(chunk)) is None else number for chunk in chunks]
    for index, chunk in enumerate(chunks):
        said = words[sounding[index]]
        assert chunk.span.start <= said.start < said.end <= chunk.span.end
        near = sounding[max(0, index - 1) : index + 2]
        assert chunk.span.start >= words[min(near)].start
        behind = [word.start for word in words[max(near) + 1 :]]
        assert chunk.span.end <= (behind[0] if behind else len("".join(_TEXTS)))


@pytest.mark.parametrize("rate_hz", [None, 8_000, 22_050, 48_000])
@pytest.mark.parametrize("pause_ms", [0, 400])
@pytest.mark.parametrize(("lead_ms", "ms_per_character"), [(0, 50), (300, 50), (80, 12)])
async def test_what_sounds_in_a_chunk_is_in_its_span_to_within_one_chunk(
    rate_hz: int | None, pause_ms: int, lead_ms: int, ms_per_character: int
) -> None:
    voice = ScriptedVoice(lead_ms=lead_ms, ms_per_character=ms_per_character)
    chunks = await Hall(voice).hear(phrases(*_TEXTS, pause_ms=pause_ms), rate_hz)
    _check(chunks, voice.words)


async def test_without_times_of_the_words_their_lengths_tell() -> None:
    voice = ScriptedVoice(lead_ms=300, tail_ms=400, knows_starts=False)
    _check(await Hall(voice).hear(phrases(*_TEXTS, pause_ms=400)), voice.words)


async def test_all_characters_are_said_and_in_order() -> None:
    chunks = await Hall(ScriptedVoice(ms_per_character=7)).hear(phrases(*_TEXTS, pause_ms=100))
    spans = [chunk.span for chunk in chunks]
    assert spans[0].start == 0
    assert spans[-1].end == len("".join(_TEXTS))
    for span, following in pairwise(spans):
        assert span.start <= following.start <= span.end <= following.end


def test_marks_and_spaces_belong_to_the_word_before_and_the_first_ones_to_the_first_word() -> None:
    said = Phrase((Word("oui", 12, 15), Word("non", 20, 23)), 10, 30)
    timeline = Timeline.of(said, (0, 100), 2.0)
    assert timeline.span(0, 200) == Span(10, 20)
    assert timeline.span(199, 201) == Span(10, 30)
    assert timeline.span(200, 300) == Span(20, 30)
    assert timeline.span(5_000, 6_000) == timeline.last == Span(20, 30)


def test_words_that_are_said_for_the_same_characters_share_them() -> None:
    """`14h30` is three words, and none of them stands for a part of it."""
    said = Phrase((Word("quatorze", 0, 5), Word("heures", 0, 5), Word("trente", 0, 5), Word("pile", 6, 10)), 0, 10)
    timeline = Timeline.of(said, (0, 100, 200, 300), 1.0)
    assert [timeline.span(start, start + 10) for start in (0, 100, 200, 300)] == [
        Span(0, 5),
        Span(0, 5),
        Span(0, 6),
        Span(6, 10),
    ]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8), st.integers(1, 200))
def test_whatever_times_an_engine_gives_no_character_is_lost(times: list[int], step: int) -> None:
    starts = (0, *sorted(times)[1:])
    words = tuple(Word("x", 3 * index, 3 * index + 2) for index in range(len(starts)))
    timeline = Timeline.of(Phrase(words, 0, 3 * len(words)), starts, 1.0)
    spans = [timeline.span(sample, sample + step) for sample in range(0, 501, step)]
    assert {place for span in spans for place in range(span.start, span.end)} == set(range(3 * len(words)))
    assert spans == sorted(spans, key=lambda span: (span.start, span.end))
