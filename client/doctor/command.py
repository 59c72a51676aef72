"""`superwhisper doctor`: what is wrong with this machine, and the mend of each."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn

from client.doctor.check import Subject
from client.doctor.checks import all_checks
from client.doctor.examination import Result, examine, problems
from client.doctor.models import bytes_to_read
from client.doctor.outside import in_thread
from client.doctor.plan import Plan, made_plan
from client.doctor.report import as_json as told_as_json
from client.doctor.report import show, title
from client.errors import CommandError
from client.messages import tr
from client.options import AsJson, Common, common, examples, run

EXAMPLES = examples(
    "doctor", "doctor --quick", "doctor --profile rtx3090", "doctor --only gpu --only cuda", "doctor --json"
)
_PLAN_LIMIT_S = 20.0


def doctor(
    context: typer.Context,
    profile: Annotated[str, typer.Option(metavar="NAME", help="Check for this profile, whatever is set.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Do not compute the sums of the models.")] = False,
    only: Annotated[
        list[Subject] | None,
        typer.Option(
            metavar="SUBJECT",
            help="This subject alone, and others that are given so: settings, python, packages, gpu, cuda, containers, "
            "models, disk, ports, services, tls, sound, clock, terminal.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for everything that is commonly wrong, and tell how to mend it. Exit code 1 if something cannot work."""
    plan, results = run(_examined(common(context), profile, only or list(Subject), quick=quick, silent=as_json))
    if as_json:
        sys.stdout.write(json.dumps(told_as_json(plan, results), indent=2) + "\n")
    else:
        show(results, Console())
    if problems(results):
        raise typer.Exit(1)


async def _examined(
    given: Common, profile: str, only: list[Subject], *, quick: bool, silent: bool
) -> tuple[Plan, list[Result]]:
    try:
        async with asyncio.timeout(_PLAN_LIMIT_S):
            plan = await in_thread(lambda: made_plan(given, profile))
            size_bytes = 0 if quick else await in_thread(lambda: bytes_to_read(plan.models_dir, plan.profile))
    except TimeoutError:
        raise CommandError(
            tr("the settings cannot be read: the graphics driver or the models folder hangs; try --profile embedded")
        ) from None
    with _progress(size_bytes, silent=silent) as progress:
        checks = all_checks(plan, size_bytes, progress.advanced, quick=quick)
        return plan, await examine([check for check in checks if check.subject in only], progress.told)


class _Shown:
    """What is being done, on stderr, gone when it is done."""

    def __init__(self, progress: Progress, size_bytes: int) -> None:
        self._progress = progress
        self._now = progress.add_task("", total=size_bytes or None)

    def told(self, subject: Subject) -> None:
        """What is looked at now."""
        self._progress.update(self._now, description=title(subject))

    def advanced(self, file: str, size_bytes: int) -> None:
        """A file's sum was computed."""
        self._progress.update(self._now, description=file, advance=size_bytes)


@contextmanager
def _progress(size_bytes: int, *, silent: bool) -> Iterator[_Shown]:
    console = Console(stderr=True)
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn()]
    shown = columns if size_bytes else columns[:2]
    with Progress(*shown, console=console, transient=True, disable=silent or not console.is_terminal) as progress:
        yield _Shown(progress, size_bytes)
