"""services/tts/speaker.py and the track it fills: chunks, pauses, engines that fail, and who makes how much ahead."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from services.common.errors import EngineFailedError, OutOfRangeError, UnavailableError, UnsupportedError
from services.tts import chunks
from services.tts.engine import VoiceChoice
from services.tts.phrases import Phrase
from services.tts.track import SpokenChunk
from tests.fakes.voices import ScriptedVoice
from tests.support.speaking import Hall, Source, duration_ms, heard_number, phrase, phrases, settle

_SECOND = "dix lettre " * 2  # 18 characters of 50 ms, and 100 ms more of the silence around them


def _second(number: int) -> list[Phrase]:
    """So many phrases of one second each."""
    return phrases(*[_SECOND] * number)


def _voice_of_seconds() -> ScriptedVoice:
    return ScriptedVoice(lead_ms=10, tail_ms=90)


# Chunks


@pytest.mark.parametrize("rate_hz", [None, 8_000, 16_000, 22_050, 48_000])
@pytest.mark.parametrize("own_rate_hz", [16_000, 22_050])
async def test_chunks_follow_each_other_and_last_20_to_40_ms(rate_hz: int | None, own_rate_hz: int) -> None:
    hall = Hall(ScriptedVoice(rate_hz=own_rate_hz))
    heard = await hall.hear(phrases("Bonjour tout le monde. ", "Un, deux ou trois. ", "Fin.", pause_ms=300), rate_hz)
    assert {chunk.sample_rate_hz for chunk in heard} == {rate_hz or own_rate_hz}
    samples = 0
    for chunk in heard:
        assert chunk.first_sample == samples
        assert chunk.offset_ms == pytest.approx(samples * 1000 / chunk.sample_rate_hz)
        assert 0.0199 <= chunk.duration_s <= 0.0401
        samples += len(chunk.audio) // 2
    assert hall.tally.samples == samples


@pytest.mark.parametrize("rate_hz", [8_000, 22_050])
def test_audio_of_any_length_is_cut_so(rate_hz: int) -> None:
    for length_ms in range(20, 150):
        audio = np.arange(length_ms * rate_hz // 1000, dtype=np.int16)
        cut = list(chunks.cut(audio, rate_hz, rate_hz))
        assert np.array_equal(np.concatenate(cut), audio)
        assert all(19.8 <= part.size * 1000 / rate_hz <= 40 for part in cut)


async def test_a_sound_that_is_shorter_than_a_chunk_is_heard_too() -> None:
    heard = await Hall(ScriptedVoice(lead_ms=0, tail_ms=0, ms_per_character=5)).hear(phrases("a"))
    assert [chunk.duration_s for chunk in heard] == [pytest.approx(0.005)]


async def test_the_first_voice_decides_on_the_rate_and_later_ones_follow() -> None:
    good = ScriptedVoice(rate_hz=22_050, failures={2: EngineFailedError("it broke")})
    other = ScriptedVoice(rate_hz=16_000)
    heard = await Hall(good, other).hear(phrases("Bonjour. ", "Bonjour. "))
    assert {chunk.sample_rate_hz for chunk in heard} == {22_050}
    by_backend = [[chunk for chunk in heard if chunk.backend == name] for name in ("voice-0", "voice-1")]
    assert duration_ms(by_backend[0]) == pytest.approx(duration_ms(by_backend[1]), abs=1)


async def test_pieces_are_numbered_and_name_their_engine() -> None:
    heard = await Hall(ScriptedVoice()).hear([*phrases("Un. ", "Deux. "), Phrase((), 10, 12), phrase("Trois.", 12)])
    assert list(dict.fromkeys((chunk.piece_number, chunk.backend) for chunk in heard)) == [
        (0, "voice-0"),
        (1, "voice-0"),
        (2, "voice-0"),
    ]


# Silence


async def test_leading_silence_is_trimmed_but_for_a_hundredth_of_a_second() -> None:
    hall = Hall(ScriptedVoice(lead_ms=500, tail_ms=120))
    heard = await hall.hear(phrases("abcd efgh"))
    assert duration_ms(heard) == pytest.approx(10 + 8 * 50 + 120, abs=1)
    assert heard_number(heard[0]) == 0


async def test_what_is_said_without_any_sound_is_as_long_as_it_is() -> None:
    heard = await Hall(ScriptedVoice(ms_per_character=0, lead_ms=100, tail_ms=100)).hear(phrases("abcd"))
    assert duration_ms(heard) == pytest.approx(200, abs=1)


async def test_where_there_is_nothing_to_hear_nobody_is_asked() -> None:
    voice = ScriptedVoice()
    hall = Hall(voice)
    assert await hall.hear([Phrase((), 0, 3), Phrase((), 3, 4)]) == []
    assert voice.asked == []
    assert await Hall(ScriptedVoice(lead_ms=0, tail_ms=0, ms_per_character=0)).hear(phrases("abcd")) == []


# How it is said


async def test_who_has_nothing_to_listen_to_yet_is_urgent() -> None:
    voice = ScriptedVoice()
    await Hall(voice).hear([Phrase((), 0, 0, asked_ms=100), *phrases("un", "deux", "trois")])
    assert voice.urgent == [True, False, False]


async def test_what_takes_long_to_say_is_said_in_parts_without_pauses() -> None:
    voice = ScriptedVoice(lead_ms=0, tail_ms=0, ms_per_character=10)
    number = "neuf-cent-quatre-vingt-dix-neuf " * 12
    heard = await Hall(voice).hear([phrase(number, 0, 400), phrase("fin", len(number))])
    assert len(voice.asked) == 3
    assert duration_ms(heard) == pytest.approx(12 * 310 + 400 + 30, abs=1)
    assert [chunk.span.end for chunk in heard][-1] == len(number) + 3
    slow = ScriptedVoice()
    await Hall(slow).hear([phrase(number)], choice=VoiceChoice(speed=0.5))
    assert len(slow.asked) == 3


async def test_a_phrases_factors_come_on_top_of_the_callers_within_what_engines_take() -> None:
    voice = ScriptedVoice()
    caller = VoiceChoice("fr", speed=2.0, volume=1.5)
    ways = [(1.0, 1.0), (0.5, 0.5), (3.0, 3.0), (0.01, 0.0)]
    said = [Phrase(phrase("abc").words, 0, 3, speed=speed, volume=volume) for speed, volume in ways]
    await Hall(voice).hear(said, choice=caller)
    asked = [(choice.speed, choice.volume) for _, choice in voice.asked]
    assert asked == [(2.0, 1.5), (1.0, 0.75), (4.0, 2.0), (0.25, 0.0)]
    assert {choice.language_code for _, choice in voice.asked} == {"fr"}


async def test_what_one_engine_cannot_say_the_next_one_says() -> None:
    english = ScriptedVoice(failures={1: UnsupportedError("no French here")})
    heard = await Hall(english, ScriptedVoice()).hear(phrases("Bonjour"))
    assert {chunk.backend for chunk in heard} == {"voice-1"}


async def test_a_voice_that_is_named_speaks_or_nobody_does() -> None:
    """A last resort that speaks for everybody must not speak in its place."""
    hall = Hall(ScriptedVoice(name="anna"), ScriptedVoice(name="bernard"))
    heard = await hall.hear(phrases("Bonjour"), choice=VoiceChoice("fr", "bernard+f2"))
    assert {chunk.backend for chunk in heard} == {"voice-1"}
    with pytest.raises(UnsupportedError, match="claire"):
        await hall.hear(phrases("Bonjour"), choice=VoiceChoice("fr", "claire"))


async def test_when_the_voice_that_is_named_fails_another_stands_in() -> None:
    broken = ScriptedVoice(name="anna", failures={1: EngineFailedError("it broke")})
    stand_in = ScriptedVoice(name="bernard")
    heard = await Hall(broken, stand_in).hear(phrases("Bonjour"), choice=VoiceChoice("fr", "anna", speed=2.0))
    assert {chunk.voice for chunk in heard} == {"bernard"}
    assert stand_in.asked == [("Bonjour", VoiceChoice("fr", speed=2.0))]


async def test_a_voice_that_is_left_alone_for_a_while_is_stood_in_for_too() -> None:
    failures = {number: EngineFailedError("it broke") for number in range(1, 4)}
    broken = ScriptedVoice(name="anna", failures=dict(failures))
    hall = Hall(broken, ScriptedVoice(name="bernard"))
    for _ in range(4):
        heard = await hall.hear(phrases("Bonjour"), choice=VoiceChoice("fr", "anna"))
        assert {chunk.voice for chunk in heard} == {"bernard"}
    assert len(broken.asked) == 3


# Errors come behind the audio that is there


async def _heard_before_the_error(hall: Hall, source: Source, error: type[Exception]) -> list[SpokenChunk]:
    heard = []
    with pytest.raises(error):  # noqa: PT012  # what comes before the error matters too
        async for chunk in hall.speak(source):
            heard.append(chunk)  # noqa: PERF401
    return heard


async def test_when_all_engines_fail_what_was_spoken_before_is_heard() -> None:
    hall = Hall(ScriptedVoice(failures={3: EngineFailedError("it broke")}))
    source = Source(_second(4))
    heard = await _heard_before_the_error(hall, source, UnavailableError)
    assert {chunk.piece_number for chunk in heard} == {0, 1}
    assert source.is_closed
    assert source.taken == 3


async def test_when_the_text_breaks_off_what_was_written_before_is_heard() -> None:
    source = Source(_second(2), OutOfRangeError("too long"))
    heard = await _heard_before_the_error(Hall(ScriptedVoice()), source, OutOfRangeError)
    assert {chunk.piece_number for chunk in heard} == {0, 1}
    assert source.is_closed


# Ahead of whoever listens


async def test_whoever_stops_listening_is_two_seconds_ahead_of_and_no_more() -> None:
    voice = _voice_of_seconds()
    hall = Hall(voice, ahead_s=2.0)
    async with aclosing(hall.speak(Source(_second(100)))) as heard:
        await anext(heard)
        await settle()
        assert len(voice.asked) == 3  # one is being heard, and with the third two whole seconds wait
        heard_s = 0.0
        async for chunk in heard:
            heard_s += chunk.duration_s
            await settle()
            assert len(voice.asked) <= heard_s + 2 + 1 + 0.1
            if heard_s > 20:
                break
        assert len(voice.asked) >= 22
        await settle()
        asked = len(voice.asked)
    assert len(voice.asked) == asked


async def test_synthesis_goes_on_while_a_chunk_is_being_sent() -> None:
    voice = _voice_of_seconds()
    async with aclosing(Hall(voice, ahead_s=2.0).speak(Source(_second(3)))) as heard:
        await anext(heard)
        assert len(voice.asked) == 1  # the first chunk did not wait for the second phrase
        await settle()  # nobody asks for the next one
        assert len(voice.asked) == 3


async def test_a_cancel_ends_the_synthesis_under_way_and_waits_for_it() -> None:
    voice = ScriptedVoice(holds=asyncio.Event())
    source = Source(_second(3))
    hall = Hall(voice)
    listener = asyncio.create_task(hall.hear(source))
    await settle()
    assert len(voice.asked) == 1
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    assert (len(voice.asked), voice.cancelled) == (1, 1)
    assert source.is_closed


async def test_whoever_leaves_before_he_listens_leaves_nothing_behind() -> None:
    tasks = len(asyncio.all_tasks())
    source = Source(_second(5))
    heard = Hall(ScriptedVoice()).speak(source)
    await anext(heard)
    await heard.aclose()
    assert source.is_closed
    assert len(asyncio.all_tasks()) == tasks


async def test_callers_do_not_wait_for_each_other() -> None:
    voice = ScriptedVoice()
    hall = Hall(voice)
    slow = hall.speak(Source(_second(50)))
    await anext(slow)
    other = Hall(voice)
    assert duration_ms(await other.hear(_second(10))) > 9_000
    await slow.aclose()


# What is counted


async def test_what_is_counted() -> None:
    hall = Hall(ScriptedVoice())
    hall.tally.receive("Bonjour. Fin.")
    await hall.hear(phrases("Bonjour. ", "Fin."))
    assert (hall.tally.characters, hall.tally.pieces) == (13, 2)
    assert hall.tally.first_audio_ms > 0
    assert hall.tally.processing_ms > 0
    backend = {"backend": "voice-0"}
    value = hall.registry.get_sample_value
    assert value("tts_characters_total", backend) == 13
    assert value("tts_synthesis_time_seconds_count", backend) == 2
    assert value("tts_rtf_count", backend) == 2
    assert value("tts_first_audio_seconds_count") == 1
    assert value("tts_requests_total", {**backend, "status": "ok", "gpu": ""}) == 2
