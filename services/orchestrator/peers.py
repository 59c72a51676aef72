"""The three services: connected once, watched as long as the process runs, asked what they can do."""

import asyncio
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry

from services.orchestrator.clients import GrpcEars, GrpcMind, GrpcMouth
from services.orchestrator.config import OrchestratorSection
from services.orchestrator.ports import Ears, Mind, Mouth, Stage, Stages
from services.orchestrator.replica import ReplicaMetrics
from services.orchestrator.replicated import ReplicatedEars, ReplicatedMind, ReplicatedMouth
from services.orchestrator.stage_links import Engines, StageLinks

_EARS_READY_S = 3.0  # all they have to do until then is to find a free place


class Peers:
    """All three, and all replicas of each."""

    def __init__(self, settings: OrchestratorSection, registry: CollectorRegistry) -> None:
        self._budget = settings.budget
        metrics = ReplicaMetrics.create(registry)
        turn_s = settings.budget.thinking_s + settings.budget.speaking_s  # no turn lasts longer, so no reply does
        ears = partial(GrpcEars, limit_s=settings.max_session_s, min_speech_ms=settings.barge_in.min_speech_ms)
        mind, mouth = partial(GrpcMind, limit_s=turn_s), partial(GrpcMouth, limit_s=turn_s)
        self._ears: StageLinks[Ears] = StageLinks(Stage.STT, settings.stt, ears, metrics)
        self._mind: StageLinks[Mind] = StageLinks(Stage.LLM, settings.llm, mind, metrics)
        self._mouth: StageLinks[Mouth] = StageLinks(Stage.TTS, settings.tts, mouth, metrics)
        self._all: dict[Stage, StageLinks[Any]] = {
            Stage.STT: self._ears,
            Stage.LLM: self._mind,
            Stage.TTS: self._mouth,
        }

    def stages(self) -> Stages:
        """The services as the conversation uses them."""
        return Stages(
            ReplicatedEars(self._ears.replicas, _EARS_READY_S),
            ReplicatedMind(self._mind.replicas, self._budget.first_token_s),
            ReplicatedMouth(self._mouth.replicas, self._budget.first_audio_s),
        )

    async def wait_until_serving(self) -> None:
        """Returns when a replica of each has served: the first turn finds a warm stack."""
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self.keep_up())
            await asyncio.gather(*(links.has_served.wait() for links in self._all.values()))
            watching.cancel()

    async def keep_up(self) -> None:
        """Runs as long as the process: keeps what is known of each replica's health true."""
        async with asyncio.TaskGroup() as group:
            for links in self._all.values():
                group.create_task(links.watch())

    async def engines(self) -> dict[Stage, Engines | None]:
        """The engines of each stage, of all replicas that answer; None where nobody does."""
        answers = await asyncio.gather(*(links.engines() for links in self._all.values()))
        return dict(zip(self._all, answers, strict=True))

    async def close(self) -> None:
        """Closes the connections."""
        await asyncio.gather(*(links.close() for links in self._all.values()))
