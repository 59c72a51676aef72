"""The settings of the ears."""

from typing import Literal

from pydantic import Field

from services.common.settings import ProcessSettings, Section, ServerSettings

EngineName = Literal["pocketsphinx"]


class EndpointingSection(Section):
    """When an utterance ends, where a stream says nothing else."""

    soft_pause_ms: int = Field(100, ge=50, le=2000, description="Silence after which the eager transcript is made.")
    endpoint_silence_ms: int = Field(600, ge=200, le=5000, description="Silence that ends an utterance.")
    min_speech_ms: int = Field(120, ge=32, le=1000, description="Speech shorter than this is a click.")
    speech_threshold: float = Field(0.5, gt=0, lt=1, description="Probability from which a frame is speech.")


class SttSection(Section):
    """The section `stt`."""

    server: ServerSettings = Field(description="Where it listens.")
    engines: tuple[EngineName, ...] = Field(description="The chain, best first.")
    endpointing: EndpointingSection = Field(EndpointingSection(), description="When an utterance ends.")
    max_streams: int = Field(4, gt=0, description="Microphone streams served at the same time.")
    max_recordings: int = Field(2, gt=0, description="Recordings transcribed at the same time.")
    max_stream_s: float = Field(3600, gt=0, description="Longest a microphone stream may last.")
    max_recording_s: float = Field(7200, gt=0, description="Longest recording.")
    max_recording_bytes: int = Field(512 * 1024 * 1024, gt=0, description="Largest recording.")
    idle_limit_s: float = Field(10, gt=0, description="Longest a caller may send nothing.")
    decode_limit_s: float = Field(30, gt=0, description="Longest an engine may take over one step.")


class SttSettings(ProcessSettings):
    """What the STT process reads."""

    stt: SttSection
