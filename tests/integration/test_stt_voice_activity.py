"""The real voice detector on people's speech with noise and in rooms, and on noise alone: a part of the measurements.

The whole of them: `python -m tests.bench.voice_activity`, and docs/turns.md.
"""

from pathlib import Path

import numpy as np
import pytest

from services.stt.endpointing import Endpointing
from services.stt.engine import ENGINE_RATE_HZ, FRAME_SAMPLES
from services.stt.onnx_model import OnnxModel
from services.stt.vad import SileroDetector, load_silero
from tests.bench.voice_activity import Result, judged, noise_of, summary
from tests.support import rooms
from tests.support.rooms import Clip, Wave
from tests.support.shared_data import REPOSITORY, shared_data
from tests.support.turns import spans

QUESTION = REPOSITORY / "client/assets/question-en.wav"


@pytest.fixture(scope="module")
def silero() -> OnnxModel:
    return load_silero()


@pytest.fixture
def shared() -> Path:
    shared_data("noise"), shared_data("rir")
    return shared_data("speech/fr-commands").parents[1]


async def heard(clip: Clip, silero: OnnxModel) -> Result:
    return judged(clip, await spans(rooms.pcm(clip.wave), Endpointing(), silero))


def some_commands(shared: Path) -> list[Clip]:
    clips = [*rooms.commands(shared, "fr")[::3], *rooms.commands(shared, "en")[::3]]
    return [rooms.levelled(rooms.with_silence(clip, 1, 1.5)) for clip in clips]


@pytest.mark.parametrize("snr_db", [20, 10, 5])
async def test_every_command_is_found_in_the_noise_of_a_house(snr_db: int, shared: Path, silero: OnnxModel) -> None:
    noise = rooms.read(shared / "noise/background_noise.wav")
    clips = some_commands(shared)
    figures = summary([await heard(rooms.noisy(clip, noise, snr_db, seed), silero) for seed, clip in enumerate(clips)])
    assert figures["found"] == 100
    assert figures["within 100"] >= 80
    assert figures["clipped"] <= 7  # one of 16
    assert figures["strays"] <= 1


@pytest.mark.parametrize("response", ["rir1", "rir2", "rir3", "rir4"])
async def test_every_command_is_found_in_a_room(response: str, shared: Path, silero: OnnxModel) -> None:
    room = rooms.room_response(shared / f"rir/{response}.wav")
    noise = rooms.read(shared / "noise/background_noise.wav")
    clips = [rooms.levelled(rooms.in_room(clip, room)) for clip in some_commands(shared)]
    figures = summary([await heard(rooms.noisy(clip, noise, 10, seed), silero) for seed, clip in enumerate(clips)])
    assert figures["found"] >= 93  # one of 16
    assert figures["within 100"] >= 70
    assert figures["clipped"] <= 14


async def test_every_command_is_found_among_voices(shared: Path, silero: OnnxModel) -> None:
    noise = rooms.read(shared / "noise/coffee-shop.wav")
    for seed, clip in enumerate(some_commands(shared)):
        assert (await heard(rooms.noisy(clip, noise, 5, seed), silero)).found, clip.name


async def test_a_noise_is_not_speech(shared: Path, silero: OnnxModel) -> None:
    """At four levels. Of the coffee shop nothing is said: there are voices in it."""
    noise = rooms.read(shared / "noise/background_noise.wav")
    await _assert_nobody_speaks({"background_noise": noise}, 60, silero)


async def test_hiss_silence_and_clicks_are_not_speech(silero: OnnxModel) -> None:
    await _assert_nobody_speaks({}, 60, silero)


async def _assert_nobody_speaks(noises: dict[str, Wave], seconds: int, silero: OnnxModel) -> None:
    for name, wave in noise_of(noises, seconds):
        assert await spans(rooms.pcm(wave), Endpointing(), silero) == [], name


async def test_a_question_is_found_in_hiss(silero: OnnxModel) -> None:
    """The repository's own recording, so that something is measured everywhere."""
    clip = rooms.levelled(rooms.with_silence(rooms.clip("question", rooms.read(QUESTION)), 1, 1.5))
    hiss = np.random.default_rng(2).standard_normal(ENGINE_RATE_HZ)
    for snr_db in (20, 10):
        result = await heard(rooms.noisy(clip, hiss, snr_db, seed=1), silero)
        assert result.found
        assert abs(result.error_ms) <= 100
        assert not result.clipped
        assert result.strays == 0


def test_frames_are_heard_the_same_one_by_one_and_together(silero: OnnxModel) -> None:
    samples = rooms.pcm(rooms.read(QUESTION))
    frames = list(samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))
    together = SileroDetector(silero).probabilities(frames)
    one_by_one = SileroDetector(silero)
    assert [one_by_one.probabilities([frame])[0] for frame in frames] == pytest.approx(together, abs=1e-4)
    assert max(together) > 0.9
    assert one_by_one.probabilities([]) == []


def test_two_streams_do_not_hear_each_other(silero: OnnxModel) -> None:
    samples = rooms.pcm(rooms.read(QUESTION))
    frames = list(samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))
    alone = SileroDetector(silero).probabilities(frames)
    first, second = SileroDetector(silero), SileroDetector(silero)
    interleaved = []
    for frame in frames:
        interleaved += first.probabilities([frame])
        second.probabilities([np.zeros_like(frame)])
    assert interleaved == pytest.approx(alone, abs=1e-4)
