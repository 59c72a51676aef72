"""`make run`: the four services under supervisord, then a conversation; stops all that it started, nothing else."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

from deploy.local import demonstration
from services.common.errors import StartupError
from services.common.settings import ServerSettings, load
from services.llm.config import LlmSettings
from services.orchestrator.config import OrchestratorSettings
from services.stt.config import SttSettings
from services.tts.config import TtsSettings

ROOT = Path(__file__).parents[2]
RUN_DIR = ROOT / ".run"
START_LIMIT_S = 120  # a large model from a slow disk; the embedded one takes about 5
STOP_LIMIT_S = 60
_SUPERWHISPER = [sys.executable, "-m", "client"]


def main() -> int:
    """Exits as the conversation does."""
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGHUP, _exit)
    try:
        _check_ports()
        os.environ.update(demonstration.environment(sys.argv[1:], RUN_DIR / "models"))
        with _services() as control:
            _wait_until_serving(control)
            return subprocess.run([*_SUPERWHISPER, "talk", *sys.argv[1:]], check=False).returncode
    except StartupError as error:
        sys.stderr.write(f"superwhisper: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _exit(number: int, _frame: types.FrameType | None) -> None:
    sys.exit(128 + number)


def _check_ports() -> None:
    """Else the conversation would be with whoever listens there."""
    for server in _servers():
        for port in (server.port, server.metrics_port):
            with socket.socket() as probe:
                if port and probe.connect_ex((server.host, port)) == 0:
                    raise StartupError(
                        f"{server.host}:{port} is in use. Is SuperWhisper running already? "
                        "Stop it, or set other ports in the environment (see config/default.yaml)."
                    )


def _servers() -> Iterator[ServerSettings]:
    yield load(SttSettings).stt.server
    yield load(LlmSettings).llm.server
    yield load(TtsSettings).tts.server
    yield load(OrchestratorSettings).orchestrator.server


@contextmanager
def _services() -> Iterator[str]:
    """The services, as long as the body runs; gives the socket that supervisord is asked at."""
    RUN_DIR.mkdir(exist_ok=True)
    # A socket's path may have no more than about 100 characters; the repository's may have any number.
    with tempfile.TemporaryDirectory(prefix="superwhisper-") as folder:
        control = f"{folder}/supervisor.sock"
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(ROOT / "deploy/local/supervisord.conf")],
            cwd=ROOT,
            env=os.environ | {"RUN_DIR": str(RUN_DIR), "SOCKET": control, "PYTHON": sys.executable},
            start_new_session=True,  # Ctrl-C is for the conversation; we end the services ourselves, in order
        )
        try:
            yield control
        finally:
            process.terminate()
            process.wait(STOP_LIMIT_S)


def _wait_until_serving(control: str) -> None:
    command = [*_SUPERWHISPER, "status", "--wait", str(START_LIMIT_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as waiting:
        try:
            while waiting.poll() is None:
                if failed := _failed_services(control):
                    raise StartupError("\n".join(_last_words(name) for name in failed))
                time.sleep(0.2)
        finally:
            waiting.terminate()
        if waiting.returncode:
            output = waiting.stdout.read() if waiting.stdout else ""
            raise StartupError(f"not all services came up; their logs are in {RUN_DIR}\n{output}")


def _failed_services(control: str) -> list[str]:
    # A new connection each time: supervisor's does not survive a failure, and the first tries come too early.
    transport = SupervisorTransport(None, None, f"unix://{control}")
    with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as supervisord:
        try:
            processes: list[dict[str, str]] = supervisord.supervisor.getAllProcessInfo()  # type: ignore[assignment]
        except OSError:  # it is not up yet
            return []
    return [process["name"] for process in processes if process["statename"] == "FATAL"]


def _last_words(service: str) -> str:
    lines = (RUN_DIR / f"{service}.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([f"the service {service} does not start:", *lines[-5:]])


if __name__ == "__main__":
    sys.exit(main())
