"""`superwhisper devices --test`: three seconds of the microphone, what is wrong with them, and how they sound."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from client.audio.device_errors import not_there
from client.audio.devices import Device, SoundLibrary
from client.audio.levels import SILENCE_DBFS, loudness_dbfs
from client.audio.ring import Ring
from client.audio.sound import NONE
from client.errors import CommandError
from client.messages import tr
from services.common.audio import Recording, Samples, resample

_RECORD_S = 3.0
_LOOK_EVERY_S = 0.05
_PATIENCE_S = 5.0  # with a device that gives or takes nothing; some wake up slowly
_QUIET_DBFS = -45.0  # the loudest moment of somebody who speaks is some 20 dB above it
_FULL = 32_700  # of 32 767: converters stop a little before
_CLIPPED_SHARE = 0.0005  # a single loud "p" is no fault
_MOMENT_S = 0.1
ShowLevel = Callable[[float], None]


@dataclass(frozen=True)
class Pace:
    """How time passes."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


_REAL = Pace()


class Verdict(StrEnum):
    """What is to be said of a recording."""

    FINE = "fine"
    SILENT = "silent"
    QUIET = "quiet"
    CLIPPED = "clipped"


def judge(recording: Recording) -> Verdict:
    """By its loudest moment: between words everybody is silent."""
    samples = recording.samples
    if np.count_nonzero((samples >= _FULL) | (samples <= -_FULL)) > _CLIPPED_SHARE * samples.size:
        return Verdict.CLIPPED
    moment = max(int(recording.sample_rate_hz * _MOMENT_S), 1)
    loudest = max((loudness_dbfs(samples[at : at + moment]) for at in range(0, samples.size, moment)), default=-np.inf)
    if loudest <= SILENCE_DBFS:
        return Verdict.SILENT
    return Verdict.QUIET if loudest < _QUIET_DBFS else Verdict.FINE


def run_test(library: SoundLibrary, microphone: str, loudspeaker: str, *, as_json: bool) -> bool:
    """Records, judges and plays. True if all is well."""
    heard_by, played_by = library.find("input", microphone), library.find("output", loudspeaker)
    if heard_by is None and microphone not in ("", NONE):
        raise not_there("input", microphone)
    if played_by is None and loudspeaker not in ("", NONE):
        raise not_there("output", loudspeaker)
    if heard_by is None:
        raise CommandError(tr("there is no microphone to test; `superwhisper devices` shows what there is"))
    with _meter(is_for_people=not as_json) as show:
        recording = record(library, heard_by, show)
    verdict = judge(recording)
    (_tell_programs if as_json else _tell_people)(heard_by, played_by, recording, verdict)
    if played_by is not None and verdict is not Verdict.SILENT:
        play(library, played_by, recording)
    return verdict is Verdict.FINE


def record(library: SoundLibrary, device: Device, show: ShowLevel, pace: Pace = _REAL) -> Recording:
    """What it hears from now on, for three seconds."""
    ring = Ring(device.rate_hz)
    pieces: list[Samples] = []
    with closing(library.open_input(device, ring)):
        gives_up = pace.clock() + _RECORD_S + _PATIENCE_S
        while sum(piece.size for piece in pieces) < _RECORD_S * device.rate_hz:
            if pace.clock() > gives_up:
                raise CommandError(
                    tr("the microphone {name} gives nothing: does another program use it?", name=device.name)
                )
            pace.sleep(_LOOK_EVERY_S)
            pieces.append(ring.read())
            if pieces[-1].size:
                show(loudness_dbfs(pieces[-1]))
    return Recording(np.concatenate(pieces), device.rate_hz)


def play(library: SoundLibrary, device: Device, recording: Recording, pace: Pace = _REAL) -> None:
    """The recording, to its end."""
    audio = resample(recording, device.rate_hz).samples
    waiting = Ring(audio.size)
    waiting.write(audio)

    def render(out: Samples) -> None:
        out[waiting.read_into(out) :] = 0

    with closing(library.open_output(device, render, Ring(1))) as running:
        gives_up = pace.clock() + audio.size / device.rate_hz + _PATIENCE_S
        while waiting.waiting:
            if pace.clock() > gives_up:
                raise CommandError(
                    tr("the loudspeaker {name} takes nothing: does another program use it?", name=device.name)
                )
            pace.sleep(_LOOK_EVERY_S)
        pace.sleep(running.latency_s + _LOOK_EVERY_S)  # what it took is not in the air yet


@contextmanager
def _meter(*, is_for_people: bool) -> Iterator[ShowLevel]:
    """A bar on a terminal, a line elsewhere. Programs read standard output, so it is not there."""
    from rich.console import Console  # noqa: PLC0415  # programs need none of it
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    console = Console(highlight=False, stderr=not is_for_people)
    if not console.is_terminal:
        console.print(tr("speak now"))
        yield _show_nothing
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[dbfs]:.0f} dBFS"))
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(tr("speak now"), total=-SILENCE_DBFS, dbfs=SILENCE_DBFS)
        yield lambda dbfs: progress.update(bar, completed=dbfs - SILENCE_DBFS, dbfs=dbfs)


def _show_nothing(_: float) -> None:
    """A log has no use for a bar."""


def _peak_dbfs(recording: Recording) -> float:
    peak = int(np.abs(recording.samples.astype(np.int32)).max(initial=0))
    return max(20 * float(np.log10(peak / 2**15)), SILENCE_DBFS) if peak else SILENCE_DBFS


def _tell_people(microphone: Device, loudspeaker: Device | None, recording: Recording, verdict: Verdict) -> None:
    peak, mean = _peak_dbfs(recording), loudness_dbfs(recording.samples)
    lines = [
        tr("{name}: peak {peak:.0f} dBFS, mean {mean:.0f} dBFS", name=microphone.name, peak=peak, mean=mean),
        _advice(verdict),
    ]
    if loudspeaker is None:
        lines.append(tr("there is no loudspeaker to play it on"))
    elif verdict is not Verdict.SILENT:
        lines.append(tr("this is how it sounds on {name}", name=loudspeaker.name))
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _tell_programs(microphone: Device, loudspeaker: Device | None, recording: Recording, verdict: Verdict) -> None:
    told = {
        "microphone": microphone.name,
        "loudspeaker": loudspeaker.name if loudspeaker is not None else None,
        "peak_dbfs": round(_peak_dbfs(recording), 1),
        "mean_dbfs": round(loudness_dbfs(recording.samples), 1),
        "verdict": verdict.value,
        "advice": _advice(verdict),
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    sys.stdout.flush()


def _advice(verdict: Verdict) -> str:
    match verdict:
        case Verdict.FINE:
            return tr("the microphone hears you well")
        case Verdict.SILENT:
            return tr(
                "there was only silence: the microphone is muted, it is the wrong one (client.microphone), "
                "or this program may not use it (allow the terminal the microphone in the system's settings)"
            )
        case Verdict.QUIET:
            return tr("it was very quiet: speak up, come closer, or turn the microphone up in the system's settings")
        case Verdict.CLIPPED:
            return tr("it was cut off, for it was too loud: turn the microphone down, or move away from it")
