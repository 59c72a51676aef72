"""Where models lie, and whether what lies there is what it should be. All that a service needs of this package."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from services.common.errors import ModelError
from services.common.models.registry import Model, ModelFile, Registry, read_registry
from services.common.models.sums import Sums


class FileState(StrEnum):
    """What was found where a file should lie."""

    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"
    UNPINNED = "unpinned"  # there, but nobody said yet what its sum must be


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file's state. The sums are empty where unknown or not computed."""

    model: Model
    file: ModelFile
    path: Path
    state: FileState
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        if self.state is FileState.BROKEN:
            return f"{self.path} is broken: expected {self.expected}, found {self.found}"
        if self.state is FileState.UNPINNED:
            return f"{self.path} has no known sum yet"
        return f"{self.path} is {self.state}"


class ModelStore:
    """The models folder. Reads only; `pull` is what writes."""

    def __init__(self, models_dir: Path, registry: Registry | None = None) -> None:
        """`registry` is config/models.toml where not given."""
        self.models_dir = models_dir.expanduser()
        self.registry = registry or read_registry()
        self.sums = Sums(self.models_dir)

    def location(self, model: Model) -> Path:
        """Where the model lies, or will: its one file, or the folder of its several."""
        return self.file_path(model, model.files[0]) if len(model.files) == 1 else self.models_dir / model.name

    def file_path(self, model: Model, file: ModelFile) -> Path:
        """Where one of its files lies, or will."""
        return self.models_dir / model.name / file.name

    def is_installed(self, model: Model) -> bool:
        """Whether all its files lie there; nothing is read."""
        return all(self.file_path(model, file).is_file() for file in model.files)

    def path(self, name: str) -> Path:
        """The installed model of that name. An absolute path names itself: a user's own model."""
        own = _own_path(name)
        if own is not None:
            return own
        model = self.registry.get(name)
        if not self.is_installed(model):
            raise ModelError(f"model {name} is not installed: run `superwhisper models pull {name}`")
        return self.location(model)

    def verified_path(self, name: str) -> Path:
        """As `path`, and every file has the right sum. Hashes only what changed since it was last found right.

        A user's own model has no sum to compare to.
        """
        path = self.path(name)
        if _own_path(name) is None:
            model = self.registry.get(name)
            for file in model.files:
                report = self.check(model, file)
                if report.state is not FileState.OK:
                    raise ModelError(f"model {name}: {report}: run `superwhisper models pull {name}`")
        return path

    def check(self, model: Model, file: ModelFile, *, afresh: bool = False) -> FileReport:
        """One file against its sum; `afresh` hashes it even where nothing seems to have changed."""
        path = self.file_path(model, file)
        try:
            return self._check(model, file, path, afresh=afresh)
        except OSError as error:
            raise ModelError(f"{error.filename or path} cannot be read ({error.strerror})") from error

    def _check(self, model: Model, file: ModelFile, path: Path, *, afresh: bool) -> FileReport:
        if not path.is_file():
            return FileReport(model, file, path, FileState.MISSING)
        size = path.stat().st_size
        if file.size_bytes is not None and size != file.size_bytes:
            return FileReport(model, file, path, FileState.BROKEN, f"{file.size_bytes} bytes", f"{size}")
        expected = self.sums.expected(model, file)
        if expected is None:
            return FileReport(model, file, path, FileState.UNPINNED)
        if not afresh and self.sums.is_verified(model, file, path, expected):
            return FileReport(model, file, path, FileState.OK, expected, expected)
        found = self.sums.verify(model, file, path, expected)
        state = FileState.OK if found == expected else FileState.BROKEN
        return FileReport(model, file, path, state, expected, found)


def _own_path(name: str) -> Path | None:
    path = Path(name).expanduser() if name.startswith("~/") else Path(name)
    if not path.is_absolute():
        return None
    if not path.exists():
        raise ModelError(f"there is no model at {path}")
    return path
