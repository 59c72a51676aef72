"""A segmenter over a detector by loudness and a turn detector by script: what a decoder gets, and when."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest

from services.common.audio import Samples
from services.stt.endpointing import Cause, Ended, Endpointing, Paused, Resumed, Started
from services.stt.engine import ENGINE_RATE_HZ, FRAME_SAMPLES
from services.stt.segmenter import PRE_ROLL_MS, FlushUtterance, Segmenter, Speech, Step
from services.stt.turn_detector import TURN_SAMPLES
from tests.fakes.recognisers import LoudnessDetector

SETTINGS = Endpointing(endpoint_silence_ms=200, unjudged_silence_ms=600, unfinished_wait_ms=1000)
DONE, THINKING = 0.9, 0.1


@dataclass
class ScriptedTurns:
    """Says what a test wants it to, one answer a pause; an error is raised. Keeps what it was asked."""

    answers: list[float | Exception]
    asked: list[Samples] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def finished(self, samples: Samples) -> float:
        assert self.may_answer.wait(10)
        self.asked.append(samples)
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def sound(seconds: float) -> Samples:
    """As loud as speech, no two samples alike in a row."""
    return (np.arange(int(seconds * ENGINE_RATE_HZ)) % 1000 + 1000).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * ENGINE_RATE_HZ), np.int16)


async def steps(
    audio: Sequence[Samples | FlushUtterance],
    turns: ScriptedTurns | None = None,
    settings: Endpointing = SETTINGS,
    failures: list[str] | None = None,
) -> list[Step]:
    async def messages() -> AsyncIterator[Samples | FlushUtterance]:
        for item in audio:
            yield item

    counted = failures if failures is not None else []
    with ThreadPoolExecutor(1) as threads:
        segmenter = Segmenter(
            settings,
            LoudnessDetector(),
            threads,
            turn_detector=turns,
            on_turn_failure=lambda: counted.append("failure"),
        )
        return [step async for step in segmenter.steps(messages())]


def silences_ms(found: Sequence[Step]) -> list[float]:
    """How long each utterance waited for its end."""
    return [step.decided_ms - step.end_ms for step in found if isinstance(step, Ended)]


async def test_speech_comes_with_what_was_before_it() -> None:
    found = await steps([silence(1), sound(0.5), silence(1)])
    started = next(step for step in found if isinstance(step, Started))
    speech = next(step for step in found if isinstance(step, Speech))
    assert started.start_ms == pytest.approx(1000, abs=32)
    assert speech.begin_ms == pytest.approx(started.start_ms - PRE_ROLL_MS, abs=32)


async def test_what_comes_after_a_start_is_whole() -> None:
    found = await steps([silence(1), sound(0.5), silence(1)])
    parts = [step for step in found if isinstance(step, Speech)]
    for before, after in pairwise(parts):
        assert after.begin_ms == before.end_ms
    heard = np.concatenate([part.samples for part in parts])
    assert np.array_equal(heard[heard != 0], sound(0.5))


async def test_an_utterance_has_nothing_of_the_one_before() -> None:
    found = await steps([sound(0.5), FlushUtterance(), sound(0.5), silence(1)])
    starts = [step.start_ms for step in found if isinstance(step, Started)]
    begins = [found[index + 1] for index, step in enumerate(found) if isinstance(step, Started)]
    first_end = next(step for step in found if isinstance(step, Ended))
    assert first_end.cause is Cause.FLUSH
    assert isinstance(begins[1], Speech)
    assert begins[1].begin_ms >= first_end.end_ms
    assert len(starts) == 2


async def test_a_soft_consonant_before_detected_speech_is_its_beginning() -> None:
    """Noise at 250, which the detector by loudness does not take for speech, but it is louder than what was before."""
    random = np.random.default_rng(1)
    room, consonant = (
        random.integers(-loudness, loudness, size).astype(np.int16)
        for loudness, size in ((10, ENGINE_RATE_HZ), (250, 4 * FRAME_SAMPLES))
    )
    found = await steps([room, consonant, sound(0.5), silence(1)])
    started = next(step for step in found if isinstance(step, Started))
    assert started.start_ms == pytest.approx(1000, abs=32)


async def test_silence_alone_ends_an_utterance_where_nobody_judges() -> None:
    assert silences_ms(await steps([sound(0.5), silence(2)])) == [pytest.approx(600, abs=32)]


async def test_a_speaker_who_is_done_is_answered_sooner() -> None:
    found = await steps([sound(0.5), silence(2)], ScriptedTurns([DONE]))
    assert silences_ms(found) == [pytest.approx(200, abs=32)]


async def test_a_speaker_who_thinks_is_waited_for() -> None:
    found = await steps([sound(0.5), silence(2)], ScriptedTurns([THINKING]))
    assert silences_ms(found) == [pytest.approx(1200, abs=32)]


async def test_each_pause_is_judged_anew_on_all_that_was_said() -> None:
    turns = ScriptedTurns([THINKING, DONE])
    found = await steps([silence(1), sound(0.5), silence(0.8), sound(0.5), silence(2)], turns)
    assert silences_ms(found) == [pytest.approx(200, abs=32)]
    assert [type(step) for step in found if isinstance(step, Paused | Resumed)] == [Paused, Resumed, Paused]
    first, second = (np.flatnonzero(samples).size for samples in turns.asked)
    assert first == sound(0.5).size
    assert second == sound(1.0).size


async def test_the_end_of_a_long_utterance_is_judged() -> None:
    turns = ScriptedTurns([DONE])
    await steps([sound(20), silence(1)], turns)
    (asked,) = turns.asked
    assert asked.size == TURN_SAMPLES
    assert not asked[-int(0.1 * ENGINE_RATE_HZ) :].any()


async def test_the_next_utterance_is_judged_without_the_one_before() -> None:
    turns = ScriptedTurns([DONE, DONE])
    await steps([sound(1), silence(0.3), sound(0.5), silence(1)], turns)
    assert [np.flatnonzero(samples).size for samples in turns.asked] == [sound(1).size, sound(0.5).size]


async def test_the_pause_is_told_before_it_is_judged() -> None:
    turns = ScriptedTurns([DONE])
    turns.may_answer.clear()

    async def messages() -> AsyncIterator[Samples | FlushUtterance]:
        yield sound(0.5)
        yield silence(1)

    with ThreadPoolExecutor(1) as threads:
        segmenter = Segmenter(SETTINGS, LoudnessDetector(), threads, turn_detector=turns)
        found = segmenter.steps(messages())
        try:
            async with asyncio.timeout(10):
                while not isinstance(await anext(found), Paused):
                    assert not turns.asked
        finally:
            turns.may_answer.set()
        assert isinstance([step async for step in found][-1], Ended)


async def test_a_turn_detector_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[str] = []
    turns = ScriptedTurns([RuntimeError("broken"), RuntimeError("broken"), DONE])
    found = await steps([sound(0.5), silence(1)] * 3, turns, failures=failures)
    assert silences_ms(found) == [pytest.approx(600, abs=32), pytest.approx(600, abs=32), pytest.approx(200, abs=32)]
    assert len(failures) == 2
    assert [record.message for record in caplog.records] == [
        "the turn detector fails, silence alone ends turns: broken"
    ]


async def test_without_a_wait_nobody_is_asked() -> None:
    turns = ScriptedTurns([])
    found = await steps([sound(0.5), silence(2)], turns, replace(SETTINGS, unfinished_wait_ms=0))
    assert silences_ms(found) == [pytest.approx(600, abs=32)]
    assert not turns.asked
