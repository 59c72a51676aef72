"""`superwhisper say`: text as speech, into a file or from the loudspeaker."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from client.config import ClientSection
from client.errors import CommandError
from client.events import ReplyAudio
from client.options import Address, Language, Voice, common, examples, run
from client.peers import Peer
from client.reply_file import AudioFile, audio_file
from client.speaker import Speaker, opened_speaker
from client.typed import typed_text
from services.common.audio import BYTES_PER_SAMPLE
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc

EXAMPLES = examples(
    'say "Bonjour tout le monde." --out bonjour.wav',
    'say --language en --voice en-us+f2 --speed 0.9 "Good morning."',
    "say - --out letter.wav < letter.txt",
)


@dataclass(frozen=True)
class SpeechStarted:
    """The rate of all audio that follows."""

    rate_hz: int


def say(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    text: Annotated[str, typer.Argument(help="What to say; - reads it from stdin, and speaks while it still comes.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a WAV file; else the loudspeaker.")] = None,
    voice: Voice = "",
    language: Language = "",
    speed: Annotated[float | None, typer.Option(min=0.25, max=4, help="1 is the voice's own.")] = None,
    address: Address = "",
) -> None:
    """Say a text."""
    if not text.strip():
        raise CommandError("there is nothing to say")
    client, peer = common(context).peer("tts", address)
    choice = tts_pb2.VoiceConfig(
        language_code=language or client.language_code, voice=voice or client.voice, speed=speed
    )
    run(_say(client, peer, text, choice, out))


async def _say(client: ClientSection, peer: Peer, text: str, choice: tts_pb2.VoiceConfig, out: Path | None) -> None:
    source = typed_text() if text == "-" else _one(text)
    with _output(client, out) as output:
        async with aclosing(synthesize(peer, source, choice, client.request_limit_s)) as speech:
            async for item in speech:
                if isinstance(item, SpeechStarted):
                    output.open(item.rate_hz)
                else:
                    await output.write(item)
        if not output.samples:
            raise CommandError("there was nothing to say")
        await output.drained()
    if out is not None:
        typer.echo(f"{out} ({output.samples / output.rate_hz:.1f} s)")


@dataclass
class _Output:
    """A file or the loudspeaker."""

    target: AudioFile | Speaker
    rate_hz: int = 1
    samples: int = 0

    def open(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.target.open(rate_hz)

    async def write(self, audio: bytes) -> None:
        if isinstance(self.target, Speaker):
            await self.target.play("", ReplyAudio(audio, 0, self.samples))
        else:
            self.target.write(audio)
        self.samples += len(audio) // BYTES_PER_SAMPLE

    async def drained(self) -> None:
        if isinstance(self.target, Speaker):
            await self.target.drained()


@contextmanager
def _output(client: ClientSection, out: Path | None) -> Iterator[_Output]:
    with audio_file(out) as file, nullcontext() if file else opened_speaker(client.loudspeaker) as speaker:
        target = file or speaker
        if target is None:
            raise CommandError("there is no loudspeaker here: give --out FILE to write a WAV file")
        yield _Output(target)


async def synthesize(
    peer: Peer, text: AsyncIterator[str], choice: tts_pb2.VoiceConfig, limit_s: float
) -> AsyncGenerator[SpeechStarted | bytes, None]:
    """The rate, then the audio of a text that may still be coming."""

    async def requests() -> AsyncGenerator[tts_pb2.StreamingSynthesizeRequest, None]:
        config = tts_pb2.StreamingSynthesizeConfig(voice=choice)
        yield tts_pb2.StreamingSynthesizeRequest(config=config)
        async for piece in text:
            yield tts_pb2.StreamingSynthesizeRequest(text_delta=piece)

    async with peer.open() as channel:
        stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        call = stub.StreamingSynthesize(**peer.call_options(limit_s))
        async with aclosing(peer.responses(call, requests())) as responses:
            async for response in responses:
                kind = response.WhichOneof("event")
                if kind == "started":
                    yield SpeechStarted(response.started.audio_format.sample_rate_hz)
                elif kind == "audio":
                    yield response.audio.audio


async def _one(text: str) -> AsyncGenerator[str, None]:
    yield text
