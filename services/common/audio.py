"""Audio as the services pass it on: s16le mono PCM at a declared rate, checked once, resampled where need be."""

import io
import wave
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from services.common.errors import InvalidInputError

BYTES_PER_SAMPLE = 2
MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 48_000
Samples = NDArray[np.int16]
_PCM_SUBFORMAT = bytes.fromhex("0100000000001000800000aa00389b71")  # KSDATAFORMAT_SUBTYPE_PCM


@dataclass(frozen=True)
class Recording:
    """A whole piece of audio."""

    samples: Samples
    sample_rate_hz: int

    @property
    def duration_ms(self) -> float:
        """Its length."""
        return self.samples.size * 1000 / self.sample_rate_hz


def check_rate(sample_rate_hz: int, field: str) -> int:
    """The rate, if it is one that we take."""
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        raise InvalidInputError(field, f"{sample_rate_hz} is not between {MIN_RATE_HZ} and {MAX_RATE_HZ} Hz")
    return sample_rate_hz


def decode_pcm(audio: bytes, field: str) -> Samples:
    """The samples in the bytes of a message."""
    if len(audio) % BYTES_PER_SAMPLE:
        raise InvalidInputError(field, f"{len(audio)} bytes are not a whole number of 16-bit samples")
    return np.frombuffer(audio, dtype="<i2").astype(np.int16, copy=False)


def encode_pcm(samples: Samples) -> bytes:
    """The bytes of a message."""
    return samples.astype("<i2", copy=False).tobytes()


class Resampler:
    """Resamples a stream, piece by piece, without a seam; does nothing where both rates are the same."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        same = from_hz == to_hz
        self._stream = None if same else soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="HQ")

    def push(self, samples: Samples, *, last: bool = False) -> Samples:
        """What the samples give; with `last`, also what was still inside."""
        if self._stream is None:
            return samples
        resampled: Samples = self._stream.resample_chunk(samples, last=last)
        return resampled


def resample(recording: Recording, to_hz: int) -> Recording:
    """The whole recording at another rate."""
    return Recording(Resampler(recording.sample_rate_hz, to_hz).push(recording.samples, last=True), to_hz)


def read_wav(content: bytes, field: str) -> Recording:
    """A WAV file, mixed down to one channel. A header that lies is refused."""
    try:
        with wave.open(io.BytesIO(_with_plain_header(content))) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            promised = file.getnframes()
            frames = file.readframes(promised)
    except (wave.Error, EOFError, ValueError, RuntimeError) as error:  # the last for a chunk that ends outside
        raise InvalidInputError(
            field, f"not a WAV file with PCM samples ({str(error) or 'it ends too early'})"
        ) from error
    if len(frames) != promised * channels * width:
        raise InvalidInputError(field, f"its header promises {promised} frames, but the file ends before")
    check_rate(rate, f"{field}: sample rate")
    return Recording(_mix_down(_to_int16(frames, width, field), channels), rate)


def _with_plain_header(content: bytes) -> bytes:
    """The file with an extensible PCM header relabelled as a plain one: Python 3.11 reads no other.

    ffmpeg writes extensible ones for more than 16 bits or more than two channels.
    """
    start = content.find(b"fmt ", 12) + 8
    if content[start : start + 2] == b"\xfe\xff" and content[start + 24 : start + 40] == _PCM_SUBFORMAT:
        return content[:start] + b"\x01\x00" + content[start + 2 :]
    return content


def _to_int16(frames: bytes, width: int, field: str) -> Samples:
    if width == 1:  # the only unsigned one
        return (np.frombuffer(frames, np.uint8).astype(np.int16) - np.int16(128)) * np.int16(256)
    if width == 2:
        return np.frombuffer(frames, "<i2").astype(np.int16, copy=False)
    if width in {3, 4}:  # the two highest bytes of each sample
        return np.frombuffer(frames, np.uint8).reshape(-1, width)[:, -2:].copy().view("<i2").ravel()
    raise InvalidInputError(field, f"samples of {8 * width} bits are not supported")


def _mix_down(samples: Samples, channels: int) -> Samples:
    if channels == 1:
        return samples
    mixed: Samples = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return mixed


def write_wav(recording: Recording) -> bytes:
    """The recording as a WAV file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(BYTES_PER_SAMPLE)
        file.setframerate(recording.sample_rate_hz)
        file.writeframes(encode_pcm(recording.samples))
    return content.getvalue()
