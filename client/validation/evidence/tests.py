"""What the last run of all tests left: pytest's JUnit XML."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from client.errors import reason_of
from client.messages import tr
from client.validation.evidence.finding import Ageing, Finding, Status, not_measured

FILE = Path(".run") / "tests.xml"
_MAX_FILE_BYTES = 50_000_000


@dataclass(frozen=True)
class _Counts:
    tests: int
    failed: int
    skipped: int


def from_junit(file: Path, ageing: Ageing, tests: Path) -> Finding:
    """Whether all tests of this code pass. `tests`: where their files lie, or a part would be taken for all."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_FILE_BYTES)
        written_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        root = ET.fromstring(content)  # noqa: S314  # written by pytest on this machine; expat bounds what entities grow to
    except OSError as error:
        return not_measured(reason_of(error), str(file))
    except ET.ParseError as error:
        return not_measured(tr("it is no XML, or cut off: {problem}", problem=error), str(file))
    suites = list(root.iter("testsuite"))
    if not suites:
        return not_measured(tr("it holds no tests of pytest's"), str(file))
    try:
        counts, at = _counts(suites), _at(suites, written_at)
    except (ValueError, OverflowError) as error:
        return not_measured(tr("it is of another kind than pytest's: {problem}", problem=error), str(file))
    return ageing.judged(_finding(counts, file, _missing(root, tests)), at, same_code=True)


def _counts(suites: list[ET.Element]) -> _Counts:
    def total(name: str) -> int:
        return sum(int(suite.get(name, "")) for suite in suites)

    return _Counts(total("tests"), total("failures") + total("errors"), total("skipped"))


def _at(suites: list[ET.Element], written_at: datetime) -> datetime:
    """When the run began; an old file does not get younger by being copied."""
    told = [datetime.fromisoformat(stamp) for suite in suites if (stamp := suite.get("timestamp"))]
    return min((one.astimezone() for one in told), default=written_at)


def _finding(counts: _Counts, file: Path, missing: list[str]) -> Finding:
    figure = tr(
        "{tests} tests, {failed} failed, {skipped} skipped",
        tests=counts.tests,
        failed=counts.failed,
        skipped=counts.skipped,
    )
    if counts.failed:
        return Finding(Status.NO_GO, figure, str(file))
    if counts.tests <= counts.skipped:
        return not_measured(tr("not one test was run"), str(file))
    if missing:
        told = tr(
            "only a part was run: {missing} files are missing, {first} is one", missing=len(missing), first=missing[0]
        )
        return not_measured(told, str(file))
    return Finding(Status.GO, figure, str(file))


def _missing(root: ET.Element, tests: Path) -> list[str]:
    """The files of tests that left no trace in it."""
    seen = {path for case in root.iter("testcase") for path in _paths(case)}
    files = (path.relative_to(tests) for path in tests.rglob("test_*.py"))
    return sorted(str(file) for file in files if file.with_suffix("").as_posix().replace("/", ".") not in seen)


def _paths(case: ET.Element) -> Iterator[str]:
    """`unit.test_a` of `tests.unit.test_a.TestClass`; a module that was skipped as a whole is a test's name."""
    parts = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".").split(".")
    yield from (".".join(parts[1:end]) for end in range(2, len(parts) + 1))
