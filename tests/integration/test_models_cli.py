"""`superwhisper models`, as processes of their own."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.fakes.hub import Answer, FakeHub
from tests.support.shared_data import REPOSITORY

CONTENT = os.urandom(40_000)
OLD = "the model of last year"
RUN = "from client.models_cli import app; app(prog_name='superwhisper models')"
ALONE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
LIMIT_S = 120  # a process that takes so long hangs


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.put("/me/tiny/resolve/main/a.bin", Answer(CONTENT))
        hub.put("/b.bin", Answer(CONTENT))
        yield hub


@pytest.fixture
def registry(hub: FakeHub, tmp_path: Path) -> Path:
    path = tmp_path / "models.toml"
    path.write_text(
        f"""
        [[model]]
        name = "tiny"
        purpose = "for tests"
        licence = "CC0-1.0"
        profiles = ["embedded"]
        [[model.file]]
        name = "a.bin"
        source = "hf:me/tiny/a.bin"
        size_bytes = {len(CONTENT)}
        [[model]]
        name = "other"
        purpose = "for tests"
        licence = "CC0-1.0"
        profiles = []
        [[model.file]]
        name = "b.bin"
        source = "{hub.url("/b.bin")}"
        """,
        encoding="utf-8",
    )
    return path


@pytest.fixture
def variables(hub: FakeHub, tmp_path: Path) -> dict[str, str]:
    return dict(os.environ) | {
        "HF_ENDPOINT": hub.endpoint,
        "SUPERWHISPER_MODELS_DIR": str(tmp_path / "models"),
        "XDG_DATA_HOME": str(tmp_path / "share"),
        "COLUMNS": "200",
        "PYTHONPATH": str(REPOSITORY),
    }


def _command(*arguments: str | Path, code: str = RUN) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def _run(variables: Mapping[str, str], *arguments: str | Path, code: str = RUN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments, code=code),
        env=variables,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_pull_list_verify_path(variables: dict[str, str], registry: Path, tmp_path: Path) -> None:
    place = tmp_path / "models" / "tiny" / "a.bin"
    pulled = _run(variables, "pull", "--profile", "embedded", "--registry", registry)
    assert (pulled.returncode, pulled.stderr) == (0, "")
    assert f"tiny: {place}" in pulled.stdout
    assert "\x1b" not in pulled.stdout  # a pipe is no terminal
    assert place.read_bytes() == CONTENT

    listed = json.loads(_run(variables, "list", "--json", "--registry", registry).stdout)
    assert [(model["name"], model["state"]) for model in listed] == [("tiny", "installed"), ("other", "missing")]
    assert listed[0]["path"] == str(place)
    table = _run(variables, "list", "--registry", registry).stdout
    assert [line.split()[:2] for line in table.splitlines()[1:]] == [["tiny", "installed"], ["other", "missing"]]

    verified = _run(variables, "verify", "--json", "--registry", registry)
    assert verified.returncode == 0
    assert [(report["file"], report["state"]) for report in json.loads(verified.stdout)] == [("a.bin", "ok")]
    assert _run(variables, "path", "tiny", "--registry", registry).stdout == f"{place}\n"


def test_verify_finds_what_broke_and_what_is_missing(variables: dict[str, str], registry: Path, tmp_path: Path) -> None:
    _run(variables, "pull", "--all", "--registry", registry)
    broken = tmp_path / "models" / "tiny" / "a.bin"
    broken.write_bytes(CONTENT[::-1])
    (tmp_path / "models" / "other" / "b.bin").unlink()
    ended = _run(variables, "verify", "tiny", "other", "--registry", registry)
    assert ended.returncode == 1
    assert [line.split()[:2] for line in ended.stdout.splitlines()] == [["broken", "tiny:"], ["missing", "other:"]]


def test_an_error_is_a_sentence_and_the_other_models_get_their_turn(
    hub: FakeHub, variables: dict[str, str], registry: Path, tmp_path: Path
) -> None:
    del hub.answers["/me/tiny/resolve/main/a.bin"]
    ended = _run(variables, "pull", "tiny", "other", "--registry", registry)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: model tiny: ")
    assert "has no such file" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert (tmp_path / "models" / "other" / "b.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["pull", "nothing"], 1, "error: there is no model 'nothing'; there is: other, tiny"),
        (["pull", "--profile", "huge"], 1, "error: there is no profile 'huge'"),
        (["verify", "nothing"], 1, "error: there is no model 'nothing'"),
        (["path", "tiny"], 1, "error: model tiny is not installed: run `superwhisper models pull tiny`"),
        (["pull"], 2, "say which: NAMES, --profile PROFILE or --all"),
    ],
)
def test_a_wrong_request_is_explained(
    variables: dict[str, str], registry: Path, arguments: list[str], status: int, sentence: str
) -> None:
    ended = _run(variables, *arguments, "--registry", registry)
    assert (ended.returncode, ended.stdout) == (status, "")
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_flag_wins_over_the_environment_and_that_over_the_default(
    variables: dict[str, str], registry: Path, tmp_path: Path
) -> None:
    def where(*flags: str | Path) -> str:
        return str(json.loads(_run(variables, "list", "--json", "--registry", registry, *flags).stdout)[0]["path"])

    assert where("--models-dir", tmp_path / "flag") == str(tmp_path / "flag" / "tiny" / "a.bin")
    assert where() == str(tmp_path / "models" / "tiny" / "a.bin")
    del variables["SUPERWHISPER_MODELS_DIR"]
    assert where() == str(tmp_path / "share" / "superwhisper" / "models" / "tiny" / "a.bin")


@pytest.mark.parametrize("command", ["pull", "list", "verify", "path"])
def test_help_gives_examples(variables: dict[str, str], command: str) -> None:
    ended = _run(variables, command, "--help")
    assert ended.returncode == 0
    assert f"superwhisper models {command}" in ended.stdout.split("Examples:")[1]


def test_a_terminal_gets_a_bar(variables: dict[str, str], registry: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while piece := os.read(ours, 4096):
                shown.extend(piece)
        except OSError:  # how Linux says that the other end of a terminal is closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        command = _command("pull", "tiny", "--registry", registry)
        ended = subprocess.run(
            command, env=variables | {"TERM": "xterm"}, stdout=theirs, stderr=theirs, timeout=LIMIT_S, check=False
        )
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)
    assert ended.returncode == 0
    assert "━" in shown.decode()
    assert "40.0/40.0 kB" in shown.decode()


def test_a_second_process_waits_for_the_first(
    hub: FakeHub, variables: dict[str, str], registry: Path, tmp_path: Path
) -> None:
    gate = threading.Event()
    hub.put("/b.bin", Answer(CONTENT, gate=gate))
    command = _command("pull", "other", "--registry", registry)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    unbuffered = variables | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=unbuffered, text=True, **pipes) as first:  # type: ignore[call-overload]
        hub.wait_until_asked()
        with subprocess.Popen(command, env=unbuffered, text=True, **pipes) as second:  # type: ignore[call-overload]
            assert "another pull is fetching it" in second.stdout.readline()
            gate.set()
            assert first.wait(LIMIT_S) == second.wait(LIMIT_S) == 0
            assert "b.bin is there already" in second.stdout.read()
    assert len(hub.requests) == 1


def _with_old_model(models_dir: Path) -> Path:
    place = models_dir / "tiny" / "a.bin"
    place.parent.mkdir(parents=True)
    place.write_text(OLD, encoding="utf-8")
    return place


def test_a_disk_that_takes_no_more_leaves_the_old_model(
    variables: dict[str, str], registry: Path, tmp_path: Path
) -> None:
    """The kernel refuses to let any file of the process grow beyond half the model, as a full disk would."""
    half = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(CONTENT) // 2}, {len(CONTENT) // 2})); "
    place = _with_old_model(tmp_path / "models")
    ended = _run(variables, "pull", "tiny", "--registry", registry, code=half + RUN)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: model tiny: ")
    assert "cannot be written (File too large)" in ended.stderr
    assert place.read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize(
    ("says_length", "reason"), [(True, "has room for"), (False, "cannot be written (No space left on device)")]
)
def test_a_full_disk_leaves_the_old_model(
    hub: FakeHub, variables: dict[str, str], registry: Path, tmp_path: Path, says_length: bool, reason: str
) -> None:
    """A disk of 32 KiB, in a mount namespace that ends with the process."""
    without_size = registry.read_text(encoding="utf-8").replace(
        f"size_bytes = {len(CONTENT)}", f'sha256 = "{"ab" * 32}"'
    )
    registry.write_text(without_size, encoding="utf-8")
    hub.put("/me/tiny/resolve/main/a.bin", Answer(CONTENT, says_length=says_length))
    disk = tmp_path / "models"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=32k tmpfs '{disk}'"
    if subprocess.run([*ALONE, mount], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    old = f"'{disk}/tiny/a.bin'"
    script = f"{mount} && mkdir '{disk}/tiny' && printf '{OLD}' >{old}; \"$@\"; cat {old}"
    ended = subprocess.run(
        [*ALONE, script, "sh", *_command("pull", "tiny", "--registry", registry)],
        env=variables,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert reason in ended.stderr
    assert ended.stdout.endswith(OLD)
