"""A real orchestrator over scripted engines that are killed, frozen and restarted while people talk to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import Enum

from services.common.channels import Connection
from tests.fakes.scripted_services.__main__ import flags
from tests.fakes.scripted_services.script import EarsSpeed, MindSpeed, MouthSpeed
from tests.support.servers import Child, child_python, child_service, free_port, wait_for_health

EARS = EarsSpeed(first_partial_ms=100, partial_every_ms=100)
# A reply that is thought of for long enough to be struck meanwhile, and spoken while it is still being written.
MIND = MindSpeed(first_token_ms=300, tokens_per_s=40, reply_tokens=40)
MOUTH = MouthSpeed(ms_per_character=15)  # an apology of six seconds would only be waited for


class Fault(Enum):
    """What happens to a service."""

    KILL = "kill -9"
    FREEZE = "SIGSTOP"
    RESTART = "restart"


class Engine:
    """A scripted service that always is at the same address, whatever becomes of its process."""

    def __init__(self, speed: EarsSpeed | MindSpeed | MouthSpeed) -> None:
        self._flags, self._port = flags(speed), free_port()
        self.name = self._flags[0]
        self.address = f"127.0.0.1:{self._port}"
        self._life = contextlib.ExitStack()  # of the process that runs now
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The process that runs now."""
        assert self._child is not None, f"{self.name} was not started"
        return self._child

    async def start(self) -> None:
        """A new process in the place of the last one; returns when it serves."""
        self.end()
        command = ["-m", "tests.fakes.scripted_services", *self._flags, "--port", str(self._port)]
        self._child = self._life.enter_context(child_python(self.name, command, self.address))
        await wait_for_health(Connection(self.address))

    def end(self) -> None:
        """Kills it."""
        self._life.close()

    def suffer(self, fault: Fault) -> None:
        """It happens now; of a restart, that it is told to go."""
        match fault:
            case Fault.KILL:
                self.child.kill()
            case Fault.FREEZE:
                self.child.freeze()
            case Fault.RESTART:
                self.child.process.terminate()

    async def recover(self, fault: Fault) -> None:
        """It serves again."""
        if fault is Fault.FREEZE:
            self.child.thaw()
            await wait_for_health(Connection(self.address))
            return
        if fault is Fault.RESTART:
            code = await self.child.ended()
            assert code == 0, f"{self.name} ended with {code}\n{self.child.output()}"
        await self.start()


@dataclass(frozen=True)
class FaultyStack:
    """The orchestrator, and its engines by their stage."""

    orchestrator: Child
    engines: Mapping[str, Engine]

    @property
    def address(self) -> str:
        """Where clients find it."""
        return self.orchestrator.address


@contextlib.asynccontextmanager
async def faulty_stack() -> AsyncIterator[FaultyStack]:
    """All four, serving."""
    async with faulty_engines() as engines:
        flags_of_stages = stage_flags({name: engine.address for name, engine in engines.items()})
        async with child_service("orchestrator", *flags_of_stages) as orchestrator:
            yield FaultyStack(orchestrator, engines)


@contextlib.asynccontextmanager
async def faulty_engines() -> AsyncIterator[dict[str, Engine]]:
    """The three, serving."""
    engines = {engine.name: engine for engine in (Engine(EARS), Engine(MIND), Engine(MOUTH))}
    try:
        await asyncio.gather(*(engine.start() for engine in engines.values()))
        yield engines
    finally:
        for engine in engines.values():
            engine.end()


def stage_flags(addresses: Mapping[str, str]) -> list[str]:
    """The orchestrator's flags that tell where its stages are."""
    return [text for name, address in addresses.items() for text in (f"--orchestrator.{name}.address", address)]
