"""A recording at the pace of time."""

from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from client.audio.wav_source import WavSource, read_recording
from client.errors import CommandError
from services.common.audio import Recording, write_wav
from tests.fakes.clock import FakeClock

RATE_HZ = 8000
MESSAGE = 160  # samples in 20 ms


class Pace:
    """A clock that passes exactly when somebody sleeps."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.began_at = self.clock()

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def elapsed_s(self) -> float:
        return self.clock() - self.began_at


def source(samples: int, pace: Pace) -> WavSource:
    audio = np.arange(1, samples + 1, dtype=np.int16)
    return WavSource(Recording(audio, RATE_HZ), pace.clock, pace.sleep)


async def test_each_message_comes_when_its_last_sample_was_said() -> None:
    pace = Pace()
    async with aclosing(source(4 * MESSAGE, pace).messages()) as messages:
        moments = [pace.elapsed_s() for _ in range(4) if await anext(messages)]
    assert moments == pytest.approx([0.02, 0.04, 0.06, 0.08])


async def test_all_of_it_comes_then_silence() -> None:
    recording = source(2 * MESSAGE + 1, Pace())
    async with aclosing(recording.messages()) as messages:
        audio = [(await anext(messages)).audio for _ in range(2)]
        assert not recording.finished.is_set()
        audio += [(await anext(messages)).audio for _ in range(2)]
    assert recording.finished.is_set()
    assert {len(message) for message in audio} == {2 * MESSAGE}
    samples = np.frombuffer(b"".join(audio), np.int16)
    assert samples[: 2 * MESSAGE + 1].tolist() == list(range(1, 2 * MESSAGE + 2))
    assert not samples[2 * MESSAGE + 1 :].any()


async def test_a_short_delay_is_made_up_for() -> None:
    pace = Pace()
    async with aclosing(source(100 * MESSAGE, pace).messages()) as messages:
        await anext(messages)
        pace.clock.advance(0.5)
        for _ in range(40):
            await anext(messages)
    assert pace.elapsed_s() == pytest.approx(41 * 0.02)


async def test_after_a_long_delay_it_goes_on_from_now() -> None:
    pace = Pace()
    async with aclosing(source(100 * MESSAGE, pace).messages()) as messages:
        await anext(messages)
        pace.clock.advance(3600)
        woke_at_s = pace.elapsed_s()
        for _ in range(100):
            await anext(messages)
    assert pace.elapsed_s() - woke_at_s == pytest.approx(1.0, abs=0.03)  # two seconds of audio: one of them caught up


def test_a_recording_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with pytest.raises(CommandError, match=r"a\.wav cannot be read: No such file"):
        read_recording(path)
    path.write_bytes(b"RIFF")
    with pytest.raises(CommandError, match=r"not a WAV file.*; what can be spoken is a PCM WAV file"):
        read_recording(path)
    path.write_bytes(write_wav(Recording(np.zeros(0, np.int16), RATE_HZ)))
    with pytest.raises(CommandError, match="holds no audio"):
        read_recording(path)
    path.write_bytes(write_wav(Recording(np.zeros(10, np.int16), 96_000)))
    with pytest.raises(CommandError, match="96000 is not between 8000 and 48000 Hz"):
        read_recording(path)
