"""How fast conversations are. `make bench`, or a part of it:

    python -m tests.bench.conversation                                           everything, with scripted engines
    python -m tests.bench.conversation voice-to-voice sequential --json figures.json --picture figures.svg
    python -m tests.bench.conversation barge-in --conversations 2 --interruptions 10
    python -m tests.bench.conversation faults --times 20                         twenty minutes; only where asked for
    python -m tests.bench.conversation real-ears                                 people's voices and noise; neither this
    python -m tests.bench.conversation embedded --turns 100                      the real engines; nor this
    python -m tests.bench.conversation --address localhost:50050 --wav SPEECH.wav --false-alarm COUGH.wav \\
        --stages localhost:50051 localhost:50052 localhost:50053                 a stack that runs already

Conversations go on at real time, with an orchestrator in a process of its own. Scripted engines are of known speed, so
that what is added to them can be told. Voice to voice is measured with one conversation and with all: the one has a
loudspeaker that plays several times as fast, because nothing before the first audio depends on it.
"""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.command import bench_parser, parsed, positive, report
from tests.bench.conversation import (
    barge_in,
    embedded,
    false_alarms,
    faults,
    real_ears,
    sequential,
    turns,
    voice_to_voice,
)
from tests.bench.conversation.engines import Speeds, Stack, scripted_stack
from tests.bench.conversation.path import chains
from tests.bench.conversation.picture import picture
from tests.bench.conversation.sayings import RecordedSayings, Sayings, ScriptedSayings
from tests.bench.conversation.waterfall import bars
from tests.bench.figures import Rows
from tests.support.shared_data import SHARED

_USUAL_PARTS = ("voice-to-voice", "sequential", "barge-in", "false-alarms")
_PARTS = (*_USUAL_PARTS, "faults", "real-ears", "embedded")
_SHARES = "p50 / p95 / p99"


def main() -> None:
    """Measures, shows tables, and writes JSON and a picture where asked to."""
    options = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends what it started, as with Ctrl-C
    figures = asyncio.run(_measure(options.parts or _USUAL_PARTS, options))
    report(figures, options.json)


def _arguments() -> argparse.Namespace:
    parser = bench_parser("tests.bench.conversation", __doc__, _PARTS)
    parser.add_argument("--conversations", type=positive, default=8, help="at the same time (default: 8)")
    parser.add_argument("--turns", type=positive, default=25, help="of each (default: 25)")
    parser.add_argument("--interruptions", type=positive, default=200, help="in all (default: 200)")
    parser.add_argument("--false-alarms", type=positive, default=100, help="in all (default: 100)")
    parser.add_argument("--times", type=positive, default=20, help="of each fault of each service (default: 20)")
    parser.add_argument("--haste", type=float, default=8.0, help="how fast a lone conversation listens (default: 8)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write an SVG of voice to voice there")
    running = parser.add_argument_group("a stack that runs already")
    running.add_argument("--address", help="of its orchestrator")
    running.add_argument("--wav", type=Path, nargs="+", default=[], metavar="FILE", help="what is said to it")
    running.add_argument("--false-alarm", type=Path, nargs="+", default=[], metavar="FILE", help="what is no speech")
    running.add_argument("--stages", nargs=3, metavar=("STT", "LLM", "TTS"), help="its services' addresses")
    options = parsed(parser, _PARTS)
    if options.address and not options.wav:
        parser.error("--address needs --wav: real ears do not hear scripted speech")
    if "real-ears" in options.parts and not SHARED.exists():
        parser.error(f"real-ears needs people's speech and noise, and {SHARED} is not there")
    return options


async def _measure(parts: Sequence[str], options: argparse.Namespace) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    sayings = RecordedSayings(options.wav, options.false_alarm) if options.address else ScriptedSayings()
    if {"voice-to-voice", "sequential"} & set(parts):
        async with _stack(options, Speeds()) as stack:
            figures |= await _latencies(parts, options, stack, sayings)
    if {"barge-in", "false-alarms"} & set(parts):
        async with _stack(options, barge_in.LONG_REPLIES) as stack:
            figures |= await _interruptions(parts, options, stack, sayings)
    if "faults" in parts:
        figures[faults.TITLE] = await faults.run(options.times)
    if "real-ears" in parts:
        figures |= await real_ears.measure(options.interruptions, options.false_alarms)
    if "embedded" in parts:
        figures |= await embedded.measure(options.turns)
    return figures


async def _latencies(
    parts: Sequence[str], options: argparse.Namespace, stack: Stack, sayings: Sayings
) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    seen_ms: list[float] = []
    if "voice-to-voice" in parts:
        figures, run = await _voice_to_voice(options, stack, sayings)
        seen_ms = [one.voice_to_voice_ms for one in run.good]
        if options.picture:
            title = f"The median turn of {len(run.good)}, {run.conversations} conversations at once"
            options.picture.write_text(picture(bars(run, stack.records()), seen_ms, title), encoding="utf-8")
    if "sequential" in parts and stack.stages:
        pipeline_ms = await sequential.run(stack.stages, sayings, options.conversations, options.turns)
        figures[f"One after the other ({_SHARES}, ms)"] = sequential.rows(pipeline_ms, seen_ms)
    return figures


async def _voice_to_voice(
    options: argparse.Namespace, stack: Stack, sayings: Sayings
) -> tuple[dict[str, Rows], turns.Run]:
    """The figures of one conversation and of all, and the run of all."""
    runs = [await turns.run(stack.address, sayings, 1, options.conversations * options.turns, options.haste)]
    if options.conversations > 1:
        runs.append(await turns.run(stack.address, sayings, options.conversations, options.turns))
    figures = {"Turns": voice_to_voice.turns(runs)}
    for one in runs:
        which = "one conversation" if one.conversations == 1 else f"{one.conversations} conversations"
        figures[f"Stages, {which}: since the question's last sample ({_SHARES}, ms)"] = voice_to_voice.stages(one)
        if stack.speeds is not None:
            rows = voice_to_voice.added(one, chains(one.asked, stack.records()), stack.speeds)
            figures[f"Added to the engines, {which} ({_SHARES}, ms)"] = rows
    return figures, runs[-1]


async def _interruptions(
    parts: Sequence[str], options: argparse.Namespace, stack: Stack, sayings: Sayings
) -> dict[str, Rows]:
    figures: dict[str, Rows] = {}
    if "barge-in" in parts:
        found = await barge_in.run(stack.address, sayings, options.conversations, options.interruptions)
        figures[f"Interruptions ({_SHARES})"] = barge_in.rows(found, stack.records())
    if "false-alarms" in parts and (stack.speeds or options.false_alarm):
        alarms = await false_alarms.run(stack.address, sayings, options.conversations, options.false_alarms)
        figures[f"False alarms ({_SHARES})"] = false_alarms.rows(alarms)
    return figures


@asynccontextmanager
async def _stack(options: argparse.Namespace, speeds: Speeds) -> AsyncIterator[Stack]:
    """The one that runs already, or a new one."""
    if options.address:
        stages = zip(("stt", "llm", "tts"), options.stages or (), strict=False)
        yield Stack(options.address, dict(stages))
        return
    async with scripted_stack(speeds, options.conversations) as stack:
        yield stack


if __name__ == "__main__":
    main()
