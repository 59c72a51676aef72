"""How fast the mouth is. `make bench-tts`, or a part of it:

    python -m tests.bench.tts                                        everything, with espeak-ng
    python -m tests.bench.tts cached sessions --sessions 1 8         two parts
    python -m tests.bench.tts --made-voice                           Piper's own code with a voice that is made here
    python -m tests.bench.tts --piper FOLDER --language fr           Piper with a true voice

Everything is measured over gRPC, of a service in a process of its own. No text is said twice but where the cache is
measured.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.command import bench_parser, parsed, positive, report
from tests.bench.figures import Rows
from tests.bench.tts import latency, load
from tests.bench.tts.mouth import Mouth, Spoken
from tests.bench.tts.texts import Replies
from tests.support.made_voice import made_voice
from tests.support.servers import Child, child_service, free_port

_PARTS = ("first-audio", "clauses", "cached", "speed", "sessions", "memory")
_SPREAD = "p50 / p95 / max"
_STARTS = 3
_MEMORY_CACHE_MB = 8  # full after a few replies, so that what grows later is no cache


def main() -> None:
    """Measures, shows tables, and writes JSON where asked to."""
    options = _arguments()
    figures = asyncio.run(_measure(options.parts or _PARTS, options))
    report(figures, options.json)


def _arguments() -> argparse.Namespace:
    parser = bench_parser("tests.bench.tts", __doc__, _PARTS)
    parser.add_argument("--profile", default="embedded", help="of the service (default: embedded)")
    voice = parser.add_mutually_exclusive_group()
    voice.add_argument("--piper", type=Path, metavar="FOLDER", help="a Piper voice: its .onnx and .onnx.json")
    voice.add_argument("--made-voice", action="store_true", help="Piper with a voice that is made here")
    parser.add_argument("--voice", default="", metavar="NAME", help="such as fr-fr; else the language's best")
    parser.add_argument("--language", default="fr", choices=("fr", "en"), help="of the replies (default: fr)")
    parser.add_argument("--times", type=positive, default=50, help="how often each thing is timed (default: 50)")
    parser.add_argument("--sessions", type=positive, nargs="+", default=[1, 2, 4, 8], help="callers at the same time")
    parser.add_argument("--syntheses", type=positive, default=1000, help="of memory (default: 1000)")
    return parsed(parser, _PARTS)


async def _measure(parts: Sequence[str], options: argparse.Namespace) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    replies = Replies(options.language)
    metrics_port = free_port()
    if set(parts) - {"memory"}:
        async with _service(options, metrics_port) as (child, mouth):
            cold = await load.speak(mouth, replies)
            figures |= await _latencies(parts, options, mouth, replies, metrics_port)
            if "speed" in parts:
                others = [await _cold(options, replies) for _ in range(_STARTS - 1)]
                title = f"Speed ({_SPREAD})"
                figures[title] = await load.speeds([cold, *others], mouth, replies, options.times)
            if "sessions" in parts:
                each = max(1, options.times // 5)
                figures[f"Callers at the same time ({_SPREAD})"] = await load.sessions(
                    child.address, options.voice, replies, options.sessions, each
                )
    if "memory" in parts:
        async with _service(options, 0, "--tts.cache.max_mb", str(_MEMORY_CACHE_MB)) as (child, mouth):
            figures["Memory"] = await load.memory(child, mouth, replies, options.syntheses)
    return figures


async def _latencies(
    parts: Sequence[str], options: argparse.Namespace, mouth: Mouth, replies: Replies, metrics_port: int
) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    if "first-audio" in parts:
        title = f"First audio of a reply of three sentences ({_SPREAD})"
        figures[title] = await latency.of_replies(mouth, replies, options.times)
    if "clauses" in parts:
        title = f"First clause of a reply that is written at 40 tokens a second ({_SPREAD})"
        figures[title] = await latency.of_clauses(mouth, replies, metrics_port, options.times)
    if "cached" in parts:
        title = f"A phrase that was said before ({_SPREAD})"
        figures[title] = await latency.of_cached(mouth, replies, 4 * options.times)
    return figures


async def _cold(options: argparse.Namespace, replies: Replies) -> Spoken:
    async with _service(options, 0) as (_, mouth):
        return await load.speak(mouth, replies)


@asynccontextmanager
async def _service(
    options: argparse.Namespace, metrics_port: int, *flags: str
) -> AsyncGenerator[tuple[Child, Mouth], None]:
    """One that nobody has spoken with yet."""
    arguments: tuple[str, ...] = ("--profile", options.profile, "--tts.server.metrics_port", str(metrics_port))
    folder = made_voice().parent if options.made_voice else options.piper
    if folder is not None:
        piper = json.dumps({"voices": [str(folder.resolve())]})
        arguments += ("--tts.engines", '["piper", "espeak-ng", "tone"]', "--tts.piper", piper)
    streams = str(max([*options.sessions, 16]))
    async with (
        child_service("tts", *arguments, "--tts.max_streams", streams, *flags) as child,
        Mouth.at(child.address, options.voice) as mouth,
    ):
        yield child, mouth


if __name__ == "__main__":
    main()
