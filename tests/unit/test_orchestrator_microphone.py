"""What a microphone tells of what is said to it, through the failures of the ears.

The ears are scripted, and time passes only when told.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import numpy as np
import pytest

from services.common.audio import encode_pcm
from services.common.errors import CallError, InvalidInputError, UnavailableError, UnsupportedError
from services.orchestrator.inputs import MicrophoneAudio, SetMuted
from services.orchestrator.microphone import (
    EarsBack,
    EarsFailed,
    Microphone,
    MicrophoneEvent,
    PartialHeard,
    UtteranceBegan,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)
from services.orchestrator.ports import (
    EarsEvent,
    EarsReady,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from tests.fakes.clock import FakeClock
from tests.fakes.stages import After, ScriptedEars, heard
from tests.support.waiting import BOUND_S

RATE_HZ = 8_000
HALF_S = RATE_HZ  # bytes
LOUD = encode_pcm(np.tile([5000, -5000], HALF_S // 4).astype(np.int16))
QUIET = bytes(HALF_S)
DEAF = UnavailableError("deaf")
FAILED, GAVE_UP = EarsFailed(DEAF, lost_words=False), EarsFailed(DEAF, lost_words=True)
AWAY = After(0, DEAF)  # before they are ready
ONE_UTTERANCE = ["UtteranceBegan", "PartialHeard", "UtterancePaused", "UtteranceEnded"]


def numbered(number: int) -> bytes:
    """Half a second of soft audio that can be told from others."""
    return encode_pcm(np.full(HALF_S // 2, number, np.int16))


@dataclass
class Bench:
    """A microphone into which half a second is said every half second, also while it waits to try the ears again."""

    script: list[str | CallError | After]
    said_while_it_waits: list[bytes] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.began_at = self.clock()
        self.ears = ScriptedEars(self.script, bytes_an_utterance=HALF_S)
        self.microphone = Microphone(self.ears, RATE_HZ, "", self.clock, self.wait)
        self.events = self.microphone.heard()

    async def wait(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.clock.advance(seconds)
        if self.said_while_it_waits:
            self.microphone.take(MicrophoneAudio(self.said_while_it_waits.pop(0)))

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.clock.advance(0.5)
            self.microphone.take(MicrophoneAudio(piece))

    async def next(self, count: int) -> list[MicrophoneEvent]:
        """The next events."""
        return [await anext(self.events) for _ in range(count)]

    async def rest(self) -> list[MicrophoneEvent]:
        """All that comes until the end of the audio."""
        self.microphone.end()
        return [event async for event in self.events]

    def after_s(self, moment: float) -> float:
        return moment - self.began_at

    def given(self) -> list[list[int]]:
        """The numbers of the half seconds that each stream of the ears was given."""
        return [np.frombuffer(bytes(audio), "<i2")[:: HALF_S // 2].tolist() for audio in self.ears.audio_of_streams]


def kinds(events: Sequence[MicrophoneEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_an_utterance_is_told_with_the_moments_at_which_its_audio_came() -> None:
    bench = Bench(
        [
            After(HALF_S, SpeechStarted(1, 100)),
            After(1, heard(1, "", tentative="tell")),
            After(HALF_S, SpeechPaused(1, 900, heard(1, "tell me", is_final=True))),
            After(1, SpeechResumed(1)),
            After(HALF_S, SpeechPaused(1, 1300, None)),
            After(1, heard(1, "tell me more", is_final=True)),
            After(1, SpeechEnded(1, 1300, 1800)),
        ]
    )
    bench.say(*[QUIET] * 4)
    began, told, paused, resumed, paused_again, ended = await bench.rest()
    now = bench.began_at
    assert began == UtteranceBegan(1, now + 0.5)
    assert told == PartialHeard(1, heard(1, "", tentative="tell"))
    assert paused == UtterancePaused(1, heard(1, "tell me", is_final=True), now + 1.0)
    assert resumed == UtteranceResumed(1)
    assert paused_again == UtterancePaused(1, None, now + 1.5)
    assert ended == UtteranceEnded(1, heard(1, "tell me more", is_final=True), now + 1.5, now + 2.0)


async def test_an_utterance_that_was_nothing_is_told_without_words() -> None:
    bench = Bench([After(1, SpeechStarted(1, 0)), After(1, SpeechEnded(1, 100, 400))])
    bench.say(QUIET)
    _, ended = await bench.rest()
    assert ended == UtteranceEnded(1, None, bench.clock(), bench.clock())


async def test_words_of_one_utterance_are_never_those_of_the_next() -> None:
    bench = Bench(["one", After(1, SpeechStarted(2, 600)), After(1, SpeechEnded(2, 700, 900))])
    bench.say(QUIET, QUIET)
    ends = [event.heard for event in await bench.rest() if isinstance(event, UtteranceEnded)]
    assert ends == [heard(1, "one", is_final=True), None]


async def test_utterances_are_numbered_through_all_streams() -> None:
    bench = Bench(["one", "two", UnavailableError("full", reason="LIMIT_REACHED"), "three"])
    bench.say(*[QUIET] * 4)
    events = await bench.rest()
    assert kinds(events) == ONE_UTTERANCE * 3
    assert [event.utterance for event in events] == [1] * 4 + [2] * 4 + [3] * 4  # type: ignore[union-attr]
    _, told, paused, ended = events[8:]
    assert isinstance(told, PartialHeard)
    assert isinstance(paused, UtterancePaused)
    assert isinstance(ended, UtteranceEnded)
    final = heard(3, "three", is_final=True)
    assert [told.heard, paused.heard, ended.heard] == [heard(3, "thr"), final, final]
    assert bench.ears.streams == 2


async def test_others_hear_an_utterance_from_its_beginning_when_the_ears_break_off() -> None:
    bench = Bench([After(3 * HALF_S, SpeechStarted(1, 800)), After(1, DEAF), After(3 * HALF_S, SpeechStarted(1, 600))])
    bench.say(*map(numbered, range(1, 5)))
    events = await bench.rest()
    assert events == [
        UtteranceBegan(1, bench.began_at + 1.0),
        FAILED,
        EarsBack(),
        UtteranceBegan(2, bench.began_at + 1.0),  # when it was said, not when it was said again
    ]
    assert bench.given() == [[1, 2, 3, 4], [1, 2, 3, 4]]


async def test_what_belongs_to_an_utterance_that_is_over_is_not_heard_again() -> None:
    bench = Bench(["one", After(HALF_S, SpeechStarted(2, 600)), After(HALF_S, DEAF)])
    bench.say(*map(numbered, range(1, 5)))
    await bench.rest()
    assert bench.given() == [[1, 2, 3], [2, 3, 4]]


async def spoken_until_they_break_off(first: EarsEvent, halves: int) -> tuple[Bench, list[MicrophoneEvent]]:
    """So many half seconds were said; this was told after one. And what was told in the end."""
    ticks = [After(HALF_S, heard(1, "")) for _ in range(halves - 2)]  # by which the test sees that the audio was taken
    bench = Bench([After(HALF_S, first), *ticks, DEAF])
    for number in range(1, halves):
        bench.say(numbered(number))
        await bench.next(1)
    bench.say(numbered(halves))
    return bench, await bench.rest()


@pytest.mark.parametrize(("first", "kept"), [(heard(1, ""), 8), (SpeechStarted(1, 0), 18)])
async def test_while_nobody_speaks_4_s_are_kept_and_while_somebody_does_9_s(first: EarsEvent, kept: int) -> None:
    bench, told = await spoken_until_they_break_off(first, 18)
    assert told == [FAILED, EarsBack()]
    assert bench.given() == [list(range(1, 19)), list(range(19 - kept, 19))]


async def test_an_utterance_whose_beginning_cannot_be_heard_anew_is_told_to_be_lost() -> None:
    bench, told = await spoken_until_they_break_off(SpeechStarted(1, 0), 19)
    assert told == [GAVE_UP]  # rather than half of it answered
    assert bench.given() == [list(range(1, 20))]


async def test_a_long_utterance_that_began_later_is_whole() -> None:
    bench, told = await spoken_until_they_break_off(SpeechStarted(1, 500), 19)
    assert told == [FAILED, EarsBack()]
    assert bench.given()[1] == list(range(2, 20))


async def test_ears_that_are_away_before_they_took_anything_lose_nothing() -> None:
    bench = Bench([AWAY, "one"])
    bench.say(numbered(1))
    events = await bench.rest()
    assert kinds(events) == ["EarsFailed", "EarsBack", *ONE_UTTERANCE]
    assert bench.given() == [[], [1]]


async def test_an_outage_is_told_once_however_often_the_ears_are_tried() -> None:
    bench = Bench([*[AWAY] * 20, "one"], said_while_it_waits=[QUIET] * 21)
    bench.say(QUIET)
    events = await bench.next(2 + len(ONE_UTTERANCE))
    assert events[:2] == [FAILED, EarsBack()]
    assert kinds(events[2:]) == ONE_UTTERANCE
    assert bench.ears.streams == 21


async def test_each_outage_is_told() -> None:
    bench = Bench([AWAY, DEAF])
    bench.say(QUIET)
    assert await bench.rest() == [FAILED, EarsBack(), FAILED, EarsBack()]


async def test_ears_that_worked_are_tried_again_at_once_and_others_after_half_a_second() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), DEAF, AWAY, AWAY])
    bench.say(QUIET)
    await bench.next(1)
    bench.say(QUIET)
    await bench.next(2)
    await bench.rest()
    assert bench.waits_s == [0, 0.5, 0.5]


async def test_where_an_utterance_was_cut_off_for_good_it_is_told_that_its_words_are_lost() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), DEAF, *[AWAY] * 6], said_while_it_waits=[QUIET] * 20)
    bench.say(numbered(1), numbered(2))
    assert await bench.next(3) == [UtteranceBegan(1, bench.began_at + 0.5), FAILED, GAVE_UP]
    assert sum(bench.waits_s) == 2.5
    assert await bench.next(1) == [EarsBack()]
    await bench.rest()
    assert set(bench.given()[-1]) == {0}


async def test_words_that_were_told_to_be_lost_are_not_heard_later() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), DEAF, *[AWAY] * 6, After(HALF_S, SpeechStarted(1, 0))])
    bench.say(numbered(1), numbered(2))
    await bench.next(3)
    bench.say(numbered(3))
    assert kinds(await bench.next(2)) == ["EarsBack", "UtteranceBegan"]
    assert bench.given()[-1] == [3]


async def test_where_an_utterance_is_heard_by_others_within_2_s_nothing_is_lost() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), DEAF, *[AWAY] * 3], said_while_it_waits=[LOUD] * 4)
    bench.say(numbered(1), numbered(2))
    assert await bench.next(3) == [UtteranceBegan(1, bench.began_at + 0.5), FAILED, EarsBack()]
    assert await bench.rest() == []
    assert bench.given()[-1][:2] == [1, 2]


async def test_what_is_said_to_ears_that_are_away_is_told_to_be_lost_when_it_is_over_but_once_an_outage() -> None:
    said = [QUIET] * 6 + [LOUD] * 4 + [QUIET] * 10 + [LOUD] * 2 + [QUIET] * 10
    bench = Bench([AWAY] * len(said), said_while_it_waits=list(said))
    bench.say(QUIET)
    assert await bench.next(2) == [FAILED, GAVE_UP]
    assert len(bench.waits_s) == 12  # after the four that were loud, and a second that was quiet
    assert await bench.next(1) == [EarsBack()]  # noises alone would make the assistant talk all the time
    assert len(bench.waits_s) == len(said)


async def test_in_each_outage_it_is_told_that_something_was_lost() -> None:
    outage = [AWAY] * 12
    said = [QUIET] * 3 + [LOUD] * 3 + [QUIET] * 6
    bench = Bench([*outage, DEAF, *outage], said_while_it_waits=[*said, QUIET, *said])
    bench.say(QUIET)
    assert await bench.next(6) == [FAILED, GAVE_UP, EarsBack(), FAILED, GAVE_UP, EarsBack()]


async def test_knocks_are_not_told_to_be_lost() -> None:
    knock = LOUD[: HALF_S // 4]
    knocks = [knock + QUIET[len(knock) :]] * 20
    bench = Bench([AWAY] * 20, said_while_it_waits=knocks)
    bench.say(QUIET)
    assert await bench.next(2) == [FAILED, EarsBack()]


async def test_what_was_said_right_before_they_are_back_is_lost_too() -> None:
    bench = Bench([*[AWAY] * 6, DEAF], said_while_it_waits=[QUIET] * 2 + [LOUD] * 2 + [QUIET] * 3)
    bench.say(QUIET)
    assert await bench.next(5) == [FAILED, GAVE_UP, EarsBack(), FAILED, EarsBack()]  # and once is enough


async def test_a_noise_that_goes_on_is_not_told_of_again_and_again() -> None:
    bench = Bench([AWAY] * 20, said_while_it_waits=[LOUD] * 20)
    bench.say(LOUD)
    assert await bench.next(3) == [FAILED, GAVE_UP, EarsBack()]
    assert len(bench.waits_s) == 20


async def test_silence_is_not_told_to_be_lost() -> None:
    bench = Bench([AWAY] * 20, said_while_it_waits=[QUIET] * 20)
    bench.say(QUIET)
    assert await bench.next(2) == [FAILED, EarsBack()]
    assert len(bench.waits_s) == 20


async def test_what_is_being_said_when_they_are_back_after_long_is_heard() -> None:
    bench = Bench([AWAY] * 8, said_while_it_waits=[numbered(number) for number in range(2, 10)])
    bench.say(numbered(1))
    await bench.next(2)
    await bench.rest()
    assert bench.given()[-1] == [8, 9]


async def test_audio_that_two_streams_broke_off_over_is_not_given_to_a_third() -> None:
    breaks = (After(HALF_S, SpeechStarted(1, 0)), DEAF)
    bench = Bench([*breaks, *breaks])
    bench.say(numbered(1), numbered(2))
    events = await bench.next(5)
    assert kinds(events) == ["UtteranceBegan", "EarsFailed", "EarsBack", "UtteranceBegan", "EarsFailed"]
    assert [events[1], events[4]] == [FAILED, GAVE_UP]
    bench.say(numbered(3))
    assert await bench.rest() == [EarsBack()]
    assert bench.given() == [[1, 2], [1, 2], [3]]


@pytest.mark.parametrize("pieces_had", [1, 4])
async def test_where_the_next_ears_break_off_too_before_they_tell_of_speech_it_is_told_that_words_are_lost(
    pieces_had: int,
) -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), After(3 * HALF_S, DEAF), After(pieces_had * HALF_S, DEAF)])
    bench.say(*map(numbered, range(1, 5)))
    assert await bench.next(4) == [UtteranceBegan(1, bench.began_at + 0.5), FAILED, EarsBack(), GAVE_UP]
    bench.say(numbered(5))
    assert await bench.rest() == [EarsBack()]
    assert bench.given() == [[1, 2, 3, 4], list(range(1, pieces_had + 1)), [5]]


async def test_an_utterance_that_was_taken_up_and_ended_is_not_lost_when_those_ears_break_off() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), DEAF, "one", After(2 * HALF_S, DEAF)])
    bench.say(*map(numbered, range(1, 4)))
    assert kinds(await bench.next(7)) == ["UtteranceBegan", "EarsFailed", "EarsBack", *ONE_UTTERANCE]
    assert await bench.rest() == [FAILED, EarsBack()]
    assert bench.given()[-1] == [3]  # which the first ones did not have


async def test_an_utterance_that_others_passed_by_is_not_lost_when_they_break_off() -> None:
    ticks = [After(HALF_S, heard(1, "")) for _ in range(9)]
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), After(1, DEAF), *ticks, After(1, DEAF)])
    bench.say(*map(numbered, range(1, 3)))
    assert kinds(await bench.next(4)) == ["UtteranceBegan", "EarsFailed", "EarsBack", "PartialHeard"]
    for number in range(3, 11):
        bench.say(numbered(number))
        await bench.next(1)
    bench.say(numbered(11))
    assert await bench.rest() == [FAILED, EarsBack()]
    assert bench.given()[-1] == [3, 4, 5, 6, 7, 8, 9, 10, 11]


class ReadyButGone:
    """Ears that break off in an utterance; after that, so many times, as soon as they are ready."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._first = ScriptedEars([After(HALF_S, SpeechStarted(1, 0)), After(1, DEAF)])
        self.last = ScriptedEars([], bytes_an_utterance=HALF_S)

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        if self._first.streams and self._times:
            self._times -= 1
            yield EarsReady("gone")
            raise DEAF
        ears = self.last if self._first.streams else self._first
        async with aclosing(ears.listen(audio, sample_rate_hz, language_code)) as events:
            async for event in events:
                yield event


@pytest.mark.parametrize(("times", "is_lost"), [(3, False), (4, True)])
async def test_ears_that_come_and_go_are_waited_for_no_longer_than_others(times: int, is_lost: bool) -> None:
    bench = Bench([])
    ears = ReadyButGone(times)
    microphone = Microphone(ears, RATE_HZ, "", bench.clock, bench.wait)
    for number in (1, 2):
        microphone.take(MicrophoneAudio(numbered(number)))
    microphone.end()
    told = [event async for event in microphone.heard()]
    assert sum(isinstance(event, EarsFailed) and event.lost_words for event in told) == is_lost
    assert bool(ears.last.audio) is not is_lost


@pytest.mark.parametrize("reason", ["DRAINING", "LIMIT_REACHED"])
async def test_ears_that_end_a_stream_in_good_order_did_not_fail(reason: str) -> None:
    bench = Bench([After(2 * HALF_S, UnavailableError("bye", reason=reason)), "one"])
    bench.say(numbered(1), numbered(2))
    assert kinds(await bench.rest()) == ONE_UTTERANCE
    assert bench.given() == [[1, 2], [1, 2]]  # somebody may just have begun to speak


async def test_after_a_stream_that_was_idle_too_long_nothing_old_is_given() -> None:
    bench = Bench([After(2 * HALF_S, heard(1, "")), After(0, UnavailableError("silent", reason="STREAM_IDLE")), "one"])
    bench.say(numbered(1), numbered(2))
    await bench.next(1)
    bench.say(numbered(3))
    assert kinds(await bench.rest()) == ONE_UTTERANCE
    assert bench.given() == [[1, 2], [3]]


async def test_an_utterance_in_which_a_stream_was_idle_is_told_to_be_lost_and_the_next_one_is_heard() -> None:
    idle = UnavailableError("silent", reason="STREAM_IDLE")
    bench = Bench([After(2 * HALF_S, SpeechStarted(1, 0)), After(0, idle), "one"])
    bench.say(numbered(1), numbered(2))
    assert (await bench.next(2))[1] == EarsFailed(idle, lost_words=True)
    bench.clock.advance(60)
    bench.say(numbered(3))
    assert kinds(await bench.rest()) == ONE_UTTERANCE  # nor is anybody told again
    assert bench.given() == [[1, 2], [3]]


async def test_an_utterance_in_which_the_client_sends_nothing_more_ends_by_itself() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), After(HALF_S, heard(1, "one", is_final=True))])
    bench.ears.script.append(After(0, SpeechEnded(1, 400, 900)))
    bench.say(LOUD)
    await bench.next(1)
    bench.clock.advance(1.5)
    async with asyncio.timeout(BOUND_S):
        [ended] = await bench.next(1)
    assert ended == UtteranceEnded(1, heard(1, "one", is_final=True), bench.began_at + 0.5, bench.clock())
    assert bytes(bench.ears.audio) == LOUD + QUIET


async def test_an_idle_stream_is_no_reason_to_go_on_after_the_end() -> None:
    bench = Bench([After(HALF_S, UnavailableError("silent", reason="STREAM_IDLE"))])
    bench.say(QUIET)
    assert await bench.rest() == []
    assert bench.ears.streams == 1


async def test_good_order_does_not_cut_an_utterance_off() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), After(1, UnavailableError("bye", reason="DRAINING"))])
    bench.say(QUIET, QUIET)
    assert kinds(await bench.rest()) == ["UtteranceBegan", "EarsFailed", "EarsBack"]


async def test_ears_that_end_every_stream_at_once_are_not_pestered() -> None:
    bench = Bench([*[UnavailableError("bye", reason="DRAINING")] * 10, "one"], said_while_it_waits=[QUIET] * 10)
    bench.say(QUIET)
    assert kinds(await bench.next(4)) == ONE_UTTERANCE
    assert bench.waits_s == [0.5] * 10


@pytest.mark.parametrize("refusal", [UnsupportedError("only English"), InvalidInputError("audio", "odd")])
async def test_a_refusal_is_raised(refusal: CallError) -> None:
    bench = Bench([refusal])
    bench.say(QUIET)
    with pytest.raises(type(refusal)):
        await bench.rest()
    assert bench.ears.streams == 1


class HangingUp:
    """Ears that hear a little and leave without a word."""

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        yield EarsReady("hanging up")


async def test_ears_that_hang_up_while_there_is_audio_have_failed() -> None:
    microphone = Microphone(HangingUp(), RATE_HZ, "")
    microphone.take(MicrophoneAudio(QUIET))
    async with aclosing(microphone.heard()) as events:
        failed = await anext(events)
    assert isinstance(failed, EarsFailed)
    assert failed.error.detailed_reason == "STREAM_ENDED"


async def test_muted_the_ears_hear_silence() -> None:
    bench = Bench([])
    bench.say(LOUD)
    bench.microphone.take(SetMuted(True))
    bench.say(LOUD)
    bench.microphone.take(SetMuted(False))
    bench.say(LOUD)
    await bench.rest()
    assert bytes(bench.ears.audio) == LOUD + QUIET + LOUD


async def test_words_at_the_very_end_are_heard_by_others_when_the_ears_break_off() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), After(1, DEAF), "one"])
    bench.say(numbered(1), numbered(2))
    events = await bench.rest()
    assert kinds(events) == ["UtteranceBegan", "EarsFailed", "EarsBack", *ONE_UTTERANCE]


async def test_after_the_end_ears_that_stay_away_are_waited_for_no_longer_than_their_words_matter() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0)), DEAF, *[AWAY] * 100])
    bench.say(LOUD, LOUD)
    assert kinds(await bench.rest()) == ["UtteranceBegan", "EarsFailed", "EarsFailed"]
    assert sum(bench.waits_s) == pytest.approx(3.0)


async def test_after_the_end_they_are_not_waited_for_without_end() -> None:
    bench = Bench([AWAY] * 100)
    bench.say(LOUD)
    assert await bench.rest() == [FAILED, GAVE_UP]


async def test_whoever_stops_listening_closes_the_ears() -> None:
    bench = Bench([After(HALF_S, SpeechStarted(1, 0))])
    bench.say(QUIET)
    async with aclosing(bench.events):
        await bench.next(1)
        assert bench.ears.open_streams == 1
    assert bench.ears.open_streams == 0
