"""What the scripted engines hear and say, and the microphone and the loudspeaker of whoever talks to them."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from services.common.audio import Samples, decode_pcm
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_services import script
from tests.fakes.scripted_services.hearing import Hearing, Kind, Step
from tests.fakes.scripted_services.records import Record, records_in
from tests.fakes.scripted_services.script import RATE_HZ, EarsSpeed, speech
from tests.fakes.scripted_services.speech import Chunk, Cutter, Piece, chunks
from tests.support.loudspeaker import Loudspeaker
from tests.support.microphone import Microphone

_QUESTION = 123  # five words and a mark: six words of 240 ms


def _silence(duration_ms: int) -> Samples:
    return np.zeros(duration_ms * RATE_HZ // 1000, np.int16)


def _heard(*parts: Samples, message: int = 320) -> list[Step]:
    samples, hearing = np.concatenate(parts), Hearing(EarsSpeed(), RATE_HZ)
    messages = [samples[start : start + message] for start in range(0, samples.size, message)]
    return [*(step for one in messages for step in hearing.push(one)), *hearing.flush()]


@pytest.mark.parametrize("message", [320, 7, 100_000])
def test_ears_hear_a_sentence_by_its_position_in_the_audio(message: int) -> None:
    steps = _heard(_silence(500), speech(_QUESTION), _silence(400), message=message)
    assert [step.kind for step in steps] == [Kind.STARTED, *[Kind.PARTIAL] * 5, Kind.PAUSED, Kind.ENDED]
    assert [step.at_ms for step in steps] == [596, 800, 952, 1252, 1552, 1852, 2040, 2240]  # in steps of 4 ms
    assert [len(step.words) for step in steps] == [0, 1, 1, 3, 4, 5, 6, 6]
    assert " ".join(steps[-1].words) == script.sentence(_QUESTION)
    assert (steps[-1].start_ms, steps[-1].end_ms, steps[-1].number) == (500, 1940, _QUESTION)


def test_ears_hear_a_hesitation_as_a_pause_and_more_speech() -> None:
    steps = _heard(speech(_QUESTION, hesitation_ms=200), _silence(400))
    kinds = [step.kind for step in steps if step.kind is not Kind.PARTIAL]
    assert kinds == [Kind.STARTED, Kind.PAUSED, Kind.RESUMED, Kind.PAUSED, Kind.ENDED]
    paused = next(step for step in steps if step.kind is Kind.PAUSED)
    assert paused.words == tuple(script.sentence(_QUESTION).split()[:3])
    assert " ".join(steps[-1].words) == script.sentence(_QUESTION)


def test_ears_take_a_click_for_nothing_and_noise_for_speech_without_words() -> None:
    assert _heard(speech(_QUESTION)[:1000], _silence(500)) == []
    steps = _heard(speech(_QUESTION)[:1000], _silence(500), speech(_QUESTION))
    assert {step.start_ms for step in steps} == {560}
    steps = _heard(speech(script.NOISE), _silence(400))
    assert steps[-1].kind is Kind.ENDED
    assert all(step.words == () for step in steps)


def test_ears_number_utterances_and_end_one_where_they_are_told_to() -> None:
    steps = _heard(speech(_QUESTION), _silence(400), speech(124)[:-4000])
    assert [(step.utterance, step.number) for step in steps if step.kind is Kind.STARTED] == [(1, 123), (2, 124)]
    assert steps[-1].kind is Kind.FLUSHED
    assert len(steps[-1].words) == 4  # of six: the others were not said


def test_each_number_says_something_of_its_own() -> None:
    numbers = [*script.BACKCHANNELS, *script.QUESTIONS[:50], *script.INTERRUPTIONS[:50]]
    sentences = [script.sentence(number) for number in numbers]
    assert len(set(sentences)) == len(numbers)
    assert all(sentences)
    assert [script.number_in(script.sentence(number)) for number in numbers[6:]] == numbers[6:]
    assert script.sentence(script.NOISE) == script.sentence(-8000) == ""


def test_reply_has_its_length_and_its_number_in_the_first_clause() -> None:
    tokens = script.reply(_QUESTION, 40)
    opening = "".join(tokens[: script.OPENING_TOKENS])
    assert len(tokens) == 40
    assert opening == "Voici pour le numéro 123,"
    assert "".join(tokens).endswith(".")


def _spoken(text: str, portion: int) -> list[Chunk]:
    cutter = Cutter()
    pieces = [piece for start in range(0, len(text), portion) for piece in cutter.push(text[start : start + portion])]
    pieces += cutter.flush()
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.start for piece in pieces] == [sum(len(p.text) for p in pieces[:i]) for i in range(len(pieces))]
    return [chunk for piece in pieces for chunk in chunks(piece, RATE_HZ, 60)]


@pytest.mark.parametrize("portion", [1, 5, 1000])
def test_mouth_says_every_character_in_chunks_with_the_words_that_sound(portion: int) -> None:
    text = "".join(script.reply(_QUESTION, 30))
    spoken = _spoken(text, portion)
    samples = [decode_pcm(chunk.audio, "audio") for chunk in spoken]
    assert sum(part.size for part in samples) == len(text) * 60 * RATE_HZ // 1000
    assert max(part.size for part in samples) == 30 * RATE_HZ // 1000
    assert (spoken[0].start, spoken[-1].end) == (0, len(text))
    for before, after in pairwise(spoken):
        assert before.start <= after.start <= before.end <= after.end


def test_mouth_tells_the_word_that_sounds() -> None:
    said = chunks(Piece("ab cd.", 10, 0), RATE_HZ, 60)
    assert [(chunk.start, chunk.end) for chunk in said] == [(10, 13)] * 6 + [(13, 16)] * 6


def test_mouth_cuts_a_clause_first_and_then_sentences() -> None:
    cutter = Cutter()
    assert [piece.text for piece in cutter.push("Bien sûr, oui, voilà. Et")] == ["Bien sûr,", " oui, voilà."]
    assert [piece.text for piece in cutter.flush()] == [" Et"]
    assert len(next(iter(Cutter().push("mot " * 30))).text.split()) == 24


def test_records_are_found_among_other_output() -> None:
    line = '{"stage": "llm", "number": 7, "outcome": "cancelled", "moments": {"began": 1.5}}'
    assert list(records_in(f"listening\n{line}\n\n")) == [Record("llm", 7, "cancelled", {"began": 1.5})]


def test_loudspeaker_plays_at_the_pace_of_time_what_it_has() -> None:
    clock = FakeClock()
    loudspeaker = Loudspeaker(1000, clock=clock)
    loudspeaker.take("turn-1", 0, 100)
    clock.advance(0.05)
    assert loudspeaker.played_samples == pytest.approx(50, abs=1)
    clock.advance(1)
    assert loudspeaker.played_samples == 100
    loudspeaker.take("turn-1", 100, 100)  # what it could not play meanwhile is not caught up with
    assert loudspeaker.played_samples == 100
    clock.advance(0.05)
    assert loudspeaker.played_samples == pytest.approx(150, abs=1)


def test_loudspeaker_holds_goes_on_and_throws_away() -> None:
    clock = FakeClock()
    loudspeaker = Loudspeaker(1000, clock=clock)
    loudspeaker.take("turn-1", 0, 1000)
    clock.advance(0.1)
    loudspeaker.hold()
    clock.advance(5)
    loudspeaker.go_on()
    clock.advance(0.1)
    assert loudspeaker.played_samples == pytest.approx(200, abs=1)
    loudspeaker.flush()
    clock.advance(5)
    assert loudspeaker.played_samples == pytest.approx(200, abs=1)


def test_loudspeaker_begins_anew_with_another_turn_and_may_be_hasty() -> None:
    clock = FakeClock()
    loudspeaker = Loudspeaker(1000, speed=4.0, clock=clock)
    loudspeaker.take("turn-1", 0, 1000)
    clock.advance(0.1)
    assert loudspeaker.played_samples == pytest.approx(400, abs=1)
    loudspeaker.take("turn-2", 0, 1000)
    assert (loudspeaker.turn_id, loudspeaker.played_samples) == ("turn-2", 0)


async def test_microphone_gives_what_is_said_between_silence() -> None:
    clock = FakeClock()
    microphone = Microphone(RATE_HZ, clock)
    assert microphone.message() == bytes(640)
    saying = asyncio.create_task(microphone.say(np.full(700, 5, np.int16)))
    await asyncio.sleep(0)
    sent = []
    for _ in range(4):
        clock.advance(0.02)
        sent.append(decode_pcm(microphone.message(), "audio"))
    spoken = await saying
    assert [int(np.count_nonzero(part)) for part in sent] == [320, 320, 60, 0]
    assert all(part.size == 320 for part in sent)
    assert spoken.ended_at - spoken.began_at == pytest.approx(0.04)


async def test_microphone_says_one_thing_after_the_other() -> None:
    microphone = Microphone(RATE_HZ, FakeClock())
    sayings = [asyncio.create_task(microphone.say(np.full(320, value, np.int16))) for value in (5, 6)]
    await asyncio.sleep(0)
    assert [decode_pcm(microphone.message(), "audio")[0] for _ in range(3)] == [5, 6, 0]
    await asyncio.gather(*sayings)
