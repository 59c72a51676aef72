"""A person at a client of AssistantService: speaks at the pace of time, plays the replies, and notes when what came.

async with conversing(address) as caller:
    spoken = await caller.say(samples)
    audio = await caller.until(kind_is("reply_audio"))  # audio.at - spoken.ended_at: voice to voice
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from services.common.audio import Samples
from services.common.channels import Connection
from services.common.exchange import exchange
from services.common.tasks import cancel_and_wait
from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.assistant.v1 import assistant_pb2_grpc
from superwhisper.common.v1 import audio_pb2
from tests.support.loudspeaker import Loudspeaker
from tests.support.microphone import MESSAGE_S, Microphone, Spoken

RATE_HZ = 16_000
BOUND_S = 60.0
_REPORT_EVERY_S = 0.1
_WAITING = 1000  # messages: twenty seconds of a server that takes nothing


@dataclass(frozen=True)
class Told:
    """A response, and when it came (time.monotonic)."""

    at: float
    response: pb.ConverseResponse

    @property
    def kind(self) -> str | None:
        """Which event it is."""
        return self.response.WhichOneof("event")

    @property
    def turn_id(self) -> str:
        """The turn that it belongs to."""
        return self.response.turn_id


Matches = Callable[[Told], bool]


def kind_is(kind: str, turn_id: str | None = None) -> Matches:
    """Responses of this kind, of this turn where one is named."""
    return lambda told: told.kind == kind and turn_id in (None, told.turn_id)


class Caller:
    """One conversation. All that it was told stands in `told`, in order."""

    def __init__(self, loudspeaker: Loudspeaker) -> None:
        self.told: list[Told] = []
        self.loudspeaker = loudspeaker
        self._grew = asyncio.Event()  # replaced with every response
        self._is_over = False
        self._outgoing: asyncio.Queue[pb.ConverseRequest] = asyncio.Queue(_WAITING)
        self._microphone = Microphone(RATE_HZ)

    async def say(self, samples: Samples) -> Spoken:
        """Speaks, after what is being said already; returns when the last sample was sent."""
        return await self._microphone.say(samples)

    async def type(self, text: str) -> None:
        """A typed turn."""
        await self._outgoing.put(pb.ConverseRequest(text=text))

    async def interrupt(self) -> None:
        """The button that stops the reply."""
        await self._outgoing.put(pb.ConverseRequest(control=pb.Control(interrupt=pb.Interrupt())))

    async def mute(self, *, muted: bool) -> None:
        """The button that stops the listening, or starts it again."""
        await self._outgoing.put(pb.ConverseRequest(control=pb.Control(mute=pb.Mute(muted=muted))))

    async def end(self) -> None:
        """No more input follows."""
        await self._outgoing.put(pb.ConverseRequest(control=pb.Control(end=pb.End())))

    async def until(self, matches: Matches, since: int = 0, bound_s: float = BOUND_S) -> Told:
        """The first such response from the `since`-th on; TimeoutError where none comes in time."""
        seen = since
        try:
            async with asyncio.timeout(bound_s):
                while True:
                    grew, is_over = self._grew, self._is_over
                    for told in self.told[seen:]:
                        if matches(told):
                            return told
                    if is_over:
                        raise AssertionError(f"the conversation ended without it; it was told {self._summary(since)}")
                    seen = len(self.told)
                    await grew.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {bound_s:g} s in vain; it was told {self._summary(since)}") from None

    async def turn_end(self, turn_id: str, bound_s: float = BOUND_S) -> pb.TurnFinished:
        """How the turn ended."""
        return (await self.until(kind_is("turn_finished", turn_id), bound_s=bound_s)).response.turn_finished

    def of_turn(self, turn_id: str, kind: str) -> list[Told]:
        """All responses of this kind of a turn."""
        return [told for told in self.told if told.turn_id == turn_id and told.kind == kind]

    async def requests(self, config: pb.ConverseConfig) -> AsyncGenerator[pb.ConverseRequest, None]:
        """What is sent, without an end."""
        yield pb.ConverseRequest(config=config)
        while True:
            yield await self._outgoing.get()

    async def read(self, responses: AsyncGenerator[pb.ConverseResponse, None]) -> None:
        """Notes what comes, and does with the loudspeaker what it says."""
        try:
            async with contextlib.aclosing(responses):
                async for response in responses:
                    self.told.append(Told(time.monotonic(), response))
                    self._obey(response)
                    self._wake()
        finally:
            self._is_over = True
            self._wake()

    async def speak(self) -> None:
        """The microphone: a message every 20 ms, of what is said or of silence."""
        began = time.monotonic()
        for number in count(1):
            await asyncio.sleep(max(0.0, began + number * MESSAGE_S - time.monotonic()))
            await self._outgoing.put(pb.ConverseRequest(audio=self._microphone.message()))

    async def report(self) -> None:
        """Tells what was played, while something is."""
        reported = ("", 0)
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            played = (self.loudspeaker.turn_id, self.loudspeaker.played_samples)
            if played != reported and played[0]:
                reported = played
                await self._outgoing.put(_playback(*played))

    def _obey(self, response: pb.ConverseResponse) -> None:
        kind = response.WhichOneof("event")
        if kind == "reply_audio":
            audio = response.reply_audio
            self.loudspeaker.take(response.turn_id, audio.first_sample, len(audio.audio) // 2)
        elif kind == "interrupted" and response.turn_id == self.loudspeaker.turn_id:
            self.loudspeaker.flush()
        elif kind == "state":
            self._hold_or_go_on(response.state)

    def _hold_or_go_on(self, state: pb.StateChanged) -> None:
        if state.state != pb.ASSISTANT_STATE_YIELDING:
            self.loudspeaker.go_on()
        elif state.hold == pb.HOLD_MODE_PAUSE:
            self.loudspeaker.hold()
            if self.loudspeaker.turn_id and not self._outgoing.full():  # what was heard is known at once
                self._outgoing.put_nowait(_playback(self.loudspeaker.turn_id, self.loudspeaker.played_samples))

    def _summary(self, since: int) -> dict[str | None, int]:
        return dict(Counter(told.kind for told in self.told[since:]))

    def _wake(self) -> None:
        self._grew.set()
        self._grew = asyncio.Event()


@contextlib.asynccontextmanager
async def conversing(
    address: str, *, microphone: bool = True, reports: bool = True, speed: float = 1.0, resume_token: str = ""
) -> AsyncIterator[Caller]:
    """A conversation; the one that leaves vanishes without a word. `speed`: how fast the loudspeaker plays."""
    connection, audio_format = Connection(address), audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ)
    config = pb.ConverseConfig(
        input_format=audio_format if microphone else None,
        output_format=audio_format,
        language_code="fr",
        interim_results=True,
        resume_token=resume_token,
    )
    caller = Caller(Loudspeaker(RATE_HZ, speed))
    async with connection.open() as channel:
        stub: assistant_pb2_grpc.AssistantServiceAsyncStub = assistant_pb2_grpc.AssistantServiceStub(channel)
        call: Any = stub.Converse(**connection.call_options(3600))
        tasks = [asyncio.create_task(caller.read(exchange(call, caller.requests(config))))]
        try:
            await caller.until(kind_is("session"))
            tasks += [asyncio.create_task(caller.speak())] if microphone else []
            tasks += [asyncio.create_task(caller.report())] if reports else []
            yield caller
        finally:
            await cancel_and_wait(*tasks)


def _playback(turn_id: str, samples: int) -> pb.ConverseRequest:
    return pb.ConverseRequest(playback=pb.Playback(turn_id=turn_id, played_samples=samples))
