"""services/stt/audio_check.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.audio import Recording, Samples
from services.stt.audio_check import AudioCheck, AudioQuality, checked

RATE_HZ = 16_000


def tone(amplitude: float, offset: float = 0.0, seconds: float = 1.0, pitch_hz: float = 100.0) -> Samples:
    wave = amplitude * np.sin(2 * np.pi * pitch_hz * np.arange(int(RATE_HZ * seconds)) / RATE_HZ) + offset
    clipped: Samples = np.clip(np.rint(wave * 2**15), -(2**15), 2**15 - 1).astype(np.int16)
    return clipped


def in_pieces(samples: Samples, cuts: list[int] | None = None) -> tuple[Samples, AudioQuality]:
    check = AudioCheck(RATE_HZ)
    pieces = [check.push(piece) for piece in np.split(samples, cuts or [])]
    return np.concatenate(pieces), check.quality


# --- what is told


def test_nothing_and_silence() -> None:
    nothing = AudioQuality(0, 0.0, -120.0, -120.0)
    assert AudioCheck(RATE_HZ).quality == nothing
    assert in_pieces(np.zeros(0, np.int16))[1] == nothing
    assert in_pieces(np.zeros(5000, np.int16))[1] == nothing


def test_the_level() -> None:
    quality = in_pieces(tone(0.5))[1]
    assert quality.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert quality.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert quality.dc_offset == pytest.approx(0, abs=1e-6)
    assert quality.clipped_samples == 0


def test_the_offset_is_no_level() -> None:
    quality = in_pieces(tone(0.01, offset=-0.25))[1]
    assert quality.dc_offset == pytest.approx(-0.25, abs=1e-4)
    assert quality.rms_dbfs == pytest.approx(-43.01, abs=0.05)


def test_the_lowest_sample_is_full_scale() -> None:
    assert in_pieces(np.array([0, -(2**15), 0], np.int16))[1].peak_dbfs == 0


@pytest.mark.parametrize(
    ("samples", "clipped"),
    [
        ([32767] * 2, 0),  # a true peak
        ([32767] * 3, 3),
        ([-32768] * 4, 4),
        ([32767, 32767, -32768, -32768], 0),
        ([32766] * 50, 0),
        ([32767] * 3 + [0] + [-32768] * 5 + [0] * 7 + [32767] * 2, 8),
    ],
)
@pytest.mark.parametrize("piece", [100, 1, 2, 3])
def test_what_is_clipped(samples: list[int], clipped: int, piece: int) -> None:
    whole = np.array(samples, np.int16)
    assert in_pieces(whole, list(range(piece, whole.size, piece)))[1].clipped_samples == clipped


# --- what is changed


@pytest.mark.parametrize("offset", [0.0, 0.1, -0.3])
def test_an_offset_is_taken_out_without_a_thump_at_the_start(offset: float) -> None:
    out, _ = in_pieces(tone(0.0, offset))
    assert np.abs(out).max() <= 1


def test_an_offset_that_comes_later_is_gone_within_a_fifth_of_a_second() -> None:
    out, _ = in_pieces(np.concatenate([tone(0.0), tone(0.0, 0.2)]))
    assert np.abs(out[RATE_HZ + RATE_HZ // 5 :]).max() <= 1


@pytest.mark.parametrize("pitch_hz", [80, 440, 7000])
def test_voices_are_left_as_they_are(pitch_hz: float) -> None:
    sound = tone(0.5, pitch_hz=pitch_hz)
    out, _ = in_pieces(tone(0.5, 0.1, pitch_hz=pitch_hz))
    later = slice(RATE_HZ // 4, None)
    ratio = np.std(out[later].astype(float)) / np.std(sound[later].astype(float))
    assert ratio == pytest.approx(1, abs=0.05)


def test_full_scale_does_not_wrap_around() -> None:
    square = np.where(np.arange(4000) // 200 % 2, 32767, -32768).astype(np.int16)
    out, _ = in_pieces(square)
    assert np.all(out[square > 0][1:] > 0)
    assert np.all(out[square < 0][1:] < 0)


@given(st.lists(st.integers(0, 4000), max_size=8), st.sampled_from([8_000, 16_000, 48_000]))
def test_where_it_is_cut_does_not_matter(cuts: list[int], rate_hz: int) -> None:
    noise = (np.random.default_rng(3).standard_normal(4000) * 20_000).clip(-32768, 32767).astype(np.int16)
    whole, pieces = AudioCheck(rate_hz), AudioCheck(rate_hz)
    first = noise[:500]  # whose mean is the beginning of both
    expected = np.concatenate([whole.push(first), whole.push(noise[500:])])
    got = np.concatenate([pieces.push(first), *map(pieces.push, np.split(noise[500:], sorted(cuts)))])
    assert np.abs(got.astype(int) - expected).max() <= 1
    assert pieces.quality.clipped_samples == whole.quality.clipped_samples
    assert pieces.quality.rms_dbfs == pytest.approx(whole.quality.rms_dbfs)


@pytest.mark.parametrize("seconds", [0.0, 0.3, 5.0])
def test_a_whole_recording(seconds: float) -> None:
    recording = Recording(tone(0.5, 0.1, seconds), RATE_HZ)
    result, quality = checked(recording)
    assert result.samples.size == recording.samples.size
    assert result.sample_rate_hz == RATE_HZ
    if seconds:
        assert abs(float(result.samples.mean())) < 150  # of 3277
        assert quality.dc_offset == pytest.approx(0.1, abs=1e-3)
