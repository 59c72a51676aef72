"""The clock: one that is far off makes every certificate look expired, or not valid yet."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from client.doctor.check import Finding, not_applicable, ok, problem, warning
from client.doctor.outside import run_program
from client.messages import tr

_TOLERANCE = timedelta(days=1)  # of clocks and time zones of whoever wrote the files
_COARSEST_S = 0.02  # Windows counts in steps of 16 ms, and works


def _now() -> datetime:
    return datetime.now(UTC)


async def look_at_clock(now: Callable[[], datetime] = _now) -> Sequence[Finding]:
    """Its date, the clock that times are measured with, and whether the network keeps it right."""
    return [_date(now()), _monotonic(), await _synchronised()]


def _date(now: datetime) -> Finding:
    """It cannot be earlier than this program was written down here."""
    written = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    told = now.strftime("%Y-%m-%d %H:%M UTC")
    if now >= written - _TOLERANCE:
        return ok(tr("date"), told)
    found = tr("{now}, which is before this program was installed ({then})", now=told, then=f"{written:%Y-%m-%d}")
    return problem(tr("date"), found, tr("set the clock: {command}", command="sudo timedatectl set-ntp true"))


def _monotonic() -> Finding:
    info = time.get_clock_info("monotonic")
    if info.monotonic and info.resolution <= _COARSEST_S:
        return ok(tr("stopwatch"), tr("it never runs backwards"))
    found = tr("it may run backwards, or goes in steps of {step:.0f} ms", step=info.resolution * 1000)
    return warning(tr("stopwatch"), found, tr("do not trust the times that are told"))


async def _synchronised() -> Finding:
    name = tr("synchronised")
    ended = await run_program("timedatectl", "show", "--property=NTPSynchronized", "--value")
    answer = ended.out.strip() if ended and ended.code == 0 else ""
    if answer == "yes":
        return ok(name, tr("by the network"))
    if answer == "no":
        return warning(name, tr("not by the network: it may drift"), "sudo timedatectl set-ntp true")
    hint = tr("(Settings → Time & language → Sync now)") if sys.platform == "win32" else ""
    return not_applicable(name, " ".join(filter(None, [tr("this system does not tell"), hint])))
