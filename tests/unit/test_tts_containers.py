"""services/tts/containers.py: what it writes is read by the ears' own reader, which is FFmpeg's."""

import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
import pytest

from services.common.audio import Samples, encode_pcm, read_wav
from services.common.errors import EngineFailedError, OutOfRangeError, UnsupportedError
from services.stt.container_kinds import container_of
from services.stt.containers import read_recording
from services.stt.engine import ENGINE_RATE_HZ
from services.tts.containers import CONTAINERS, is_file, pack
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2

RAW, WAV = audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_WAV
FLAC, OGG = audio_pb2.AUDIO_CONTAINER_FLAC, audio_pb2.AUDIO_CONTAINER_OGG
FILES = {"WAV": WAV, "FLAC": FLAC, "OGG": OGG}
CHUNK_MS = 30
Response = tts_pb2.SynthesizeResponse


def wave(rate_hz: int, chunks: int) -> Samples:
    """A tone that swells, so that its parts can be told from each other."""
    time_s = np.arange(rate_hz * CHUNK_MS // 1000 * chunks) / rate_hz
    swell = np.sin(2 * np.pi * 440 * time_s) * np.linspace(0.1, 0.5, time_s.size)
    return np.asarray(swell * 2**15, np.int16)


@dataclass
class Speaking:
    """Raw audio as the mouth speaks it, chunk after chunk; it remembers how far it was asked."""

    rate_hz: int = 22_050
    chunks: int = 100
    fails_after: int | None = None
    given: int = 0
    closed: bool = False

    async def spoken(self) -> AsyncGenerator[Response, None]:
        audio = encode_pcm(wave(self.rate_hz, self.chunks))
        step = self.rate_hz * CHUNK_MS // 1000 * 2
        try:
            yield Response(
                started=tts_pb2.SynthesisStarted(
                    audio_format=audio_pb2.AudioFormat(sample_rate_hz=self.rate_hz), backend="scripted"
                )
            )
            for number in range(self.chunks):
                if number == self.fails_after:
                    raise EngineFailedError("it broke")
                self.given = number + 1
                yield Response(
                    audio=tts_pb2.AudioChunk(
                        audio=audio[number * step : (number + 1) * step],
                        offset_ms=number * CHUNK_MS,
                        span=audio_pb2.TextSpan(start=number, end=number + 1),
                        backend="scripted",
                        piece=number // 10,
                    )
                )
            yield Response(finished=tts_pb2.SynthesisFinished(duration_ms=self.chunks * CHUNK_MS))
        finally:
            self.closed = True


@dataclass
class File:
    """What came, and how far the speaking was when each message came."""

    kinds: list[str | None] = field(default_factory=list)
    chunks: list[tts_pb2.AudioChunk] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    rate_hz: int = 0

    @property
    def content(self) -> bytes:
        return b"".join(chunk.audio for chunk in self.chunks)

    def samples(self, name: str) -> Samples:
        """All that is in it, as the ears hear it."""
        kind = container_of(self.content)
        assert kind is not None
        assert kind.value == name
        return read_recording(self.content, kind, 3600, threading.Event()).samples


async def packed(speaking: Speaking, name: str, max_bytes: int = 10**9, file: File | None = None) -> File:
    file = file or File()
    async for response in pack(speaking.spoken(), FILES[name], max_bytes):
        file.kinds.append(response.WhichOneof("event"))
        if response.HasField("audio"):
            file.chunks.append(response.audio)
            file.given.append(speaking.given)
        elif response.HasField("started"):
            file.rate_hz = response.started.audio_format.sample_rate_hz
    return file


def loudness(samples: Samples) -> list[float]:
    """Of each tenth of it."""
    return [float(np.sqrt(np.mean(part.astype(float) ** 2))) for part in np.array_split(samples, 10)]


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("name", FILES)
async def test_what_was_said_is_in_the_file(name: str, rate_hz: int) -> None:
    speaking = Speaking(rate_hz)
    file = await packed(speaking, name)
    assert file.kinds == ["started", *["audio"] * len(file.chunks), "finished"]
    heard = file.samples(name)
    said = wave(rate_hz, speaking.chunks)
    assert heard.size / ENGINE_RATE_HZ == pytest.approx(said.size / rate_hz, abs=0.03)
    assert loudness(heard) == pytest.approx(loudness(said), rel=0.1)
    assert speaking.closed


async def test_flac_loses_nothing() -> None:
    file = await packed(Speaking(ENGINE_RATE_HZ), "FLAC")
    assert np.array_equal(file.samples("FLAC"), wave(ENGINE_RATE_HZ, 100))


async def test_a_wav_file_s_header_tells_its_length() -> None:
    file = await packed(Speaking(22_050), "WAV")
    recording = read_wav(file.content, "file")
    assert np.array_equal(recording.samples, wave(22_050, 100))
    assert recording.sample_rate_hz == file.rate_hz == 22_050


@pytest.mark.parametrize(
    ("rate_hz", "written_hz"), [(8_000, 8_000), (11_025, 12_000), (22_050, 24_000), (44_100, 48_000)]
)
async def test_opus_is_told_the_rate_that_it_has(rate_hz: int, written_hz: int) -> None:
    assert (await packed(Speaking(rate_hz, 2), "OGG")).rate_hz == written_hz
    assert (await packed(Speaking(rate_hz, 2), "FLAC")).rate_hz == rate_hz


@pytest.mark.parametrize("name", ["FLAC", "OGG"])
async def test_it_comes_as_it_is_spoken_and_tells_how_far_that_is(name: str) -> None:
    file = await packed(Speaking(), name)
    assert file.given[0] == 1
    assert len(file.chunks[0].audio) < 200  # no room for titles that nobody writes
    assert len(file.chunks) >= 10
    for chunk, given in zip(file.chunks, file.given, strict=True):
        assert (chunk.span.start, chunk.span.end, chunk.piece) == (given - 1, given, (given - 1) // 10)
        assert chunk.offset_ms == (given - 1) * CHUNK_MS
        assert chunk.backend == "scripted"
    # What lies in the encoder is less than half a second.
    assert all(later - earlier < 16 for earlier, later in zip(file.given, file.given[1:], strict=False))


async def test_the_messages_of_a_wav_file_tell_what_they_hold() -> None:
    file = await packed(Speaking(), "WAV")
    assert file.given == [100] * len(file.chunks)
    assert [len(chunk.audio) // 1024 for chunk in file.chunks[:-1]] == [32] * (len(file.chunks) - 1)
    size = 0
    for chunk in file.chunks:
        size += len(chunk.audio)
        assert (size - 44) // 2 / 22_050 * 1000 == pytest.approx(chunk.offset_ms + CHUNK_MS, rel=0.01)
        assert chunk.span.end * CHUNK_MS == chunk.offset_ms + CHUNK_MS


@pytest.mark.parametrize("name", FILES)
async def test_where_there_was_nothing_to_say_the_file_is_silent_and_whole(name: str) -> None:
    file = await packed(Speaking(chunks=0), name)
    assert np.abs(file.samples(name)).max(initial=0) < 5  # dither
    assert file.samples(name).size < ENGINE_RATE_HZ * 0.05


async def test_a_wav_file_that_grows_too_large_says_what_else_there_is() -> None:
    speaking = Speaking(22_050)
    size = len((await packed(speaking, "WAV")).content)
    assert await packed(Speaking(22_050), "WAV", size)
    with pytest.raises(OutOfRangeError, match="FLAC, OGG and raw PCM have no such limit") as caught:
        await packed(speaking, "WAV", size - 1)
    assert caught.value.field == "container"
    assert speaking.closed


@pytest.mark.parametrize("name", ["FLAC", "OGG"])
async def test_the_others_are_held_to_no_size(name: str) -> None:
    assert len((await packed(Speaking(), name, max_bytes=10)).content) > 10_000


@pytest.mark.parametrize("name", FILES)
async def test_an_error_comes_through_and_what_was_said_before_it_can_be_heard(name: str) -> None:
    speaking = Speaking(fails_after=50)
    file = File()
    with pytest.raises(EngineFailedError):
        await packed(speaking, name, file=file)
    assert speaking.closed
    if name == "WAV":
        assert file.content == b""
    else:
        assert 1.0 < file.samples(name).size / ENGINE_RATE_HZ <= 1.5


@pytest.mark.parametrize("name", FILES)
async def test_who_reads_no_further_ends_the_speaking(name: str) -> None:
    speaking = Speaking()
    async with aclosing(pack(speaking.spoken(), FILES[name], 10**9)) as file:
        await anext(file)
    assert speaking.closed
    assert speaking.given == 0


@pytest.mark.parametrize("container", [RAW, audio_pb2.AUDIO_CONTAINER_UNSPECIFIED])
async def test_raw_audio_passes_as_it_is(container: audio_pb2.AudioContainer.ValueType) -> None:
    assert not is_file(container)
    plain = [response async for response in Speaking().spoken()]
    assert [response async for response in pack(Speaking().spoken(), container, 0)] == plain


@pytest.mark.parametrize("container", [audio_pb2.AUDIO_CONTAINER_MP3, audio_pb2.AUDIO_CONTAINER_M4A])
def test_others_are_not_written(container: audio_pb2.AudioContainer.ValueType) -> None:
    with pytest.raises(UnsupportedError, match="WAV, FLAC or OGG"):
        is_file(container)


def test_all_that_it_names_it_writes() -> None:
    assert [is_file(container) for container in CONTAINERS] == [False, True, True, True]
