"""The settings of the orchestrator."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from services.common.addresses import parse_addresses
from services.common.settings import PeerSettings, ProcessSettings, Section, ServerSettings
from services.orchestrator.events import HoldMode

TextsByLanguage = dict[str, str]


class StageSettings(PeerSettings):
    """Where a stage is; several addresses, separated by commas, stand in for each other."""

    order: Literal["in_order", "round_robin"] = Field(
        "in_order", description="Of several addresses: the first that works, or each in turn."
    )

    @field_validator("address")
    @classmethod
    def _check_addresses(cls, text: str) -> str:
        return ",".join(parse_addresses(text))


class BargeInSection(Section):
    """What happens when somebody speaks while the assistant replies."""

    hold: HoldMode = Field(HoldMode.PAUSE, description="The reply meanwhile: pause, or duck (go on softly).")
    min_speech_ms: int = Field(64, ge=32, le=1000, description="Speech shorter than this is a click.")
    decide_within_ms: int = Field(500, ge=100, le=5000, description="After that it goes on, until words are heard.")
    backchannels: dict[str, list[str]] = Field(description="What listeners say without interrupting, by language.")
    echo_guard: bool = Field(True, description="Ignore what is heard of the assistant's own words.")


class BudgetSection(Section):
    """How long things may take before something else is done."""

    first_token_s: float = Field(10, gt=0, description="Until the language model begins to write.")
    first_audio_s: float = Field(5, gt=0, description="Until the mouth speaks what it was given.")
    thinking_s: float = Field(60, gt=0, description="Until a turn has its first audio.")
    speaking_s: float = Field(600, gt=0, description="Until a reply is over.")
    playback_stall_s: float = Field(5, gt=0, description="Without a report that anything of a reply is played.")
    filler_after_ms: int = Field(0, ge=0, description="Say a filler if there is no audio by then, 1200 say; 0: never.")


class SessionSection(Section):
    """How conversations outlive their connections."""

    resume_s: float = Field(60, ge=0, description="How long after a lost connection a session can go on.")
    write_on_s: float = Field(4, ge=0, description="How long a reply is written on whose client was lost.")
    redis_url: SecretStr = Field(
        SecretStr(""), description="redis://HOST:PORT/0: histories are kept there as well, for other replicas."
    )


class OrchestratorSection(Section):
    """The section `orchestrator`."""

    server: ServerSettings = Field(description="Where it listens.")
    stt: StageSettings = Field(description="The ears.")
    llm: StageSettings = Field(description="The mind.")
    tts: StageSettings = Field(description="The mouth.")
    language_code: str = Field(
        "fr", min_length=2, description="Of a conversation whose client names none, until one is heard."
    )
    follow_language: bool = Field(True, description="Reply in the language that is heard, where the client names none.")
    speculate: bool = Field(True, description="Begin to reply at every pause, before it is sure that the user is done.")
    barge_in: BargeInSection = Field(description="Speech while it replies.")
    budget: BudgetSection = Field(BudgetSection(), description="Time limits of a turn.")
    session: SessionSection = Field(SessionSection(), description="Lost connections.")
    system_prompts: TextsByLanguage = Field(min_length=1, description="Instructions to the assistant.")
    interruption_notes: TextsByLanguage = Field(min_length=1, description="Tells the model that it was interrupted.")
    apologies: TextsByLanguage = Field(
        min_length=1, description="Said when the language model is away; {text} is what was understood."
    )
    not_heard: TextsByLanguage = Field(min_length=1, description="Said when the ears are away.")
    fillers: TextsByLanguage = Field(min_length=1, description="Said when a reply is late.")
    ahead_s: float = Field(2.0, ge=0.2, description="How much reply audio is sent before it is played.")
    max_sessions: int = Field(4, gt=0, description="Conversations at the same time.")
    max_session_s: float = Field(3600, gt=0, description="Longest a conversation may last.")
    idle_limit_s: float = Field(300, gt=0, description="Longest a client may send nothing.")
    max_waiting_turns: int = Field(10, gt=0, description="Typed turns that wait for their reply.")
    max_turns: int = Field(50, gt=0, description="Turns that are remembered.")
    max_history_characters: int = Field(
        4000, gt=0, description="Characters that are remembered: half of the context of 2048 tokens, and room to reply."
    )
    max_text_characters: int = Field(4000, gt=0, description="Longest typed turn or system prompt.")


class OrchestratorSettings(ProcessSettings):
    """What the orchestrator's process reads."""

    orchestrator: OrchestratorSection
