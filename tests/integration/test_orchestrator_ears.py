"""A microphone over real ears: what is said while they are killed, stopped or taken down is heard by others."""

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from services.common.channels import Connection
from services.orchestrator.clients import GrpcEars
from services.orchestrator.inputs import MicrophoneAudio
from services.orchestrator.microphone import (
    EarsBack,
    EarsFailed,
    Microphone,
    MicrophoneEvent,
    UtteranceBegan,
    UtteranceEnded,
)
from services.orchestrator.ports import Ears, EarsEvent, EarsReady
from tests.support.closed_whisper import closed_whisper, say
from tests.support.ears import joined, messages, whisper
from tests.support.health import NOT_SERVING, SERVING, watch
from tests.support.servers import Child, child_service
from tests.support.waiting import BOUND_S, wait_until

FIRST, SECOND = "baisse le volume", "quelle est la meilleure façon d'apprendre une nouvelle langue"


class OneAfterTheOther:
    """Ears each of which hears one stream, and the last one all that are left."""

    def __init__(self, *ears: Ears) -> None:
        self._ears = list(ears)
        self.ready_streams = 0

    async def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        ears = self._ears.pop(0) if len(self._ears) > 1 else self._ears[0]
        async with aclosing(ears.listen(audio, sample_rate_hz, language_code)) as events:
            async for event in events:
                self.ready_streams += isinstance(event, EarsReady)
                yield event


@asynccontextmanager
async def two_ears() -> AsyncIterator[tuple[Child, OneAfterTheOther]]:
    """Two real ones, and the process of the first."""
    arguments = whisper(closed_whisper())
    async with (
        child_service("stt", *arguments) as first,
        child_service("stt", *arguments) as second,
        Connection(first.address).open() as to_first,
        Connection(second.address).open() as to_second,
    ):
        one, other = (
            GrpcEars(Connection(child.address), channel, limit_s=60, min_speech_ms=64)
            for child, channel in ((first, to_first), (second, to_second))
        )
        yield first, OneAfterTheOther(one, other)


async def until(kind: type, events: AsyncGenerator[MicrophoneEvent, None]) -> list[MicrophoneEvent]:
    """What is told until something of this kind is, inclusive."""
    told: list[MicrophoneEvent] = []
    async with asyncio.timeout(BOUND_S):
        while not (told and isinstance(told[-1], kind)):
            told.append(await anext(events))
    return told


def ended(events: list[MicrophoneEvent]) -> list[str]:
    return [event.heard.text for event in events if isinstance(event, UtteranceEnded) and event.heard]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_nothing_of_an_utterance_is_lost_when_others_take_over(how: signal.Signals) -> None:
    audio = [request.audio for request in messages(joined(0.5, say(FIRST, "fr"), 1.5, say(SECOND, "fr")))]
    second_began = round((0.5 + len(say(FIRST, "fr").samples) / 16_000 + 1.5) * 10)
    async with two_ears() as (first, both):
        microphone = Microphone(both, 16_000, "")
        async with aclosing(microphone.heard()) as events:
            for piece in audio[: second_began + 10]:  # the first one, and a second of the other
                microphone.take(MicrophoneAudio(piece))
            assert ended(await until(UtteranceEnded, events)) == [FIRST]
            await until(UtteranceBegan, events)
            first.process.send_signal(how)
            for piece in audio[second_began + 10 :]:  # nobody falls silent because the ears do
                microphone.take(MicrophoneAudio(piece))
            [*_, failed] = await until(EarsFailed, events)
            assert isinstance(failed, EarsFailed)
            assert not failed.lost_words
            microphone.end()
            told = [event async for event in events]
    assert isinstance(told[0], EarsBack)
    assert ended(told) == [SECOND]
    assert [event.utterance for event in told if isinstance(event, UtteranceBegan)] == [3]


async def test_who_sends_nothing_more_after_the_last_word_is_understood() -> None:
    first, second = (messages(joined(0.1, say(text, "fr")), silence_s=0) for text in (FIRST, SECOND))
    async with two_ears() as (_, both):
        microphone = Microphone(both, 16_000, "")
        async with aclosing(microphone.heard()) as events:
            for request in first:
                microphone.take(MicrophoneAudio(request.audio))
            assert ended(await until(UtteranceEnded, events)) == [FIRST]
            for request in second:
                microphone.take(MicrophoneAudio(request.audio))
            assert ended(await until(UtteranceEnded, events)) == [SECOND]
    assert both.ready_streams == 1


async def test_ears_that_go_down_in_good_order_fail_nobody_and_lose_nothing() -> None:
    silence, speech = messages(joined(1.0), silence_s=0), messages(joined(0.1, say(FIRST, "fr")))
    async with two_ears() as (first, both), Connection(first.address).open() as channel:
        microphone = Microphone(both, 16_000, "")
        hearing = asyncio.create_task(everything(microphone))
        for request in silence:
            microphone.take(MicrophoneAudio(request.audio))
        await wait_until(lambda: both.ready_streams == 1, "the first ears to listen")
        health = watch(channel)
        assert (await health.read()).status == SERVING
        first.process.terminate()
        assert (await health.read()).status == NOT_SERVING
        for request in speech:
            microphone.take(MicrophoneAudio(request.audio))
        microphone.end()
        told = await hearing
    assert ended(told) == [FIRST]
    assert not [event for event in told if isinstance(event, EarsFailed)]
    assert both.ready_streams == 2


async def everything(microphone: Microphone) -> list[MicrophoneEvent]:
    return [event async for event in microphone.heard()]
