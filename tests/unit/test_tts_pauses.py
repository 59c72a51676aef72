"""services/tts/pauses.py, the breaks of SSML, and what is heard of both: where there is silence, and how long."""

import pytest

from services.tts.engine import VoiceChoice
from services.tts.pauses import Pause, Pauses
from services.tts.phrases import Phrase
from services.tts.reading.plain import ReadingOptions
from services.tts.reading.ssml import read_ssml
from services.tts.spans import Span
from services.tts.speaker import SILENT_RATE_HZ
from tests.fakes.voices import ScriptedVoice
from tests.support.speaking import Hall, duration_ms, heard_number, phrase, phrases


def _read(inner: str) -> list[Phrase]:
    return list(read_ssml(f"<speak>{inner}</speak>", "fr", ReadingOptions()))


def _silences_ms(inner: str) -> list[int]:
    """Before, between and behind the phrases in which something is said."""
    pauses, silences = Pauses(), []
    for part in _read(inner):
        if part.words:
            silences.append(pauses.between().ms)
        pauses.add(part, is_heard=bool(part.words))
    return [*silences, pauses.at_end().ms]


def test_sentences_and_paragraphs_have_a_pause_between_them_and_none_around_them() -> None:
    assert _silences_ms("<p><s>Un.</s> <s>Deux !</s></p> <p>Trois</p> <s>Quatre</s>") == [0, 250, 500, 500, 0]


@pytest.mark.parametrize(
    ("breaks", "pause_ms"),
    [
        ("<break/>", 250),
        ("<break strength='x-weak'/>", 60),
        ("<break strength='strong'/>", 500),
        ("<break strength='strong' time='80ms'/>", 80),
        ("<break time='1.5s'/>", 1500),
        ("<break time='1s'/> <break time='300ms'/>", 1300),
        ("<break time='1s'/> … <break time='300ms'/>", 1300),
        ("<break time='10s'/><break time='10s'/>", 10_000),
        ("<break strength='none'/>", 0),
    ],
)
def test_breaks_are_pauses_also_at_the_ends(breaks: str, pause_ms: int) -> None:
    assert _silences_ms(f"bonjour {breaks} Paul") == [0, pause_ms, 0]
    assert _silences_ms(f"{breaks} Paul {breaks}") == [pause_ms, pause_ms]
    assert _silences_ms(breaks) == [pause_ms]


def test_the_longer_one_counts_of_a_break_and_the_pause_that_is_there() -> None:
    assert _silences_ms("Bonjour.<break time='50ms'/> Paul") == [0, 250, 0]
    assert _silences_ms("<p>Bonjour.</p><break time='2s'/><p>Paul.</p>") == [0, 2000, 0]
    assert _silences_ms("<break time='2s'/><p>Paul.</p><break time='50ms'/>") == [2000, 50]


def test_breaks_add_up_only_where_nothing_is_said_between_them() -> None:
    assert _silences_ms("un<break time='1s'/>deux<break time='300ms'/>trois") == [0, 1000, 300, 0]


def test_a_break_stands_for_its_characters() -> None:
    said, *_ = _read("<break time='1s'/>bonjour")
    assert (said.start, said.end, said.words, said.pause_ms, said.asked_ms) == (7, 25, (), 0, 1000)


def test_breaks_in_a_row_stand_for_all_their_characters_and_not_for_earlier_ones() -> None:
    pauses = Pauses()
    pauses.add(Phrase((), 3, 5, 1), is_heard=False)
    pauses.add(Phrase((), 5, 7, asked_ms=100), is_heard=False)
    pauses.add(Phrase((), 8, 9, asked_ms=200), is_heard=False)
    assert pauses.between() == pauses.at_end() == Pause(300, Span(5, 9))
    pauses.add(Phrase((), 9, 12), is_heard=True)
    pauses.add(Phrase((), 12, 14, asked_ms=50), is_heard=False)
    assert pauses.at_end() == Pause(50, Span(12, 14))


# What is heard


@pytest.mark.parametrize(("pause_ms", "tail_ms", "silence_ms"), [(0, 120, 120), (50, 120, 120), (400, 120, 400)])
async def test_a_pause_is_kept_between_phrases_and_not_behind_the_last(
    pause_ms: int, tail_ms: int, silence_ms: int
) -> None:
    hall = Hall(ScriptedVoice(lead_ms=0, tail_ms=tail_ms))
    heard = await hall.hear(phrases("abcd ", "efgh", pause_ms=pause_ms))
    assert duration_ms(heard) == pytest.approx(200 + silence_ms + 200 + tail_ms, abs=1)
    first = [chunk for chunk in heard if chunk.piece_number == 0]
    assert duration_ms(first) == pytest.approx(200 + silence_ms, abs=1)
    assert {chunk.span.end for chunk in first} == {5}  # what is silent belongs to the word before


async def test_what_has_no_words_lengthens_the_pause_after_the_word_before() -> None:
    said = [phrase("abcd ", 0, 250), Phrase((), 5, 6, 300), Phrase((), 6, 7, asked_ms=400), phrase("efgh", 7)]
    heard = await Hall(ScriptedVoice(lead_ms=0, tail_ms=100)).hear(said)
    assert duration_ms([chunk for chunk in heard if chunk.piece_number == 0]) == pytest.approx(200 + 400, abs=1)


async def test_a_readers_pause_before_anything_was_said_keeps_nobody_waiting() -> None:
    heard = await Hall(ScriptedVoice(lead_ms=0, tail_ms=0)).hear([Phrase((), 0, 3, 1000), phrase("abcd", 3)])
    assert duration_ms(heard) == pytest.approx(200, abs=1)


async def test_silence_that_is_asked_for_is_kept_at_both_ends() -> None:
    hall = Hall(ScriptedVoice(rate_hz=22_050, lead_ms=0, tail_ms=100))
    said = [Phrase((), 2, 9, asked_ms=600), phrase("abcd", 9), Phrase((), 13, 20, asked_ms=500)]
    heard = await hall.hear(said)
    assert duration_ms(heard) == pytest.approx(600 + 200 + 500, abs=1)
    assert {chunk.sample_rate_hz for chunk in heard} == {22_050}
    assert {(chunk.piece_number, chunk.backend, chunk.voice) for chunk in heard} == {(0, "voice-0", "scripted")}
    silent = [chunk for chunk in heard if heard_number(chunk) is None]
    spans = list(dict.fromkeys((chunk.span.start, chunk.span.end) for chunk in silent))
    assert spans == [(2, 9), (9, 13)]  # behind a word, silence belongs to it
    assert hall.registry.get_sample_value("tts_first_audio_seconds_count") == 1


@pytest.mark.parametrize("rate_hz", [None, 8_000])
async def test_silence_that_is_asked_for_may_be_all_there_is(rate_hz: int | None) -> None:
    voice = ScriptedVoice()
    hall = Hall(voice)
    await hall.chain.start()
    breaks = [Phrase((), 7, 9, asked_ms=300), Phrase((), 9, 10, 500), Phrase((), 10, 12, asked_ms=200)]
    heard = await hall.hear(breaks, rate_hz, VoiceChoice(voice="scripted"))
    assert duration_ms(heard) == pytest.approx(500, abs=1)
    assert {chunk.sample_rate_hz for chunk in heard} == {rate_hz or SILENT_RATE_HZ}
    assert {(chunk.span.start, chunk.span.end) for chunk in heard} == {(7, 12)}
    assert {(chunk.piece_number, chunk.backend, chunk.voice) for chunk in heard} == {(0, "voice-0", "scripted")}
    assert all(heard_number(chunk) is None for chunk in heard)
    assert hall.tally.first_audio_ms > 0
    assert voice.asked == []
