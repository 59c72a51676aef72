"""Which models there are: config/models.toml as frozen dataclasses, checked when read."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, TypeAdapter, ValidationError

from services.common.config_files import CONFIG_DIR, PROFILES
from services.common.errors import ModelError
from services.common.models.sources import Source, parse_source


def _inside_folder(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.name:
        raise ValueError("must be a path inside the model's folder")
    return name


def _known_profile(name: str) -> str:
    if name not in PROFILES:
        raise ValueError(f"there is no profile {name!r}; there is: {', '.join(PROFILES)}")
    return name


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. Without `sha256`, its first download pins one."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(_inside_folder)]
    source: Annotated[Source, PlainValidator(parse_source)]
    size_bytes: Annotated[int | None, Field(gt=0)] = None
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None


@dataclass(frozen=True, slots=True)
class Model:
    """A model: one file, or the folder of several."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", validate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    purpose: str
    licence: str
    profiles: tuple[Annotated[str, AfterValidator(_known_profile)], ...]
    files: Annotated[tuple[ModelFile, ...], Field(alias="file", min_length=1)]

    @property
    def size_bytes(self) -> int | None:
        """Of all its files, where the registry knows."""
        sizes = [file.size_bytes for file in self.files if file.size_bytes is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None


@dataclass(frozen=True, slots=True)
class _Content:
    """What models.toml holds."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", validate_by_name=True)

    models: Annotated[tuple[Model, ...], Field(alias="model")] = ()


class Registry:
    """All models, by name."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.name: model for model in models}

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, name: str) -> Model:
        """The model of that name, or an error that lists the names there are."""
        if name not in self._models:
            known = ", ".join(sorted(self._models)) or "none"
            raise ModelError(f"there is no model {name!r}; there is: {known}")
        return self._models[name]

    def for_profile(self, profile: str) -> tuple[Model, ...]:
        """The models that a profile needs."""
        if profile not in PROFILES:
            raise ModelError(f"there is no profile {profile!r}; there is: {', '.join(PROFILES)}")
        return tuple(model for model in self if profile in model.profiles)


def read_registry(path: Path = CONFIG_DIR / "models.toml") -> Registry:
    """Reads models.toml, or raises a ModelError that names the wrong key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not TOML: {error}") from error
    try:
        models = TypeAdapter(_Content).validate_python(raw).models
    except ValidationError as error:
        raise ModelError("\n".join(f"{path}: {_sentence(raw, problem)}" for problem in error.errors())) from error
    _refuse_twins(path, "the model", [model.name for model in models])
    for model in models:
        _refuse_twins(path, f"{model.name}: the file", [file.name for file in model.files])
    return Registry(models)


def _sentence(raw: Mapping[str, Any], problem: Any) -> str:
    """What is wrong, and in which model: `model.0` alone would make the reader count."""
    place = list(problem["loc"])
    if len(place) > 1 and place[0] == "model" and isinstance(place[1], int):
        entry = raw["model"][place[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        place[:2] = [str(name or f"model {place[1] + 1}")]
    where = ".".join(str(part) for part in place)
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        return f"{where}: there is no such key"
    if problem["type"] in {"missing", "missing_argument"}:
        return f"{where}: is missing"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"


def _refuse_twins(path: Path, what: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ModelError(f"{path}: {what} {name!r} is there twice")
