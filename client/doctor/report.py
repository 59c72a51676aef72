"""What is told of the findings: lines for people, one JSON object for programs."""

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from client.doctor.check import Finding, Subject, Verdict
from client.doctor.examination import Result, problems, warnings
from client.doctor.plan import Plan
from client.messages import tr

_SIGNS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.PROBLEM: "✗", Verdict.NOT_APPLICABLE: "–"}
_PLAIN_SIGNS = {Verdict.OK: "+", Verdict.WARNING: "!", Verdict.PROBLEM: "x", Verdict.NOT_APPLICABLE: "-"}
_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red", Verdict.NOT_APPLICABLE: "dim"}
_LEAST_WIDTH = 30  # of what was found, however narrow the terminal is


def as_json(plan: Plan, results: Sequence[Result]) -> dict[str, Any]:
    """For programs. Its keys and verdicts are the same in every language."""
    findings = [{"subject": result.subject, **asdict(finding)} for result in results for finding in result.findings]
    return {
        "profile": plan.profile,
        "problems": problems(results),
        "warnings": warnings(results),
        "findings": findings,
    }


def show(results: Sequence[Result], console: Console) -> None:
    """For people: grouped by subject, the columns one below the other, and a summary."""
    names = [finding.name for result in results for finding in result.findings]
    name_width = max(map(len, names), default=0)
    verdict_width = max(len(_word(verdict)) for verdict in Verdict)
    for subject, of_subject in groupby(results, key=lambda result: result.subject):
        _line(console, Text(title(subject), style="bold"))
        for finding in (finding for result in of_subject for finding in result.findings):
            _show(console, finding, verdict_width, name_width)
    _line(console, Text(""))
    _line(console, _summary(results))


def title(subject: Subject) -> str:
    """As people read it."""
    titles = {
        Subject.SETTINGS: tr("Settings"),
        Subject.PYTHON: tr("Python"),
        Subject.PACKAGES: tr("Packages"),
        Subject.GPU: tr("Graphics cards"),
        Subject.CUDA: tr("CUDA libraries"),
        Subject.CONTAINERS: tr("Containers"),
        Subject.MODELS: tr("Models"),
        Subject.DISK: tr("Disk and memory"),
        Subject.PORTS: tr("Ports"),
        Subject.SERVICES: tr("Services"),
        Subject.TLS: tr("TLS and tokens"),
        Subject.SOUND: tr("Sound"),
        Subject.CLOCK: tr("Clock"),
        Subject.TERMINAL: tr("Terminal"),
    }
    return titles[subject]


def _word(verdict: Verdict) -> str:
    words = {
        Verdict.OK: tr("ok"),
        Verdict.WARNING: tr("warning"),
        Verdict.PROBLEM: tr("problem"),
        Verdict.NOT_APPLICABLE: tr("n/a"),
    }
    return words[verdict]


def _show(console: Console, finding: Finding, verdict_width: int, name_width: int) -> None:
    signs = _SIGNS if _can_show(console, "✓✗–→") else _PLAIN_SIGNS
    style = _STYLES[finding.verdict]
    line = Text(f"  {signs[finding.verdict]} {_word(finding.verdict):{verdict_width}}", style=style)
    line.append(f"  {finding.name:{name_width}}  ", style="default")
    first, *others = _wrapped(console, finding.found, line.cell_len)
    line.append(first, style="default")
    _line(console, line)
    for other in others:
        _line(console, Text(" " * line_start(verdict_width, name_width) + other))
    if finding.mend:
        arrow = "→ " if _can_show(console, "→") else "> "
        # Never broken: it is there to be copied.
        _line(console, Text(" " * line_start(verdict_width, name_width) + arrow + finding.mend, style=style))


def line_start(verdict_width: int, name_width: int) -> int:
    """The column where what was found begins."""
    return 2 + 2 + verdict_width + 2 + name_width + 2


def _wrapped(console: Console, text: str, start: int) -> list[str]:
    """A terminal has an edge; a pipe has none."""
    lines = text.splitlines() or [""]
    if not console.is_terminal:
        return lines
    width = max(_LEAST_WIDTH, shutil.get_terminal_size().columns - start)
    return [part for line in lines for part in textwrap.wrap(line, width, break_on_hyphens=False) or [""]]


def _summary(results: Sequence[Result]) -> Text:
    wrong, doubtful = problems(results), warnings(results)
    if wrong:
        return Text(
            tr("problems: {problems}, warnings: {warnings}", problems=wrong, warnings=doubtful), style="bold red"
        )
    if doubtful:
        return Text(tr("no problem, warnings: {warnings}", warnings=doubtful), style="yellow")
    return Text(tr("all is well"), style="green")


def _line(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True, highlight=False)


def _can_show(console: Console, signs: str) -> bool:
    try:
        signs.encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True
