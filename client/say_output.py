"""Where `say` lets its speech go: a file or the loudspeaker. And how far it has come, for the person who waits."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from client.audio.playback import Player
from client.audio.room import opened_room
from client.audio.sound import NONE
from client.errors import CommandError
from client.events import Event, ReplyAudio
from client.messages import tr
from client.reply_file import AudioFile, audio_file
from client.views.text_view import TextView
from services.common.audio import BYTES_PER_SAMPLE
from superwhisper.common.v1 import audio_pb2

# Of each ending the container that the service packs. WAV and raw files are written here, because any number of
# requests can go into one of them.
_CONTAINERS = {
    ".wav": audio_pb2.AUDIO_CONTAINER_RAW,
    ".raw": audio_pb2.AUDIO_CONTAINER_RAW,
    ".flac": audio_pb2.AUDIO_CONTAINER_FLAC,
    ".ogg": audio_pb2.AUDIO_CONTAINER_OGG,
    ".opus": audio_pb2.AUDIO_CONTAINER_OGG,
}
_PAUSE_S = 0.4  # between the speech of two requests: the service knows nothing of a next one


def container_for(out: Path | None) -> audio_pb2.AudioContainer.ValueType:
    """What the service is asked for."""
    if out is None:
        return audio_pb2.AUDIO_CONTAINER_RAW
    container = _CONTAINERS.get(out.suffix.lower())
    if container is None:
        endings = ", ".join(_CONTAINERS)
        raise CommandError(
            tr("{path}: its ending names no kind of audio file; give it one of {endings}", path=out, endings=endings)
        )
    return container


@dataclass
class Output:
    """A file or the loudspeaker."""

    target: AudioFile | Player
    rate_hz: int = 0
    samples: int = 0

    async def begin_part(self, rate_hz: int) -> float:
        """Gets ready for the speech of a request; behind that of an earlier one comes a pause. How long it is."""
        if self.rate_hz:  # for which all requests after the first are made
            await self.write(bytes(round(_PAUSE_S * rate_hz) * BYTES_PER_SAMPLE))
            return _PAUSE_S
        self.rate_hz = rate_hz
        self.target.open(rate_hz)
        return 0.0

    async def write(self, audio: bytes) -> None:
        """Appends, or plays after what plays now."""
        if isinstance(self.target, AudioFile):
            self.target.write(audio)
        else:
            await self.target.play("", ReplyAudio(audio, 0, self.samples))
        self.samples += len(audio) // BYTES_PER_SAMPLE

    @property
    def is_kept(self) -> bool:
        """Whether there is a file now."""
        return isinstance(self.target, AudioFile) and self.target.is_kept

    def discard(self) -> None:
        """A file is not kept."""
        if isinstance(self.target, AudioFile):
            self.target.discard()

    async def drained(self) -> None:
        """Waits until all was heard."""
        if not isinstance(self.target, AudioFile):
            await self.target.drained()


@asynccontextmanager
async def opened_output(loudspeaker: str, out: Path | None) -> AsyncIterator[Output]:
    """The file, which keeps what was written when the body fails, or where none is named the loudspeaker."""
    if out is None:
        async with _opened_loudspeaker(loudspeaker) as output:
            yield output
        return
    with audio_file(out, keep_unfinished=True, as_it_is=out.suffix.lower() != ".wav") as file:
        if file is not None:
            yield Output(file)


@asynccontextmanager
async def _opened_loudspeaker(wanted: str) -> AsyncIterator[Output]:
    view = TextView(Console(stderr=True, highlight=False))
    async with opened_room(NONE, wanted, lambda what: view.show(Event("", what)), must_be_heard=True) as room:
        if not room.has_loudspeaker:
            raise CommandError(tr("there is no loudspeaker here: give --out FILE to write a WAV file"))
        yield Output(room.player)


@dataclass
class Course:
    """How much of a text was spoken."""

    total: int  # characters; 0 where nobody knows
    spoken: int = 0
    duration_s: float = 0.0
    has_tones: bool = False  # in place of words
    _before: int = 0  # in the parts that are done
    _tell: Callable[[], None] = lambda: None

    @contextmanager
    def shown(self, wanted: bool) -> Iterator[None]:
        """Shows a bar on stderr meanwhile, where that is a terminal and there is a text to get through."""
        console = Console(stderr=True)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn(tr("characters")), TimeRemainingColumn())
        visible = wanted and self.total > 0 and console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=not visible) as bar:
            task = bar.add_task("", total=self.total)
            self._tell = lambda: bar.update(task, completed=self.spoken)
            yield

    def reached(self, characters: int) -> None:
        """So many of this part."""
        self.spoken = max(self.spoken, self._before + characters)
        self._tell()

    def part_done(self, characters: int) -> None:
        """All of this part, which has so many."""
        self.reached(characters)
        self._before += characters

    def __str__(self) -> str:
        if self.total:
            return tr("{spoken} of {total} characters", spoken=self.spoken, total=self.total)
        return tr("{spoken} characters", spoken=self.spoken)
