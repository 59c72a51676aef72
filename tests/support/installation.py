"""What `pip install superwhisper[extra]` brings along, told from what is installed here."""

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.support.shared_data import REPOSITORY


def distributions_of_extra(extra: str) -> set[NormalizedName]:
    """The distributions that it needs on this machine, and those that they need."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = list(_needed([*project["dependencies"], *project["optional-dependencies"][extra]], ()))
    seen: set[tuple[NormalizedName, tuple[str, ...]]] = set()
    while waiting:
        requirement = waiting.pop()
        wanted = (canonicalize_name(requirement.name), tuple(sorted(requirement.extras)))
        if wanted not in seen:
            seen.add(wanted)
            waiting += _needed(_requirements(requirement.name), requirement.extras)
    return {name for name, _ in seen}


def modules_of_others(distributions: Iterable[str]) -> list[str]:
    """The modules of all that is installed here besides these."""
    ours = set(distributions)
    return sorted(
        module
        for module, names in packages_distributions().items()
        if not ours & {canonicalize_name(name) for name in names}
        and module not in ("client", "services", "superwhisper")
    )


def _needed(requirements: Iterable[str], extras: Iterable[str]) -> Iterator[Requirement]:
    for line in requirements:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def _requirements(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []  # what is missing cannot be imported either
