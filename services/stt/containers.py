"""Recordings out of their containers, through PyAV: the only user of it, and so the only one of FFmpeg.

What callers send is read by native code, so that is held tight: the demuxer is forced, not guessed; no decoder but
those of the container is ever opened; nothing but the bytes is read; what comes out is counted as it comes.

A WAV file whose header promises more than there is is refused. The other containers are streams: one that was cut gives
what it holds, and packets that are broken are passed over. Only where nothing could be decoded is it refused.
"""

import io
import threading
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from services.common.audio import Recording, Resampler, Samples
from services.common.errors import CallAbortedError, InvalidInputError, OutOfRangeError
from services.stt.container_kinds import Container, check_form, check_m4a, check_wav
from services.stt.engine import ENGINE_RATE_HZ

# The demuxer of each container, and the decoders that it may open.
_READERS = {
    Container.WAV: ("wav", "pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_alaw,pcm_mulaw"),
    Container.FLAC: ("flac", "flac"),
    Container.OGG: ("ogg", "opus,vorbis,flac"),
    Container.MP3: ("mp3", "mp3,mp3float"),
    Container.M4A: ("mov", "aac,alac"),
}
# Of every edit list only the start: a demuxer that follows each edit can be made to repeat the file a million times.
_DEMUXER_OPTIONS = {Container.M4A: {"advanced_editlist": "0"}}
_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "flt": 1.0, "dbl": 1.0}


def read_recording(content: bytes, container: Container, limit_s: float, stop: threading.Event) -> Recording:
    """The recording in the bytes, mixed down, at ENGINE_RATE_HZ. It blocks; `stop` ends it between two packets."""
    if container is Container.WAV and check_wav(content).duration_s > limit_s:
        raise _too_long(limit_s)
    if container is Container.M4A:
        check_m4a(content)
    demuxer, decoders = _READERS[container]
    held = {"format_whitelist": demuxer, "codec_whitelist": decoders, "protocol_whitelist": "none"}
    held |= _DEMUXER_OPTIONS.get(container, {})
    taker = _Taker(limit_s)
    try:
        # Metadata may be in any encoding; nobody reads it.
        with av.open(
            io.BytesIO(content), "r", format=demuxer, metadata_errors="ignore", container_options=held
        ) as file:
            for frame in _frames(file, _audio_stream(file, container), stop):
                taker.take(frame)
    except av.FFmpegError as error:
        sentence = f"this {container.value} file cannot be decoded; convert it to FLAC or WAV, or record it again"
        raise InvalidInputError("audio", sentence) from error
    return taker.recording()


def _audio_stream(file: InputContainer, container: Container) -> AudioStream:
    """Its first."""
    stream = next(iter(file.streams.audio), None)
    if stream is None:
        raise InvalidInputError("audio", f"there is no sound in this {container.value} file")
    if stream.codec_context is None or stream.codec_context.codec.name not in _READERS[container][1].split(","):
        raise InvalidInputError(
            "audio", f"how this {container.value} file is coded is not read; convert it to FLAC or WAV"
        )
    return stream


def _frames(file: InputContainer, stream: AudioStream, stop: threading.Event) -> Iterator[AudioFrame]:
    """What can be decoded."""
    broken, heard = None, False
    packets = file.demux(stream)
    while True:
        if stop.is_set():
            raise CallAbortedError("audio: nobody waits for this recording any more")
        try:
            packet = next(packets, None)
            frames = packet.decode() if packet is not None else []
        except av.FFmpegError as error:
            broken = error
            continue  # with the next packet; where the demuxer itself broke there is none
        if packet is None:
            break
        heard = heard or bool(frames)
        yield from frames
    if broken is not None and not heard:
        raise broken


class _Taker:
    """Takes frames of any form, mixes them down and resamples them, about a second at a time."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._audio = bytearray()  # grows without a second copy of an hour of audio
        self._waiting: list[NDArray[np.float32]] = []
        self._waiting_samples = 0
        self._rate_hz = ENGINE_RATE_HZ
        self._resampler = Resampler(ENGINE_RATE_HZ, ENGINE_RATE_HZ)

    def take(self, frame: AudioFrame) -> None:
        """More audio; its form may change on the way, as in joined files."""
        mixed = _mixed_down(frame)
        if frame.sample_rate != self._rate_hz:
            self._push(last=True)
            self._rate_hz = frame.sample_rate
            self._resampler = Resampler(frame.sample_rate, ENGINE_RATE_HZ)
        self._waiting.append(mixed)
        self._waiting_samples += frame.samples
        if self._waiting_samples >= self._rate_hz:
            self._push()

    def recording(self) -> Recording:
        """All of it."""
        self._push(last=True)
        return Recording(np.frombuffer(self._audio, np.int16), ENGINE_RATE_HZ)

    def _push(self, *, last: bool = False) -> None:
        samples = _to_int16(np.concatenate([np.zeros(0, np.float32), *self._waiting]))
        self._waiting, self._waiting_samples = [], 0
        self._audio += self._resampler.push(samples, last=last).tobytes()
        if len(self._audio) > self._limit_s * ENGINE_RATE_HZ * 2:
            raise _too_long(self._limit_s)


def _mixed_down(frame: AudioFrame) -> NDArray[np.float32]:
    channels = frame.layout.nb_channels
    check_form(channels, frame.sample_rate)
    samples = frame.to_ndarray()
    by_channel: NDArray[Any] = samples if frame.format.is_planar else samples.reshape(-1, channels).T
    if samples.dtype.kind == "f":
        if not np.isfinite(samples).all():
            raise InvalidInputError("audio", "it holds samples that are not numbers (NaN or infinite); export it again")
        by_channel = np.clip(by_channel, -1, 1)
    if samples.dtype == np.uint8:  # the only unsigned one
        by_channel = by_channel.astype(np.int16) - 128
    scale = _FULL_SCALE[frame.format.packed.name]
    mixed: NDArray[np.float32] = (by_channel.mean(axis=0, dtype=np.float64) / scale).astype(np.float32)
    return mixed


def _to_int16(samples: NDArray[np.float32]) -> Samples:
    whole: Samples = np.minimum(np.rint(samples * 2.0**15), 2**15 - 1).astype(np.int16)
    return whole


def _too_long(limit_s: float) -> OutOfRangeError:
    return OutOfRangeError(f"audio: longer than {limit_s:g} s", field="audio")
