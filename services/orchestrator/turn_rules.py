"""How turns are taken."""

from dataclasses import dataclass

from services.orchestrator.barge_in import Backchannels


@dataclass(frozen=True)
class TurnRules:
    """How turns are taken."""

    backchannels: Backchannels
    speculate: bool = True
    decide_within_s: float = 0.5
    thinking_s: float = 60.0
    speaking_s: float = 600.0
    draft_s: float = 10.0  # the ears end every utterance earlier than that after a pause
    max_waiting: int = 10
