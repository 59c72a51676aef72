"""The microphone and the loudspeaker of a conversation, open as long as they are there.

    open ──▶ both run ──(one is dead)──▶ told · both closed · the library looks again · opened ──▶ both run
                 ▲                                                                          └───▶ one is missing
                 └──────────────────────── tried every second, told ◀───────────────────────────────┘

The library sees new devices only when it starts anew, with all of them closed. So while one is missing, the other is
held up only every ten seconds; meanwhile the missing one is tried as the library knows it, which is enough where a
sound server stands between. What was not there at the start is not waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from client.audio.device_errors import not_there
from client.audio.devices import Device, Direction, Mouthpiece, OpenDevice, SoundLibrary
from client.audio.own_thread import OwnThread
from client.audio.place import LOOK_EVERY_S, Place
from client.audio.sound import NONE
from client.audio.tap import Tap
from client.errors import CommandError
from client.events import DeviceChanged, What
from client.messages import tr

T = TypeVar("T")
_FIND_EVERY = 12  # looks: whether there is still something real behind a default device
_TRY_EVERY = 4
_RENEW_EVERY = 40  # although that interrupts the one that works
_PATIENCE_S = 3.0  # with a library that hangs, until its devices count as gone


@dataclass
class SoundCard:
    """Calls the library in a thread of its own, for any call may take long, or hang. `open` first, `close` last."""

    library: SoundLibrary
    microphone: str
    loudspeaker: str
    near: Tap
    far: Tap
    mouthpiece: Mouthpiece
    tell: Callable[[What], None]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    patience_s: float = _PATIENCE_S
    _places: dict[Direction, Place] = field(default_factory=dict)
    _thread: OwnThread = field(default_factory=lambda: OwnThread(name="sound library"))
    _looks: int = 0
    _is_open: bool = False

    @property
    def has_microphone(self) -> bool:
        """Whether there was one at the start."""
        return "input" in self._places

    @property
    def has_loudspeaker(self) -> bool:
        """Whether there was one at the start."""
        return "output" in self._places

    @property
    def late(self) -> int:
        """How often a device's thread came too late, all in all."""
        return sum(place.late for place in self._places.values())

    @property
    def beats(self) -> int:
        """How often a device's thread came, all in all."""
        return sum(place.beats for place in self._places.values())

    def round_trip_s(self) -> float:
        """How long sound takes through both devices, as far as they know."""
        return sum(place.latency_s for place in self._places.values())

    def name(self, direction: Direction) -> str:
        """What the device is called that is there, or was until now; empty where there was none."""
        return self._places[direction].name if direction in self._places else ""

    async def open(self) -> None:
        """Opens what is there now. A device that the person named must be."""
        wishes: dict[Direction, str] = {"input": self.microphone, "output": self.loudspeaker}
        try:
            for direction, wanted in wishes.items():
                await self._open_first(direction, wanted)
        except BaseException:
            await self.close()
            raise
        self._is_open = True

    async def supervise(self) -> None:
        """Sees to it that they run, until it is cancelled."""
        while True:
            await self.sleep(LOOK_EVERY_S)
            self._looks += 1
            dead = await self._dead()
            self._tell_gone(dead)
            missing = [place for place in self._places.values() if place.is_missing]
            if dead or (missing and self._is_time_to_renew(len(missing))):
                await self._renew()
            elif missing and not self._looks % _TRY_EVERY:
                await self._start_missing()

    async def close(self) -> None:
        """Gives back what is open; does not wait for a library that hangs."""
        self._detach(self._places)
        closing = asyncio.create_task(self._thread.call(self._close_devices))
        await asyncio.wait([closing], timeout=self.patience_s)
        closing.cancel()
        self._thread.end()

    async def _open_first(self, direction: Direction, wanted: str) -> None:
        device = await self._find(direction, wanted)
        if device is None and wanted not in ("", NONE):
            raise not_there(direction, wanted)
        if device is not None:
            # A number means another device as soon as one is plugged in.
            self._places[direction] = Place(device.name if wanted.isdecimal() else wanted)
            await self._start(direction, device)

    async def _dead(self) -> list[Direction]:
        dead = [direction for direction, place in self._places.items() if place.is_dead()]
        if self._looks % _FIND_EVERY or dead:
            return dead
        running = [direction for direction, place in self._places.items() if place.device is not None]
        return [
            direction for direction in running if await self._find(direction, self._places[direction].wanted) is None
        ]

    def _is_time_to_renew(self, missing: int) -> bool:
        every = _TRY_EVERY if missing == len(self._places) else _RENEW_EVERY
        return not self._looks % every

    async def _renew(self) -> None:
        """Closes both, lets the library look again, opens what is there."""
        self._detach(self._places)
        await self._call(self._close_devices)
        with suppress(CommandError):  # then it finds nothing, and is asked again
            await self._call(self.library.look_again)
        await self._start_missing()

    async def _start_missing(self) -> None:
        for direction, place in self._places.items():
            if place.device is None and not await self._started(direction, place):
                self._tell_gone([direction])
            elif place.is_missing:
                place.is_missing = False
                self.tell(DeviceChanged(direction, place.name, is_there=True))

    async def _started(self, direction: Direction, place: Place) -> bool:
        device = await self._find(direction, place.wanted)
        if device is None:
            return False
        try:
            await self._start(direction, device)
        except CommandError:  # it is listed, and cannot be used yet
            return False
        return True

    async def _start(self, direction: Direction, device: Device) -> None:
        place, opener = self._places[direction], self._opener(direction, device)

        def start() -> None:  # whoever is cancelled meanwhile can still close it
            place.device = opener()

        try:
            await self._call(start)
        except CommandError:
            self._detach([direction])
            raise
        place.begin(device)

    def _opener(self, direction: Direction, device: Device) -> Callable[[], OpenDevice]:
        if direction == "input":
            heard = self.near.attach(device.rate_hz)
            return lambda: self.library.open_input(device, heard)
        played = self.far.attach(device.rate_hz)
        render = self.mouthpiece.attach(device.rate_hz, lambda: self._places["output"].latency_s)
        return lambda: self.library.open_output(device, render, played)

    async def _find(self, direction: Direction, wanted: str) -> Device | None:
        return await self._call(lambda: self.library.find(direction, wanted))

    async def _call(self, work: Callable[[], T]) -> T:
        """What the library answers. Once it takes too long, people are told; nothing else can be asked meanwhile."""
        asked = asyncio.create_task(self._thread.call(work))
        try:
            await asyncio.wait([asked], timeout=self.patience_s)
            if not (asked.done() or self._is_open):
                raise CommandError(tr("the sound system does not answer: start it anew, and then this"))
            if not asked.done():
                self._tell_gone(self._places)
            return await asked
        finally:
            asked.cancel()

    def _close_devices(self) -> None:
        for place in self._places.values():
            place.close()

    def _detach(self, directions: Iterable[Direction]) -> None:
        for direction in directions:
            if direction == "input":
                self.near.detach()
            else:
                self.far.detach()
                self.mouthpiece.detach()

    def _tell_gone(self, directions: Iterable[Direction]) -> None:
        for direction in directions:
            place = self._places[direction]
            if not place.is_missing:
                place.is_missing = True
                self.tell(DeviceChanged(direction, place.name, is_there=False))
