"""Hundreds of clients that vanish in the middle of a turn: nothing is left of them, whichever way they went."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.common.channels import Connection
from services.orchestrator.events import ReplyAudio, UserTranscript
from services.orchestrator.inputs import MicrophoneAudio, TypedText
from services.orchestrator.turn_events import State
from tests.fakes.scripted_services.__main__ import service_of
from tests.fakes.scripted_services.script import MindSpeed, MouthSpeed
from tests.fakes.stages import ScriptedMind
from tests.support.faulty_stack import EARS, stage_flags
from tests.support.metrics import sample, scraped
from tests.support.servers import Child, child_python, free_port, serving, wait_for_health
from tests.support.talking import SPOKEN, TYPED, Assistant, Client, section
from tests.support.tidy_service import TIDIED
from tests.support.vanishing import IN_THE_MIDDLE, in_the_middle
from tests.support.waiting import wait_for, wait_until

_AT_A_TIME = 8
_LONG_REPLIES = MindSpeed(first_token_ms=50, tokens_per_s=12, reply_tokens=120)  # nobody hears the end of one
_MORE_MEMORY_MB = 3  # 15 KB a client: its audio alone would be several times as much
_MORE_THREADS = 2  # gRPC's own pool has one more now and then


class Way(Enum):
    """How a client goes."""

    CANCELLED = "it cancels its call"
    CUT_OFF = "its process is killed: the connection closes without a word"
    FROZEN = "its process is frozen: the connection stays, and nobody is there"


# Forty clients. In between all comes to rest: sessions that pile up leave their memory in pieces.
_ROUNDS = (Way.CANCELLED, Way.CUT_OFF, Way.FROZEN, Way.CANCELLED, Way.CUT_OFF)
_TWO_HUNDRED = 5


@dataclass(frozen=True)
class Holdings:
    """What a process has."""

    descriptors: int
    threads: int
    memory_mb: float


@dataclass(frozen=True)
class Watched:
    """An orchestrator, what it tells of itself, and what its engines know."""

    orchestrator: Child
    metrics_port: int
    engines: tuple[CollectorRegistry, ...]

    async def holdings(self) -> Holdings:
        """What it needs when nobody is there."""
        await wait_for(self.is_calm, "the end of the sessions and of all calls")
        output = self.orchestrator.output
        said = output().count(TIDIED)
        self.orchestrator.process.send_signal(signal.SIGUSR1)
        await wait_until(lambda: output().count(TIDIED) > said, "freed memory to be given back")
        own = Path(f"/proc/{self.orchestrator.pid}")
        status = dict(line.split(":", 1) for line in (own / "status").read_text().splitlines())
        memory_kb = int(status["VmRSS"].removesuffix("kB"))
        return Holdings(len(list((own / "fd").iterdir())), int(status["Threads"]), memory_kb / 1024)

    async def is_calm(self) -> bool:
        """Whether nobody is connected, no session waits for anybody, and no engine works for one."""
        metrics = await scraped(self.metrics_port)
        sessions = sample(metrics, "pipeline_sessions_active") + sample(metrics, "pipeline_sessions_parked")
        calls = sample(metrics, "grpc_calls_active") + sum(map(_calls_of_conversations, self.engines))
        return not sessions and not calls

    async def nobody_is_connected(self) -> bool:
        """Whether it has noticed."""
        return not sample(await scraped(self.metrics_port), "pipeline_sessions_active")

    async def are_connected(self) -> bool:
        """Whether as many are as there may be."""
        return sample(await scraped(self.metrics_port), "pipeline_sessions_active") == _AT_A_TIME


def _calls_of_conversations(registry: CollectorRegistry) -> float:
    """The orchestrator watches the engines' health for as long as it lives."""
    return sum(
        one.value
        for family in registry.collect()
        for one in family.samples
        if one.name == "grpc_calls_active" and "Health" not in one.labels["method"]
    )


@contextlib.asynccontextmanager
async def _watched() -> AsyncIterator[Watched]:
    services = {
        name: service_of(speed) for name, speed in (("stt", EARS), ("llm", _LONG_REPLIES), ("tts", MouthSpeed()))
    }
    async with contextlib.AsyncExitStack() as exits:
        addresses = {name: await exits.enter_async_context(serving(service)) for name, service in services.items()}
        port, metrics_port = free_port(), free_port()
        settings = {
            "server.port": port,
            "server.metrics_port": metrics_port,
            "max_sessions": _AT_A_TIME,
            "session.resume_s": 1,
        }
        flags = [text for key, value in settings.items() for text in (f"--orchestrator.{key}", str(value))]
        command = ["-m", "tests.support.tidy_service", "services.orchestrator", *stage_flags(addresses), *flags]
        orchestrator = exits.enter_context(child_python("orchestrator", command, f"127.0.0.1:{port}"))
        await wait_for_health(Connection(orchestrator.address))
        yield Watched(orchestrator, metrics_port, tuple(service.registry for service in services.values()))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_a_process_is_as_before_after_two_hundred_clients_that_vanished() -> None:
    async with _watched() as watched:
        before = await _holdings_after_rounds(watched)
        for _ in range(_TWO_HUNDRED):
            after = await _holdings_after_rounds(watched)
        assert after.descriptors <= before.descriptors
        assert after.threads <= before.threads + _MORE_THREADS
        assert after.memory_mb < before.memory_mb + _MORE_MEMORY_MB


async def _holdings_after_rounds(watched: Watched) -> Holdings:
    for way in _ROUNDS:
        await _vanish(watched, way)
        await wait_for(watched.nobody_is_connected, f"the end of the connections: {way.value}")
    return await watched.holdings()


async def _vanish(watched: Watched, way: Way) -> None:
    address = watched.orchestrator.address
    if way is Way.CANCELLED:
        async with in_the_middle(address, _AT_A_TIME):
            assert await watched.are_connected()
        return
    with child_python("clients", ["-m", "tests.support.vanishing", address, str(_AT_A_TIME)]) as clients:
        await wait_until(lambda: IN_THE_MIDDLE in clients.output(), "clients in the middle of a turn")
        assert await watched.are_connected()
        if way is Way.FROZEN:
            clients.freeze()
            await wait_for(watched.nobody_is_connected, "frozen clients to be noticed")
        clients.kill()


async def test_no_task_is_left_of_two_hundred_clients_that_vanished_whatever_the_assistant_did() -> None:
    tasks = len(asyncio.all_tasks())
    mind = ScriptedMind([])
    mind.go_on.clear()  # it never ends by itself
    assistant = Assistant(mind, settings=section(session={"resume_s": 1}))
    for _ in range(50):
        for bring_about in (_listening, _drafting, _thinking, _speaking):
            client = await bring_about(assistant)
            await client.events.aclose()
    await wait_until(lambda: len(asyncio.all_tasks()) == tasks, "the end of all tasks")
    assert assistant.metric("pipeline_sessions_active") == 0
    assert assistant.metric("pipeline_sessions_parked") == 0


async def _listening(assistant: Assistant) -> Client:
    client = _speaker(assistant)
    assistant.ears.partial("what is")
    await client.until(UserTranscript)
    return client


async def _drafting(assistant: Assistant) -> Client:
    asked = len(assistant.mind.prompts)
    assistant.mind.script.append(["Nobody hears this."])
    client = _speaker(assistant)
    assistant.ears.partial("what is")
    assistant.ears.pauses("what is the time")
    await client.until(UserTranscript)
    await wait_until(lambda: len(assistant.mind.prompts) > asked, "a draft")
    return client


async def _thinking(assistant: Assistant) -> Client:
    assistant.mind.script.append(["", "Nobody hears this."])
    client = Client(assistant, TYPED)
    client.send(TypedText("think"))
    await client.until_state(State.THINKING)
    return client


async def _speaking(assistant: Assistant) -> Client:
    assistant.mind.script.append(["Nobody hears more than this. ", "And not this."])
    client = Client(assistant, TYPED)
    client.send(TypedText("speak"))
    await client.until(ReplyAudio)
    return client


def _speaker(assistant: Assistant) -> Client:
    client = Client(assistant, SPOKEN)
    client.send(MicrophoneAudio(bytes(640)))
    assistant.ears.starts()
    return client
