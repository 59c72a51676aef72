"""What `make bench ARGS="--json FILE"` has measured: how long people waited, and how many turns went well."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from client.errors import reason_of
from client.messages import tr
from client.validation.evidence.finding import Ageing, Finding, Status, not_measured

MAX_P95_MS = 1200.0
MIN_SUCCESS = 0.99
MIN_TURNS = 100
_MAX_FILE_BYTES = 10_000_000
_SCRIPTED = "Added to the engines"  # a table that only engines of known speed have
_STAGES = "Stages, "
_TURNS = ("Turns", "Turns in a row with the embedded engines")
_FAULTS = ("cut off", "missed")  # where a benchmark tells them apart from those that failed
_MEASURED = "Measured"  # when and of which commit, where the benchmark says so


class _UnreadableError(ValueError):
    """The file is none of this version's; the message says why."""


@dataclass(frozen=True)
class _Bench:
    tables: Mapping[str, list[dict[str, Any]]]
    at: datetime
    commit: str

    @property
    def is_scripted(self) -> bool:
        return any(title.startswith(_SCRIPTED) for title in self.tables)

    def p95s(self) -> Iterator[tuple[float, int]]:
        """P95 in milliseconds, of so many spoken turns."""
        for title, rows in self.tables.items():
            for row in rows if title.startswith(_STAGES) else ():
                is_first_audio = row.get("question") == "spoken" and row.get("until") == "first_audio_ms"
                if is_first_audio or str(row.get("stage", "")).startswith("voice to voice"):
                    yield _number(row, "p95"), int(_number(row, "turns"))

    def turns(self) -> Iterator[tuple[int, int]]:
        """Failed turns, of so many."""
        for title in _TURNS:
            for row in self.tables.get(title, ()):
                if isinstance(row.get("turns"), int):  # else the row tells how one turn failed
                    faults = ("failed", *(fault for fault in _FAULTS if fault in row))
                    yield sum(int(_number(row, fault)) for fault in faults), row["turns"]


def from_bench(file: Path, ageing: Ageing) -> tuple[Finding, Finding]:
    """The time of a reply, and the share of good turns."""
    try:
        bench = _read(file)
        if bench.is_scripted:
            why = tr("scripted engines: it says nothing of real ones; measure a running stack with --address and --wav")
            return not_measured(why, str(file)), not_measured(why, str(file))
        found = _p95(bench, file), _success(bench, file)
    except _UnreadableError as error:
        return not_measured(str(error), str(file)), not_measured(str(error), str(file))
    time, success = (ageing.judged(one, bench.at, bench.commit) for one in found)
    return time, success


def _p95(bench: _Bench, file: Path) -> Finding:
    found = list(bench.p95s())
    if not found:
        return not_measured(tr("it holds no times from voice to voice"), str(file))
    enough = [(p95, turns) for p95, turns in found if turns >= MIN_TURNS]
    slowest, its_turns = max(found)
    if not enough or (slowest >= MAX_P95_MS and its_turns < MIN_TURNS):  # nobody knows whether that was chance
        return not_measured(tr("P95 {ms:.0f} ms, of {few}", ms=slowest, few=few(its_turns)), str(file))
    p95, turns = max(enough)
    return time_finding(p95, turns, str(file))


def _success(bench: _Bench, file: Path) -> Finding:
    found = list(bench.turns())
    if not found:
        return not_measured(tr("it does not tell how turns ended"), str(file))
    failed, turns = sum(one[0] for one in found), sum(one[1] for one in found)
    return success_finding(failed, turns, str(file))


def time_finding(p95_ms: float, turns: int, source: str) -> Finding:
    """Whether that is soon enough."""
    if not (math.isfinite(p95_ms) and p95_ms > 0):
        return not_measured(tr("the P95 is no time: {value}", value=p95_ms), source)
    if turns < MIN_TURNS:
        return not_measured(few(turns), source)
    figure = tr("P95 {ms:.0f} ms of {turns} turns", ms=p95_ms, turns=turns)
    return Finding(Status.GO if p95_ms < MAX_P95_MS else Status.NO_GO, figure, source)


def success_finding(failed: int, turns: int, source: str) -> Finding:
    """Whether that is often enough."""
    if not 0 <= failed <= turns:
        told = tr("{failed} of {turns} turns failed: that cannot be", failed=failed, turns=turns)
        return not_measured(told, source)
    if turns < MIN_TURNS:
        return not_measured(few(turns), source)
    share = 1 - failed / turns
    figure = tr("{share:.2f}% of {turns} turns", share=share * 100, turns=turns)
    return Finding(Status.GO if share > MIN_SUCCESS else Status.NO_GO, figure, source)


def few(turns: int) -> str:
    """Why that is no measurement."""
    return tr("{turns} turns only, and it takes {needed}", turns=turns, needed=MIN_TURNS)


def _read(file: Path) -> _Bench:
    try:
        with file.open("rb") as opened:
            tables = json.loads(opened.read(_MAX_FILE_BYTES))
        at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError as error:
        raise _UnreadableError(reason_of(error)) from error
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(tr("it is no JSON, or cut off: {problem}", problem=error)) from error
    if not _are_tables(tables):
        raise _UnreadableError(tr("it holds other figures than those of `make bench`"))
    measured: Mapping[str, Any] = next(iter(tables.get(_MEASURED, ())), {})
    try:
        told = datetime.fromisoformat(str(measured["at"])).astimezone() if "at" in measured else at
    except (ValueError, OverflowError) as error:
        raise _UnreadableError(tr("its date cannot be read: {problem}", problem=error)) from error
    return _Bench(tables, told, str(measured.get("commit", "")))


def _are_tables(content: object) -> bool:
    if not isinstance(content, dict):
        return False
    return all(isinstance(rows, list) and all(isinstance(row, dict) for row in rows) for rows in content.values())


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _UnreadableError(tr("{name} is no number: {value!r}", name=name, value=value))
    return float(value)
