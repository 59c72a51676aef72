"""services/tts/queued.py: whose turn it is, and what is the engine's failure and what is not."""

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from services.common.chain import Candidate, EngineChain
from services.common.errors import EngineFailedError, UnavailableError, UnsupportedError
from services.common.metrics import ChainMetrics
from services.common.slot import Paced, Watched
from services.common.tasks import cancel_and_wait
from services.tts.engine import Speech, TtsEngine, VoiceChoice, Word
from services.tts.queued import QueuedEngine
from tests.fakes.voices import ScriptedVoice
from tests.support.speaking import LIMIT_S, settle
from tests.support.waiting import wait_until

_CHOICE = VoiceChoice("fr")
_SHORT_S = 0.02


class Endless(ScriptedVoice):
    """Does not stop when it is told to, before `ends` is set."""

    def __init__(self) -> None:
        super().__init__(holds=asyncio.Event())
        self.ends = asyncio.Event()

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        try:
            return await super().synthesize(words, choice, urgent)
        finally:
            await self.ends.wait()


class Watching(ScriptedVoice):
    stuck: str | None = None


class Desk:
    """A voice that speaks when the test lets it, and the queue before it."""

    def __init__(self, voice: ScriptedVoice | None = None, at_once: int = 1, limit_s: float = LIMIT_S) -> None:
        self.voice = voice or ScriptedVoice(holds=asyncio.Event())
        self.queue = QueuedEngine(self.voice, at_once, limit_s)

    def begun(self) -> str:
        """What it was asked for, in that order."""
        return "".join(text for text, _ in self.voice.asked)

    def free(self) -> None:
        """It speaks."""
        assert self.voice.holds is not None
        self.voice.holds.set()

    async def ask(self, text: str, urgent: bool = False) -> Speech:
        return await self.queue.synthesize([Word(text, 0, len(text))], _CHOICE, urgent)

    async def callers(self, texts: str) -> "dict[str, asyncio.Task[Speech]]":
        """One for each letter, in that order; for capitals it is urgent."""
        tasks = {text: asyncio.create_task(self.ask(text, text.isupper())) for text in texts}
        await settle()
        return tasks


@pytest.mark.parametrize(("at_once", "begun"), [(1, "aCFbde"), (2, "abCFde"), (9, "abCdeF")])
async def test_urgent_ones_go_first_the_others_in_order(at_once: int, begun: str) -> None:
    desk = Desk(at_once=at_once)
    callers = await desk.callers("abCdeF")
    assert desk.begun() == begun[:at_once]
    desk.free()
    await asyncio.gather(*callers.values())
    assert desk.begun() == begun


async def test_turns_are_free_again_after_speech_and_failure() -> None:
    desk = Desk(ScriptedVoice(failures={2: EngineFailedError("oh"), 3: UnsupportedError("no")}))
    for outcome in (None, EngineFailedError, UnsupportedError, None):
        if outcome is None:
            assert (await desk.ask("a")).voice == "scripted"
        else:
            with pytest.raises(outcome):
                await desk.ask("a")


async def test_who_leaves_the_queue_is_never_spoken_for_and_who_leaves_while_he_is_makes_room() -> None:
    desk = Desk()
    callers = await desk.callers("abc")
    await cancel_and_wait(callers["b"], callers["a"])
    assert desk.voice.cancelled == 1
    desk.free()
    await callers["c"]
    assert desk.begun() == "ac"
    await desk.ask("d")


async def test_a_turn_that_comes_as_its_owner_leaves_goes_to_the_next() -> None:
    desk = Desk()
    callers: dict[str, asyncio.Task[Speech]] = {}

    async def follow() -> None:
        callers.update(await desk.callers("bc"))
        desk.free()

    following = asyncio.create_task(follow())
    await desk.ask("a")
    assert not callers["b"].done()  # it has its turn, and does not know of it yet
    callers["b"].cancel()
    await wait_until(callers["c"].done, "the next one's turn")
    await following
    assert desk.begun() == "ac"
    assert callers["b"].cancelled()


# Whose failure it is


async def test_only_what_comes_after_the_turn_has_to_be_in_time() -> None:
    desk = Desk(limit_s=_SHORT_S)
    for task in (await desk.callers("ab")).values():  # the second waited longer than it might have taken
        with pytest.raises(EngineFailedError, match=r"1 words took more than 0\.02 s") as caught:
            await task
        assert caught.value.detailed_reason == "TIMEOUT"
    assert desk.begun() == "ab"
    assert not desk.queue.is_late


async def test_an_error_of_the_engine_s_own_is_not_taken_for_the_limit() -> None:
    desk = Desk(ScriptedVoice(failures={1: TimeoutError("its own")}))
    with pytest.raises(TimeoutError, match="its own"):
        await desk.ask("a")


async def test_it_is_late_while_something_goes_on_beyond_its_limit() -> None:
    voice = Endless()
    desk = Desk(voice, limit_s=_SHORT_S)
    caller = (await desk.callers("a"))["a"]
    assert isinstance(desk.queue, Paced)
    assert not desk.queue.is_late
    await wait_until(lambda: desk.queue.is_late, "the limit")
    voice.ends.set()
    with pytest.raises(EngineFailedError):
        await caller
    assert not desk.queue.is_late


def _chain(queue: QueuedEngine) -> "EngineChain[TtsEngine]":
    async def load() -> TtsEngine:
        return queue

    return EngineChain([Candidate("voice", load)], ChainMetrics.create(CollectorRegistry(), "tts"))


async def test_having_waited_in_vain_is_not_the_engine_s_failure_and_having_spoken_too_long_is() -> None:
    """Three failures in a row, and a chain leaves the engine alone for half a minute."""

    async def asked_in_vain(desk: Desk, chain: "EngineChain[TtsEngine]", limit_s: float) -> None:
        for _ in range(4):
            with pytest.raises(UnavailableError):
                await chain.call(lambda engine: desk.ask("x"), limit_s)

    busy = Desk()
    chain = _chain(busy.queue)
    first = (await busy.callers("a"))["a"]
    await asked_in_vain(busy, chain, _SHORT_S)
    busy.free()
    await first
    assert (await chain.call(lambda engine: busy.ask("y"), LIMIT_S)).backend == "voice"
    assert busy.begun() == "ay"

    slow = Desk(limit_s=_SHORT_S)
    await asked_in_vain(slow, _chain(slow.queue), LIMIT_S)
    assert slow.begun() == "xxx"  # by the fourth time it was not asked


async def test_all_else_is_as_the_engine_says() -> None:
    voice = Watching(name="anna")
    queue = Desk(voice).queue
    assert [one.name for one in queue.voices()] == ["anna"]
    assert queue.identity(_CHOICE) == "anna"
    assert isinstance(queue, Watched)
    told = [queue.stuck]
    voice.stuck = "a thread is lost"
    told.append(queue.stuck)
    assert told == [None, "a thread is lost"]
    assert Desk().queue.stuck is None
    await queue.close()
    assert voice.is_closed


@pytest.mark.parametrize("leaver", ["b", "B"])
async def test_who_leaves_as_his_turn_comes_keeps_nobody_waiting(leaver: str) -> None:
    desk = Desk()
    callers = await desk.callers(f"a{leaver}c")
    desk.free()  # and before anybody has noticed:
    callers[leaver].cancel()
    await callers["a"]
    await callers["c"]
    with pytest.raises(asyncio.CancelledError):
        await callers[leaver]
    assert desk.begun() == "ac"
    await desk.ask("d")  # all turns were given back
