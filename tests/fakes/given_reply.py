"""A reply that a scripted assistant gives: at most two seconds ahead of what is played, over once all was played."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from superwhisper.assistant.v1 import assistant_pb2 as pb
from superwhisper.common.v1 import audio_pb2

_AHEAD_S = 2
_NO_REPORTS_S = 1.5  # a client that did not report by then never does; what it was sent counts as played


class GivenReply:
    """Outlives its connection: `responses` of the next one go on from what was played."""

    def __init__(
        self,
        turn_id: str,
        text: Sequence[str],
        audio: Sequence[bytes],
        rate_hz: int,
        yields: "pb.HoldMode.ValueType" = pb.HOLD_MODE_UNSPECIFIED,
    ) -> None:
        self.turn_id = turn_id
        self.is_reported = False  # whether this client reports
        self.cut_at: str | None = None  # what was heard of it, if it was cut off
        self._text = text
        self._audio = audio if rate_hz else ()
        self._rate_hz = rate_hz
        self._played = 0
        self._sent = 0
        self._sequence = 0
        self._yields = yields  # so after its first chunk
        self._is_yielding = False
        self._is_held = False
        self._orders: list[pb.ConverseResponse] = []
        self._changed = asyncio.Event()

    def reported(self, samples: int) -> None:
        """The client played so many; more than it was sent is not believed."""
        self.is_reported = True
        self._played = max(self._played, min(samples, self._sent))
        self._changed.set()

    def hold(self, mode: "pb.HoldMode.ValueType") -> None:
        """Somebody speaks."""
        self._is_yielding, self._is_held = True, mode == pb.HOLD_MODE_PAUSE
        self._order(pb.ASSISTANT_STATE_YIELDING, mode)

    def go_on(self) -> None:
        """It was nothing."""
        self._is_yielding = self._is_held = False
        self._order(pb.ASSISTANT_STATE_SPEAKING, pb.HOLD_MODE_UNSPECIFIED)

    def cut(self, heard_text: str) -> None:
        """It was an interruption."""
        self.cut_at = heard_text
        self._changed.set()

    def texts(self) -> list[pb.ConverseResponse]:
        """All of its text."""
        return [self._response(reply_text=pb.ReplyText(text_delta=delta)) for delta in self._text]

    async def responses(self) -> AsyncIterator[pb.ConverseResponse]:
        """Its audio and what happens meanwhile, from what was played so far until it is over or cut off."""
        self._sent = self._played
        yield state(pb.ASSISTANT_STATE_SPEAKING, self.turn_id)
        while True:
            orders, self._orders = self._orders, []
            for order in orders:
                yield order
            while (chunk := self._next_chunk()) is not None:
                yield chunk
                if self._yields:
                    self.hold(self._yields)
                    self._yields = pb.HOLD_MODE_UNSPECIFIED
            if self.cut_at is not None:
                yield self._response(interrupted=pb.Interrupted(heard_text=self.cut_at))
            if self.cut_at is not None or (self._played == self._samples() and not self._is_yielding):
                return
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(None if self.is_reported or self._is_yielding else _NO_REPORTS_S):
                await self._changed.wait()
        except TimeoutError:
            self._played = self._sent
        self._changed.clear()

    def _next_chunk(self) -> pb.ConverseResponse | None:
        if self._is_held or self._sent - self._played >= _AHEAD_S * self._rate_hz:
            return None
        start = 0
        for audio in self._audio:
            end = start + len(audio) // 2
            if end > self._sent:
                return self._chunk(audio[(self._sent - start) * 2 :])
            start = end
        return None

    def _chunk(self, audio: bytes) -> pb.ConverseResponse:
        span = audio_pb2.TextSpan(start=0, end=1)
        chunk = pb.ReplyAudio(audio=audio, sequence=self._sequence, first_sample=self._sent, span=span)
        self._sequence += 1
        self._sent += len(audio) // 2
        return self._response(reply_audio=chunk)

    def _samples(self) -> int:
        return sum(len(audio) // 2 for audio in self._audio)

    def _order(self, entered: "pb.AssistantState.ValueType", hold: "pb.HoldMode.ValueType") -> None:
        self._orders.append(state(entered, self.turn_id, hold))
        self._changed.set()

    def _response(self, **event: object) -> pb.ConverseResponse:
        return pb.ConverseResponse(turn_id=self.turn_id, **event)  # type: ignore[arg-type]  # one of its events


def state(
    entered: "pb.AssistantState.ValueType",
    turn_id: str = "",
    hold: "pb.HoldMode.ValueType" = pb.HOLD_MODE_UNSPECIFIED,
) -> pb.ConverseResponse:
    """What the assistant does now."""
    return pb.ConverseResponse(turn_id=turn_id, state=pb.StateChanged(state=entered, hold=hold))
