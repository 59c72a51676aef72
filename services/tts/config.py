"""The settings of the mouth."""

from typing import Literal

from pydantic import Field

from services.common.settings import ProcessSettings, Section, ServerSettings

EngineName = Literal["espeak-ng", "tone"]


class TtsSection(Section):
    """The section `tts`."""

    server: ServerSettings = Field(description="Where it listens.")
    engines: tuple[EngineName, ...] = Field(description="The chain, best first.")
    language_code: str = Field("fr", description="Language of a text whose caller names none.")
    espeak_voices: dict[str, str] = Field({}, description="Preferred espeak-ng voice of a language: {en: en-us+f2}.")
    piece_limit_s: float = Field(10, gt=0, description="Longest an engine may take over one piece of text.")
    max_text_characters: int = Field(100_000, gt=0, description="Longest text of one request.")
    max_streams: int = Field(16, gt=0, description="Syntheses served at the same time.")
    max_stream_s: float = Field(3600, gt=0, description="Longest a synthesis may last.")
    idle_limit_s: float = Field(60, gt=0, description="Longest a caller may send no text.")


class TtsSettings(ProcessSettings):
    """What the TTS process reads."""

    tts: TtsSection
