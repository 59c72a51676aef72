"""How a Whisper is loaded and how it decodes. No library here, so that settings can be read without one."""

from dataclasses import dataclass, field
from typing import Literal

from services.stt.doubts import LEAST_LOG_PROBABILITY


@dataclass(frozen=True)
class DecodingOptions:
    """How it decodes."""

    beam_size: int = 5
    # After temperature 0 failed on the full window: more and more chance, until a decoding is believed.
    temperatures: tuple[float, ...] = (0.0, 0.4, 0.8)
    encoder_window: Literal["fit", "full"] = "fit"
    window_margin_s: float = 1.0
    least_log_probability: float = LEAST_LOG_PROBABILITY  # the mean of a decoding's tokens; below it is doubtful
    languages: tuple[str, ...] = ()  # what may be detected; empty: any


@dataclass(frozen=True)
class WhisperOptions:
    """Where it runs."""

    device: Literal["cpu", "cuda"] = "cpu"
    compute_type: str = "int8"
    threads: int = 0  # 0: all cores
    decoding: DecodingOptions = field(default_factory=DecodingOptions)
