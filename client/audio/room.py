"""The microphone and the loudspeaker of a conversation, and what stands between them and it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from client.audio.capture import Capture, Path
from client.audio.devices import Direction, SoundLibrary
from client.audio.echo_guards import echo_guard
from client.audio.levels import Levels
from client.audio.playback import NoLoudspeaker, Player
from client.audio.quiet import quiet_libraries
from client.audio.sound import PortAudio, library
from client.audio.sound_card import SoundCard
from client.audio.speaker import Speaker
from client.audio.tap import Tap
from client.config import ClientSection
from client.events import What
from client.hearing import Gate
from services.common.audio import Samples
from services.common.tasks import first_error

Keep = Callable[[Samples, Samples], None]


@dataclass(frozen=True)
class Room:
    """What is open of both."""

    levels: Levels
    _near: Tap
    _far: Tap
    _card: SoundCard
    _speaker: Speaker
    _tell: Callable[[What], None]

    @property
    def has_microphone(self) -> bool:
        """Whether somebody can be heard."""
        return self._card.has_microphone

    @property
    def has_loudspeaker(self) -> bool:
        """Whether something can be played."""
        return self._card.has_loudspeaker

    @property
    def player(self) -> Player:
        """What plays the replies."""
        return self._speaker if self.has_loudspeaker else NoLoudspeaker()

    @property
    def callbacks(self) -> int:
        """How often a device's thread came."""
        return self._card.beats

    @property
    def late(self) -> int:
        """How often it came too late."""
        return self._card.late

    def name(self, direction: Direction) -> str:
        """What the device is called; empty where there is none."""
        return self._card.name(direction)

    def microphone(self, client: ClientSection, gate: Gate, note: Callable[[str], None], keep: Keep | None) -> Capture:
        """What is heard, without the echo of what is played."""
        guard = echo_guard(client.echo, self._card.round_trip_s, note)
        return Capture(self._near, self._far, Path(guard, gate, self.levels, keep, lambda: self._card.late), self._tell)


@asynccontextmanager
async def opened_room(
    microphone: str,
    loudspeaker: str,
    tell: Callable[[What], None],
    sound: SoundLibrary | None = None,
    *,
    must_be_heard: bool = False,
) -> AsyncIterator[Room]:
    """The devices of these names, `none` for none; kept open, and given back at the end."""
    speaker = Speaker(must_be_heard=must_be_heard)
    with quiet_libraries():  # they complain whenever a device goes
        async with _opened(sound or PortAudio(library()), microphone, loudspeaker, tell, speaker) as room:
            yield room


@asynccontextmanager
async def _opened(
    sound: SoundLibrary, microphone: str, loudspeaker: str, tell: Callable[[What], None], speaker: Speaker
) -> AsyncIterator[Room]:
    near, far = Tap(), Tap()
    card = SoundCard(sound, microphone, loudspeaker, near, far, speaker, tell)
    await card.open()
    try:
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(work(), name="room") for work in (card.supervise, speaker.keep_filled)]
            try:
                yield Room(Levels(), near, far, card, speaker, tell)
            finally:
                for task in keeping:
                    task.cancel()
    except BaseExceptionGroup as errors:
        raise first_error(errors) from None
    finally:
        await card.close()
