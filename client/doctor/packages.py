"""The packages that this machine's roles need: there, new enough, and such that they can be imported."""

import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from client.doctor.check import Finding, not_applicable, ok, problem, warning
from client.doctor.outside import run_python
from client.messages import tr

_DISTRIBUTION = "superwhisper"
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"  # in a clone
# What a package is imported as, where that is not its own name.
_MODULES = {"llama-cpp-python": "llama_cpp", "piper-tts": "piper"}
_SELF_MENDS = {"sounddevice": "sudo apt install libportaudio2"}  # it is a shell around a library of the system
# Tells each name before it is imported: a library that was built for another processor ends the whole process.
_IMPORT_EACH = """
import importlib, sys
for name in sys.argv[1:]:
    print(name, flush=True)
    try:
        importlib.import_module(name)
    except Exception as error:
        print("\\t" + f"{type(error).__name__}: {error}".replace("\\n", " "), flush=True)
"""


async def look_at_packages(extra: str, *, elsewhere: bool, pyproject: Path = _PYPROJECT) -> Sequence[Finding]:
    """One extra. `elsewhere`: its service may as well run in a container, with packages of its own."""
    wanted = requirements(extra, pyproject)
    missing = [requirement for requirement in wanted if _installed(requirement) is None]
    mend = f'pip install "{_DISTRIBUTION}[{extra}]"'
    if missing and elsewhere and len(missing) > len(wanted) / 2:
        return [
            not_applicable(
                extra, tr("not installed here; only needed to run it without a container: {command}", command=mend)
            )
        ]
    findings = [problem(extra, tr("{package} is missing", package=requirement.name), mend) for requirement in missing]
    findings += [
        problem(
            extra,
            tr(
                "{package} is {version}, but {wanted} is needed",
                package=requirement.name,
                version=found,
                wanted=str(requirement.specifier),
            ),
            f"{mend} --upgrade",
        )
        for requirement in wanted
        if (found := _installed(requirement)) is not None
        and not requirement.specifier.contains(found, prereleases=True)
    ]
    there = [requirement.name for requirement in wanted if _installed(requirement) is not None]
    findings += await _broken(extra, there)
    return findings or [ok(extra, tr("all {count} packages are there", count=len(wanted)))]


def requirements(extra: str, pyproject: Path = _PYPROJECT) -> list[Requirement]:
    """What the extra asks for on this kind of machine.

    A clone is asked itself: what was installed knows only what was asked for on that day.
    """
    found = _of_clone(extra, pyproject) if pyproject.is_file() else _of_distribution(extra)
    return [
        requirement
        for requirement in found
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    ]


def _of_clone(extra: str, pyproject: Path) -> Iterator[Requirement]:
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return map(Requirement, project["optional-dependencies"][extra])


def _of_distribution(extra: str) -> Iterator[Requirement]:
    every = map(Requirement, requires(_DISTRIBUTION) or ())
    return (
        found
        for found in every
        if found.marker and not found.marker.evaluate({"extra": ""}) and found.marker.evaluate({"extra": extra})
    )


def _installed(requirement: Requirement) -> str | None:
    try:
        return version(requirement.name)
    except PackageNotFoundError:
        return None


async def _broken(extra: str, packages: Sequence[str]) -> list[Finding]:
    """Those that are there but do not work."""
    modules = {_MODULES.get(package, package.replace("-", "_")): package for package in packages}
    ended = await run_python(_IMPORT_EACH, *modules)
    findings, package = [], ""
    for line in ended.out.splitlines():
        if line.startswith("\t"):
            findings.append(_unusable(extra, package, line.strip()))
        else:
            package = modules.get(line, package)
    if ended.code:
        findings.append(_unusable(extra, package, tr("importing it ends Python with code {code}", code=ended.code)))
    return findings


def _unusable(extra: str, package: str, why: str) -> Finding:
    mend = _SELF_MENDS.get(package, f"pip install --force-reinstall {package}")
    make = warning if package in _SELF_MENDS else problem  # without sound, files and text still work
    return make(extra, tr("{package} cannot be imported: {why}", package=package, why=why), mend)
