"""How well the ears tell speech from everything else: people's speech with noise and in rooms, and 30 minutes of noise.

    python -m tests.bench.voice_activity                        everything; about a minute
    python -m tests.bench.voice_activity --threshold 0.5        with another threshold
    python -m tests.bench.voice_activity --json figures.json    the figures in a file as well

The truth is where the sound of the clean recording begins and ends. `late` is a start told more than 100 ms after it,
`early` one as much before, `clipped` an utterance whose audio, pre-roll included, lacks its beginning.
"""

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.stt.endpointing import Endpointing
from services.stt.engine import ENGINE_RATE_HZ
from services.stt.onnx_model import OnnxModel
from services.stt.vad import load_silero
from tests.bench.figures import show
from tests.support import rooms
from tests.support.rooms import Clip, Wave
from tests.support.shared_data import SHARED
from tests.support.turns import Span, spans

SNRS_DB = (20, 10, 5)
_OVERLAP_MS = 100
_TOLERANCE_MS = 100
_NOISE_S = 120  # of each of 15 kinds: half an hour
_LEVELS_DB = (-50, -40, -30, -20)


@dataclass(frozen=True)
class Result:
    """What was found of one utterance; `error_ms` is of its start, positive when late."""

    found: bool
    error_ms: float
    clipped: bool
    end_lag_ms: float
    strays: int


def main() -> None:
    """Measures, prints tables, writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with speech, noise and rir")
    parser.add_argument("--threshold", type=float, default=Endpointing().speech_threshold)
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    figures = asyncio.run(_measure(options.shared, Endpointing(speech_threshold=options.threshold)))
    show("Utterances (times in ms, shares in %)", figures["utterances"])
    show("Noise", figures["noise"])
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


async def _measure(shared: Path, settings: Endpointing) -> dict[str, list[dict[str, Any]]]:
    silero = load_silero()
    clips = [*rooms.commands(shared, "fr"), *rooms.commands(shared, "en"), *rooms.sentences(shared)]
    noises = {file.stem: rooms.read(file) for file in sorted((shared / "noise").glob("*.wav"))}
    responses = [rooms.room_response(file) for file in sorted((shared / "rir").glob("*.wav"))]
    results: dict[tuple[str, str], list[Result]] = {}
    for place, clip in _placed(clips, responses):
        for condition, mixed in _mixed(clip, noises, seed=len(clip.name) + clip.onset):
            found = await spans(rooms.pcm(mixed.wave), settings, silero)
            results.setdefault((condition, place), []).append(judged(mixed, found))
    rows = [{"condition": condition, "place": place, **summary(of)} for (condition, place), of in results.items()]
    rows.append({"condition": "all", "place": "", **summary([result for of in results.values() for result in of])})
    return {
        "utterances": rows,
        "noise": [await _noise_row(name, wave, settings, silero) for name, wave in noise_of(noises, _NOISE_S)],
    }


def _placed(clips: Sequence[Clip], responses: Sequence[Wave]) -> Iterator[tuple[str, Clip]]:
    for clip in clips:
        quiet = rooms.with_silence(clip, 1.0, 1.5)
        yield "dry", rooms.levelled(quiet)
        for response in responses:
            yield "room", rooms.levelled(rooms.in_room(quiet, response))


def _mixed(clip: Clip, noises: dict[str, Wave], seed: int) -> Iterator[tuple[str, Clip]]:
    yield "clean", clip
    for name, noise in noises.items():
        for snr_db in SNRS_DB:
            yield f"{name} {snr_db} dB", rooms.noisy(clip, noise, snr_db, seed + snr_db)


def judged(clip: Clip, found: Sequence[Span]) -> Result:
    """The utterances that were found, against the truth."""
    onset_ms, end_ms = (at * 1000 / ENGINE_RATE_HZ for at in (clip.onset, clip.end))
    hits = [span for span in found if min(span.end_ms, end_ms) - max(span.start_ms, onset_ms) >= _OVERLAP_MS]
    strays = sum(1 for span in found if span.end_ms < onset_ms or span.start_ms > end_ms + 300)
    if not hits:
        return Result(found=False, error_ms=0, clipped=False, end_lag_ms=0, strays=strays)
    first, last = hits[0], hits[-1]
    return Result(True, first.start_ms - onset_ms, first.begin_ms > onset_ms, last.end_ms - end_ms, strays)


def summary(results: Sequence[Result]) -> dict[str, float]:
    """The figures of one condition."""
    found = [result for result in results if result.found]
    errors = np.array([result.error_ms for result in found])
    return {
        "n": len(results),
        "found": _share([result.found for result in results]),
        "within 100": _share(np.abs(errors) <= _TOLERANCE_MS),
        "late": _share(errors > _TOLERANCE_MS),
        "early": _share(errors < -_TOLERANCE_MS),
        "clipped": _share([result.clipped for result in found]),
        "error p50": round(float(np.percentile(errors, 50))),
        "error p95": round(float(np.percentile(errors, 95))),
        "end lag p50": round(float(np.median([result.end_lag_ms for result in found]))),
        "strays": sum(result.strays for result in results),
    }


def _share(flags: Sequence[bool] | np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    return round(100 * float(np.mean(flags)), 1)


def noise_of(noises: dict[str, Wave], seconds: int) -> Iterator[tuple[str, Wave]]:
    """Time in which nobody speaks to the assistant: 15 kinds, so many seconds of each."""
    size, random = seconds * ENGINE_RATE_HZ, np.random.default_rng(9)
    for name, noise in noises.items():
        for level_db in _LEVELS_DB:
            yield f"{name} {level_db} dB", _at(np.resize(noise, size), level_db)
    for level_db in (-50, -35, -20):
        yield f"white {level_db} dB", _at(random.standard_normal(size), level_db)
    for level_db in (-50, -20):
        spectrum = np.fft.rfft(random.standard_normal(size))
        pink = np.fft.irfft(spectrum / np.sqrt(np.arange(spectrum.size) + 1), size)
        yield f"pink {level_db} dB", _at(pink, level_db)
    yield "silence", np.zeros(size)
    yield "clicks", clicks(size, random)


def clicks(size: int, random: np.random.Generator) -> Wave:
    """Keys, doors, plates: a short burst about every second."""
    wave = random.standard_normal(size) * 20
    for at in random.integers(0, size - ENGINE_RATE_HZ, size // ENGINE_RATE_HZ):
        length = int(random.integers(8, 800))
        wave[at : at + length] += (
            random.standard_normal(length) * random.uniform(500, 12000) * np.linspace(1, 0, length)
        )
    return wave


def _at(wave: Wave, level_db: float) -> Wave:
    return np.asarray(wave / rooms.rms(wave) * 32768 * 10 ** (level_db / 20), np.float64)


async def _noise_row(name: str, wave: Wave, settings: Endpointing, silero: OnnxModel) -> dict[str, Any]:
    found = await spans(rooms.pcm(wave), settings, silero)
    seconds = sum(span.end_ms - span.start_ms for span in found) / 1000
    return {"noise": name, "seconds": _NOISE_S, "utterances": len(found), "taken for speech, s": round(seconds, 1)}


if __name__ == "__main__":
    main()
