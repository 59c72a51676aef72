"""One model alone: a fitted window against the full one, and both against faster-whisper's own `transcribe`."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel as PlainWhisper
from prometheus_client import CollectorRegistry

from services.common.audio import Samples
from services.stt.engine import ENGINE_RATE_HZ, RecognitionOptions
from services.stt.metrics import DecoderMetrics, WhisperMetrics
from services.stt.whisper_model import Passage, WhisperModel
from services.stt.whisper_options import WhisperOptions
from tests.bench.figures import Rows, percentile

LENGTHS_S = (1, 3, 6, 10, 20)
_FRENCH = RecognitionOptions(language_code="fr")


def measure(model: Path, options: WhisperOptions, speech: Samples, times: int) -> Rows:
    """A row a length of speech: milliseconds of each way, medians."""
    metrics = DecoderMetrics("bench", WhisperMetrics.create(CollectorRegistry()))
    plain = PlainWhisper(
        str(model), device=options.device, compute_type=options.compute_type, cpu_threads=options.threads
    )
    ways = {window: _ours(model, options, metrics, window) for window in ("fit", "full")}
    ways["plain transcribe"] = lambda samples: _plain(plain, samples, options.decoding.beam_size)
    return [_row(ways, _looped(speech, seconds), seconds, times) for seconds in LENGTHS_S]


def batches(model: Path, options: WhisperOptions, speech: Samples, times: int) -> Rows:
    """A row a batch size: what it takes, and what that is for each utterance."""
    metrics = DecoderMetrics("bench", WhisperMetrics.create(CollectorRegistry()))
    whisper = WhisperModel(model, options, metrics)
    passage = Passage(_looped(speech, 3), _FRENCH, thorough=True, second_looks_s=1)
    rows = []
    for size in (1, 2, 4, 8):
        took = _median_ms(lambda _: whisper.decode([passage] * size, _wanted), passage.samples, times)  # noqa: B023  # used at once
        rows.append({"batch": size, "ms": took, "ms an utterance": round(took / size, 1)})
    whisper.close()
    return rows


def _row(
    ways: dict[str, Callable[[Samples], object]], samples: Samples, seconds: float, times: int
) -> dict[str, float]:
    row = {name: _median_ms(way, samples, times) for name, way in ways.items()}
    return {
        "speech s": float(seconds),
        **row,
        "fit : plain": round(row["fit"] / row["plain transcribe"], 3),
        "rtf": round(row["fit"] / 1000 / seconds, 3),
    }


def _ours(model: Path, options: WhisperOptions, metrics: DecoderMetrics, window: str) -> Callable[[Samples], object]:
    decoding = replace(options.decoding, encoder_window=window)  # type: ignore[arg-type]
    whisper = WhisperModel(model, replace(options, decoding=decoding), metrics)
    return lambda samples: whisper.decode([Passage(samples, _FRENCH, thorough=True, second_looks_s=1)], _wanted)


def _wanted(_index: int) -> bool:
    return True


def _plain(plain: PlainWhisper, samples: Samples, beam_size: int) -> object:
    segments, _ = plain.transcribe(samples.astype(np.float32) / 32768.0, language="fr", beam_size=beam_size)
    return list(segments)


def _median_ms(way: Callable[[Samples], object], samples: Samples, times: int) -> float:
    way(samples)  # the first one pays for what is made once
    took = []
    for _ in range(times):
        began = time.perf_counter()
        way(samples)
        took.append((time.perf_counter() - began) * 1000)
    return percentile(took, 50)


def _looped(speech: Samples, seconds: float) -> Samples:
    return np.resize(speech, int(seconds * ENGINE_RATE_HZ))
