"""The settings of the ears."""

from typing import Literal

from pydantic import Field, model_validator

from services.common.caches import CacheSettings
from services.common.gpu import GpuSettings
from services.common.settings import ProcessSettings, Section, ServerSettings
from services.stt.doubts import LEAST_LOG_PROBABILITY
from services.stt.scheduler import SchedulerLimits
from services.stt.whisper_options import DecodingOptions, WhisperOptions

POCKETSPHINX = "pocketsphinx"


class EndpointingSection(Section):
    """When an utterance ends, where a stream says nothing else."""

    soft_pause_ms: int = Field(100, ge=50, le=2000, description="Silence after which the eager transcript is made.")
    endpoint_silence_ms: int = Field(300, ge=200, le=5000, description="Silence that ends a turn judged finished.")
    unjudged_silence_ms: int = Field(600, ge=200, le=5000, description="Silence that does where no model judges turns.")
    unfinished_wait_ms: int = Field(
        1000, ge=0, le=5000, description="How much longer a turn judged unfinished may go on; 0 asks no model."
    )
    min_speech_ms: int = Field(120, ge=32, le=1000, description="Speech shorter than this is a click.")
    speech_threshold: float = Field(0.4, gt=0, lt=1, description="Probability from which a frame is speech.")
    max_utterance_ms: int = Field(300_000, ge=10_000, le=3_600_000, description="Speech is cut after so much of it.")


class WhisperSection(Section):
    """One Whisper model of the chain."""

    model: str = Field(description="tiny, base, small, medium, large-v3, large-v3-turbo, or the path of a folder.")
    device: Literal["cpu", "cuda"] = Field("cpu", description="Where it runs.")
    compute_type: Literal["int8", "int8_float16", "int8_float32", "float16", "float32", "default"] = Field(
        "int8", description="How it computes. On a GPU float16, or int8_float16 for half the memory."
    )
    threads: int = Field(0, ge=0, description="Threads on a CPU; 0 takes all cores.")
    beam_size: int = Field(5, ge=1, le=10, description="Hypotheses followed at a time; 1 is the fastest.")
    temperatures: tuple[float, ...] = Field((0.0, 0.4, 0.8), description="Tried in turn while a decoding is doubtful.")
    encoder_window: Literal["fit", "full"] = Field("fit", description="fit: as long as the speech; full: always 30 s.")
    window_margin_s: float = Field(1.0, ge=0, le=10, description="What a fitted window is longer than the speech.")
    least_log_probability: float = Field(
        LEAST_LOG_PROBABILITY, le=0, description="A decoding whose tokens are less probable than this is doubtful."
    )
    languages: tuple[str, ...] = Field((), description="What may be detected where a caller names no language.")
    max_batch: int = Field(4, ge=1, le=64, description="Utterances decoded at once.")
    batch_window_ms: float = Field(5, ge=0, le=10, description="How long a free decoder waits for others to join.")
    vram_gb: float = Field(0, ge=0, description="GPU memory that it needs; what is free must be more.")

    def options(self) -> WhisperOptions:
        """How it is loaded and decodes."""
        decoding = DecodingOptions(
            beam_size=self.beam_size,
            temperatures=self.temperatures,
            encoder_window=self.encoder_window,
            window_margin_s=self.window_margin_s,
            least_log_probability=self.least_log_probability,
            languages=self.languages,
        )
        return WhisperOptions(self.device, self.compute_type, self.threads, decoding)

    def scheduling(self) -> SchedulerLimits:
        """How utterances share it."""
        return SchedulerLimits(batch=self.max_batch, batch_window_s=self.batch_window_ms / 1000)


class SttSection(Section):
    """The section `stt`."""

    server: ServerSettings = Field(description="Where it listens.")
    engines: tuple[str, ...] = Field(description="The chain, best first: names from `whisper`, and pocketsphinx.")
    whisper: dict[str, WhisperSection] = Field({}, description="Whisper models by the name that responses carry.")
    gpu: GpuSettings = Field(GpuSettings(), description="Which graphics card those with `device: cuda` use.")
    endpointing: EndpointingSection = Field(EndpointingSection(), description="When an utterance ends.")
    turn_detector: str = Field("", description="Model that judges turns: smart-turn-v3.2. Empty: silence alone does.")
    cache: CacheSettings = Field(CacheSettings(), description="Transcripts of recordings.")
    max_streams: int = Field(4, gt=0, description="Microphone streams served at the same time.")
    max_recordings: int = Field(2, gt=0, description="Recordings transcribed at the same time.")
    max_stream_s: float = Field(3600, gt=0, description="Longest a microphone stream may last.")
    max_recording_s: float = Field(7200, gt=0, description="Longest recording.")
    max_recording_bytes: int = Field(512 * 1024 * 1024, gt=0, description="Largest recording.")
    idle_limit_s: float = Field(10, gt=0, description="Longest a caller may send nothing.")
    decode_limit_s: float = Field(5, gt=0, description="Longest an engine may take over up to a minute of speech.")
    recording_limit_s: float = Field(120, gt=0, description="The same for recordings, which wait for live speech.")

    @property
    def on_gpu(self) -> set[str]:
        """The engines of the chain that need a graphics card."""
        return {name for name in self.engines if name in self.whisper and self.whisper[name].device == "cuda"}

    @model_validator(mode="after")
    def _know_the_engines(self) -> "SttSection":
        known = [*self.whisper, POCKETSPHINX]
        for name in self.engines:
            if name not in known:
                raise ValueError(f"engines: there is no engine {name!r}; there is: {', '.join(known)}")
        return self


class SttSettings(ProcessSettings):
    """What the STT process reads."""

    stt: SttSection
