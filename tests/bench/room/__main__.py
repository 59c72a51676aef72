"""How the client does in a room. `make bench-room`, or a part of it:

    python -m tests.bench.room                                   all but callbacks
    python -m tests.bench.room interruptions --interruptions 20
    python -m tests.bench.room conversation --turns 10 --json figures.json
    python -m tests.bench.room resting --seconds 60
    python -m tests.bench.room callbacks --minutes 30            whether the sound card was ever served too late

The room is PulseAudio's: where there is an echo, what the loudspeaker plays comes back to the microphone at -12 dB,
about 40 ms late. The ears know some French sentences word for word (docs/made-models.md); mind and mouth are those of
the embedded profile. Everything shares this machine, the client too.
"""

import asyncio
import signal

from tests.bench.command import bench_parser, parsed, positive, report
from tests.bench.figures import Rows
from tests.bench.room import callbacks, conversation, echo, interruptions, resting

_USUAL_PARTS = ("conversation", "echo", "interruptions", "resting")
_PARTS = (*_USUAL_PARTS, "callbacks")


def main() -> None:
    """Measures, shows tables, and writes JSON where asked to."""
    parser = bench_parser("tests.bench.room", __doc__, _PARTS)
    parser.add_argument("--turns", type=positive, default=10, help="of the conversation (default: 10)")
    parser.add_argument("--replies", type=positive, default=20, help="that are heard as an echo (default: 20)")
    parser.add_argument("--interruptions", type=positive, default=20, help="(default: 20)")
    parser.add_argument("--seconds", type=positive, default=60, help="of rest (default: 60)")
    parser.add_argument("--minutes", type=positive, default=30, help="in which callbacks are counted (default: 30)")
    options = parsed(parser, _PARTS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it ends what it started, as with Ctrl-C
    parts = options.parts or _USUAL_PARTS
    figures: dict[str, Rows] = {}
    if "conversation" in parts:
        figures |= asyncio.run(conversation.measure(options.turns))
    if "echo" in parts:
        figures |= asyncio.run(echo.measure(options.replies))
    if "interruptions" in parts:
        figures |= asyncio.run(interruptions.measure(options.interruptions))
    if "resting" in parts:
        figures |= asyncio.run(resting.measure(options.seconds))
    if "callbacks" in parts:
        figures |= asyncio.run(callbacks.measure(options.minutes))
    report(figures, options.json)


if __name__ == "__main__":
    main()
