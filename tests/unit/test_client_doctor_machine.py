"""client/doctor: Python, packages, cards, containers, disk, clock, terminal: each made to fail by its cause."""

import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from client.doctor.check import Check, Finding, Subject, Verdict
from client.doctor.clock import look_at_clock
from client.doctor.containers import look_at_containers
from client.doctor.cuda import look_at_cuda
from client.doctor.disk import look_at_disk, look_at_memory, memory_bytes
from client.doctor.examination import examine
from client.doctor.gpu import look_at_gpus
from client.doctor.packages import look_at_packages, requirements
from client.doctor.python import look_at_python
from client.doctor.terminal import look_at_terminal
from services.common.errors import GpuError
from services.common.gpu import GB, GpuSettings, Nvml
from tests.fakes.nvml import FakeNvml, card

RTX_3090 = GpuSettings(name="RTX 3090", min_total_gb=20)


def verdicts(findings: Sequence[Finding]) -> dict[str, str]:
    return {finding.name: str(finding.verdict) for finding in findings}


def only(findings: Sequence[Finding]) -> Finding:
    (finding,) = findings
    return finding


# --- Python and packages


async def test_this_python_is_fit() -> None:
    assert set(verdicts(await look_at_python(prefixes=("/venv", "/usr"))).values()) == {"ok"}


async def test_a_python_that_is_not() -> None:
    findings = await look_at_python((3, 10), 32, ("/usr", "/usr"))
    assert [finding.verdict for finding in findings] == [Verdict.PROBLEM, Verdict.PROBLEM, Verdict.WARNING]
    assert findings[0].found == "3.10"
    assert "-m venv" in findings[2].mend


async def test_the_packages_of_this_clone_are_there() -> None:
    assert only(await look_at_packages("client", elsewhere=False)).verdict is Verdict.OK


def test_a_package_that_this_machine_has_no_wheel_of_is_not_asked_for(tmp_path: Path) -> None:
    pyproject = _pyproject(tmp_path, "rich>=1", "livekit>=1; platform_machine == 'abacus'")
    assert [requirement.name for requirement in requirements("client", pyproject)] == ["rich"]


def test_what_was_installed_is_asked_where_there_is_no_clone(tmp_path: Path) -> None:
    assert "llama-cpp-python" in {requirement.name for requirement in requirements("llm", tmp_path / "none.toml")}


async def test_missing_old_and_broken_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "site"
    _install(packages, "broken-inside", "1.0", "import the_moon")
    _install(packages, "deadly", "1.0", "import os; os._exit(132)")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    pyproject = _pyproject(tmp_path, "rich>=9999", "is-nowhere>=1", "broken-inside>=1", "numpy>=1", "deadly>=1")
    findings = await look_at_packages("client", elsewhere=False, pyproject=pyproject)
    assert {finding.verdict for finding in findings} == {Verdict.PROBLEM}
    missing, old, broken, deadly = (finding.found for finding in findings)
    assert missing == "is-nowhere is missing"
    assert old.startswith("rich is ")
    assert "ModuleNotFoundError: No module named 'the_moon'" in broken
    assert deadly == "deadly cannot be imported: importing it ends Python with code 132"
    assert all("pip install" in finding.mend for finding in findings)


async def test_a_service_in_a_container_needs_no_packages_here(tmp_path: Path) -> None:
    pyproject = _pyproject(tmp_path, "is-nowhere>=1", "neither-is-this>=1")
    assert only(await look_at_packages("client", elsewhere=True, pyproject=pyproject)).verdict is Verdict.NOT_APPLICABLE


def _pyproject(folder: Path, *packages: str) -> Path:
    path = folder / "pyproject.toml"
    listed = ", ".join(f'"{package}"' for package in packages)
    path.write_text(f"[project]\n[project.optional-dependencies]\nclient = [{listed}]\n")
    return path


def _install(site: Path, name: str, version: str, code: str) -> None:
    module = name.replace("-", "_")
    info = site / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (site / f"{module}.py").write_text(code)


# --- cards


def no_driver() -> Nvml:
    raise GpuError("there is no NVIDIA driver (Driver Not Loaded)")


async def test_without_a_card_it_depends_on_the_profile() -> None:
    assert only(await look_at_gpus({}, no_driver)).verdict is Verdict.NOT_APPLICABLE
    needed = only(await look_at_gpus({"stt": RTX_3090}, no_driver))
    assert needed.verdict is Verdict.PROBLEM
    assert "Driver Not Loaded" in needed.found
    assert "--profile cpu" in needed.mend


async def test_which_number_the_card_has(fake_path: Path) -> None:
    _program(fake_path, "nvidia-smi", "echo 570.86.15")
    nvml = FakeNvml(card("NVIDIA RTX A2000", index=0, total_gb=6.4), card(index=1))
    findings = {finding.name: finding for finding in await look_at_gpus({"stt": RTX_3090}, lambda: nvml)}
    assert findings["driver"].found == "570.86.15"
    assert findings["card 1"].found == "NVIDIA GeForce RTX 3090, GPU-00000001, 25.3 of 25.8 GB free"
    assert "number 1" in findings["RTX 3090"].found
    assert findings["stt"].found == "takes number 1, NVIDIA GeForce RTX 3090"
    assert set(verdicts(list(findings.values())).values()) == {"ok"}
    assert nvml.closed


@pytest.mark.parametrize(
    "nvml", [FakeNvml(card("RTX 2060", total_gb=6)), FakeNvml(card(used_gb=25))], ids=["other", "full"]
)
async def test_a_card_that_does_not_do(nvml: FakeNvml, fake_path: Path) -> None:
    findings = {finding.name: finding for finding in await look_at_gpus({"llm": RTX_3090}, lambda: nvml)}
    assert findings["llm"].verdict is Verdict.PROBLEM
    assert "--llm.gpu.name" in findings["llm"].mend


async def test_a_wedged_driver_hangs_nothing() -> None:
    nvml = FakeNvml(card())
    nvml.hang()
    check = Check(Subject.GPU, partial(look_at_gpus, {}, lambda: nvml), limit_s=0.05)
    try:
        (result,) = await examine([check], lambda _subject: None)
    finally:
        nvml.wake()
    assert only(result.findings).found == "no answer within 0.05 s"


async def test_cuda_matters_only_with_a_card_that_is_used() -> None:
    assert only(await look_at_cuda((), no_driver)).verdict is Verdict.NOT_APPLICABLE
    assert only(await look_at_cuda(("stt",), no_driver)).verdict is Verdict.NOT_APPLICABLE


async def test_cuda_libraries_that_cannot_be_loaded() -> None:
    findings = await look_at_cuda(("stt", "llm"), lambda: FakeNvml(card()), platform="linux")
    # Where the tests run with CUDA they can be loaded, and that is what must be told.
    assert [finding.name for finding in findings] == ["cuBLAS 12", "cuDNN 9", "llama.cpp"]
    for finding in findings[:2]:
        assert ("can be loaded" in finding.found) is (finding.verdict is Verdict.OK)
        assert finding.verdict is Verdict.OK or ("libcu" in finding.found and "pip install nvidia-" in finding.mend)


# --- containers


@pytest.fixture
def fake_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs, before which no other is looked into."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def test_no_container_runtime_is_nothing_bad(fake_path: Path) -> None:
    assert only(await look_at_containers(needs_gpu=False)).verdict is Verdict.NOT_APPLICABLE


_WORKS = """case "$1" in
info) echo '{"ServerVersion": "28.2.2", "Runtimes": {"runc": {}%s}}';;
compose) %s;;
esac"""


async def test_docker_with_all_that_is_needed(fake_path: Path) -> None:
    _program(fake_path, "docker", _WORKS % (', "nvidia": {}', "echo Docker Compose version v2.36.0"))
    findings = await look_at_containers(needs_gpu=True)
    assert verdicts(findings) == {"docker": "ok", "docker compose": "ok", "nvidia": "ok"}
    assert findings[1].found == "Docker Compose version v2.36.0"


async def test_docker_without_compose_and_toolkit(fake_path: Path) -> None:
    _program(fake_path, "docker", _WORKS % ("", "echo 'unknown command: docker compose' >&2; exit 1"))
    findings = await look_at_containers(needs_gpu=True)
    assert verdicts(findings) == {"docker": "ok", "docker compose": "warning", "nvidia": "warning"}
    assert "nvidia-ctk" in findings[2].mend


@pytest.mark.parametrize(
    ("complaint", "mend"),
    [("Cannot connect to the Docker daemon", "systemctl start docker"), ("permission denied while trying", "usermod")],
)
@pytest.mark.parametrize("code", [0, 1])  # whether it ends well without a daemon depends on its version
async def test_a_daemon_that_does_not_answer(fake_path: Path, complaint: str, mend: str, code: int) -> None:
    out = f"""echo '{{"ServerErrors": ["{complaint}"]}}'""" if code == 0 else f"echo '{complaint}' >&2"
    _program(fake_path, "docker", f"{out}; exit {code}")
    finding = only(await look_at_containers(needs_gpu=True))
    assert finding.verdict is Verdict.WARNING
    assert complaint in finding.found
    assert mend in finding.mend


async def test_podman_does_as_well(fake_path: Path) -> None:
    _program(fake_path, "podman", """[ "$1" = info ] && echo '{"version": {"Version": "5.4"}}' || exit 1""")
    assert verdicts(await look_at_containers(needs_gpu=False)) == {"podman": "ok", "podman compose": "warning"}


# --- disk and memory


async def test_a_disk_with_too_little_room(tmp_path: Path) -> None:
    finding = only(await look_at_disk(tmp_path / "not" / "yet", "rtx3090", lambda _folder: 5 * GB))
    assert finding.verdict is Verdict.PROBLEM
    assert finding.found == f"5.0 GB free in {tmp_path}; 17.0 GB are needed"
    assert only(await look_at_disk(tmp_path, "rtx3090", lambda _folder: 18 * GB)).verdict is Verdict.OK


async def test_too_little_memory() -> None:
    finding = only(await look_at_memory("cpu", is_client_alone=False, total_bytes=lambda: 2 * GB))
    assert (finding.verdict, finding.found) == (Verdict.WARNING, "2.0 GB; 4 GB are needed")
    alone = await look_at_memory("cpu", is_client_alone=True, total_bytes=lambda: 2 * GB)
    assert only(alone).verdict is Verdict.OK
    assert only(await look_at_memory("cpu", is_client_alone=False, total_bytes=lambda: None)).verdict is Verdict.OK
    assert (memory_bytes() or 0) > GB // 4


# --- clock and terminal


async def test_a_clock_that_lost_its_battery() -> None:
    date, stopwatch, _ = await look_at_clock(lambda: datetime(1970, 1, 2, tzinfo=UTC))
    assert date.verdict is Verdict.PROBLEM
    assert date.found.startswith("1970-01-02 00:00 UTC, which is before")
    assert stopwatch.verdict is Verdict.OK
    assert (await look_at_clock())[0].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("script", "verdict"), [("echo yes", Verdict.OK), ("echo no", Verdict.WARNING), ("exit 1", Verdict.NOT_APPLICABLE)]
)
async def test_whether_the_network_keeps_it_right(fake_path: Path, script: str, verdict: Verdict) -> None:
    _program(fake_path, "timedatectl", script)
    assert (await look_at_clock())[2].verdict is verdict


async def test_terminals() -> None:
    assert verdicts(await look_at_terminal({"TERM": "xterm"}, "utf-8", 100)) == {"encoding": "ok", "view": "ok"}
    assert verdicts(await look_at_terminal({"TERM": "xterm"}, "ascii", 40)) == {
        "encoding": "warning",
        "view": "warning",
    }
    assert (await look_at_terminal({"TERM": "dumb"}, "utf-8", 100))[1].verdict is Verdict.WARNING
