"""The loudspeaker across devices of different rates, which come and go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from client.audio.speaker import Speaker
from client.errors import CommandError
from client.events import Played, ReplyAudio
from services.common.audio import Recording, Samples, resample
from services.common.tasks import cancel_and_wait
from tests.fakes.clock import FakeClock

RATE_HZ = 16_000
DEVICE_HZ = 48_000
A_DAY_S = 86_400.0
GONE_S = 12.0


def tone(seconds: float, rate_hz: int = RATE_HZ) -> Samples:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (np.sin(2 * np.pi * 440 * time_s) * 8000 + 1).astype(np.int16)


def reply(samples: Samples, first_sample: int = 0) -> ReplyAudio:
    return ReplyAudio(samples.tobytes(), 0, first_sample)


class Card:
    """A sound card that comes for audio when a test says so."""

    def __init__(self, speaker: Speaker, rate_hz: int = DEVICE_HZ, latency_s: float = 0.0) -> None:
        self.rate_hz = rate_hz
        self._blocks: list[Samples] = []
        self._render = speaker.attach(rate_hz, lambda: latency_s)

    def let_play(self, seconds: float) -> Samples:
        out = np.empty(round(seconds * self.rate_hz), np.int16)
        self._render(out)
        self._render(out[:0])
        self._blocks.append(out)
        return out

    @property
    def heard(self) -> Samples:
        """All but the silence before and after it."""
        all_of_it = np.concatenate(self._blocks)
        sounding = np.flatnonzero(all_of_it)
        return all_of_it[sounding[0] : sounding[-1] + 1] if sounding.size else all_of_it[:0]


class Time(FakeClock):
    """Time for those who sleep, too."""

    async def sleep(self, seconds: float) -> None:
        until = self() + seconds
        while self() < until:  # noqa: ASYNC110  # others make time pass
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        self.advance(seconds)
        for _ in range(5):  # whoever wakes does what it woke for
            await asyncio.sleep(0)


@dataclass
class Scene:
    """A speaker and its time."""

    time: Time
    speaker: Speaker

    async def played_by(self, card: Card, samples: int) -> None:
        """Lets time go by until so much of the turn was heard."""
        for _ in range(1000):
            card.let_play(0.01)
            await self.time.pass_by(0.01)
            played = self.speaker.played()
            if played is not None and played.samples >= samples:
                return
        raise AssertionError(f"{samples} samples were not heard in 10 s")

    async def done(self, task: "asyncio.Task[None]") -> None:
        """Lets time go by until the task has ended."""
        for _ in range(1000):
            if task.done():
                return await task
            await self.time.pass_by(0.01)
        raise AssertionError("it was not done in 10 s")


@asynccontextmanager
async def speaking(*, must_be_heard: bool = True) -> AsyncIterator[Scene]:
    time = Time()
    speaker = Speaker(time, time.sleep, must_be_heard=must_be_heard)
    speaker.open(RATE_HZ)
    filling = asyncio.create_task(speaker.keep_filled())
    try:
        yield Scene(time, speaker)
    finally:
        await cancel_and_wait(filling)


def difference(heard: Samples, expected: Samples) -> float:
    """The largest, of samples that may begin a few later because both begin softly."""
    size = min(len(heard), len(expected)) - 8
    return min(float(np.abs(heard[:size].astype(int) - expected[at : at + size]).max()) for at in range(8))


# --- rates


@pytest.mark.parametrize("device_hz", [48_000, 44_100, 16_000, 8_000])
async def test_a_reply_is_played_to_its_last_sample_at_any_rate(device_hz: int) -> None:
    spoken = tone(0.5)[:-1]  # of which 44.1 kHz make no whole number
    async with speaking() as scene:
        speaker = scene.speaker
        card = Card(speaker, device_hz)
        for first in range(0, len(spoken), 800):
            await speaker.play("t1", reply(spoken[first : first + 800], first))
        await scene.played_by(card, len(spoken))
        await scene.done(asyncio.create_task(speaker.drained()))
        assert speaker.played() == Played("t1", len(spoken))
        assert not speaker.is_playing()
    expected = resample(Recording(spoken, RATE_HZ), device_hz).samples
    assert abs(len(card.heard) - len(expected)) < 8
    assert difference(card.heard, expected) < 20


async def test_no_sample_counts_before_it_was_heard() -> None:
    spoken = tone(1.0)
    async with speaking() as scene:
        speaker = scene.speaker
        card = Card(speaker, 44_100, latency_s=0.1)
        await speaker.play("t1", reply(spoken))
        for tick in range(1, 80):
            card.let_play(0.01)
            played = speaker.played()
            due = max(tick - 10, 0) * RATE_HZ // 100
            assert due - 1 <= (played.samples if played else 0) <= due


async def test_what_the_resampler_keeps_was_not_heard() -> None:
    async with speaking() as scene:
        card = Card(scene.speaker)
        await scene.speaker.play("t1", reply(tone(0.1)))
        card.let_play(1.0)  # before anybody could look after it
        played = scene.speaker.played()
        assert played is not None
        assert played.samples * 3 <= len(card.heard) < 0.1 * DEVICE_HZ
        assert scene.speaker.is_playing()
        await scene.played_by(card, 1600)
        assert not scene.speaker.is_playing()


async def test_a_reply_that_comes_just_in_time_is_in_one_piece() -> None:
    spoken = tone(1.0)
    async with speaking() as scene:
        card = Card(scene.speaker)
        await scene.speaker.play("t1", reply(spoken[:1600]))
        card.let_play(0.03)  # little is left
        for first in range(1600, len(spoken), 160):
            await scene.speaker.play("t1", reply(spoken[first : first + 160], first))
            card.let_play(0.01)
            await scene.time.pass_by(0.01)
        await scene.played_by(card, len(spoken))
    assert difference(card.heard, resample(Recording(spoken, RATE_HZ), DEVICE_HZ).samples) < 20


async def test_the_end_of_a_reply_is_not_kept_back_for_another_turn() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        card = Card(speaker)
        await speaker.play("t1", reply(tone(0.2)))
        await speaker.play("t2", reply(tone(0.2)))
        card.let_play(0.2)
        assert speaker.played() == Played("t1", 3200)
        await scene.played_by(card, 1)
        assert speaker.played() != Played("t1", 3200)
        await scene.played_by(card, 3200)
        assert speaker.played() == Played("t2", 3200)


async def test_a_reply_shorter_than_what_a_resampler_keeps_is_played() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        card = Card(speaker)
        await speaker.play("t1", reply(tone(0.005)))
        await scene.played_by(card, 80)
        assert len(card.heard) == pytest.approx(240, abs=8)


async def test_without_somebody_who_keeps_it_filled_it_can_still_be_waited_for() -> None:
    scene = Scene(time := Time(), speaker := Speaker(time, time.sleep))
    speaker.open(RATE_HZ)
    card = Card(speaker)
    await speaker.play("t1", reply(tone(5.0)))
    drained = asyncio.create_task(speaker.drained())
    await scene.played_by(card, 5 * RATE_HZ)
    await scene.done(drained)
    assert len(card.heard) == pytest.approx(5 * DEVICE_HZ, abs=8)


async def test_the_rate_that_the_assistant_is_asked_for() -> None:
    speaker = Speaker()
    assert speaker.rate_hz == 48_000
    Card(speaker, 44_100)
    assert speaker.rate_hz == 44_100
    speaker.open(22_050)
    assert speaker.rate_hz == 22_050


async def test_what_was_flushed_is_not_heard_at_another_rate_either() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        card = Card(speaker)
        await speaker.play("t1", reply(tone(1.0)))
        card.let_play(0.1)
        speaker.flush()
        assert not card.let_play(0.05)[480:].any()  # but for the ramp
        assert speaker.played() == Played("t1", 1600 + 160)
        await speaker.play("t2", reply(tone(0.1)))
        await scene.played_by(card, 1600)
        assert speaker.played() == Played("t2", 1600)


# --- devices that come and go


async def test_what_was_not_heard_is_played_by_the_next_device() -> None:
    spoken = tone(3.0)
    async with speaking() as scene:
        speaker = scene.speaker
        first = Card(speaker, latency_s=0.05)
        await speaker.play("t1", reply(spoken))
        first.let_play(1.0)
        speaker.detach()
        assert speaker.played() == Played("t1", round(0.95 * RATE_HZ))
        second = Card(speaker, 44_100)
        await scene.played_by(second, len(spoken))
    expected = resample(Recording(spoken[round(0.95 * RATE_HZ) :], RATE_HZ), 44_100).samples
    assert len(second.heard) == pytest.approx(len(expected), abs=8)
    assert difference(second.heard, expected) < 4000  # where it begins, it begins abruptly
    assert difference(second.heard[400:], expected[400:]) < 20


async def test_a_device_that_is_replaced_is_silent() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        first = Card(speaker)
        await speaker.play("t1", reply(tone(1.0)))
        first.let_play(0.1)
        second = Card(speaker)
        assert not first.let_play(0.1)[480:].any()
        assert second.let_play(0.1).any()


async def test_several_turns_that_were_not_heard_are_played_by_the_next_device() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        first = Card(speaker)
        for turn_id in ("t1", "t2", "t3"):
            await speaker.play(turn_id, reply(tone(0.2)))
        first.let_play(0.3)
        assert speaker.played() == Played("t2", 1600)
        speaker.detach()
        await speaker.play("t3", reply(tone(0.3)))  # some of it once more, and more
        second = Card(speaker)
        second.let_play(0.1)
        assert speaker.played() == Played("t2", 3200)
        await scene.played_by(second, 4800)
        assert speaker.played() == Played("t3", 4800)
        assert len(second.heard) == pytest.approx(0.4 * DEVICE_HZ, abs=8)


async def test_what_comes_anew_takes_the_place_of_what_no_device_played() -> None:
    spoken = tone(0.2)
    async with speaking() as scene:
        speaker = scene.speaker
        first = Card(speaker, RATE_HZ)
        await speaker.play("t1", reply(spoken))
        first.let_play(0.1)
        speaker.detach()
        await speaker.play("t1", reply(-spoken))
        assert np.array_equal(Card(speaker, RATE_HZ).let_play(0.1), -spoken[1600:])


async def test_what_was_flushed_is_not_played_by_the_next_device() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        first = Card(speaker)
        await speaker.play("t1", reply(tone(1.0)))
        first.let_play(0.1)
        speaker.flush()
        speaker.detach()
        second = Card(speaker)
        assert not second.let_play(1.0).any()
        assert not speaker.is_playing()


async def test_a_pause_outlasts_the_device() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        Card(speaker)
        await speaker.play("t1", reply(tone(1.0)))
        speaker.pause()
        speaker.detach()
        second = Card(speaker)
        assert not second.let_play(0.5).any()
        speaker.go_on()
        assert second.let_play(0.5).any()


async def test_a_pause_ends_with_what_was_paused() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        Card(speaker)
        speaker.pause()
        speaker.flush()
        speaker.detach()
        card = Card(speaker)
        await speaker.play("t1", reply(tone(1.0)))
        assert speaker.is_playing()
        assert card.let_play(0.5).any()


async def test_a_pause_is_waited_out() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        card = Card(speaker)
        await speaker.play("t1", reply(tone(0.1)))
        speaker.pause()
        drained = asyncio.create_task(speaker.drained())
        for _ in range(100):
            card.let_play(0.1)
            await scene.time.pass_by(0.1)
        assert not drained.done()
        speaker.go_on()
        await scene.played_by(card, 1600)
        await scene.done(drained)


async def test_nothing_is_playing_without_a_device() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        await speaker.play("t1", reply(tone(1.0)))
        assert not speaker.is_playing()
        assert speaker.played() is None
        Card(speaker)
        assert speaker.is_playing()


async def test_a_device_is_not_asked_for_its_latency_before_it_runs() -> None:
    def impatient() -> float:
        raise AssertionError("it does not run yet")

    speaker = Speaker()
    speaker.attach(RATE_HZ, impatient)
    await speaker.play("t1", reply(tone(1.0)))
    assert speaker.is_playing()
    assert speaker.played() is None
    speaker.detach()


async def test_all_is_waited_for_while_the_device_may_come_back() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        first = Card(speaker)
        first.let_play(0.1)
        await speaker.play("t1", reply(tone(0.1)))
        await scene.time.pass_by(A_DAY_S)
        speaker.detach()
        await scene.time.pass_by(GONE_S - 0.1)
        drained = asyncio.create_task(speaker.drained())
        await asyncio.sleep(0)
        assert not drained.done()
        card = Card(speaker)
        card.let_play(0.01)
        await scene.time.pass_by(A_DAY_S)
        await scene.played_by(card, 1600)
        await scene.done(drained)


async def test_nobody_waits_for_a_device_that_is_gone_for_good() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        await speaker.play("t1", reply(tone(0.1)))
        await scene.time.pass_by(GONE_S + 0.1)
        with pytest.raises(CommandError, match="the loudspeaker is gone: plug it in again and start anew"):
            await scene.done(asyncio.create_task(speaker.drained()))
        speaker.flush()  # nobody is to hear it any more
        await speaker.drained()


async def test_a_device_that_is_tried_and_never_runs_is_gone_as_well() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        await speaker.play("t1", reply(tone(0.1)))
        drained = asyncio.create_task(speaker.drained())
        for _ in range(11):
            Card(speaker)
            await scene.time.pass_by(0.5)
            speaker.detach()
            await scene.time.pass_by(0.5)
        assert not drained.done()
        Card(speaker)
        await scene.time.pass_by(2.5)
        assert not drained.done()  # it may take its time
        await scene.time.pass_by(1.1)
        with pytest.raises(CommandError, match="the loudspeaker is gone"):
            await scene.done(drained)


async def test_a_conversation_goes_on_without_a_loudspeaker_at_the_pace_of_time() -> None:
    async with speaking(must_be_heard=False) as scene:
        speaker = scene.speaker
        await speaker.play("t1", reply(tone(3.0)))
        await scene.played_by(Card(speaker), 4000)
        speaker.detach()
        await scene.time.pass_by(0.9)  # another device may take over
        heard = speaker.played()
        assert heard is not None
        assert heard.samples < 8000
        for _ in range(50):
            await scene.time.pass_by(0.02)
        gone_by = speaker.played()
        assert gone_by is not None
        assert gone_by.samples - heard.samples == pytest.approx(0.9 * RATE_HZ, abs=0.1 * RATE_HZ)
        card = Card(speaker)
        await scene.played_by(card, 3 * RATE_HZ)
        assert len(card.heard) / DEVICE_HZ == pytest.approx(3.0 - gone_by.samples / RATE_HZ, abs=0.01)


async def test_a_pause_is_kept_without_a_loudspeaker() -> None:
    async with speaking(must_be_heard=False) as scene:
        speaker = scene.speaker
        await speaker.play("t1", reply(tone(1.0)))
        speaker.pause()
        await scene.time.pass_by(GONE_S)
        assert speaker.played() is None
        speaker.go_on()
        await scene.done(asyncio.create_task(speaker.drained()))
        assert speaker.played() == Played("t1", RATE_HZ)


async def test_a_later_reply_without_a_loudspeaker_begins_at_its_beginning() -> None:
    async with speaking(must_be_heard=False) as scene:
        speaker = scene.speaker
        await scene.time.pass_by(A_DAY_S)
        await speaker.play("t1", reply(tone(1.0)))
        for _ in range(2):
            await scene.time.pass_by(0.02)
        played = speaker.played()
        assert played is not None
        assert played.samples <= 0.1 * RATE_HZ


async def test_far_too_much_waits_in_the_connection() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        speaker.open(400)
        much = np.ones(60 * 400, np.int16)
        for number in range(3):
            await speaker.play("t1", reply(much, number * much.size))
        playing = asyncio.create_task(speaker.play("t1", reply(much, 3 * much.size)))
        await asyncio.sleep(0)
        assert speaker.waiting_samples == 3 * much.size
        card = Card(speaker, 400)
        for _ in range(61):
            assert speaker.waiting_samples > 110 * 400
            card.let_play(1.0)
            await scene.time.pass_by(1.0)
        await scene.done(playing)


async def test_what_ends_a_pause_does_not_wait_behind_it() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        speaker.open(400)
        card = Card(speaker, 400)
        await speaker.play("t1", reply(np.ones(125 * 400, np.int16)))
        playing = asyncio.create_task(speaker.play("t1", reply(np.ones(400, np.int16), 125 * 400)))
        card.let_play(0.1)
        await scene.time.pass_by(0.1)
        assert not playing.done()
        speaker.pause()
        await scene.done(playing)
        await speaker.play("t1", reply(np.ones(150 * 400, np.int16), 126 * 400))
        speaker.go_on()
        assert speaker.is_playing()


async def test_far_too_much_for_a_device_that_is_gone_for_good_is_an_error() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        speaker.open(400)
        await speaker.play("t1", reply(np.ones(121 * 400, np.int16)))
        playing = asyncio.create_task(speaker.play("t1", reply(np.ones(400, np.int16), 121 * 400)))
        await asyncio.sleep(0)
        assert not playing.done()
        await scene.time.pass_by(GONE_S + 0.1)
        with pytest.raises(CommandError, match="the loudspeaker is gone: plug it in again and start anew"):
            await scene.done(playing)


async def test_a_device_that_does_not_come_for_its_audio_breaks_nothing() -> None:
    async with speaking() as scene:
        speaker = scene.speaker
        Card(speaker)
        for number in range(20):
            await speaker.play(f"t{number}", reply(tone(1.0)))
            speaker.flush()
        await speaker.play("t20", reply(tone(1.0)))
        speaker.detach()
        card = Card(speaker)
        await scene.played_by(card, RATE_HZ)
        assert speaker.played() == Played("t20", RATE_HZ)
        assert len(card.heard) == pytest.approx(DEVICE_HZ, abs=8)
