"""Services as tests run them: in this process or as a real child process, always over a real loopback socket.

    async with serving(service) as address: ...
    async with child_service("tts", "--tts.engines", '["tone"]') as tts: ...  # tts.address, tts.process.pid

Where test data lies: tests/support/shared_data.py. How to wait for something: tests/support/waiting.py.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from services.common.channels import Connection
from services.common.lifecycle import Service, serve
from services.common.security import ClientCredentials
from services.common.settings import ServerSettings
from tests.support.health import SERVING, watch
from tests.support.shared_data import REPOSITORY
from tests.support.waiting import BOUND_S, wait_until

_NO_CREDENTIALS = ClientCredentials()
_handed_out: set[int] = set()


def free_port() -> int:
    """A port on which nobody listens now, and that no other test of this run was given."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in _handed_out:
            _handed_out.add(port)
            return port


def loopback(**overrides: object) -> ServerSettings:
    """Settings of a test's server: a free port, no metrics, and a short drain unless said otherwise."""
    return ServerSettings.model_validate({"port": free_port(), "metrics_port": 0, "drain_s": 2, **overrides})


async def start_and_stop(service: Service, settings: ServerSettings) -> None:
    """Serves and drains at once, for what `serve` raises when it cannot start."""
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(BOUND_S):
        await serve(service, settings, stop=stop)


@contextlib.asynccontextmanager
async def serving(
    service: Service,
    settings: ServerSettings | None = None,
    *,
    credentials: ClientCredentials = _NO_CREDENTIALS,
    until_serving: bool = True,
) -> AsyncIterator[str]:
    """Runs the service in this process until it is SERVING (or only listens), and drains it at the end.

    What `serve` raises, while starting or later, is raised here.
    """
    settings = settings or loopback()
    stop = asyncio.Event()
    server = asyncio.create_task(serve(service, settings, stop=stop), name=f"serve {settings.address}")
    try:
        await wait_for_health(
            Connection(settings.address, credentials),
            lambda: _task_must_run(server),
            wanted=SERVING if until_serving else None,
        )
        yield settings.address
    finally:
        stop.set()
        async with asyncio.timeout(BOUND_S):
            await server


@dataclass
class Child:
    """A service as a process of its own, in its own process group. Its output is kept in a file."""

    name: str
    address: str
    process: "subprocess.Popen[bytes]"
    output_file: Path = field(repr=False)

    @property
    def pid(self) -> int:
        """Of the process itself."""
        return self.process.pid

    def output(self) -> str:
        """All that it wrote so far."""
        return self.output_file.read_text(errors="replace")

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        await wait_until(lambda: self.process.poll() is not None, f"the end of {self.name}\n{self.output()}")
        code = self.process.returncode
        assert code is not None
        return code

    async def stop(self) -> int:
        """SIGTERM, to this process alone, and its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return await self.ended()

    def kill(self) -> None:
        """SIGKILL, to this process alone; also to one that is frozen."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """It no longer does anything, though its sockets stay open."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.process.send_signal(signal.SIGCONT)


@contextlib.asynccontextmanager
async def child_service(
    name: str,
    *arguments: str,
    port: int | None = None,
    credentials: ClientCredentials = _NO_CREDENTIALS,
    until_serving: bool = True,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Child]:
    """`python -m services.<name>` on a free port with the embedded profile, SERVING; stopped at the end.

    `arguments` come last, so they win over what is set here. With `until_serving=False` it was only started.
    """
    port = port or free_port()
    command = [
        *("-m", f"services.{name}", "--profile", "embedded"),
        *(f"--{name}.server.port", str(port), f"--{name}.server.metrics_port", "0", *arguments),
    ]
    with child_python(name, command, f"127.0.0.1:{port}", environment) as child:
        if until_serving:
            await wait_for_health(Connection(child.address, credentials), lambda: _process_must_run(child))
        yield child


@contextlib.contextmanager
def child_python(
    name: str, arguments: Sequence[str], address: str = "", environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Any Python program as a child process; killed at the end if it still runs."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SUPERWHISPER_")}
    with tempfile.NamedTemporaryFile(prefix=f"superwhisper-{name}-", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env={**inherited, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        child = Child(name, address, process, Path(log.name))
        try:
            yield child
        except BaseException as error:
            error.add_note(f"--- output of {name} (pid {child.pid})\n{child.output()}---")
            raise
        finally:
            child.kill()


async def wait_for_health(
    connection: Connection,
    must_hold: Callable[[], None] = lambda: None,
    *,
    service: str = "",
    wanted: int | None = SERVING,
) -> None:
    """Waits until the server's health is as wanted (None: whatever it is); `must_hold` may fail the wait early."""

    def settled() -> bool:
        must_hold()
        return watching.done()

    async with connection.open() as channel:
        watching = asyncio.create_task(_watch(channel, service, wanted))
        try:
            await wait_until(settled, f"the health of {connection.address}")
            await watching
        finally:
            watching.cancel()
            await asyncio.wait([watching])


async def _watch(channel: grpc.aio.Channel, service: str, wanted: int | None) -> None:
    call = watch(channel, service, wait_for_ready=True, timeout=BOUND_S)
    async for response in call:
        if wanted is None or response.status == wanted:
            call.cancel()
            return
    raise AssertionError(f"the health stream ended before it said {wanted}")


def _task_must_run(server: "asyncio.Task[None]") -> None:
    if server.done():
        server.result()  # raises what ended it
        raise AssertionError("the server ended by itself")


def _process_must_run(child: Child) -> None:
    code = child.process.poll()
    assert code is None, f"{child.name} ended with {code} before it was SERVING"
