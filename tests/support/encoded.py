"""Recordings in every container, made by PyAV's encoders. The tests' only user of it."""

import io
import struct

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

_SAMPLE_TYPES = {"flt": (np.float32, 1.0), "s16": (np.int16, 2.0**15 - 1), "s32": (np.int32, 2.0**31 - 1)}
_EXPERIMENTAL = {"vorbis": {"strict": "experimental"}}  # FFmpeg's own encoder; its decoder is an old hand


def encoded(wave: NDArray[np.float64], rate_hz: int, muxer: str, codec: str) -> bytes:
    """A file with this wave, from -1 to 1, of one or two channels (channels × samples)."""
    layout = {1: "mono", 2: "stereo"}[wave.shape[0]]
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout, options=_EXPERIMENTAL.get(codec, {}))
        assert isinstance(stream, AudioStream)
        sample_format = stream.codec_context.format
        dtype, scale = _SAMPLE_TYPES[sample_format.packed.name]
        samples = (wave * scale).astype(dtype)
        by_plane = samples if sample_format.is_planar else samples.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(by_plane), sample_format.name, layout)
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            if packet.size:  # FLAC's last only mends the header, which an OGG file does not take
                output.mux(packet)
    return file.getvalue()


def without_sound() -> bytes:
    """An MP4 file that only holds a picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()


def wav_file(frames: bytes, *, tag: int = 1, width: int = 16, channels: int = 1, rate_hz: int = 16_000) -> bytes:
    """A WAV file with this format tag; a header that lies where the arguments do."""
    frame_bytes = channels * width // 8
    header = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, width)
    chunks = b"fmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(frames)) + frames
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
