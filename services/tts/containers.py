"""Speech packed as files: WAV, FLAC and Ogg/Opus. The only user of PyAV here, and so of FFmpeg."""

import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream

from services.common.audio import BYTES_PER_SAMPLE, Resampler, decode_pcm
from services.common.errors import OutOfRangeError, UnsupportedError
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2

_RAW, _WAV = audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_WAV
_FLAC, _OGG = audio_pb2.AUDIO_CONTAINER_FLAC, audio_pb2.AUDIO_CONTAINER_OGG
CONTAINERS = (_RAW, _WAV, _FLAC, _OGG)
_WAV_HEADER_BYTES = 44
_WAV_MESSAGE_BYTES = 32 * 1024
_OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)  # it encodes no other
# Muxer, encoder and their options. FLAC without the 8 KiB of room for titles that would come first; Ogg pages of a
# fifth of a second instead of a whole one, so that a listener need not wait for the first. 40 kbit/s are more than
# speech needs to sound like the original.
_ENCODERS = {
    _FLAC: ("flac", "flac", {"metadata_header_padding": "0"}, {}),
    _OGG: ("ogg", "libopus", {"page_duration": "200000"}, {"b": "40000", "application": "audio"}),
}
_Spoken = AsyncGenerator[tts_pb2.SynthesizeResponse, None]


def is_file(container: audio_pb2.AudioContainer.ValueType) -> bool:
    """Whether a file is wanted, and not raw samples."""
    if container in {audio_pb2.AUDIO_CONTAINER_UNSPECIFIED, _RAW}:
        return False
    if container not in CONTAINERS:
        raise UnsupportedError("container: speech is written as raw PCM, WAV, FLAC or OGG (Opus)")
    return True


async def pack(spoken: _Spoken, container: audio_pb2.AudioContainer.ValueType, max_bytes: int) -> _Spoken:
    """The same as the bytes of a file. Span and offset of each message are those of the last audio in it.

    FLAC and OGG come as they are spoken. WAV comes when it is whole, for its header needs the length: so it alone is
    held to `max_bytes`.
    """
    if not is_file(container):
        packed = spoken
    elif container == _WAV:
        packed = _as_wav(spoken, max_bytes)
    else:
        packed = _encoded(spoken, container)
    async with aclosing(packed):
        async for response in packed:
            yield response


async def _as_wav(spoken: _Spoken, max_bytes: int) -> _Spoken:
    chunks: list[tts_pb2.AudioChunk] = []
    rate_hz = size = 0
    async with aclosing(spoken):
        async for response in spoken:
            if response.HasField("audio"):
                chunks.append(response.audio)
                size += len(response.audio.audio)
                if size + _WAV_HEADER_BYTES > max_bytes:
                    raise _too_large(max_bytes)
                continue
            if response.HasField("started"):
                rate_hz = response.started.audio_format.sample_rate_hz
            else:
                for chunk in _wav_chunks(chunks, _wav_header(rate_hz, size)):
                    yield tts_pb2.SynthesizeResponse(audio=chunk)
            yield response


def _wav_header(rate_hz: int, size: int) -> bytes:
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, rate_hz * BYTES_PER_SAMPLE, BYTES_PER_SAMPLE, 16)
    riff_size = _WAV_HEADER_BYTES - 8 + size
    return b"RIFF" + struct.pack("<I", riff_size) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)


def _wav_chunks(chunks: list[tts_pb2.AudioChunk], header: bytes) -> list[tts_pb2.AudioChunk]:
    """Few large messages in place of many small ones."""
    grouped = []
    waiting = bytearray(header)
    for chunk in chunks:
        waiting += chunk.audio
        if len(waiting) >= _WAV_MESSAGE_BYTES:
            grouped.append(_with_bytes(chunk, waiting))
            waiting.clear()
    if waiting:
        grouped.append(_with_bytes(chunks[-1] if chunks else tts_pb2.AudioChunk(), waiting))
    return grouped


def _with_bytes(chunk: tts_pb2.AudioChunk, content: bytes | bytearray) -> tts_pb2.AudioChunk:
    """What is known of the chunk, with other bytes."""
    return tts_pb2.AudioChunk(
        audio=bytes(content), offset_ms=chunk.offset_ms, span=chunk.span, backend=chunk.backend, piece=chunk.piece
    )


def _too_large(max_bytes: int) -> OutOfRangeError:
    return OutOfRangeError(
        f"container: the WAV file would be larger than {max_bytes} bytes; FLAC, OGG and raw PCM have no such limit, "
        "or send the text in parts",
        field="container",
    )


async def _encoded(spoken: _Spoken, container: audio_pb2.AudioContainer.ValueType) -> _Spoken:
    encoder: _Encoder | None = None
    last = tts_pb2.AudioChunk()
    async with aclosing(spoken):
        try:
            async for response in spoken:
                if response.HasField("started"):
                    encoder = _Encoder(container, response.started.audio_format.sample_rate_hz)
                    response.started.audio_format.sample_rate_hz = encoder.rate_hz
                    yield response
                    continue
                if encoder is None:
                    raise AssertionError("audio before the format")
                if response.HasField("audio"):
                    last = response.audio
                    encoder.push(last.audio)
                else:
                    encoder.close()
                if content := encoder.take():
                    yield tts_pb2.SynthesizeResponse(audio=_with_bytes(last, content))
                if response.HasField("finished"):
                    yield response
        finally:
            if encoder is not None:
                encoder.close()


class _Sink:
    """Where the muxer writes. That it has no `seek` tells the muxer to go only forwards."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, content: bytes) -> int:
        """More of the file."""
        self._content += content
        return len(content)

    def take(self) -> bytes:
        """What came since the last time."""
        content = bytes(self._content)
        self._content.clear()
        return content


class _Encoder:
    """A file that grows. Encoding a chunk takes a fraction of a millisecond, so it happens where the chunks come."""

    def __init__(self, container: audio_pb2.AudioContainer.ValueType, rate_hz: int) -> None:
        muxer, codec, muxer_options, codec_options = _ENCODERS[container]
        self.rate_hz = rate_hz if container == _FLAC else _opus_rate_hz(rate_hz)
        self._resampler = Resampler(rate_hz, self.rate_hz)
        self._sink = _Sink()
        self._samples = 0
        self._has_sound = False
        self._is_open = True
        self._file = av.open(self._sink, "w", format=muxer, options=muxer_options)
        stream = self._file.add_stream(codec, rate=self.rate_hz, layout="mono", options=codec_options)
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{codec} is no audio encoder")
        self._stream = stream
        self._file.start_encoding()  # now, for a file without any sound is a file too

    def push(self, audio: bytes) -> None:
        """More speech."""
        self._has_sound = True
        self._encode(audio, last=False)

    def take(self) -> bytes:
        """What has become of it so far."""
        return self._sink.take()

    def close(self) -> None:
        """Completes the file."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            # A little silence where nothing was said: an Ogg file without a packet is none.
            self._encode(b"" if self._has_sound else bytes(self.rate_hz // 50 * BYTES_PER_SAMPLE), last=True)
            for packet in self._stream.encode(None):
                self._file.mux(packet)
        finally:
            self._file.close()

    def _encode(self, audio: bytes, *, last: bool) -> None:
        samples = self._resampler.push(decode_pcm(audio, "audio"), last=last)
        if not samples.size:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[np.newaxis]), "s16", "mono")
        frame.sample_rate = self.rate_hz
        frame.pts = self._samples
        frame.time_base = Fraction(1, self.rate_hz)
        self._samples += samples.size
        for packet in self._stream.encode(frame):
            self._file.mux(packet)


def _opus_rate_hz(rate_hz: int) -> int:
    """The lowest that loses nothing."""
    return next(opus_hz for opus_hz in _OPUS_RATES_HZ if opus_hz >= rate_hz)
