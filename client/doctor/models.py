"""The models that the profile needs: there, whole, and with the right sums."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from client.doctor.check import Finding, not_applicable, ok, problem, warning
from client.doctor.outside import in_thread
from client.messages import tr
from services.common.models.registry import Model, ModelFile, Registry
from services.common.models.store import FileReport, FileState, ModelStore

Advanced = Callable[[str, int], None]  # the name of a file, and how many bytes of it are done
_SLOWEST_BYTES_S = 20_000_000  # a worn hard disk


async def look_at_models(
    models_dir: Path, profile: str, *, quick: bool, advanced: Advanced, registry: Registry | None = None
) -> Sequence[Finding]:
    """One line a model. `quick` looks at the files' sizes alone."""
    store = await in_thread(lambda: ModelStore(models_dir, registry))
    models = store.registry.for_profile(profile)
    if not models:
        return [not_applicable(profile, tr("this profile needs no model"))]
    look = partial(_finding, store, quick=quick, advanced=advanced)
    return [await in_thread(partial(look, model)) for model in models]


def bytes_to_read(models_dir: Path, profile: str) -> int:
    """What computing all sums means."""
    store = ModelStore(models_dir)
    paths = [store.file_path(model, file) for model in store.registry.for_profile(profile) for file in model.files]
    return sum(path.stat().st_size for path in paths if path.is_file())


def limit_s(size_bytes: int) -> float:
    """Longest that may take before the disk is thought to hang."""
    return 15 + size_bytes / _SLOWEST_BYTES_S


def _finding(store: ModelStore, model: Model, *, quick: bool, advanced: Advanced) -> Finding:
    fetch = f"superwhisper models pull {model.name}"
    missing = [file.name for file in model.files if not store.file_path(model, file).is_file()]
    if missing:
        found = (
            tr("not installed in {folder}", folder=store.models_dir)
            if len(missing) == len(model.files)
            else (tr("{files} missing in {folder}", files=", ".join(missing), folder=store.models_dir / model.name))
        )
        return problem(model.name, found, fetch)
    if quick:
        return _by_size(store, model, fetch)
    reports = []
    for file in model.files:
        reports.append(store.check(model, file, afresh=True))
        advanced(file.name, reports[-1].path.stat().st_size)
    return _by_sums(model, reports, fetch)


def _by_size(store: ModelStore, model: Model, fetch: str) -> Finding:
    for file in model.files:
        size = _size(store, model, file)
        if file.size_bytes is not None and size != file.size_bytes:
            found = tr(
                "{file} has {size} bytes instead of {expected}", file=file.name, size=size, expected=file.size_bytes
            )
            return problem(model.name, found, fetch)
    return ok(model.name, tr("there, {size} MB; its sums were not computed", size=_megabytes(store, model)))


def _by_sums(model: Model, reports: Sequence[FileReport], fetch: str) -> Finding:
    broken = [report for report in reports if report.state is not FileState.OK]
    size = sum(report.path.stat().st_size for report in reports) // 1_000_000
    if not broken:
        return ok(model.name, tr("right, {size} MB", size=size))
    if all(report.state is FileState.UNPINNED for report in broken):
        return warning(model.name, tr("there, {size} MB, but nobody knows its right sum", size=size), fetch)
    return problem(model.name, str(next(report for report in broken if report.state is not FileState.UNPINNED)), fetch)


def _size(store: ModelStore, model: Model, file: ModelFile) -> int:
    return store.file_path(model, file).stat().st_size


def _megabytes(store: ModelStore, model: Model) -> int:
    return sum(_size(store, model, file) for file in model.files) // 1_000_000
