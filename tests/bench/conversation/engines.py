"""A real orchestrator over scripted engines, each in a process of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from services.common.channels import Connection
from tests.fakes.scripted_services.__main__ import flags
from tests.fakes.scripted_services.records import Record, records_in
from tests.fakes.scripted_services.script import EarsSpeed, MindSpeed, MouthSpeed
from tests.support.servers import Child, child_python, child_service, free_port, wait_for_health


@dataclass(frozen=True)
class Speeds:
    """Of the three."""

    ears: EarsSpeed = field(default_factory=EarsSpeed)
    mind: MindSpeed = field(default_factory=MindSpeed)
    mouth: MouthSpeed = field(default_factory=MouthSpeed)


@dataclass(frozen=True)
class Stack:
    """Where everybody listens, and what is known of the engines: nothing, where they are not scripted."""

    address: str
    stages: Mapping[str, str]  # stt, llm, tts
    speeds: Speeds | None = None
    engines: tuple[Child, ...] = ()

    def records(self) -> list[Record]:
        """What the engines did so far."""
        return [record for engine in self.engines for record in records_in(engine.output())]


@contextlib.asynccontextmanager
async def scripted_stack(speeds: Speeds, sessions: int) -> AsyncIterator[Stack]:
    """All four, serving; ended with all their processes."""
    with contextlib.ExitStack() as exits:
        engines = []
        for speed in (speeds.ears, speeds.mind, speeds.mouth):
            port, arguments = free_port(), flags(speed)
            command = ["-m", "tests.fakes.scripted_services", *arguments, "--port", str(port)]
            engines.append(exits.enter_context(child_python(arguments[0], command, f"127.0.0.1:{port}")))
        await asyncio.gather(*(wait_for_health(Connection(engine.address)) for engine in engines))
        stages = {engine.name: engine.address for engine in engines}
        addresses = [text for name, address in stages.items() for text in (f"--orchestrator.{name}.address", address)]
        room = ("--orchestrator.max_sessions", str(2 * sessions))
        async with child_service("orchestrator", *addresses, *room) as orchestrator:
            yield Stack(orchestrator.address, stages, speeds, tuple(engines))
