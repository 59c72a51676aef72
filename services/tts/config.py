"""The settings of the mouth."""

from typing import Literal

from pydantic import Field, model_validator

from services.common.caches import CacheSettings
from services.common.settings import ProcessSettings, Section, ServerSettings

EngineName = Literal["piper", "espeak-ng", "tone"]


class PiperSection(Section):
    """Piper's voices."""

    voices: tuple[str, ...] = Field(
        (), description="The best of each language first: names in models.toml, or absolute paths of a voice's folder."
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="A CPU is mostly faster for single sentences.")
    threads: int = Field(0, ge=0, description="Threads of one phrase on a CPU; 0: all, at most 4.")
    parallel: int = Field(2, ge=1, le=16, description="Pieces spoken at the same time.")
    noise_scale: float | None = Field(None, ge=0, le=2, description="Variation of the sound; else the voice's own.")
    noise_width: float | None = Field(None, ge=0, le=2, description="Variation of the rhythm; else the voice's own.")


class CacheSection(CacheSettings):
    """Where spoken phrases are kept."""

    warm: dict[str, tuple[str, ...]] = Field(
        {}, description="Phrases spoken at the start, by language: {fr: [Un instant.]}."
    )


class ReadingSection(Section):
    """How written text becomes words."""

    emoji: Literal["named", "dropped"] = Field("dropped", description="Whether emoji are said by name.")
    lexicon: dict[str, dict[str, str]] = Field(
        {},
        description="How words are said, by language, as other words or in IPA: "
        "{fr: {SQL: esse cu elle, Leeds: /lidz/}}.",
    )


class TtsSection(Section):
    """The section `tts`."""

    server: ServerSettings = Field(description="Where it listens.")
    engines: tuple[EngineName, ...] = Field(description="The chain, best first.")
    language_code: str = Field("fr", description="Language of a text whose caller names none.")
    piper: PiperSection = Field(PiperSection(), description="Piper's voices.")
    espeak_voices: dict[str, str] = Field({}, description="Preferred espeak-ng voice of a language: {en: en-us+f2}.")
    reading: ReadingSection = Field(ReadingSection(), description="How written text becomes words.")
    cache: CacheSection = Field(CacheSection(), description="Where spoken phrases are kept.")
    piece_limit_s: float = Field(10, gt=0, description="Longest an engine may take over one phrase.")
    wait_limit_s: float = Field(60, gt=0, description="Longest a phrase may wait for an engine and be spoken by it.")
    clause_wait_ms: int = Field(
        400, ge=50, le=10_000, description="A text that stops after a clause for so long has that clause spoken."
    )
    ahead_s: float = Field(2, gt=0, le=60, description="Speech that is made ahead of what the caller takes.")
    max_text_characters: int = Field(100_000, gt=0, description="Longest text of one request.")
    max_file_mb: int = Field(64, gt=0, description="Largest WAV file, which is sent when it is whole.")
    max_streams: int = Field(16, gt=0, description="Syntheses served at the same time.")
    max_stream_s: float = Field(3600, gt=0, description="Longest a synthesis may last.")
    idle_limit_s: float = Field(60, gt=0, description="Longest a caller may send no text.")

    @model_validator(mode="after")
    def _check_voices(self) -> "TtsSection":
        if "piper" in self.engines and not self.piper.voices:
            raise ValueError("the engine piper needs piper.voices")
        return self


class TtsSettings(ProcessSettings):
    """What the TTS process reads."""

    tts: TtsSection
