"""A reply falls silent as soon as somebody seems to speak into it, and goes on where nobody did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from client.audio.playback import NoLoudspeaker
from client.events import State
from client.flinch import Flinch
from services.common.tasks import cancel_and_wait
from tests.support.waiting import wait_until


class Told(NoLoudspeaker):
    """A loudspeaker that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def pause(self) -> None:
        self.told.append("pause")

    def go_on(self) -> None:
        self.told.append("go on")


@dataclass
class Scene:
    """Somebody speaks into a reply; time passes when a test says so."""

    player: Told = field(default_factory=Told)
    sleeps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._wakes = asyncio.Semaphore(0)
        self.flinch = Flinch(self.player, self._sleep)
        self.flinch.heed(State.SPEAKING)

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await self._wakes.acquire()

    async def asleep(self, times: int) -> float:
        """Once it sleeps for the so-manieth time: for how long."""
        await wait_until(lambda: len(self.sleeps) == times, "it to wait")
        return self.sleeps[-1]

    def wake(self) -> None:
        self._wakes.release()


@asynccontextmanager
async def running() -> AsyncIterator[Scene]:
    scene = Scene()
    task = asyncio.create_task(scene.flinch.run())
    try:
        yield scene
    finally:
        await cancel_and_wait(task)


@pytest.mark.parametrize("state", [state for state in State if state is not State.SPEAKING])
def test_only_a_reply_is_paused(state: State) -> None:
    player = Told()
    flinch = Flinch(player)
    assert not flinch.startle()
    flinch.heed(state)
    assert not flinch.startle()
    assert not player.told


async def test_a_reply_is_paused_once_and_goes_on_where_nobody_spoke() -> None:
    async with running() as scene:
        assert scene.flinch.startle()
        assert not scene.flinch.startle()
        assert scene.flinch.is_pausing
        assert 0.2 < await scene.asleep(1) < 1.0
        assert scene.player.told == ["pause"]
        scene.wake()
        await scene.asleep(2)
        assert scene.player.told == ["pause", "go on"]
        assert not scene.flinch.is_pausing


async def test_after_a_pause_for_nothing_it_bears_noise_for_a_while() -> None:
    async with running() as scene:
        scene.flinch.startle()
        await scene.asleep(1)
        scene.wake()
        assert await scene.asleep(2) >= 1.0
        assert not scene.flinch.startle()
        scene.wake()
        await wait_until(scene.flinch.startle, "it to startle again")
        await scene.asleep(3)
        assert scene.player.told == ["pause", "go on", "pause"]


async def test_what_the_assistant_decides_is_not_undone_and_a_later_pause_is_not_cut_short() -> None:
    async with running() as scene:
        scene.flinch.startle()
        await scene.asleep(1)
        scene.flinch.heed(State.YIELDING)
        assert not scene.flinch.is_pausing
        scene.flinch.heed(State.SPEAKING)
        assert scene.flinch.startle()
        scene.wake()
        await scene.asleep(2)
        assert scene.player.told == ["pause", "pause"]
        scene.flinch.heed(State.LISTENING)
        scene.wake()
        scene.flinch.heed(State.SPEAKING)
        assert scene.flinch.startle()
        await scene.asleep(3)
        assert scene.player.told == ["pause"] * 3  # who told it to yield tells it to go on
