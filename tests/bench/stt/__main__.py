"""How fast the ears are, and how well they hear. `make bench-stt`, or a part of it:

    python -m tests.bench.stt                                  everything, with models made here
    python -m tests.bench.stt windows --size base              a model's decoding alone
    python -m tests.bench.stt sessions --sessions 1 8          microphone streams at real time
    python -m tests.bench.stt accuracy --model MODEL --recordings FOLDER --language fr

A made model of a real size tells times; one that knows a closed set of sentences stands for a service at work. With
--model, real weights are measured instead: a CTranslate2 folder.
"""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from scripts import timing_whisper
from services.stt.whisper_options import DecodingOptions, WhisperOptions
from tests.bench.command import bench_parser, parsed, report
from tests.bench.figures import Rows, spread
from tests.bench.stt import accuracy, idle, memory, sessions, windows
from tests.bench.stt.sessions import Outcome, Sentence
from tests.support.closed_whisper import SENTENCES, closed_whisper, say
from tests.support.servers import Child, child_service

_PAUSE_S = 2.0  # longer than the turn detector waits for more
_PARTS = ("windows", "sessions", "overhead", "idle", "memory", "accuracy")


def main() -> None:
    """Measures, shows tables, and writes JSON where asked to."""
    options = _arguments()
    parts = options.parts or [part for part in _PARTS if part != "accuracy" or options.recordings]
    figures = asyncio.run(_measure(parts, options))
    report(figures, options.json)


def _arguments() -> argparse.Namespace:
    parser = bench_parser("tests.bench.stt", __doc__, _PARTS)
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="real weights in place of the made models")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--compute-type", default="int8")
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--size", default="small", help="of the made model that tells times (default: small)")
    parser.add_argument("--times", type=int, default=5, help="how often each decoding is timed (default: 5)")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 2, 4, 8], help="streams at the same time")
    parser.add_argument("--utterances", type=int, default=20, help="in each stream (default: 20)")
    parser.add_argument("--memory-utterances", type=int, default=1000, help="after which memory is compared")
    parser.add_argument("--recordings", type=Path, metavar="FOLDER", help="with transcripts, for error rates")
    parser.add_argument("--language", default="fr", help="of the recordings")
    options = parsed(parser, _PARTS)
    if "accuracy" in options.parts and not options.recordings:
        parser.error("accuracy needs --recordings FOLDER")
    return options


async def _measure(parts: Sequence[str], options: argparse.Namespace) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    if "windows" in parts:
        figures |= _windows(options)
    if set(parts) - {"windows"}:
        async with _ears(options) as ears:
            figures |= await _at_work(parts, options, ears)
    return figures


def _windows(options: argparse.Namespace) -> dict[str, Rows]:
    decoding = DecodingOptions(beam_size=options.beam_size)
    threads = os.cpu_count() or 1
    whisper = WhisperOptions(options.device, options.compute_type, threads, decoding)
    speech = say(*SENTENCES[0]).samples
    with tempfile.TemporaryDirectory(prefix="superwhisper-bench-") as folder:
        model = options.model or timing_whisper.make(options.size, Path(folder) / options.size)
        name = f"{model.name}, {options.device} {options.compute_type}, beam {options.beam_size}, {threads} threads"
        return {
            f"Windows ({name}), ms": windows.measure(model, whisper, speech, options.times),
            f"Batches of 3 s ({name})": windows.batches(model, whisper, speech, options.times),
        }


def _ears(options: argparse.Namespace) -> AbstractAsyncContextManager[Child]:
    """The service with one model, and room for all sessions."""
    model = {
        "model": str(options.model or closed_whisper()),
        "device": options.device,
        "compute_type": options.compute_type,
        "beam_size": options.beam_size,
    }
    return child_service(
        *("stt", "--stt.engines", '["whisper"]', "--stt.whisper", json.dumps({"whisper": model})),
        *("--stt.max_streams", str(max([*options.sessions, 4]))),
    )


async def _at_work(parts: Sequence[str], options: argparse.Namespace, ears: Child) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    sentences = [Sentence(text, say(text, language).samples, language) for text, language in SENTENCES]
    if "overhead" in parts:
        outcomes = await sessions.converse(ears.address, sentences[:20], 0.3, flush=True, partials=False)
        added = [outcome.after_speech - outcome.engine for outcome in outcomes]
        figures["What the service adds to the engine's own time, ms"] = [{"utterances": len(added), **spread(added)}]
    if "sessions" in parts:
        rows = [await _sessions(ears, sentences, count, options.utterances) for count in options.sessions]
        figures["Sessions at real time (p50 / p95 / max, ms)"] = rows
    if "idle" in parts:
        figures["Nobody speaks"] = await idle.measure(ears.address)
    if "memory" in parts:
        figures["Memory"] = await memory.measure(ears, sentences, options.memory_utterances)
    if "accuracy" in parts:
        title = f"Error rates on {options.recordings}"
        figures[title] = await accuracy.measure(ears.address, options.recordings, options.language)
    return figures


async def _sessions(ears: Child, sentences: Sequence[Sentence], count: int, utterances: int) -> dict[str, Any]:
    """All sessions at once: the same sentences, of which each begins with another."""
    said = [[sentences[(number * 7 + turn) % utterances] for turn in range(utterances)] for number in range(count)]
    streams = [sessions.converse(ears.address, own, _PAUSE_S) for own in said]
    outcomes: list[list[Outcome]] = await asyncio.gather(*streams)
    of_all = [outcome for own in outcomes for outcome in own]
    # Of what the scheduler decides: the time in the queue and in the engine.
    slowest = sorted(spread([outcome.engine for outcome in own])["p95"] for own in outcomes)
    return {
        "sessions": count,
        "exact": f"{sum(outcome.heard == outcome.expected for outcome in of_all)}/{len(of_all)}",
        "speech → final": spread([outcome.after_speech for outcome in of_all]),
        "endpoint → final": spread([outcome.after_endpoint for outcome in of_all]),
        "queue and engine": spread([outcome.engine for outcome in of_all]),
        "between partials": spread([gap for outcome in of_all for gap in outcome.partial_gaps]),
        "engine p95, slowest : fastest": round(slowest[-1] / slowest[0], 2),
    }


if __name__ == "__main__":
    main()
