"""`superwhisper transcribe`: a recording as text."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from client.config import ClientSection
from client.errors import CommandError
from client.options import Address, AsJson, Language, common, examples, run
from client.peers import Peer
from client.text_view import printable
from services.common.audio import MAX_RATE_HZ, MIN_RATE_HZ
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc

EXAMPLES = examples(
    "transcribe meeting.wav",
    "transcribe --language fr --json entretien.wav",
    "transcribe --raw-rate 16000 microphone.raw",
)
_PIECE_BYTES = 32 * 1024


def transcribe(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recording.")],
    language: Language = "",
    raw_rate: Annotated[
        int | None,
        typer.Option(min=MIN_RATE_HZ, max=MAX_RATE_HZ, metavar="HZ", help="FILE is raw 16-bit mono PCM of this rate."),
    ] = None,
    as_json: AsJson = False,
    address: Address = "",
) -> None:
    """Write down what is said in a recording."""
    if not file.is_file():
        raise CommandError(f"{file} cannot be read: it is not a file")
    client, peer = common(context).peer("stt", address)
    config = stt_pb2.RecognizeFileConfig(
        recognition=stt_pb2.RecognitionConfig(language_code=language or client.language_code),
        container=audio_pb2.AUDIO_CONTAINER_RAW if raw_rate else audio_pb2.AUDIO_CONTAINER_UNSPECIFIED,
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=raw_rate) if raw_rate else None,
    )
    try:
        with file.open("rb") as recording, _Progress(file.stat().st_size) as progress:
            result = run(_transcribe(client, peer, config, recording, progress))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
    except CommandError as error:
        if raw_rate is None and error.field.startswith("audio_format"):
            raise CommandError(f"{file} is no recording of a known kind; for raw PCM, give --raw-rate HZ") from error
        raise
    if as_json:
        sys.stdout.write(json.dumps(_fields(result), ensure_ascii=False, indent=2) + "\n")
    elif result.text:
        sys.stdout.write(printable(result.text) + "\n")
    else:
        sys.stderr.write("no speech was understood in this recording\n")


async def _transcribe(
    client: ClientSection, peer: Peer, config: stt_pb2.RecognizeFileConfig, file: BinaryIO, progress: "_Progress"
) -> stt_pb2.RecognizeResponse:
    async with aclosing(recognize(peer, config, file, progress, client.request_limit_s)) as results:
        async for result in results:
            return result
    raise CommandError(f"{peer.title} ended without a transcript; try again")


class _Progress:
    """A bar on stderr where that is a terminal: first what was sent, then what was transcribed."""

    def __init__(self, size_bytes: int) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("sending", total=size_bytes)

    def sent(self, count: int) -> None:
        """More bytes of the file are on their way."""
        self._bar.advance(self._task, count)

    def transcribed(self, processed_ms: int, duration_ms: int) -> None:
        """The service has come so far."""
        self._bar.update(self._task, description="transcribing", completed=processed_ms, total=duration_ms)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


async def recognize(
    peer: Peer, config: stt_pb2.RecognizeFileConfig, file: BinaryIO, progress: _Progress, limit_s: float
) -> AsyncGenerator[stt_pb2.RecognizeResponse, None]:
    """The transcript of the file, sent in pieces."""

    async def requests() -> AsyncGenerator[stt_pb2.RecognizeFileRequest, None]:
        yield stt_pb2.RecognizeFileRequest(config=config)
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield stt_pb2.RecognizeFileRequest(audio=piece)
            progress.sent(len(piece))

    async with peer.open() as channel:
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        call = stub.RecognizeFile(**peer.call_options(limit_s))
        async with aclosing(peer.responses(call, requests())) as responses:
            async for response in responses:
                kind = response.WhichOneof("event")
                if kind == "progress":
                    progress.transcribed(response.progress.processed_ms, response.progress.duration_ms)
                elif kind == "result":
                    yield response.result


def _fields(result: stt_pb2.RecognizeResponse) -> dict[str, Any]:
    return {
        "text": result.text,
        "language_code": result.language_code,
        "duration_ms": result.duration_ms,
        "backend": result.backend,
        "processing_ms": round(result.processing_ms, 1),
        "segments": [
            {
                "text": segment.text,
                "start_ms": segment.start_ms,
                "end_ms": segment.end_ms,
                "confidence": round(segment.confidence, 3),
            }
            for segment in result.segments
        ],
    }
