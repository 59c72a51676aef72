"""Transcripts in the formats that people and programs read, and the files that hold them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from client.errors import CommandError, reason_of
from client.messages import tr
from client.subtitles import Segment, Word, srt, vtt
from client.views.text_view import printable
from superwhisper.stt.v1 import stt_pb2


class Format(StrEnum):
    """How a transcript is written; also the ending of its file."""

    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"


@dataclass(frozen=True)
class Job:
    """A recording, and the file for its transcript; None is stdout."""

    recording: Path
    target: Path | None


def rendered(result: stt_pb2.RecognizeResponse, kind: Format) -> str:
    """The transcript as this kind of text, without anything that would move a cursor."""
    return _RENDERERS[kind](result)


def _txt(result: stt_pb2.RecognizeResponse) -> str:
    return "".join(f"{printable(segment.text)}\n" for segment in result.segments)


def _json(result: stt_pb2.RecognizeResponse) -> str:
    return json.dumps(_fields(result), ensure_ascii=False, indent=2) + "\n"


_RENDERERS: dict[Format, Callable[[stt_pb2.RecognizeResponse], str]] = {
    Format.TXT: _txt,
    Format.SRT: lambda result: srt(_segments(result)),
    Format.VTT: lambda result: vtt(_segments(result)),
    Format.JSON: _json,
}


def _segments(result: stt_pb2.RecognizeResponse) -> list[Segment]:
    return [
        Segment(
            printable(segment.text),
            segment.start_ms,
            segment.end_ms,
            tuple(Word(printable(word.text), word.start_ms, word.end_ms) for word in segment.words),
        )
        for segment in result.segments
    ]


def _fields(result: stt_pb2.RecognizeResponse) -> dict[str, Any]:
    return {
        "text": result.text,
        "language_code": result.language_code,
        "duration_ms": result.duration_ms,
        "backend": result.backend,
        "processing_ms": round(result.processing_ms, 1),
        "segments": [_timed(segment) | _words(segment) for segment in result.segments],
    }


def _timed(said: stt_pb2.Segment | stt_pb2.Word) -> dict[str, Any]:
    return {
        "text": said.text,
        "start_ms": said.start_ms,
        "end_ms": said.end_ms,
        "confidence": round(said.confidence, 3),
    }


def _words(segment: stt_pb2.Segment) -> dict[str, Any]:
    return {"words": [_timed(word) for word in segment.words]} if segment.words else {}


# --- files


def format_for(kind: Format | None, recordings: Sequence[Path], out: Path | None) -> Format:
    """The one that was asked for, or the ending of the file to be written, or plain text."""
    if kind is not None:
        return kind
    if out is None or len(recordings) > 1 or out.is_dir():
        return Format.TXT
    try:
        return Format(out.suffix.lower().removeprefix("."))
    except ValueError:
        endings = ", ".join(f".{known.value}" for known in Format)
        raise CommandError(
            tr("{path}: its ending names no format; give it one of {endings}, or --format", path=out, endings=endings)
        ) from None


def jobs_for(recordings: Sequence[Path], out: Path | None, kind: Format, *, force: bool) -> list[Job]:
    """What is written where. Everything that can be refused is refused here, before anything is sent."""
    for recording in recordings:
        if not recording.is_file():
            raise CommandError(tr("{path} cannot be read: it is not a file", path=recording))
    if out is None:
        if len(recordings) > 1:
            raise CommandError(tr("these are several recordings: give --out FOLDER for their transcripts"))
        return [Job(recordings[0], None)]
    into_folder = len(recordings) > 1 or out.is_dir()
    if into_folder and out.exists() and not out.is_dir():
        raise CommandError(tr("{path} is a file: several recordings need a folder for their transcripts", path=out))
    jobs = [Job(recording, out / f"{recording.stem}.{kind.value}" if into_folder else out) for recording in recordings]
    for number, job in enumerate(jobs):
        _check_target(job, jobs[:number], force=force)
    return jobs


def _check_target(job: Job, before: Sequence[Job], *, force: bool) -> None:
    for other in before:
        if other.target == job.target:
            raise CommandError(
                tr(
                    "{recording} and {other} would both become {path}",
                    recording=other.recording,
                    other=job.recording,
                    path=job.target,
                )
            )
    if job.target is None or not job.target.exists():
        return
    if job.target.samefile(job.recording):
        raise CommandError(tr("{path} is the recording itself: give another --out", path=job.target))
    if not force:
        raise _there_already(job.target)


def _there_already(target: Path) -> CommandError:
    return CommandError(tr("{path} is there already: give another --out, or --force to replace it", path=target))


def write(target: Path, text: str, *, force: bool) -> None:
    """The file appears under its name once it is complete; an older one stays until then."""
    unfinished = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            if target.exists() and not force:  # it was not when this began
                raise _there_already(target)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise CommandError(tr("{path} cannot be written: {reason}", path=target, reason=reason_of(error))) from error
