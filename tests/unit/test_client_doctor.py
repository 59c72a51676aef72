"""client/doctor: how checks are run and told. What each subject finds is in the files beside this one."""

import asyncio
import io
import threading
from collections.abc import Sequence
from typing import get_type_hints

import pytest
from rich.console import Console

from client.doctor.check import Check, Finding, Subject, Verdict, not_applicable, ok, problem, warning
from client.doctor.command import doctor
from client.doctor.examination import Result, examine, problems, warnings
from client.doctor.outside import in_thread, run_program, run_python
from client.doctor.report import show
from services.common.errors import ModelError
from tests.support.waiting import BOUND_S, wait_until


async def fine() -> Sequence[Finding]:
    return [ok("it", "works")]


async def found_by(*checks: Check) -> list[Finding]:
    results = await examine(checks, lambda _subject: None)
    return [finding for result in results for finding in result.findings]


async def test_a_check_that_hangs_is_told_and_ends_no_other() -> None:
    async def hangs() -> Sequence[Finding]:
        await asyncio.Event().wait()
        return []

    hung, other = await found_by(Check(Subject.CONTAINERS, hangs, limit_s=0.05), Check(Subject.CLOCK, fine))
    assert (hung.verdict, hung.name) == (Verdict.PROBLEM, "containers")
    assert "0.05 s" in hung.found
    assert other == ok("it", "works")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelError("no such model"), "no such model"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (KeyError("oh"), "this check itself broke: KeyError('oh')"),
    ],
)
async def test_a_check_that_breaks_tells_its_own_failure(error: Exception, told: str) -> None:
    async def breaks() -> Sequence[Finding]:
        raise error

    broken, other = await found_by(Check(Subject.MODELS, breaks), Check(Subject.CLOCK, fine))
    assert broken.verdict is Verdict.PROBLEM
    assert told in broken.found
    assert broken.mend
    assert other == ok("it", "works")


async def test_those_that_wait_run_beside_each_other() -> None:
    both = asyncio.Barrier(2)

    async def meets() -> Sequence[Finding]:
        await both.wait()
        return await fine()

    checks = [Check(Subject.PORTS, meets, limit_s=BOUND_S), Check(Subject.CLOCK, meets, limit_s=BOUND_S)]
    assert await found_by(*checks) == [ok("it", "works")] * 2


async def test_those_that_work_wait_for_them_and_for_each_other() -> None:
    at_work: list[str] = []
    order: list[str] = []

    def check(name: str, *, works: bool) -> Check:
        async def look() -> Sequence[Finding]:
            assert not any(at_work)
            if works:
                at_work.append(name)
            await asyncio.sleep(0)
            order.append(name)
            at_work.clear()
            return [ok(name, "")]

        return Check(Subject.MODELS, look, works=works)

    checks = check("sums", works=True), check("reply", works=False), check("imports", works=True)
    found = await found_by(*checks)
    assert order == ["reply", "sums", "imports"]
    assert [finding.name for finding in found] == ["sums", "reply", "imports"]  # told in their own order


async def test_a_thread_that_never_comes_back_is_left_behind() -> None:
    returns = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_thread(returns.wait)
    (left,) = (thread for thread in threading.enumerate() if thread.name == "doctor")
    assert left.daemon  # the end of the program does not wait for it
    returns.set()
    await wait_until(lambda: not left.is_alive(), "the end of the thread")


async def test_what_a_thread_raises_is_raised() -> None:
    with pytest.raises(ModelError):
        await in_thread(_raise)


def _raise() -> None:
    raise ModelError("broken")


async def test_a_program_that_hangs_is_killed() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await run_python("import time; time.sleep(1000)")
    assert await run_program("a-program-that-nobody-has") is None


def told(*findings: Finding, encoding: str = "utf-8") -> list[str]:
    out = io.BytesIO()
    file = io.TextIOWrapper(out, encoding=encoding, write_through=True)
    show([Result(Subject.PORTS, findings)], Console(file=file, color_system=None))
    return out.getvalue().decode(encoding).splitlines()


def test_every_verdict_has_a_sign_and_a_word_and_the_columns_are_aligned() -> None:
    lines = told(
        ok("a", "good"),
        warning("bbb", "doubtful", "do this"),
        problem("c", "bad", "do that"),
        not_applicable("d", "no"),
    )
    assert lines[0] == "Ports"
    shown = [line for line in lines[1:-2] if "→" not in line]
    assert [line.split()[:2] for line in shown] == [["✓", "ok"], ["!", "warning"], ["✗", "problem"], ["–", "n/a"]]
    starts = [line.index(found) for line, found in zip(shown, ["good", "doubtful", "bad", "no"], strict=True)]
    assert len(set(starts)) == 1
    assert lines[3] == " " * starts[0] + "→ do this"
    assert lines[-1] == "problems: 1, warnings: 1"


def test_a_terminal_without_such_signs_gets_letters() -> None:
    lines = told(ok("a", "good"), problem("c", "bad", "do that"), encoding="ascii")
    assert [line.split()[0] for line in lines[1:4]] == ["+", "x", ">"]


def test_nothing_wrong_is_told_so() -> None:
    assert told(ok("a", "good"))[-1] == "all is well"
    results = [Result(Subject.PORTS, (problem("a", "", ""), warning("b", "", ""), warning("c", "", "")))]
    assert (problems(results), warnings(results)) == (1, 2)


def test_the_help_names_every_subject() -> None:
    (only,) = (argument for argument in get_type_hints(doctor, include_extras=True)["only"].__metadata__)
    listed = only.help.partition(": ")[2].rstrip(".").split(", ")
    assert listed == [str(subject) for subject in Subject]
