"""What all conversations of one orchestrator share."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.common.tracing import Tracer
from services.orchestrator.barge_in import Backchannels
from services.orchestrator.config import OrchestratorSection
from services.orchestrator.history import HistoryLimits
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.ports import Stages
from services.orchestrator.turn_rules import TurnRules


@dataclass(frozen=True)
class Resources:
    """The stages, the settings, and what is counted."""

    stages: Stages
    settings: OrchestratorSection
    metrics: PipelineMetrics
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    tracer: Tracer = field(default_factory=Tracer)
    clock: Callable[[], float] = time.monotonic

    def turn_rules(self) -> TurnRules:
        """How turns are taken."""
        settings = self.settings
        phrases = [phrase for phrases in settings.barge_in.backchannels.values() for phrase in phrases]
        return TurnRules(
            backchannels=Backchannels(phrases),
            speculate=settings.speculate,
            decide_within_s=settings.barge_in.decide_within_ms / 1000,
            thinking_s=settings.budget.thinking_s,
            speaking_s=settings.budget.speaking_s,
            max_waiting=settings.max_waiting_turns,
        )

    def history_limits(self) -> HistoryLimits:
        """How much is remembered."""
        return HistoryLimits(self.settings.max_turns, self.settings.max_history_characters)
