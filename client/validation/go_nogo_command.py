"""`superwhisper go-nogo`: the table that decides whether a release may go."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.messages import tr
from client.options import AsJson, common, examples, run
from client.validation.checkout import Checkout
from client.validation.evidence import live
from client.validation.evidence import tests as test_results
from client.validation.evidence.collected import Sources, collect
from client.validation.evidence.finding import Ageing, Finding, Line, Status
from client.validation.keeping import FOLDER
from client.views.text_view import printable

EXAMPLES = examples(
    "go-nogo",
    "go-nogo --bench figures.json --tests .run/tests.xml",
    "go-nogo --json",
)
_BENCH = Path(".run") / "bench.json"
_STYLES = {Status.GO: "green", Status.NO_GO: "bold red", Status.STALE: "yellow", Status.NOT_MEASURED: "yellow"}
_PIPE_WIDTH = 160  # columns for a log or a pipe, which have none of their own

_Bench = Annotated[Path, typer.Option(metavar="FILE", help='What make bench ARGS="--json FILE" wrote.')]
_Reports = Annotated[Path, typer.Option(metavar="FOLDER", help="Where the reports of `validate` are.")]
_Tests = Annotated[Path, typer.Option(metavar="FILE", help="What pytest --junitxml=FILE wrote.")]
_Metrics = Annotated[str, typer.Option(metavar="HOST:PORT", help="Metrics of a running orchestrator.")]


def go_nogo(  # typer: an argument an option
    context: typer.Context,
    *,
    bench: _Bench = _BENCH,
    validation: _Reports = FOLDER,
    tests: _Tests = test_results.FILE,
    metrics: _Metrics = live.ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Tell whether a release may go, and on what evidence. Exit code 0 for a go, 1 for a no-go.

    What was not measured is never a go, nor what is older than 30 days, nor tests of other code; figures and verdicts
    of other code count, and say so. The services are started for a moment, to see
    that they refuse an address that others can reach.
    """
    settings = common(context)
    sources = Sources(bench, validation, tests, metrics, settings.config, settings.client())
    checkout = Checkout()
    lines = run(collect(sources, Ageing(datetime.now(UTC), checkout)))
    is_go = all(line.status is Status.GO for line in lines)
    if as_json:
        sys.stdout.write(json.dumps(_answer(lines, checkout, is_go=is_go), indent=2) + "\n")
    else:
        _show(lines, is_go=is_go)
    if not is_go:
        raise typer.Exit(1)


def _answer(lines: Sequence[Line], checkout: Checkout, *, is_go: bool) -> dict[str, object]:
    return {
        "verdict": "GO" if is_go else "NO-GO",
        "commit": checkout.commit,
        "lines": [
            {"name": line.name, "status": line.status, "evidence": [_fields(found) for found in line.findings]}
            for line in lines
        ],
    }


def _fields(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "at": finding.at.isoformat() if finding.at else None}


def _show(lines: Sequence[Line], *, is_go: bool) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    table = Table(tr("Condition"), "", tr("Evidence"), show_lines=True)
    for line in lines:
        evidence = "\n".join(_evidence(finding) for finding in line.findings)
        table.add_row(Text(line.title), Text(_name(line.status), _STYLES[line.status]), Text(evidence))
    console.print(table)
    verdict = Status.GO if is_go else Status.NO_GO
    console.print(Text("GO" if is_go else "NO-GO", _STYLES[verdict]))


def _evidence(finding: Finding) -> str:
    told = [
        finding.figure if finding.status is not Status.NOT_MEASURED else f"{_name(finding.status)}: {finding.figure}"
    ]
    if finding.at:
        told.append(f"{finding.at.astimezone():%Y-%m-%d %H:%M}")
    return printable(" · ".join(filter(None, [*told, finding.remark, finding.source])))


def _name(status: Status) -> str:
    return {
        Status.GO: tr("go"),
        Status.NO_GO: tr("no-go"),
        Status.STALE: tr("stale"),
        Status.NOT_MEASURED: tr("not measured"),
    }[status]
