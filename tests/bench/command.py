"""What the command lines of all benchmarks have in common: parts to choose from, tables, JSON."""

import argparse
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Rows, show
from tests.support.shared_data import REPOSITORY


def bench_parser(module: str, description: str | None, parts: Sequence[str]) -> argparse.ArgumentParser:
    """A parser with the parts to measure, and where to write the figures."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(parts)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


def parsed(parser: argparse.ArgumentParser, parts: Sequence[str]) -> argparse.Namespace:
    """The options; the command ends where a part is none."""
    options = parser.parse_args()
    for part in options.parts:
        if part not in parts:
            parser.error(f"there is no part {part!r}; there is: {', '.join(parts)}")
    return options


def positive(text: str) -> int:
    """A number of something, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def report(figures: Mapping[str, Rows], json_file: Path | None) -> None:
    """Tables on the terminal, and JSON where asked for."""
    for title, rows in figures.items():
        show(title, rows)
    if json_file:
        measured = {"Measured": [{"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": _commit()}]}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps({**measured, **figures}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    """Of what is measured; empty where that is no checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # whichever git there is
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return found.stdout.strip()
