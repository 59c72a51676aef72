"""From the sound card's rings to what the assistant hears."""

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
import pytest

from client.audio.capture import MESSAGE_SAMPLES, Capture, Path
from client.audio.echo import FRAME_SAMPLES, NoGuard
from client.audio.levels import Levels
from client.audio.tap import RATE_HZ, Tap
from client.events import Event, HearingChanged, MicrophoneAudio, Mute, What
from client.hearing import NOTHING, AlwaysOpen, Gate
from client.push_to_talk import PushToTalk
from services.common.audio import Samples
from tests.fakes.clock import FakeClock


@dataclass
class SoundCard:
    """Time passes when somebody sleeps, and then both devices give what came meanwhile, in blocks of their own."""

    near_block: int = 160
    far_block: int = 160
    near: Tap = field(default_factory=Tap)
    far: Tap = field(default_factory=Tap)
    clock: FakeClock = field(default_factory=FakeClock)
    near_works: bool = True
    far_works: bool = True
    sleeps: list[float] = field(default_factory=list)
    freeze_s: float = 0.0  # the next sleep takes so much longer

    def __post_init__(self) -> None:
        self._near_ring, self._far_ring = self.near.attach(RATE_HZ), self.far.attach(RATE_HZ)
        self.near_source = self.far_source = numbered
        self._passed = 0.0
        self._given_near = self._given_far = 0

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        seconds += self.freeze_s
        self.freeze_s = 0.0
        self.clock.advance(seconds)
        self._passed += seconds * RATE_HZ
        for _ in range(int(self._passed - self._given_near) // self.near_block):
            self._given_near += self.near_block
            if self.near_works:
                self._near_ring.write(self.near_source(self._given_near - self.near_block, self.near_block))
        for _ in range(int(self._passed - self._given_far) // self.far_block):
            self._given_far += self.far_block
            if self.far_works:
                self._far_ring.write(self.far_source(self._given_far - self.far_block, self.far_block))

    def plug_in(self, *taps: Tap) -> None:
        """Other devices take the place of these."""
        for tap in taps:
            tap.detach()
        if self.near in taps:
            self._near_ring = self.near.attach(RATE_HZ)
        if self.far in taps:
            self._far_ring = self.far.attach(RATE_HZ)


def silent(first: int, count: int) -> Samples:
    return np.zeros(count, np.int16)


def voiced(first: int, count: int) -> Samples:
    """A hum of 125 Hz with all its overtones, as a voice has them."""
    return (np.arange(first, first + count) % 128 * 60 - 3840).astype(np.int16)


def numbered(first: int, count: int) -> Samples:
    """Samples that tell when they were made; none is 0."""
    return (np.arange(first, first + count) % 30_000 + 1).astype(np.int16)


@dataclass
class Pairs:
    """A guard that changes nothing and remembers what it saw."""

    name = "pairs"
    stands_out: bool = False
    near: list[Samples] = field(default_factory=list)
    far: list[Samples] = field(default_factory=list)
    doubts: list[int] = field(default_factory=list)  # after so many frames
    forgot: list[int] = field(default_factory=list)

    def doubt(self) -> None:
        self.doubts.append(len(self.near))

    def forget(self) -> None:
        self.forgot.append(len(self.near))

    def clean(self, near: Samples, far: Samples) -> Samples:
        self.near.append(near)
        self.far.append(far)
        return near

    def apart(self) -> Iterator[int]:
        """By how many samples the two sides of each frame are apart, where there is something on both."""
        for near, far in zip(self.near, self.far, strict=True):
            if near.all() and far.all():
                yield (int(near[0]) - int(far[0]) + 15_000) % 30_000 - 15_000


@dataclass
class Door(Gate):
    """A gate that does as told."""

    is_hearing: bool = True
    reason: str = "key"

    def is_open(self, heard: Samples) -> bool:
        return self.is_hearing

    def observe(self, event: Event) -> None:
        """Nothing."""

    def press(self) -> None:
        self.is_hearing = not self.is_hearing


class Ajar(Door):
    """Something goes to the assistant though it hears nobody, as behind a gate that was just closed."""

    def is_open(self, heard: Samples) -> bool:
        return True


@dataclass
class Listener:
    """Reads a capture, a number of steps at a time."""

    card: SoundCard
    gate: Gate = field(default_factory=AlwaysOpen)
    guard: Pairs = field(default_factory=Pairs)
    told: list[What] = field(default_factory=list)
    kept: list[tuple[Samples, Samples]] = field(default_factory=list)
    disturbances: int = 0

    def __post_init__(self) -> None:
        keep = lambda *pair: self.kept.append(pair)  # noqa: E731
        path = Path(self.guard, self.gate, Levels(), keep, lambda: self.disturbances)
        self.capture = Capture(self.card.near, self.card.far, path, self.told.append, self.card.clock, self.card.sleep)
        self.messages = self.capture.messages()

    async def hear(self, count: int) -> list[MicrophoneAudio | Mute]:
        """So many pieces of 20 ms, however many come in one message."""
        heard: list[MicrophoneAudio | Mute] = []
        while len(heard) < count:
            heard += pieces(await anext(self.messages))
        return heard


def pieces(message: MicrophoneAudio | Mute) -> list[MicrophoneAudio | Mute]:
    if isinstance(message, Mute):
        return [message]
    size = 2 * MESSAGE_SAMPLES
    return [MicrophoneAudio(message.audio[begin : begin + size]) for begin in range(0, len(message.audio), size)]


def samples(messages: list[MicrophoneAudio | Mute]) -> Samples:
    return np.concatenate(
        [np.frombuffer(message.audio, np.int16) for message in messages if isinstance(message, MicrophoneAudio)]
    )


@pytest.mark.parametrize("block", [160, 333, 1024])
async def test_all_that_was_heard_comes_in_messages_of_20_ms(block: int) -> None:
    listener = Listener(SoundCard(near_block=block))
    async with aclosing(listener.messages):
        messages = await listener.hear(30)
    assert {len(message.audio) for message in messages if isinstance(message, MicrophoneAudio)} == {2 * MESSAGE_SAMPLES}
    assert samples(messages).tolist() == numbered(0, len(messages) * MESSAGE_SAMPLES).tolist()


async def test_each_message_comes_as_soon_as_it_is_whole() -> None:
    card = SoundCard()
    listener = Listener(card)
    began_at = card.clock()
    async with aclosing(listener.messages):
        await listener.hear(50)
    assert card.clock() - began_at == pytest.approx(1.0)


async def test_what_was_said_before_anybody_listened_is_not_heard() -> None:
    card = SoundCard()
    await card.sleep(0.5)
    listener = Listener(card)
    async with aclosing(listener.messages):
        heard = samples(await listener.hear(1))
    assert heard[0] == 8001


@pytest.mark.parametrize(("near_block", "far_block"), [(160, 160), (320, 160), (160, 1600), (1600, 160), (441, 512)])
async def test_both_sides_stay_side_by_side_whatever_the_devices_blocks_are(near_block: int, far_block: int) -> None:
    listener = Listener(SoundCard(near_block=near_block, far_block=far_block))
    async with aclosing(listener.messages):
        await listener.hear(200)
        listener.guard.near.clear()
        listener.guard.far.clear()
        await listener.hear(2000)
    apart = list(listener.guard.apart())
    assert len(apart) >= len(listener.guard.near) - 4  # once the bursts are known hardly anything is missing
    assert max(apart) - min(apart) <= FRAME_SAMPLES
    assert 0 <= min(apart) <= max(near_block, far_block) + FRAME_SAMPLES


async def test_the_far_side_is_silence_where_nothing_is_played() -> None:
    card = SoundCard(far_works=False)
    listener = Listener(card)
    async with aclosing(listener.messages):
        heard = samples(await listener.hear(10))
    assert heard.tolist() == numbered(0, heard.size).tolist()
    assert not np.concatenate(listener.guard.far).any()


async def test_a_far_side_that_got_ahead_comes_back() -> None:
    card = SoundCard()
    listener = Listener(card)
    async with aclosing(listener.messages):
        await listener.hear(20)
        card.near_works = False
        await card.sleep(0.15)  # less than it takes to call it gone
        card.near_works = True
        await listener.hear(40)
        listener.guard.near.clear()
        listener.guard.far.clear()
        await listener.hear(20)
    assert all(0 <= apart <= 2 * FRAME_SAMPLES for apart in listener.guard.apart())


async def test_a_far_side_that_is_a_little_ahead_comes_back_in_time() -> None:
    card = SoundCard()
    listener = Listener(card)
    async with aclosing(listener.messages):
        await listener.hear(20)
        card.near_works = False
        await card.sleep(0.04)
        card.near_works = True
        await listener.hear(20)
        ahead = list(listener.guard.apart())[-1]
        await listener.hear(1600)
    assert ahead >= 4 * FRAME_SAMPLES
    assert list(listener.guard.apart())[-1] <= 2 * FRAME_SAMPLES


async def test_silence_takes_the_place_of_a_microphone_that_is_gone_at_the_pace_of_time() -> None:
    card = SoundCard()
    listener = Listener(card)
    began_at = card.clock()
    async with aclosing(listener.messages):
        await listener.hear(10)
        card.near_works = False
        silence = samples(await listener.hear(100))
        assert card.clock() - began_at == pytest.approx(2.2, abs=0.021)
        card.near_works = True
        again = samples(await listener.hear(20))
    assert not silence.any()
    newest = numbered(round((card.clock() - began_at) * RATE_HZ) - 1, 1)[0]
    assert 0 <= newest - again[-1] < MESSAGE_SAMPLES


async def test_a_microphone_that_gives_much_at_once_is_not_taken_for_gone() -> None:
    listener = Listener(SoundCard(near_block=RATE_HZ * 15 // 100))
    async with aclosing(listener.messages):
        assert samples(await listener.hear(100)).all()


async def test_what_a_microphone_gives_late_is_not_heard_after_its_silence() -> None:
    card = SoundCard(near_block=RATE_HZ // 2)  # half a second at a time
    listener = Listener(card)
    began_at = card.clock()
    async with aclosing(listener.messages):
        await listener.hear(200)
    assert 4.0 <= card.clock() - began_at <= 4.22  # as much sound as time; 0.2 s may be waited for


async def test_after_a_long_hold_up_at_most_a_second_is_made_up_for() -> None:
    card = SoundCard()
    listener = Listener(card)
    async with aclosing(listener.messages):
        await listener.hear(10)
        card.freeze_s = 5.0
        at = card.clock()
        await listener.hear(50)
        assert card.clock() - at == pytest.approx(5.02, abs=0.02)  # the second that is made up for comes at once
        await listener.hear(5)
    assert card.clock() - at == pytest.approx(5.12, abs=0.04)


async def test_looks_often_while_somebody_speaks_or_something_is_played_and_for_a_while_after() -> None:
    card = SoundCard(near_works=False, far_works=False)
    listener = Listener(card)
    async with aclosing(listener.messages):
        await listener.hear(100)
        first = card.sleeps[-1]
        await listener.hear(100)
        quiet = card.sleeps[-1]
        calm = await anext(listener.messages)
        card.far_works = True
        await listener.hear(20)
    assert (first, quiet, card.sleeps[-1]) == (0.01, 0.1, 0.01)
    assert isinstance(calm, MicrophoneAudio)
    assert len(calm.audio) == 10 * MESSAGE_SAMPLES  # what comes at once goes as one


async def test_the_assistant_is_told_when_it_may_hear_no_more_and_again() -> None:
    door = Door()
    listener = Listener(SoundCard(), door)
    async with aclosing(listener.messages):
        first = await listener.hear(3)
        door.press()
        closed = await anext(listener.messages)
        at = listener.card.clock()
        following = listener.messages.__anext__()
        for _ in range(20):
            await listener.card.sleep(0.0)
        door.press()
        opened = await following
        after = await listener.hear(2)
    assert all(isinstance(message, MicrophoneAudio) for message in (*first, *after))
    assert (closed, opened) == (Mute(muted=True), Mute(muted=False))
    assert listener.card.clock() > at
    assert listener.told == [HearingChanged(True, "key"), HearingChanged(False, "key"), HearingChanged(True, "key")]


async def test_ears_that_begin_closed_are_told_as_such() -> None:
    door = Door(is_hearing=False, reason="wake_word")
    listener = Listener(SoundCard(), door)
    async with aclosing(listener.messages):
        assert await listener.hear(1) == [Mute(muted=True)]
    assert listener.told == [HearingChanged(False, "wake_word")]


async def test_silence_follows_the_key_before_the_ears_are_closed() -> None:
    gate = PushToTalk()
    gate.press()
    listener = Listener(SoundCard(), gate)
    async with aclosing(listener.messages):
        heard = samples(await listener.hear(5))
        gate.press()
        silence = samples(await listener.hear(100))
        last = await anext(listener.messages)
    assert heard.all()
    assert not silence.any()
    assert last == Mute(muted=True)
    assert listener.told == [HearingChanged(True, "key"), HearingChanged(False, "key")]
    assert not any(kept.any() for kept, _ in listener.kept[5:])


async def test_what_a_gate_held_back_is_heard_once_it_opens() -> None:
    class Late(Door):
        def admit(self, heard: Samples) -> Samples:
            self.held = np.concatenate((getattr(self, "held", NOTHING), heard))
            self.is_hearing = self.held.size >= 4 * MESSAGE_SAMPLES
            return self.held if self.is_hearing else NOTHING

    listener = Listener(SoundCard(), Late())
    async with aclosing(listener.messages):
        closed, opened, heard = [await anext(listener.messages) for _ in range(3)]
    assert (closed, opened) == (Mute(muted=True), Mute(muted=False))
    assert samples([heard]).tolist() == numbered(0, 4 * MESSAGE_SAMPLES).tolist()


async def test_nothing_is_kept_of_what_was_heard_while_the_gate_was_closed() -> None:
    door = Door()
    listener = Listener(SoundCard(), door)
    async with aclosing(listener.messages):
        await listener.hear(2)
        door.press()
        await listener.hear(1)
    (first, played), *_, (last, played_last) = listener.kept
    assert first.all()
    assert played.all()
    assert not last.any()
    assert played_last.all()


async def test_levels_are_of_the_moment() -> None:
    card, levels = SoundCard(far_works=False), Levels()
    path = Path(NoGuard(), AlwaysOpen(), levels)
    async with aclosing(
        Capture(card.near, card.far, path, lambda what: None, card.clock, card.sleep).messages()
    ) as messages:
        for _ in range(20):
            await anext(messages)
    assert levels.microphone_dbfs > -30
    assert levels.loudspeaker_dbfs == -60


# --- what the echo guard is told


async def test_lost_samples_raise_doubts_once_each_time() -> None:
    listener = Listener(SoundCard(), disturbances=3)  # before anybody listened
    async with aclosing(listener.messages):
        await listener.hear(10)
        assert not listener.guard.doubts
        seen = []
        for _ in range(2):
            listener.disturbances += 2
            seen.append(len(listener.guard.near))
            await listener.hear(10)
    assert listener.guard.doubts == seen
    assert not any(listener.guard.forgot)


@pytest.mark.parametrize(("microphone", "loudspeaker"), [(True, False), (False, True), (True, True)])
async def test_what_was_learnt_of_another_device_is_forgotten(microphone: bool, loudspeaker: bool) -> None:
    card = SoundCard()
    listener = Listener(card)
    async with aclosing(listener.messages):
        await listener.hear(10)
        listener.guard.forgot.clear()  # of the first ones there is nothing to forget
        seen = len(listener.guard.near)
        card.plug_in(*[tap for tap, is_new in ((card.near, microphone), (card.far, loudspeaker)) if is_new])
        await listener.hear(10)
    assert listener.guard.forgot == [seen]
    assert not listener.guard.doubts


async def test_nothing_is_forgotten_before_another_device_is_heard() -> None:
    card = SoundCard()
    listener = Listener(card)
    async with aclosing(listener.messages):
        await listener.hear(10)
        listener.guard.forgot.clear()
        card.near_works = False
        card.near.detach()
        await listener.hear(20)
        assert not listener.guard.forgot  # silence in its place teaches nothing that it would have to forget again
        before = len(listener.guard.near)
        card.near_works = True
        card.plug_in(card.near)
        await listener.hear(2)
    assert len(listener.guard.forgot) == 1
    assert not any(frame.any() for frame in listener.guard.near[before : listener.guard.forgot[0]])


# --- who speaks into a reply


async def startles(card: SoundCard, gate: Gate) -> int:
    """How often somebody seems to speak in half a second."""
    heard: list[None] = []
    listener = Listener(card, gate)
    listener.capture.when_spoken_into = lambda: heard.append(None)
    async with aclosing(listener.messages):
        for _ in range(25):
            await card.sleep(0.02)
            await listener.hear(1)
    return len(heard)


async def test_a_voice_in_a_reply_is_told_at_once() -> None:
    card = SoundCard()
    card.near_source = voiced
    assert await startles(card, Door()) > 10


async def test_a_voice_while_nothing_is_played_is_left_to_the_ears() -> None:
    card = SoundCard()
    card.near_source, card.far_source = voiced, silent
    assert not await startles(card, Door())


async def test_a_reply_that_nobody_speaks_into_is_not_disturbed() -> None:
    card = SoundCard()
    card.near_source = silent
    assert not await startles(card, Door())


async def test_a_voice_that_the_assistant_may_not_hear_pauses_nothing() -> None:
    card = SoundCard()
    card.near_source = voiced
    assert not await startles(card, Ajar(is_hearing=False))
