"""A microphone over real ears: what is said while they are killed, stopped or taken down is heard by others."""

import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from services.common.audio import Recording
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
from services.orchestrator.ports import Ears, EarsEvent
from tests.support.closed_whisper import closed_whisper, say
from tests.support.ears import joined, messages, whisper
from tests.support.servers import Child, child_service

FIRST, SECOND = "baisse le volume", "quelle est la meilleure façon d'apprendre une nouvelle langue"


class OneAfterTheOther:
    """Ears of which each stream is opened at the next, the last one included for good."""

    def __init__(self, *ears: Ears) -> None:
        self._ears = list(ears)

    def listen(
        self, audio: AsyncIterator[bytes], sample_rate_hz: int, language_code: str
    ) -> AsyncGenerator[EarsEvent, None]:
        ears = self._ears.pop(0) if len(self._ears) > 1 else self._ears[0]
        return ears.listen(audio, sample_rate_hz, language_code)


@asynccontextmanager
async def two_ears() -> AsyncIterator[tuple[Child, Microphone]]:
    """A microphone, and the ears that hear it first."""
    arguments = whisper(closed_whisper())
    async with (
        child_service("stt", *arguments) as first,
        child_service("stt", *arguments) as second,
        Connection(first.address).open() as to_first,
        Connection(second.address).open() as to_second,
    ):
        one, other = (
            GrpcEars(Connection(child.address), channel, limit_s=60)
            for child, channel in ((first, to_first), (second, to_second))
        )
        yield first, Microphone(OneAfterTheOther(one, other), 16_000, "")


async def until(kind: type, events: AsyncGenerator[MicrophoneEvent, None]) -> list[MicrophoneEvent]:
    """What is told until something of this kind is, inclusive."""
    told: list[MicrophoneEvent] = []
    while not (told and isinstance(told[-1], kind)):
        told.append(await anext(events))
    return told


def ended(events: list[MicrophoneEvent]) -> list[str]:
    return [event.heard.text for event in events if isinstance(event, UtteranceEnded) and event.heard]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_nothing_of_an_utterance_is_lost_when_others_take_over(how: signal.Signals) -> None:
    audio = [request.audio for request in messages(joined(0.5, say(FIRST, "fr"), 1.5, say(SECOND, "fr")))]
    second_began = round((0.5 + len(say(FIRST, "fr").samples) / 16_000 + 1.5) * 10)
    async with two_ears() as (first, microphone), aclosing(microphone.heard()) as events:
        for piece in audio[: second_began + 10]:  # the first one, and a second of the other
            microphone.take(MicrophoneAudio(piece))
        assert ended(await until(UtteranceEnded, events)) == [FIRST]
        await until(UtteranceBegan, events)
        first.process.send_signal(how)
        [*_, failed] = await until(EarsFailed, events)
        assert isinstance(failed, EarsFailed)
        assert not failed.lost_words
        for piece in audio[second_began + 10 :]:
            microphone.take(MicrophoneAudio(piece))
        microphone.end()
        told = [event async for event in events]
    assert isinstance(told[0], EarsBack)
    assert ended(told) == [SECOND]
    assert [event.utterance for event in told if isinstance(event, UtteranceBegan)] == [3]


async def test_ears_that_go_down_in_good_order_fail_nobody_and_lose_nothing() -> None:
    silence, speech = messages(joined(1.0), silence_s=0), messages(joined(0.1, say(FIRST, "fr")))
    async with two_ears() as (first, microphone), aclosing(microphone.heard()) as events:
        hearing = asyncio.create_task(everything(events))
        for request in silence:
            microphone.take(MicrophoneAudio(request.audio))
        async with Connection(first.address).open() as channel:
            health = watch(channel)
            await hears_somebody(first)
            first.process.send_signal(signal.SIGTERM)
            async for response in health:
                if response.status == NOT_SERVING:
                    break
        for request in speech:
            microphone.take(MicrophoneAudio(request.audio))
        microphone.end()
        told = await hearing
    assert ended(told) == [FIRST]
    assert not [event for event in told if isinstance(event, EarsFailed)]


async def everything(events: AsyncGenerator[MicrophoneEvent, None]) -> list[MicrophoneEvent]:
    return [event async for event in events]


async def hears_somebody(ears: Child) -> None:
    """Returns when a stream is open."""

    async def is_so() -> bool:
        return sample(await scraped(ears.metrics_port), "stt_active_sessions") == 1

    await wait_for(is_so, "the stream to be open")
