"""services/common/audio.py."""

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.audio import (
    Recording,
    Resampler,
    Samples,
    check_rate,
    decode_pcm,
    encode_pcm,
    read_wav,
    resample,
    write_wav,
)
from services.common.errors import InvalidInputError

_samples = st.lists(st.integers(-32768, 32767), max_size=50).map(lambda values: np.array(values, np.int16))
_PCM_SUBFORMAT = bytes.fromhex("0100000000001000800000aa00389b71")
_FLOAT_SUBFORMAT = bytes.fromhex("0300000000001000800000aa00389b71")


def _wav(frames: bytes, *, width: int = 2, channels: int = 1, rate_hz: int = 16_000) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(frames)
    return content.getvalue()


def _extensible_wav(frames: bytes, subformat: bytes, *, width: int, channels: int) -> bytes:
    """As ffmpeg writes whatever has more than 16 bits or more than two channels."""
    header = struct.pack("<HHIIHH", 0xFFFE, channels, 16_000, 16_000 * width * channels, width * channels, 8 * width)
    header += struct.pack("<HHI", 22, 8 * width, 0) + subformat
    chunks = b"fmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(frames)) + frames
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _tone(rate_hz: int, seconds: float = 0.5, pitch_hz: float = 440) -> Recording:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return Recording((np.sin(2 * np.pi * pitch_hz * time_s) * 20_000).astype(np.int16), rate_hz)


@given(_samples)
def test_pcm_round_trip(samples: Samples) -> None:
    assert np.array_equal(decode_pcm(encode_pcm(samples), "audio"), samples)


def test_pcm_is_little_endian() -> None:
    assert decode_pcm(b"\x01\x00\xff\x7f\x00\x80", "audio").tolist() == [1, 32767, -32768]


def test_an_odd_number_of_bytes_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"^audio: 3 bytes") as caught:
        decode_pcm(b"abc", "audio")
    assert caught.value.field == "audio"


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_rates(rate_hz: int) -> None:
    assert check_rate(rate_hz, "rate") == rate_hz


@pytest.mark.parametrize("rate_hz", [-1, 0, 7_999, 48_001, 2**31 - 1])
def test_impossible_rates(rate_hz: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_rate(rate_hz, "audio_format.sample_rate_hz")
    assert caught.value.field == "audio_format.sample_rate_hz"


# WAV files


@given(_samples, st.sampled_from([8_000, 22_050, 48_000]))
def test_wav_round_trip(samples: Samples, rate_hz: int) -> None:
    recording = read_wav(write_wav(Recording(samples, rate_hz)), "audio")
    assert np.array_equal(recording.samples, samples)
    assert recording.sample_rate_hz == rate_hz


def test_duration() -> None:
    assert _tone(16_000, 0.5).duration_ms == 500


@pytest.mark.parametrize(
    ("width", "frames", "expected"),
    [
        (1, bytes([0, 128, 255]), [-32768, 0, 32512]),
        (2, struct.pack("<3h", -32768, 0, 32767), [-32768, 0, 32767]),
        (3, b"\x00\x00\x80" + b"\xff\x00\x00" + b"\xff\xff\x7f", [-32768, 0, 32767]),
        (4, struct.pack("<3i", -(2**31), 0, 2**31 - 1), [-32768, 0, 32767]),
    ],
)
def test_every_width_of_samples(width: int, frames: bytes, expected: list[int]) -> None:
    assert read_wav(_wav(frames, width=width), "audio").samples.tolist() == expected


@pytest.mark.parametrize("width", [2, 3])
def test_an_extensible_header_reads_like_a_plain_one(width: int) -> None:
    frames = bytes(range(width * 2 * 4))
    extensible = read_wav(_extensible_wav(frames, _PCM_SUBFORMAT, width=width, channels=2), "audio")
    plain = read_wav(_wav(frames, width=width, channels=2), "audio")
    assert np.array_equal(extensible.samples, plain.samples)
    assert extensible.samples.size == 4


def test_channels_are_mixed_down() -> None:
    frames = struct.pack("<6h", 100, 300, -32768, -32768, 32767, -32767)
    assert read_wav(_wav(frames, channels=2), "audio").samples.tolist() == [200, -32768, 0]


def test_a_file_without_samples_is_silence() -> None:
    assert read_wav(_wav(b""), "audio").samples.size == 0


def _lying() -> bytes:
    content = bytearray(_wav(b"\x00\x01" * 100))
    content[40:44] = struct.pack("<I", 1_000_000)  # the data chunk's length
    return bytes(content)


_GOOD = _wav(b"\x00\x01" * 100)
_FLOAT = _GOOD[:20] + b"\x03\x00" + _GOOD[22:]  # the format tag of IEEE floats


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"RIFF", id="the beginning of a header"),
        pytest.param(_GOOD[:30], id="half a header"),
        pytest.param(_GOOD[:-10], id="cut short"),
        pytest.param(_lying(), id="a header that promises more"),
        pytest.param(b"ID3\x04" + bytes(500), id="an MP3"),
        pytest.param(bytes(1000), id="zeros"),
        pytest.param(_FLOAT, id="floats"),
        pytest.param(_extensible_wav(bytes(16), _FLOAT_SUBFORMAT, width=4, channels=1), id="extensible floats"),
        pytest.param(_wav(b"\x00\x01", rate_hz=4_000), id="4 kHz"),
        pytest.param(_wav(b"\x00\x01", rate_hz=192_000), id="192 kHz"),
    ],
)
def test_what_is_no_wav_file_for_us(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"^audio: ") as caught:
        read_wav(content, "audio")
    assert caught.value.field.startswith("audio")


@given(st.integers(0, 60), st.binary(min_size=1, max_size=8), st.integers(0, 244))
def test_a_broken_file_is_read_or_refused_but_never_breaks_the_reader(at: int, wrong: bytes, keep: int) -> None:
    content = (_GOOD[:at] + wrong + _GOOD[at + len(wrong) :])[:keep]
    try:
        recording = read_wav(content, "audio")
    except InvalidInputError:
        return
    assert recording.samples.dtype == np.int16
    assert recording.samples.size <= len(content)


# Resampling


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 16_000), (8_000, 16_000), (22_050, 16_000), (44_100, 48_000)])
def test_a_stream_resampled_in_pieces_has_no_seams(from_hz: int, to_hz: int) -> None:
    tone = _tone(from_hz)
    whole = resample(tone, to_hz)
    assert whole.sample_rate_hz == to_hz
    assert whole.samples.size == pytest.approx(to_hz * 0.5, abs=2)
    resampler = Resampler(from_hz, to_hz)
    pieces = np.split(tone.samples, [1, 2, 100, 101, 3000, 3001, 3500])
    joined = np.concatenate([resampler.push(piece) for piece in pieces] + [resampler.push(tone.samples[:0], last=True)])
    assert joined.size == whole.samples.size
    assert np.abs(joined.astype(int) - whole.samples).max() <= 2  # rounding


def test_resampling_keeps_the_sound() -> None:
    resampled = resample(_tone(48_000), 16_000).samples.astype(int)
    expected = _tone(16_000).samples.astype(int)[: resampled.size]
    middle = slice(500, -500)  # the ends ring
    assert np.abs(resampled[middle] - expected[middle]).max() < 200


def test_the_same_rate_changes_nothing() -> None:
    tone = _tone(16_000)
    assert np.array_equal(resample(tone, 16_000).samples, tone.samples)


def test_an_empty_recording_can_be_resampled() -> None:
    assert resample(Recording(np.zeros(0, np.int16), 8_000), 16_000).samples.size == 0
