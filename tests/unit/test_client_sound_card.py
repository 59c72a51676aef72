"""The microphone and the loudspeaker stay open, whatever happens to them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from client.audio.devices import Direction, Render
from client.audio.sound_card import SoundCard
from client.audio.tap import Tap
from client.errors import CommandError
from client.events import DeviceChanged, What
from services.common.audio import Samples
from tests.fakes.sound_library import FakeSoundLibrary
from tests.support.waiting import BOUND_S, wait_until

LOOKS_PER_S = 4


@dataclass
class CountingMouth:
    """Plays rising numbers, so that what was lost or played twice would show."""

    attached: list[int] = field(default_factory=list)
    is_attached: bool = False
    latency_s: Callable[[], float] = float
    played: int = 0

    def attach(self, rate_hz: int, latency_s: Callable[[], float]) -> Render:
        assert not self.is_attached, "attached twice"
        self.attached.append(rate_hz)
        self.is_attached, self.latency_s = True, latency_s
        return self._render

    def detach(self) -> None:
        self.is_attached = False

    def _render(self, out: Samples) -> None:
        out[:] = np.arange(self.played, self.played + out.size)
        self.played += out.size


@dataclass
class Scene:
    """A sound card whose looks a test counts."""

    library: FakeSoundLibrary
    microphone: str = ""
    loudspeaker: str = ""
    told: list[What] = field(default_factory=list)
    mouth: CountingMouth = field(default_factory=CountingMouth)
    near: Tap = field(default_factory=Tap)
    far: Tap = field(default_factory=Tap)

    def __post_init__(self) -> None:
        self._looks = asyncio.Semaphore(0)
        self._asleep = 0
        self.card = SoundCard(
            *(self.library, self.microphone, self.loudspeaker, self.near, self.far, self.mouth, self.told.append),
            sleep=self._sleep,
            patience_s=BOUND_S,
        )

    async def _sleep(self, seconds: float) -> None:
        self._asleep += 1
        await self._looks.acquire()

    async def look(self, count: int = 1, *, beating: bool = True) -> None:
        """So many looks, between which the devices' threads come."""
        for _ in range(count):
            if beating:
                self.library.beat()
            before = self._asleep
            self._looks.release()
            await wait_until(lambda seen=before: self._asleep > seen, "the end of the look")  # type: ignore[misc]

    @property
    def changes(self) -> list[tuple[Direction, str, bool]]:
        """What was told."""
        return [(what.direction, what.name, what.is_there) for what in self.told if isinstance(what, DeviceChanged)]


@asynccontextmanager
async def supervised(scene: Scene) -> AsyncIterator[Scene]:
    await scene.card.open()
    task = asyncio.create_task(scene.card.supervise())
    try:
        await wait_until(lambda: scene._asleep > 0, "the supervision to begin")
        yield scene
    finally:
        task.cancel()
        await asyncio.wait([task])
        await scene.card.close()
    assert task.cancelled()


def headset() -> FakeSoundLibrary:
    """A machine with a microphone and a loudspeaker of its own, and a headset."""
    library = FakeSoundLibrary()
    library.plug("input", "built-in microphone", 44_100)
    library.plug("input", "USB headset", 16_000)
    library.plug("output", "built-in loudspeaker")
    library.plug("output", "USB headset", 44_100)
    library.look_again()
    library.looked = 0
    return library


async def test_both_are_opened_and_closed() -> None:
    scene = Scene(headset())
    await scene.card.open()
    for _ in range(10):  # what a resampler holds back
        scene.library.beat()
    assert (scene.card.has_microphone, scene.card.has_loudspeaker) == (True, True)
    assert scene.card.name("input") == "built-in microphone"
    assert scene.mouth.attached == [48_000]
    assert scene.mouth.latency_s() == 0.04
    assert scene.near.read().size
    assert scene.far.read().size
    await scene.card.close()
    assert not scene.library.running
    assert not scene.mouth.is_attached


@pytest.mark.parametrize("wanted", ["none", ""])
async def test_a_machine_without_sound_is_fine(wanted: str) -> None:
    library = headset() if wanted else FakeSoundLibrary()
    async with supervised(Scene(library, wanted, wanted)) as scene:
        await scene.look(3 * LOOKS_PER_S)
        assert (scene.card.has_microphone, scene.card.has_loudspeaker) == (False, False)
        assert (scene.changes, library.opened, library.looked) == ([], [], 0)


async def test_a_wrong_name_ends_the_start_and_leaves_nothing_open() -> None:
    scene = Scene(headset(), "built-in", "gramophone")
    with pytest.raises(CommandError, match="no loudspeaker gramophone; `superwhisper devices` shows"):
        await scene.card.open()
    assert len(scene.library.opened) == 1
    assert not scene.library.running


@pytest.mark.parametrize("number", ["²", "9" * 5000])
async def test_a_number_that_nothing_has_is_a_wrong_name(number: str) -> None:
    with pytest.raises(CommandError, match="no microphone"):
        await Scene(headset(), number).card.open()


async def test_what_does_not_open_at_the_start_is_told() -> None:
    scene = Scene(headset())
    scene.library.refused.add("built-in loudspeaker")
    with pytest.raises(CommandError, match="does not open"):
        await scene.card.open()
    assert not scene.library.running
    assert not scene.mouth.is_attached


async def test_a_library_that_hangs_at_the_start_is_told() -> None:
    scene = Scene(headset())
    scene.card.patience_s = 0.01
    with scene.library.hanging(), pytest.raises(CommandError, match="does not answer"):
        await scene.card.open()


async def test_an_unplugged_device_comes_back_under_another_number() -> None:
    async with supervised(Scene(headset(), microphone="headset", loudspeaker="101")) as scene:
        library = scene.library
        library.unplug("output", "USB headset")
        await scene.look()
        assert scene.changes == [("output", "USB headset", False)]
        assert [running.device.name for running in library.running] == ["USB headset"]  # the microphone goes on
        library.plug("output", "television", first=True)
        library.plug("output", "USB headset")
        await scene.look(10 * LOOKS_PER_S)
        assert scene.changes[1:] == [("output", "USB headset", True)]
        assert library.of("output").device.index == 102


async def test_the_default_device_is_the_one_that_is_there_now() -> None:
    async with supervised(Scene(headset())) as scene:
        scene.library.unplug("input", "built-in microphone")
        await scene.look()
        assert scene.changes == [("input", "built-in microphone", False), ("input", "USB headset", True)]
        assert scene.card.name("input") == "USB headset"
        scene.near.read()
        scene.library.beat()
        assert scene.near.read().size == 480  # at the headset's own 16 kHz


async def test_a_device_that_stands_still_is_dead() -> None:
    async with supervised(Scene(headset())) as scene:
        await scene.look(4 * LOOKS_PER_S)
        for _ in range(3 * LOOKS_PER_S):
            scene.library.of("input").hear(np.ones(480, np.int16))
            await scene.look(beating=False)
        assert ("output", "built-in loudspeaker", False) in scene.changes
        assert [direction for direction, *_ in scene.changes] == ["output", "output"]


@pytest.mark.parametrize("age_s", [1, 10])
async def test_a_device_that_wakes_up_has_time(age_s: int) -> None:
    async with supervised(Scene(headset())) as scene:
        await scene.look(age_s * LOOKS_PER_S)
        await scene.look(2 * LOOKS_PER_S, beating=False)
        await scene.look()
        assert not scene.changes


async def test_one_that_is_missing_hardly_disturbs_the_other() -> None:
    async with supervised(Scene(headset(), loudspeaker="headset")) as scene:
        library = scene.library
        library.unplug("output", "USB headset")
        await scene.look()
        microphone, looked = library.of("input"), library.looked
        await scene.look(8 * LOOKS_PER_S)
        assert library.of("input") is microphone
        await scene.look(2 * LOOKS_PER_S)
        assert (library.of("input") is microphone, library.looked) == (False, looked + 1)
        assert len(scene.changes) == 1


async def test_one_that_the_library_still_knows_comes_back_at_once() -> None:
    async with supervised(Scene(headset())) as scene:
        library = scene.library
        library.refused.add("built-in loudspeaker")
        library.of("output").is_running = False
        await scene.look(2 * LOOKS_PER_S)
        microphone = library.of("input")
        library.refused.clear()
        await scene.look(LOOKS_PER_S)
        assert scene.changes == [("output", "built-in loudspeaker", False), ("output", "built-in loudspeaker", True)]
        assert library.of("input") is microphone


async def test_when_all_is_gone_it_looks_every_second() -> None:
    library = FakeSoundLibrary()
    library.plug("input", "the only one")
    library.look_again()
    async with supervised(Scene(library)) as scene:
        library.unplug("input", "the only one")
        await scene.look(LOOKS_PER_S)
        library.plug("input", "another")
        await scene.look(LOOKS_PER_S)
        assert scene.changes == [("input", "the only one", False), ("input", "another", True)]


async def test_nothing_is_lost_of_a_reply_while_the_microphone_is_changed() -> None:
    async with supervised(Scene(headset())) as scene:
        await scene.look(2)
        scene.library.unplug("input", "built-in microphone")
        await scene.look(2)
        loudspeakers = [running for running in scene.library.opened if running.render is not None]
        assert len(loudspeakers) == 2
        played = np.concatenate([running.ring.read() for running in loudspeakers])
        assert played.tolist() == list(range(scene.mouth.played))


async def test_a_library_that_hangs_counts_as_gone_until_it_is_back() -> None:
    async with supervised(Scene(headset())) as scene:
        await scene.look()
        with scene.library.hanging():
            scene.card.patience_s = 0.01
            scene.library.of("input").is_running = False
            scene._looks.release()
            await wait_until(lambda: len(scene.changes) == 2, "both to be told as gone")
            assert {is_there for *_, is_there in scene.changes} == {False}
            scene.card.patience_s = BOUND_S
        await wait_until(lambda: len(scene.changes) == 4, "both to be back")
        assert {is_there for *_, is_there in scene.changes[2:]} == {True}
        assert not any(place.is_missing for place in scene.card._places.values())


async def test_who_is_late_is_counted_beyond_a_change() -> None:
    async with supervised(Scene(headset())) as scene:
        scene.library.of("input").late = 2
        scene.library.of("output").late = 1
        scene.library.of("output").is_running = False
        await scene.look()
        scene.library.of("output").late = 4
        assert scene.card.late == 7
