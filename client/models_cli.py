"""`superwhisper models`: fetch, list and check models."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from client.messages import tr
from services.common.config_files import default_models_dir
from services.common.errors import ModelError
from services.common.models.pull import Puller, PullObserver
from services.common.models.registry import Model, ModelFile, read_registry
from services.common.models.sources import DEFAULT_HUB
from services.common.models.store import FileReport, FileState, ModelStore

app = typer.Typer(no_args_is_help=True, help="Fetch, list and check models. No running service ever downloads one.")

_PIPE_WIDTH = 200  # columns for a log or a pipe, which have none of their own

ModelsDir = Annotated[
    Path,
    typer.Option(envvar="SUPERWHISPER_MODELS_DIR", default_factory=default_models_dir, help="Where models lie."),
]
RegistryFile = Annotated[
    Path | None, typer.Option("--registry", help="A models.toml of your own instead of the one that comes along.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Names = Annotated[list[str] | None, typer.Argument(help="Models, as `list` names them.")]


def _examples(*commands: str) -> str:
    # An empty line between, or the help would run them together.
    return "\n\n".join(["Examples:", *(f"  superwhisper {command}" for command in commands)])


@app.command(epilog=_examples("models pull smollm2-135m-instruct", "models pull --profile embedded"))
def pull(
    models_dir: ModelsDir,
    names: Names = None,
    profile: Annotated[str, typer.Option(help="Everything that this profile needs.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every model there is.")] = False,
    endpoint: Annotated[
        str, typer.Option(envvar="HF_ENDPOINT", help="The hub of hf: sources, or a mirror of it.")
    ] = DEFAULT_HUB,
    registry: RegistryFile = None,
) -> None:
    """Fetch models; what lies there with the right checksum is not fetched again."""
    if not (names or profile or all_):
        raise typer.BadParameter(tr("say which: NAMES, --profile PROFILE or --all"))
    with _errors_as_sentences():
        store = _store(models_dir, registry)
        models = _chosen(store, names or [], profile, all_=all_)
        if not models:
            typer.echo(tr("profile {profile} needs no model", profile=profile))
        failed = [model for model in models if not _pull_one(store, model, endpoint)]
    if failed:
        raise typer.Exit(1)


@app.command("list", epilog=_examples("models list", "models list --json"))
def list_models(models_dir: ModelsDir, as_json: AsJson = False, registry: RegistryFile = None) -> None:
    """List every model, and which are installed."""
    with _errors_as_sentences():
        store = _store(models_dir, registry)
    entries = [_entry(store, model) for model in store.registry]
    if as_json:
        typer.echo(json.dumps(entries, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in (tr("name"), tr("state"), tr("size"), tr("licence"), tr("profiles")):
        table.add_column(heading, no_wrap=True)
    table.add_column(tr("purpose"))
    for entry in entries:
        size = decimal(entry["size_bytes"]) if entry["size_bytes"] else "?"
        profiles = ", ".join(entry["profiles"])
        table.add_row(entry["name"], _told(entry["state"]), size, entry["licence"], profiles, entry["purpose"])
    _console().print(table)


@app.command(epilog=_examples("models verify", "models verify smollm2-135m-instruct --json"))
def verify(models_dir: ModelsDir, names: Names = None, as_json: AsJson = False, registry: RegistryFile = None) -> None:
    """Compute checksums afresh, of these models or of all that are installed. Exit status 1 if one is not right."""
    with _errors_as_sentences():
        store = _store(models_dir, registry)
        models = [store.registry.get(name) for name in names or []]
        models = models or [model for model in store.registry if _state(store, model) != "missing"]
        reports = [store.check(model, file, afresh=True) for model in models for file in model.files]
    if as_json:
        typer.echo(json.dumps([_report(report) for report in reports], indent=2))
    else:
        for report in reports:
            typer.echo(f"{_told(report.state):8}  {report.model.name}: {_found(report)}")
    if not reports and not as_json:
        typer.echo(tr("no model is installed"))
    if any(report.state is not FileState.OK for report in reports):
        raise typer.Exit(1)


@app.command(epilog=_examples("models path smollm2-135m-instruct"))
def path(
    models_dir: ModelsDir,
    name: Annotated[str, typer.Argument(help="A model, as `list` names it.")],
    registry: RegistryFile = None,
) -> None:
    """Print where an installed model lies."""
    with _errors_as_sentences():
        typer.echo(str(_store(models_dir, registry).path(name)))


class _Lines(PullObserver):
    """For logs and pipes: a line now and then."""

    def __init__(self) -> None:
        self._tenth = -1

    def waiting(self, model: Model) -> None:
        typer.echo(_waiting(model))

    def kept(self, model: Model, file: ModelFile) -> None:
        typer.echo(_kept(model, file))

    def advanced(self, model: Model, file: ModelFile, done_bytes: int, total_bytes: int | None) -> None:
        tenth = done_bytes * 10 // total_bytes if total_bytes else 0
        if tenth != self._tenth:
            self._tenth = tenth
            done = decimal(done_bytes)
            if total_bytes:
                done = tr("{done} of {total}", done=done, total=decimal(total_bytes))
            typer.echo(f"{model.name}: {file.name}: {done}")

    def pinned(self, model: Model, file: ModelFile, sha256: str) -> None:
        typer.echo(_pinned(model, file, sha256))


class _Bar(PullObserver):
    """For people: a bar for each file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def waiting(self, model: Model) -> None:
        self._progress.print(_waiting(model))

    def kept(self, model: Model, file: ModelFile) -> None:
        self._progress.print(_kept(model, file))

    def advanced(self, model: Model, file: ModelFile, done_bytes: int, total_bytes: int | None) -> None:
        if file.name not in self._tasks:
            self._tasks[file.name] = self._progress.add_task(file.name, total=total_bytes)
        self._progress.update(self._tasks[file.name], completed=done_bytes, total=total_bytes)

    def pinned(self, model: Model, file: ModelFile, sha256: str) -> None:
        self._progress.print(_pinned(model, file, sha256))


def _waiting(model: Model) -> str:
    return tr("{model}: another pull is fetching it; waiting for that one", model=model.name)


def _kept(model: Model, file: ModelFile) -> str:
    return tr("{model}: {file} is there already", model=model.name, file=file.name)


def _pinned(model: Model, file: ModelFile, sha256: str) -> str:
    return tr("{model}: {file} is pinned to sha256 {sum}", model=model.name, file=file.name, sum=sha256)


def _pull_one(store: ModelStore, model: Model, endpoint: str) -> bool:
    """Whether it worked; the error is told here, so that the other models still get their turn."""
    console = _console()
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console
    )
    shown: AbstractContextManager[object] = progress if console.is_terminal else nullcontext()
    observer = _Bar(progress) if console.is_terminal else _Lines()
    try:
        with shown:
            place = Puller(store, observer, endpoint=endpoint).pull(model.name)
    except ModelError as error:
        typer.echo(tr("error: {problem}", problem=error), err=True)
        return False
    typer.echo(f"{model.name}: {place}")
    return True


def _chosen(store: ModelStore, names: list[str], profile: str, *, all_: bool) -> list[Model]:
    chosen = [store.registry.get(name) for name in names]
    chosen += store.registry.for_profile(profile) if profile else ()
    chosen += store.registry if all_ else ()
    return list(dict.fromkeys(chosen))


def _store(models_dir: Path, registry: Path | None) -> ModelStore:
    return ModelStore(models_dir, read_registry(registry) if registry else None)


def _state(store: ModelStore, model: Model) -> str:
    there = [store.file_path(model, file).is_file() for file in model.files]
    return "installed" if all(there) else "incomplete" if any(there) else "missing"


def _told(state: str) -> str:
    """The state of a model or of a file, for people; programs read it as it is."""
    known = {
        "installed": tr("installed"),
        "incomplete": tr("incomplete"),
        "missing": tr("missing"),
        "ok": tr("ok"),
        "broken": tr("broken"),
        "unpinned": tr("unpinned"),
    }
    return known.get(state, state)


def _found(report: FileReport) -> str:
    """What was found of the file, as a sentence."""
    match report.state:
        case FileState.OK:
            return tr("{path} is ok", path=report.path)
        case FileState.MISSING:
            return tr("{path} is missing", path=report.path)
        case FileState.UNPINNED:
            return tr("{path} has no known sum yet", path=report.path)
        case FileState.BROKEN:
            expected, found = report.expected, report.found
            return tr(
                "{path} is broken: expected {expected}, found {found}", path=report.path, expected=expected, found=found
            )


def _entry(store: ModelStore, model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "state": _state(store, model),
        "path": str(store.location(model)),
        "size_bytes": model.size_bytes,
        "licence": model.licence,
        "profiles": list(model.profiles),
        "purpose": model.purpose,
        "sources": [str(file.source) for file in model.files],
    }


def _report(report: FileReport) -> dict[str, Any]:
    return {
        "name": report.model.name,
        "file": report.file.name,
        "state": str(report.state),
        "path": str(report.path),
        "expected": report.expected,
        "found": report.found,
    }


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        typer.echo(tr("error: {problem}", problem=error), err=True)
        raise typer.Exit(1) from error
