"""`superwhisper transcribe`: recordings as text or subtitles."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from client.config import ClientSection
from client.errors import CommandError, reason_of
from client.messages import tr
from client.options import Address, AsJson, Language, common, examples, run
from client.peers import Peer
from client.transcript_file import Format, Job, format_for, jobs_for, rendered, write
from client.views.text_view import printable
from services.common.audio import MAX_RATE_HZ, MIN_RATE_HZ
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc

EXAMPLES = examples(
    "transcribe meeting.mp3",
    "transcribe --language fr --words --out film.srt film.m4a",
    "transcribe --translate --format vtt --out subtitles/ *.ogg",
    "transcribe --hot-word Aïko --hot-word SuperWhisper --json interview.flac",
    "transcribe --raw-rate 16000 microphone.raw",
)
_PIECE_BYTES = 32 * 1024

_RawRate = Annotated[
    int | None,
    typer.Option(min=MIN_RATE_HZ, max=MAX_RATE_HZ, metavar="HZ", help="FILE is raw 16-bit mono PCM of this rate."),
]
_Out = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Write a file, or one for each FILE into this folder; else stdout.")
]
_Kind = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write it; else as the ending of --out says.")
]


def transcribe(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings: WAV, FLAC, OGG, MP3 or M4A.")],
    language: Language = "",
    kind: _Kind = None,
    out: _Out = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    translate: Annotated[bool, typer.Option("--translate", help="Write it down in English.")] = False,
    words: Annotated[bool, typer.Option("--words", help="Times of single words: exact subtitles, more JSON.")] = False,
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="Text that came before, for spelling and style.")] = "",
    hot_word: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A word or name that is likely to be said; repeatable.")
    ] = None,
    raw_rate: _RawRate = None,
    as_json: AsJson = False,
    address: Address = "",
) -> None:
    """Write down what is said in recordings."""
    if as_json and kind not in {None, Format.JSON}:
        raise CommandError(tr("--json and --format ask for two formats: give one of them"))
    written_as = format_for(Format.JSON if as_json else kind, files, out)
    jobs = jobs_for(files, out, written_as, force=force)
    client, peer = common(context).peer("stt", address)
    config = stt_pb2.RecognizeFileConfig(
        recognition=stt_pb2.RecognitionConfig(
            language_code=language or client.language_code,
            word_timestamps=words,
            hot_words=hot_word or [],
            task=stt_pb2.RECOGNITION_TASK_TRANSLATE if translate else stt_pb2.RECOGNITION_TASK_TRANSCRIBE,
            initial_prompt=prompt,
        ),
        container=audio_pb2.AUDIO_CONTAINER_RAW if raw_rate else audio_pb2.AUDIO_CONTAINER_UNSPECIFIED,
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=raw_rate) if raw_rate else None,
    )
    _do(_Work(client, peer, config, written_as, force), jobs)


@dataclass(frozen=True)
class _Work:
    """What is done with every recording."""

    client: ClientSection
    peer: Peer
    config: stt_pb2.RecognizeFileConfig
    kind: Format
    force: bool


def _do(work: _Work, jobs: list[Job]) -> None:
    """One after the other. A recording that cannot be read does not keep the others from being transcribed."""
    failed = 0
    for job in jobs:
        try:
            _show(work, job, _result(work, job))
        except CommandError as error:
            if len(jobs) == 1 or not error.field:  # not the recording's fault: the next one would fare no better
                raise
            told = tr("error: {problem}", problem=f"{job.recording}: {error}")
            sys.stderr.write(f"{told}\n")
            failed += 1
    if failed:
        raise CommandError(
            tr("{failed} of {total} recordings could not be transcribed", failed=failed, total=len(jobs))
        )


def _result(work: _Work, job: Job) -> stt_pb2.RecognizeResponse:
    try:
        with job.recording.open("rb") as recording, _Progress(job.recording) as progress:
            return run(_transcribe(work, recording, progress))
    except OSError as error:
        told = tr("{path} cannot be read: {reason}", path=job.recording, reason=reason_of(error))
        raise CommandError(told, field="file") from error
    except CommandError as error:
        if work.config.container == audio_pb2.AUDIO_CONTAINER_UNSPECIFIED and "audio_format" in str(error):
            told = tr("{path} is no recording of a known kind; for raw PCM, give --raw-rate HZ", path=job.recording)
            raise CommandError(told, field=error.field) from error
        raise


def _show(work: _Work, job: Job, result: stt_pb2.RecognizeResponse) -> None:
    text = rendered(result, work.kind)
    if job.target is None:
        sys.stdout.write(text)
    else:
        write(job.target, text, force=work.force)
        typer.echo(tr("{path} ({duration_s:.1f} s)", path=job.target, duration_s=result.duration_ms / 1000))
    if not result.text and work.kind is not Format.JSON:
        sys.stderr.write(tr("no speech was understood in this recording") + "\n")


async def _transcribe(work: _Work, file: BinaryIO, progress: "_Progress") -> stt_pb2.RecognizeResponse:
    limit_s = work.client.transcription_limit_s
    async with aclosing(recognize(work.peer, work.config, file, progress, limit_s)) as results:
        async for result in results:
            return result
    raise CommandError(tr("{service} ended without a transcript; try again", service=work.peer.title))


class _Progress:
    """A bar on stderr where that is a terminal: first what was sent, then what was transcribed."""

    def __init__(self, recording: Path) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.fields[name]}: {task.description}"), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        name = escape(printable(recording.name))
        self._task = self._bar.add_task(tr("sending"), total=recording.stat().st_size, name=name)

    def sent(self, count: int) -> None:
        """More bytes of the file are on their way."""
        self._bar.advance(self._task, count)

    def transcribed(self, processed_ms: int, duration_ms: int) -> None:
        """The service has come so far."""
        self._bar.update(self._task, description=tr("transcribing"), completed=processed_ms, total=duration_ms)

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
