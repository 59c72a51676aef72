"""The settings of the orchestrator."""

from pydantic import Field

from services.common.settings import PeerSettings, ProcessSettings, Section, ServerSettings


class OrchestratorSection(Section):
    """The section `orchestrator`."""

    server: ServerSettings = Field(description="Where it listens.")
    stt: PeerSettings = Field(description="The ears.")
    llm: PeerSettings = Field(description="The mind.")
    tts: PeerSettings = Field(description="The mouth.")
    language_code: str = Field("fr", description="Language of a conversation whose client names none.")
    system_prompts: dict[str, str] = Field(min_length=1, description="Instructions to the assistant, by language.")
    apologies: dict[str, str] = Field(min_length=1, description="Said when the language model is away, by language.")
    max_sessions: int = Field(4, gt=0, description="Conversations at the same time.")
    max_session_s: float = Field(3600, gt=0, description="Longest a conversation may last.")
    idle_limit_s: float = Field(300, gt=0, description="Longest a client may send nothing.")
    turn_limit_s: float = Field(60, gt=0, description="Longest a stage may take over a reply.")
    max_turns: int = Field(50, gt=0, description="Turns that are remembered.")
    max_history_characters: int = Field(
        4000, gt=0, description="Characters that are remembered: half of the context of 2048 tokens, and room to reply."
    )
    max_text_characters: int = Field(4000, gt=0, description="Longest typed turn or system prompt.")


class OrchestratorSettings(ProcessSettings):
    """What the orchestrator's process reads."""

    orchestrator: OrchestratorSection
