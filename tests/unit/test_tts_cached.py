"""services/tts/cached.py."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.common.audio import Recording
from services.common.cache import CacheCounts, MemoryCache, ResultCache
from services.common.chain import Candidate, EngineChain
from services.common.errors import (
    EngineFailedError,
    InvalidInputError,
    UnavailableError,
    UnsupportedError,
    UnusableAnswerError,
)
from services.common.metrics import ChainMetrics
from services.common.slot import Paced, Watched
from services.common.tasks import cancel_and_wait
from services.tts.cached import CachedEngine, packed, speech_key, unpacked
from services.tts.engine import Speech, TtsEngine, Voice, VoiceChoice, Word
from services.tts.queued import QueuedEngine
from tests.support.waiting import wait_until

WORDS = (Word("bonjour", 0, 7), Word("Aïko.", 8, 13, "aiko"))
CHOICE = VoiceChoice("fr")
# Another value of every field there is, or will be: a wish that is not in the key gives somebody the wrong voice.
OTHER: dict[str, Any] = {"str": "en", "float": 0.77, "float | None": 0.77}
LIMIT_S = 20.0


class Mouth:
    """An engine that speaks when the test lets it; each of its answers is another one."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0
        self.ended = 0
        self.closed = False
        self.may_speak = asyncio.Event()
        self.failure: Exception | None = None
        self.urgent: list[bool] = []
        self.clean_up: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)

    def voices(self) -> Sequence[Voice]:
        return (Voice("scripted", ("fr",), 16_000),)

    def identity(self, choice: VoiceChoice) -> str:
        if choice.voice == "nobody":
            raise UnsupportedError("no voice of that name")
        return f"scripted {choice.voice or choice.language_code[:2]}"

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        self.asked += 1
        self.urgent.append(urgent)
        number = self.asked
        try:
            await self.may_speak.wait()
            if self.failure is not None:
                raise self.failure
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            await self.clean_up()
            self.ended += 1
        return speech(number)

    async def close(self) -> None:
        assert self.ended == self.asked, "it is closed under somebody who works with it"
        self.closed = True


class WatchedMouth(Mouth):
    stuck: str | None = None


def speech(number: int) -> Speech:
    return Speech(Recording(np.full(480, number, np.int16), 16_000), "scripted", (0, 160))


class Desk:
    """An engine with a cache, whose counts are kept."""

    def __init__(self, mouth: Mouth | None = None, max_bytes: int = 10**6, limit_s: float = LIMIT_S) -> None:
        self.told: list[str] = []
        counts = CacheCounts(*(lambda what=what: self.told.append(what) for what in ("hit", "miss", "error")))
        self.cache: ResultCache = MemoryCache(counts, max_bytes, 60)
        self.mouth = mouth or Mouth()
        self.engine = CachedEngine(QueuedEngine(self.mouth, 8, limit_s), self.cache)

    async def number(self, words: Sequence[Word] = WORDS, choice: VoiceChoice = CHOICE) -> int:
        """Which answer of the engine's it is that a caller gets."""
        found = await self.engine.synthesize(words, choice)
        assert (found.recording.sample_rate_hz, found.voice, found.word_starts) == (16_000, "scripted", (0, 160))
        return int(found.recording.samples[0])

    async def callers(self, count: int) -> "list[asyncio.Task[int]]":
        """So many who want the same, and all of whom wait."""
        tasks = [asyncio.create_task(self.number()) for _ in range(count)]
        await wait_until(lambda: self.mouth.asked > 0, "the engine's being asked")
        return tasks


# --- the key and the value


def test_the_same_words_are_the_same_wherever_they_stand() -> None:
    elsewhere = [replace(word, start=word.start + 40, end=word.end + 40) for word in WORDS]
    assert speech_key("piper", elsewhere, replace(CHOICE)) == speech_key("piper", WORDS, CHOICE)


def test_every_word_its_sound_and_the_engine_make_another_key() -> None:
    joined = (Word("bonjour Aïko.", 0, 13, "aiko"),)
    silent = (WORDS[0], replace(WORDS[1], ipa=""))
    keys = {
        speech_key(engine, words, CHOICE)
        for engine in ("piper", "espeak")
        for words in (WORDS, WORDS[:1], WORDS[::-1], joined, silent)
    }
    assert len(keys) == 10


FOUND_BY = {"language_code", "voice"}  # the engine's identity has what they led to


@pytest.mark.parametrize("name", sorted({field.name for field in fields(VoiceChoice)} - FOUND_BY))
def test_every_wish_is_in_the_key(name: str) -> None:
    [kind] = [str(getattr(field.type, "__name__", field.type)) for field in fields(VoiceChoice) if field.name == name]
    other = replace(CHOICE, **{name: OTHER[kind]})
    assert speech_key("piper", WORDS, other) != speech_key("piper", WORDS, CHOICE)


def test_a_word_with_half_a_character_has_a_key_too() -> None:
    assert speech_key("piper", [Word("\ud83d", 0, 1)], CHOICE)


@pytest.mark.parametrize("other", [VoiceChoice("fr-FR"), VoiceChoice("fr", voice="anna")])
def test_how_the_voice_was_found_is_not(other: VoiceChoice) -> None:
    assert speech_key("piper", WORDS, other) == speech_key("piper", WORDS, CHOICE)


@given(
    st.lists(st.integers(-(2**15), 2**15 - 1)),
    st.lists(st.floats(0, 1), max_size=20),
    st.integers(8000, 48_000),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_what_was_packed_comes_out_again(samples: list[int], places: list[float], rate_hz: int, voice: str) -> None:
    starts = tuple(sorted(round(place * len(samples)) for place in places))
    found = unpacked(packed(Speech(Recording(np.array(samples, np.int16), rate_hz), voice, starts)))
    assert found is not None
    assert found.recording.samples.tolist() == samples
    assert found.recording.samples.flags.aligned
    assert (found.recording.sample_rate_hz, found.voice, found.word_starts) == (rate_hz, voice, starts)


@pytest.mark.parametrize(
    ("rate_hz", "starts"),
    [(1, (0,)), (7_999, (0,)), (48_001, (0,)), (3_000_000_000, (0,)), (16_000, (0, 481)), (16_000, (9, 8))],
)
def test_what_cannot_be_is_no_speech(rate_hz: int, starts: tuple[int, ...]) -> None:
    samples = np.zeros(480, np.int16)
    assert unpacked(packed(Speech(Recording(samples, 16_000), "anna", (0, 480)))) is not None
    assert unpacked(packed(Speech(Recording(samples, rate_hz), "anna", starts))) is None


def test_samples_are_not_copied_out() -> None:
    value = packed(speech(1))
    found = unpacked(value)
    assert found is not None
    assert np.shares_memory(found.recording.samples, np.frombuffer(value, np.uint8))


@given(st.binary(max_size=60))
def test_whatever_else_may_lie_in_a_cache_is_no_speech_or_a_harmless_one(value: bytes) -> None:
    found = unpacked(value)
    assert found is None or found.recording.samples.nbytes <= len(value)


# --- what was said before


async def test_the_second_time_the_engine_is_not_asked() -> None:
    desk = Desk()
    desk.mouth.may_speak.set()
    assert [await desk.number() for _ in range(3)] == [1, 1, 1]
    assert await desk.number(choice=VoiceChoice("fr-FR")) == 1
    assert await desk.number(choice=VoiceChoice("en")) == 2
    assert desk.told == ["miss", "hit", "hit", "hit", "miss"]


async def test_a_voice_that_the_engine_has_not_is_nothing_to_look_for() -> None:
    desk = Desk()
    with pytest.raises(UnsupportedError):
        await desk.number(choice=VoiceChoice(voice="nobody"))
    assert (desk.told, desk.mouth.asked) == ([], 0)


async def test_how_urgent_it_is_goes_to_the_engine() -> None:
    desk = Desk()
    desk.mouth.may_speak.set()
    for urgent, words in ((True, WORDS), (False, WORDS[:1])):
        await desk.engine.synthesize(words, CHOICE, urgent)
    assert desk.mouth.urgent == [True, False]


async def test_what_is_no_speech_is_not_taken_for_one() -> None:
    desk = Desk()
    desk.mouth.may_speak.set()
    await desk.cache.put(speech_key("scripted fr", WORDS, CHOICE), b"odd")
    assert [await desk.number(), await desk.number()] == [1, 1]


# --- at the same time


@pytest.mark.parametrize("max_bytes", [10**6, 0])
async def test_who_wants_the_same_at_the_same_time_shares_it(max_bytes: int) -> None:
    desk = Desk(max_bytes=max_bytes)
    callers = await desk.callers(5)
    desk.mouth.may_speak.set()
    assert await asyncio.gather(*callers) == [1] * 5
    assert desk.mouth.asked == 1
    assert await desk.number() == (1 if max_bytes else 2)


async def test_others_are_spoken_to_meanwhile() -> None:
    desk = Desk()
    callers = await desk.callers(2)
    callers.append(asyncio.create_task(desk.number(WORDS[:1])))
    await wait_until(lambda: desk.mouth.asked == 2, "the other words")
    desk.mouth.may_speak.set()
    assert sorted(await asyncio.gather(*callers)) == [1, 1, 2]


async def test_who_leaves_leaves_the_others_alone() -> None:
    desk = Desk()
    callers = await desk.callers(3)
    await cancel_and_wait(callers[0], callers[2])
    assert not desk.mouth.cancelled
    desk.mouth.may_speak.set()
    assert await callers[1] == 1


async def test_the_last_one_to_leave_ends_it_and_waits_for_its_end() -> None:
    desk = Desk()
    may_end = asyncio.Event()
    desk.mouth.clean_up = may_end.wait
    callers = await desk.callers(2)
    for caller in callers:
        caller.cancel()
    await wait_until(callers[0].done, "the end of the first")
    assert not callers[1].done()
    await wait_until(lambda: desk.mouth.cancelled == 1, "the word that nobody waits")
    # Who comes now does not get what is being given up.
    desk.mouth.may_speak.set()
    late = asyncio.create_task(desk.number())
    await wait_until(lambda: desk.mouth.asked == 2, "a synthesis of its own")
    may_end.set()
    assert await late == 2
    await asyncio.wait(callers)
    assert callers[1].cancelled()
    assert desk.mouth.ended == 2


async def test_an_error_goes_to_all_and_is_not_kept() -> None:
    desk = Desk()
    desk.mouth.failure = InvalidInputError("text", "is odd")
    callers = await desk.callers(3)
    desk.mouth.may_speak.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert outcomes == [desk.mouth.failure] * 3
    desk.mouth.failure = None
    assert await desk.number() == 2


@pytest.mark.parametrize("failure", [EngineFailedError("it broke"), RuntimeError("it broke")])
async def test_a_failure_that_several_share_counts_once_against_the_engine(failure: Exception) -> None:
    """Three in a row, and a chain leaves the engine alone for half a minute."""
    desk = Desk()

    async def load() -> TtsEngine:
        return desk.engine

    chain = EngineChain([Candidate("voice", load)], ChainMetrics.create(CollectorRegistry(), "tts"))
    desk.mouth.failure = failure
    asking = [asyncio.create_task(chain.call(lambda _engine: desk.number(), LIMIT_S)) for _ in range(5)]
    await wait_until(lambda: desk.mouth.asked > 0, "the engine's being asked")
    desk.mouth.may_speak.set()
    for outcome in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(outcome, UnavailableError)
    assert desk.mouth.asked == 1
    desk.mouth.failure = None
    assert (await chain.call(lambda _engine: desk.number(), LIMIT_S)).value == 2


async def test_whoever_is_told_first_of_a_failure_bears_it() -> None:
    desk = Desk()
    desk.mouth.failure = EngineFailedError("it broke")
    callers = await desk.callers(3)
    await cancel_and_wait(callers[0])
    desk.mouth.may_speak.set()
    outcomes = await asyncio.gather(*callers[1:], return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [EngineFailedError, UnusableAnswerError]
    assert "it broke" in str(outcomes[1])


async def test_closing_ends_what_is_under_way_before_the_engine() -> None:
    desk = Desk()
    callers = await desk.callers(2)
    await desk.engine.close()
    assert desk.mouth.closed
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2


# --- what the chain looks at


async def test_voices_are_the_engine_s() -> None:
    assert [voice.name for voice in Desk().engine.voices()] == ["scripted"]


async def test_whether_it_is_stuck_is_the_engine_s_word() -> None:
    mouth = WatchedMouth()
    engine = Desk(mouth).engine
    told = [engine.stuck]
    mouth.stuck = "a thread is lost"
    told.append(engine.stuck)
    assert told == [None, "a thread is lost"]
    assert isinstance(engine, Watched)
    assert Desk().engine.stuck is None


async def test_it_is_late_as_the_queue_is() -> None:
    desk = Desk(limit_s=0.01)
    may_end = asyncio.Event()
    desk.mouth.clean_up = may_end.wait
    [caller] = await desk.callers(1)
    assert isinstance(desk.engine, Paced)
    await wait_until(lambda: desk.engine.is_late, "the limit")
    may_end.set()
    with pytest.raises(EngineFailedError):
        await caller
    assert not desk.engine.is_late
