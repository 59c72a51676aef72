"""services/stt/containers.py, container_kinds.py and what wire.py makes of them: real files of every kind."""

import functools
import struct
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.common.audio import Recording, Samples, encode_pcm, read_wav, write_wav
from services.common.errors import CallAbortedError, CallError, InvalidInputError, OutOfRangeError
from services.common.settings import ServerSettings
from services.stt.config import SttSection
from services.stt.container_kinds import Container, container_of
from services.stt.containers import read_recording
from services.stt.wire import CONTAINERS, to_recording
from superwhisper.common.v1 import audio_pb2
from tests.support.encoded import encoded, wav_file, without_sound
from tests.support.shared_data import REPOSITORY, shared_data

NEVER = threading.Event()  # nobody stops the reading
LIMIT_S = 60.0
# muxer and codec
FILES = {
    "wav 16": (Container.WAV, "wav", "pcm_s16le"),
    "wav 24, extensible": (Container.WAV, "wav", "pcm_s24le"),
    "wav 32": (Container.WAV, "wav", "pcm_s32le"),
    "wav float": (Container.WAV, "wav", "pcm_f32le"),
    "wav µ-law": (Container.WAV, "wav", "pcm_mulaw"),
    "flac": (Container.FLAC, "flac", "flac"),
    "ogg opus": (Container.OGG, "ogg", "libopus"),
    "ogg vorbis": (Container.OGG, "ogg", "vorbis"),
    "ogg flac": (Container.OGG, "ogg", "flac"),
    "mp3": (Container.MP3, "mp3", "libmp3lame"),
    "m4a aac": (Container.M4A, "ipod", "aac"),
    "m4a alac": (Container.M4A, "ipod", "alac"),
}
ONE_OF_EACH = ("wav 16", "flac", "ogg opus", "mp3", "m4a aac")


def tone(rate_hz: int, seconds: float, pitch_hz: float = 440.0) -> np.ndarray:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    wave: np.ndarray = 0.5 * np.sin(2 * np.pi * pitch_hz * time_s)
    return wave


@functools.cache
def file_of(kind: str, seconds: float = 1.0, rate_hz: int = 48_000) -> bytes:
    _, muxer, codec = FILES[kind]
    return encoded(np.stack([tone(rate_hz, seconds)] * 2), rate_hz, muxer, codec)


def read(content: bytes, container: Container | None = None, limit_s: float = LIMIT_S) -> Samples:
    found = container or container_of(content)
    assert found is not None
    recording = read_recording(content, found, limit_s, threading.Event())
    assert recording.sample_rate_hz == 16_000
    assert recording.samples.dtype == np.int16
    return recording.samples


def loudest_pitch_hz(samples: Samples) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * 16_000 / samples.size)


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_is_found_out_and_sounds_right(kind: str) -> None:
    content = file_of(kind)
    assert container_of(content) is FILES[kind][0]
    samples = read(content)
    assert samples.size == pytest.approx(16_000, abs=500)  # coders pad
    assert loudest_pitch_hz(samples) == pytest.approx(440, abs=2)
    assert np.abs(samples[4_000:12_000].astype(int)).max() == pytest.approx(2**14, rel=0.1)


@pytest.mark.parametrize("kind", ["wav 16", "flac", "m4a alac"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 96_000])
def test_every_rate_is_resampled(kind: str, rate_hz: int) -> None:
    samples = read(file_of(kind, 1.0, rate_hz))
    assert samples.size == pytest.approx(16_000, abs=2)
    assert loudest_pitch_hz(samples) == pytest.approx(440, abs=2)


def test_a_plain_wav_file_is_read_to_the_bit() -> None:
    samples = np.random.default_rng(7).integers(-(2**15), 2**15, 50_000).astype(np.int16)
    assert np.array_equal(read(write_wav(Recording(samples, 16_000))), samples)


def test_channels_are_mixed_down() -> None:
    frames = np.array([[100, 300, 200], [-(2**15), -(2**15), -(2**15)], [2**15 - 1, -(2**15 - 1), 0]], np.int16)
    assert read(wav_file(frames.tobytes(), channels=3)).tolist() == [200, -(2**15), 0]


def test_bytes_are_unsigned() -> None:
    assert read(wav_file(bytes([0, 128, 255]), width=8)).tolist() == [-(2**15), 0, 127 * 2**8]


def test_doubles_are_read_and_too_loud_floats_clipped() -> None:
    wave = np.array([0.0, 0.5, -0.5, 1.0, 7.0, -3e38])
    expected = [0, 2**14, -(2**14), 2**15 - 1, 2**15 - 1, -(2**15)]
    assert read(wav_file(wave.astype("<f8").tobytes(), tag=3, width=64)).tolist() == expected
    assert read(wav_file(wave.astype("<f4").tobytes(), tag=3, width=32)).tolist() == expected


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_numbers_are_refused(wrong: float) -> None:
    wave = np.zeros(1000, "<f4")
    wave[500] = wrong
    with pytest.raises(InvalidInputError, match="not numbers"):
        read(wav_file(wave.tobytes(), tag=3, width=32))


@pytest.mark.parametrize("kind", ["ogg opus", "mp3", "flac"])
def test_a_stream_that_was_cut_gives_what_it_holds(kind: str) -> None:
    content = file_of(kind, 4.0)
    samples = read(content[: len(content) // 2])
    assert 16_000 < samples.size < 48_000
    assert loudest_pitch_hz(samples) == pytest.approx(440, abs=2)


def test_joined_files_are_read_to_the_end() -> None:
    joined = encoded(np.stack([tone(44_100, 1.0)]), 44_100, "mp3", "libmp3lame") + file_of("mp3")
    assert read(joined).size == pytest.approx(32_000, abs=3_000)


def test_an_mp3_behind_a_tag_or_other_bytes() -> None:
    plain = encoded(tone(16_000, 1.0)[None], 16_000, "mp3", "libmp3lame")
    tagged = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256) + plain
    assert container_of(tagged) is Container.MP3
    assert read(tagged).size == pytest.approx(16_000, abs=3_000)
    assert read(b"\x12" * 300 + plain, Container.MP3).size == pytest.approx(16_000, abs=3_000)


def test_samples_are_no_mp3_although_they_begin_like_one() -> None:
    assert container_of(b"\xff\xfb\x90\x00" + bytes(4000)) is None


def test_a_wav_file_without_samples_is_silence() -> None:
    assert read(wav_file(b"")).size == 0


# --- refused

_GOOD = wav_file(bytes(2000))


def _changed(at: int, value: bytes) -> bytes:
    return _GOOD[:at] + value + _GOOD[at + len(value) :]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_GOOD[:12], id="nothing but the mark"),
        pytest.param(_GOOD[:30], id="half a header"),
        pytest.param(_GOOD[:-1], id="cut short"),
        pytest.param(_changed(40, b"\xff\xff\xff\xff"), id="more promised than follows"),
        pytest.param(_changed(16, b"\xff\xff\xff\x7f"), id="an endless format chunk"),
        pytest.param(_changed(32, b"\x04"), id="frames longer than their samples"),
        pytest.param(_changed(22, b"\x00"), id="no channels"),
        pytest.param(_changed(22, b"\xff"), id="255 channels"),
        pytest.param(_changed(24, b"\x00" * 4), id="0 Hz"),
        pytest.param(_changed(24, struct.pack("<I", 4_000)), id="4 kHz"),
        pytest.param(_changed(24, b"\xff\xff\xff\x7f"), id="2 GHz"),
        pytest.param(_changed(20, b"\x11"), id="ADPCM"),
        pytest.param(_changed(34, b"\x0c"), id="12 bits"),
        pytest.param(wav_file(bytes(2001)), id="odd bytes"),
        pytest.param(b"RIFF" + bytes(4) + b"AVI " + bytes(500), id="a video"),
        pytest.param(b"fLaC" + bytes(500), id="a FLAC file without a stream"),
        pytest.param(b"OggS" + bytes(500), id="an empty OGG page"),
        pytest.param(b"\x00\x00\x00\x18ftypM4A " + bytes(500), id="an M4A file without tracks"),
        pytest.param(b"ID3\x04\x00\x00\x00\x00\x00\x10" + b"no frames" * 100, id="a tag and text"),
        pytest.param(without_sound(), id="a picture without sound"),
        pytest.param(file_of("m4a aac")[:3000], id="an M4A file without its end, where its tables are"),
    ],
)
def test_what_is_no_recording_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError) as caught:
        to_recording(content, audio_pb2.AUDIO_CONTAINER_UNSPECIFIED, audio_pb2.AudioFormat(), _settings(), NEVER)
    assert caught.value.field == "audio"


def _settings(limit_s: float = LIMIT_S) -> SttSection:
    return SttSection(
        server=ServerSettings.model_validate({"port": 1, "metrics_port": 0}), engines=(), max_recording_s=limit_s
    )


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_longer_than_the_limit(kind: str) -> None:
    content = file_of(kind, 4.0)
    assert read(content, limit_s=4.5).size >= 63_000
    with pytest.raises(OutOfRangeError, match="longer than 2 s"):
        read(content, limit_s=2)


def test_a_small_file_that_holds_hours_is_not_unpacked() -> None:
    hours = encoded(np.zeros((1, 3 * 3600 * 8_000)), 8_000, "flac", "flac")
    assert len(hours) < 3 * 2**20
    tracemalloc.start()
    with pytest.raises(OutOfRangeError):
        read(hours, limit_s=60)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20  # of 345 MB


def test_tables_that_claim_millions_of_packets_are_refused() -> None:
    content = bytearray(file_of("m4a alac"))
    table = content.index(b"stsz")
    struct.pack_into(">II", content, table + 8, 1, 50_000_000)
    with pytest.raises(InvalidInputError, match="claims to hold 50000000 packets"):
        read(bytes(content))


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_it_stops_when_nobody_waits(kind: str) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CallAbortedError):
        read_recording(file_of(kind), FILES[kind][0], LIMIT_S, stop)


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_broken_bytes_never_break_the_reader(kind: str) -> None:
    whole = file_of(kind)
    stop = threading.Event()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(whole)), st.binary(min_size=1, max_size=40), st.integers(0, len(whole)))
    def break_it(at: int, wrong: bytes, keep: int) -> None:
        content = (whole[:at] + wrong + whole[at + len(wrong) :])[:keep]
        try:
            samples = read_recording(content, FILES[kind][0], 5.0, stop).samples
        except CallError as error:
            assert isinstance(error, InvalidInputError | OutOfRangeError)  # noqa: PT017  # samples are fine too
        else:
            assert samples.size <= 5 * 16_000

    break_it()


# --- what was declared

AudioContainer = audio_pb2.AudioContainer
NO_FORMAT = audio_pb2.AudioFormat()
AT_16_KHZ = audio_pb2.AudioFormat(sample_rate_hz=16_000)


def test_all_containers_are_published() -> None:
    assert set(CONTAINERS) == set(AudioContainer.values()) - {audio_pb2.AUDIO_CONTAINER_UNSPECIFIED}


@pytest.mark.parametrize("kind", ONE_OF_EACH)
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("format_given", [NO_FORMAT, AT_16_KHZ], ids=["no format", "a format that does not matter"])
def test_declared_or_found_out(kind: str, declared: bool, format_given: audio_pb2.AudioFormat) -> None:
    container = AudioContainer.Value(f"AUDIO_CONTAINER_{FILES[kind][0].value if declared else 'UNSPECIFIED'}")
    recording = to_recording(file_of(kind), container, format_given, _settings(), NEVER)
    assert loudest_pitch_hz(recording.samples) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("container", [audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_UNSPECIFIED])
@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.arange(-50, 50, dtype=np.int16)], ids=["none", "some"])
def test_raw_samples(container: audio_pb2.AudioContainer.ValueType, samples: Samples) -> None:
    recording = to_recording(encode_pcm(samples), container, AT_16_KHZ, _settings(), NEVER)
    assert np.array_equal(recording.samples, samples)


@pytest.mark.parametrize(
    ("content", "container", "declared", "field"),
    [
        (b"", "UNSPECIFIED", NO_FORMAT, "audio"),
        (b"", "FLAC", NO_FORMAT, "audio"),
        (b"Dear diary, today nobody spoke to me.", "UNSPECIFIED", NO_FORMAT, "audio"),
        (b"Dear diary, today nobody spoke to me." * 50, "MP3", NO_FORMAT, "audio"),
        (b"Dear diary", "WAV", AT_16_KHZ, "audio"),
        (file_of("flac"), "MP3", NO_FORMAT, "container"),
        (file_of("mp3"), "WAV", NO_FORMAT, "container"),
        (file_of("wav 16"), "RAW", AT_16_KHZ, "container"),
        (bytes(10), "RAW", NO_FORMAT, "audio_format.sample_rate_hz"),
        (bytes(11), "RAW", AT_16_KHZ, "audio"),
    ],
)
def test_what_was_declared_wrong_is_named(
    content: bytes, container: str, declared: audio_pb2.AudioFormat, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        to_recording(content, AudioContainer.Value(f"AUDIO_CONTAINER_{container}"), declared, _settings(), NEVER)
    assert caught.value.field == field


def test_a_container_that_nobody_knows() -> None:
    with pytest.raises(InvalidInputError) as caught:
        to_recording(b"OggS", 99, NO_FORMAT, _settings(), NEVER)  # type: ignore[arg-type]  # what a newer caller may send
    assert caught.value.field == "container"


def test_raw_samples_beyond_the_limit() -> None:
    with pytest.raises(OutOfRangeError):
        to_recording(bytes(16_000 * 4 + 2), audio_pb2.AUDIO_CONTAINER_RAW, AT_16_KHZ, _settings(limit_s=2), NEVER)


# --- real recordings


def test_the_question_of_the_client() -> None:
    content = (REPOSITORY / "client/assets/question-en.wav").read_bytes()
    assert np.array_equal(read(content), read_wav(content, "question").samples)


def test_people_in_ogg_files() -> None:
    files = sorted(shared_data("speech/fleurs-fr").glob("*.ogg"))
    assert len(files) > 0
    for path in files:
        assert 2 * 16_000 < read(path.read_bytes()).size < 40 * 16_000
