"""A real Redis server for a test; it keeps nothing on disk."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.servers import Child, free_port
from tests.support.waiting import wait_until


@dataclass
class RedisServer:
    """Where it listens, and its process: killed, frozen and started again as a test likes."""

    port: int
    child: Child

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextlib.asynccontextmanager
async def redis_server(folder: Path, port: int | None = None) -> AsyncIterator[RedisServer]:
    """Runs one until it answers; killed at the end. Skips where there is none to run."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = port or free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder))
    output = folder / "redis.log"
    with output.open("wb") as log:
        process = subprocess.Popen([program, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: ASYNC220  # it does not block
    child = Child("redis", f"127.0.0.1:{port}", process, output)
    try:
        await wait_until(lambda: process.poll() is not None or _answers(port), f"Redis\n{child.output()}")
        assert process.poll() is None, child.output()
        yield RedisServer(port, child)
    finally:
        child.kill()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
