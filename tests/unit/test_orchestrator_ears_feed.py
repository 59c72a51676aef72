"""What the ears are given: neither too fast for them, nor nothing at all while somebody speaks."""

from dataclasses import dataclass, field

import pytest

from services.common.streams import AudioLimits, AudioMeter
from services.orchestrator.ears_feed import EarsFeed
from services.orchestrator.recent_audio import Piece, RecentAudio
from tests.fakes.clock import FakeClock

RATE_HZ = 8_000
SECOND = bytes([1, 0]) * RATE_HZ
SILENCE = [bytes(RATE_HZ)] * 4  # half seconds


class HastyClock(FakeClock):
    """Whoever looks at it has waited long enough."""

    def __call__(self) -> float:
        self.advance(5.0)
        return super().__call__()


@dataclass
class Bench:
    """A feed for which time passes when it sleeps."""

    clock: FakeClock = field(default_factory=FakeClock)
    rate_hz: int = RATE_HZ
    waits_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recent = RecentAudio(self.rate_hz)
        self.feed = EarsFeed(self.recent, self.rate_hz, self.clock, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.clock.advance(seconds)

    def take(self, *messages: bytes) -> None:
        for message in messages:
            self.feed.take(message)

    async def given(self, pieces: int) -> list[Piece]:
        """What a stream is given first."""
        stream = self.feed.pieces(lambda: False)
        given = [await anext(stream) for _ in range(pieces)]
        await stream.aclose()
        return given


@dataclass
class Utterance:
    """One that never ends. While nothing is said it is asked for now and then; at last the audio ends."""

    bench: Bench
    goes_on: bool = True
    asked: int = 0
    later: bytes = b""

    def __call__(self) -> bool:
        self.asked += 1
        if self.asked == 10 and self.later:
            self.bench.take(self.later)
        if self.asked == 20:
            self.bench.recent.end()
        return self.goes_on

    async def given(self) -> list[bytes]:
        """What a stream is given until then."""
        return [piece.audio async for piece in self.bench.feed.pieces(self)]


async def test_what_came_while_the_ears_were_not_ready_is_given_no_faster_than_they_take_it() -> None:
    bench = Bench()
    bench.take(*[SECOND] * 12)
    bench.recent.end()
    meter = AudioMeter(RATE_HZ, AudioLimits(), bench.clock)
    samples = [meter.accept(piece.audio).size async for piece in bench.feed.pieces(lambda: False)]
    assert samples == [RATE_HZ] * 12
    assert bench.waits_s == [0.25, 0.5, 0.5]  # nine and a half seconds at once, and then each in half its time


async def test_what_comes_at_the_pace_of_time_is_never_held_up() -> None:
    bench = Bench()
    pieces = bench.feed.pieces(lambda: False)
    for _ in range(60):
        bench.clock.advance(1.0)
        bench.take(SECOND)
        await anext(pieces)
    await pieces.aclose()
    assert bench.waits_s == []


async def test_each_stream_may_be_given_much_at_once() -> None:
    bench = Bench()
    for _ in range(2):
        bench.take(*[SECOND] * 9)
        await bench.given(9)
    assert bench.waits_s == []


async def test_two_seconds_of_silence_stand_in_for_what_does_not_come_in_an_utterance() -> None:
    bench = Bench(HastyClock())
    bench.take(SECOND)
    assert await Utterance(bench).given() == [SECOND, *SILENCE]


async def test_after_more_audio_there_is_silence_again() -> None:
    bench = Bench(HastyClock())
    bench.take(SECOND)
    assert await Utterance(bench, later=SECOND).given() == [SECOND, *SILENCE, SECOND, *SILENCE]


async def test_outside_of_an_utterance_there_is_none() -> None:
    bench = Bench(HastyClock())
    bench.take(SECOND)
    assert await Utterance(bench, goes_on=False).given() == [SECOND]


async def test_what_comes_in_the_moment_of_the_silence_takes_its_place() -> None:
    bench = Bench()
    bench.take(SECOND)
    bench.clock.advance(5.0)
    said = [SECOND]

    def in_utterance() -> bool:
        if said:
            bench.take(said.pop())
            bench.recent.end()
        return True

    assert [piece.audio async for piece in bench.feed.pieces(in_utterance)] == [SECOND, SECOND]


@pytest.mark.parametrize(("message_s", "patience_s"), [(1, 2.0), (3, 4.0)])
async def test_silence_begins_a_second_after_the_next_message_was_due(message_s: int, patience_s: float) -> None:
    bench = Bench()
    taken_at = bench.clock()
    bench.take(SECOND * message_s)
    bench.clock.advance(patience_s - 0.02)

    def in_utterance() -> bool:
        bench.clock.advance(0.01)
        return True

    stream = bench.feed.pieces(in_utterance)
    _, silence = [await anext(stream) for _ in range(2)]
    await stream.aclose()
    assert silence.came_at - taken_at == pytest.approx(patience_s)


async def test_a_message_of_silence_is_small_enough_for_the_ears_at_every_rate() -> None:
    bench = Bench(HastyClock(), rate_hz=48_000)
    bench.take(bytes(960))
    _, *silence = await Utterance(bench).given()
    assert {len(message) for message in silence} == {48_000}
    assert AudioLimits().message_bytes >= 48_000
