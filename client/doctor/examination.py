"""Runs the checks: beside each other where they wait, one after another where they work, none for ever."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from client.doctor.check import Check, Finding, Subject, Verdict, problem
from client.messages import tr
from services.common.errors import SuperWhisperError


@dataclass(frozen=True)
class Result:
    """What was found about a subject."""

    subject: Subject
    findings: tuple[Finding, ...]


def problems(results: Sequence[Result]) -> int:
    """How many things cannot work."""
    return _count(results, Verdict.PROBLEM)


def warnings(results: Sequence[Result]) -> int:
    """How many should be better."""
    return _count(results, Verdict.WARNING)


async def examine(checks: Sequence[Check], told: Callable[[Subject], None]) -> list[Result]:
    """All that they find, in their order; `told` hears what is being looked at."""

    async def result(check: Check) -> Result:
        told(check.subject)
        return Result(check.subject, await _findings(check))

    waiting = asyncio.gather(*(result(check) for check in checks if not check.works))
    done = dict(zip((id(check) for check in checks if not check.works), await waiting, strict=True))
    for check in checks:
        if check.works:
            done[id(check)] = await result(check)
    return [done[id(check)] for check in checks]


async def _findings(check: Check) -> tuple[Finding, ...]:
    """A check that breaks or hangs tells so, and ends nothing but itself."""
    try:
        async with asyncio.timeout(check.limit_s):
            return tuple(await check.look())
    except TimeoutError:
        found = tr("no answer within {limit:g} s", limit=check.limit_s)
        return (problem(check.subject, found, tr("something hangs: look at that first, then try again")),)
    except (SuperWhisperError, OSError) as error:
        return (problem(check.subject, str(error), tr("mend that, then try again")),)
    except Exception as error:  # noqa: BLE001  # the other checks must go on, whatever this one met
        found = tr("this check itself broke: {error}", error=repr(error))
        return (problem(check.subject, found, tr("please report it")),)


def _count(results: Sequence[Result], verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for result in results for finding in result.findings)
