"""Microphone streams at real time against a service: when things come, seen from the caller."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.common.audio import Samples, encode_pcm
from services.common.channels import Connection
from services.common.exchange import exchange
from services.stt.engine import ENGINE_RATE_HZ
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc

_MESSAGE_SAMPLES = ENGINE_RATE_HZ // 50  # 20 ms, as a microphone gives them
_Request = stt_pb2.StreamingRecognizeRequest
_Stub = stt_pb2_grpc.SttServiceStub


@dataclass(frozen=True)
class Sentence:
    """What is said, and what must be heard."""

    text: str
    samples: Samples
    language_code: str = "fr"


@dataclass
class Outcome:
    """What came of one utterance. Times in milliseconds."""

    expected: str
    heard: str = ""
    after_speech: float = float("nan")  # from its last sample to the final transcript
    after_endpoint: float = float("nan")  # from the message that decided its end to the final transcript
    engine: float = float("nan")
    partial_gaps: list[float] = field(default_factory=list)


async def converse(
    address: str, sentences: Sequence[Sentence], pause_s: float, *, flush: bool = False, partials: bool = True
) -> list[Outcome]:
    """One stream that says all sentences, a pause after each; with `flush` the caller ends each himself, at once."""
    stream = _Stream(sentences, pause_s, flush)
    config = stt_pb2.StreamingRecognizeConfig(
        audio_format=audio_pb2.AudioFormat(sample_rate_hz=ENGINE_RATE_HZ), interim_results=partials
    )
    outcomes = [Outcome(sentence.text) for sentence in sentences]
    async with Connection(address).open() as channel:
        stub: stt_pb2_grpc.SttServiceAsyncStub = _Stub(channel)
        async for event in exchange(stub.StreamingRecognize(timeout=3600), stream.requests(config)):
            _note(outcomes, stream, event)
    return outcomes


class _Stream:
    """The requests of one stream, sent when a microphone would; remembers when that was."""

    def __init__(self, sentences: Sequence[Sentence], pause_s: float, flush: bool) -> None:
        self._sentences = sentences
        self._pause = np.zeros(int(pause_s * ENGINE_RATE_HZ), np.int16)
        self._flush = flush
        self._began_s = 0.0
        self.speech_ends_s: list[float] = []
        self.last_partial_s: dict[int, float] = {}

    async def requests(self, config: stt_pb2.StreamingRecognizeConfig) -> AsyncGenerator[_Request, None]:
        """All of them."""
        yield _Request(config=config)
        self._began_s = time.monotonic()
        position = 0
        for sentence in self._sentences:
            for part in (sentence.samples, None, self._pause):
                if part is None:
                    self.speech_ends_s.append(self.sent_s(position))
                    if self._flush:
                        yield _Request(control=stt_pb2.StreamControl(flush=stt_pb2.Flush()))
                    continue
                for begin in range(0, part.size, _MESSAGE_SAMPLES):
                    message = part[begin : begin + _MESSAGE_SAMPLES]
                    position += message.size
                    await asyncio.sleep(self.sent_s(position) - time.monotonic())
                    yield _Request(audio=encode_pcm(message))

    def sent_s(self, position: int) -> float:
        """When a microphone has recorded so many samples."""
        return self._began_s + position / ENGINE_RATE_HZ


def _note(outcomes: Sequence[Outcome], stream: _Stream, event: stt_pb2.StreamingRecognizeResponse) -> None:
    now_s = time.monotonic()
    kind = event.WhichOneof("event")
    if kind == "transcript":
        number = event.transcript.utterance_id
        if number > len(outcomes):
            raise AssertionError(f"utterance {number} of {len(outcomes)}: a sentence was cut in two")
        outcome = outcomes[number - 1]
        if event.transcript.is_final:
            outcome.heard = event.transcript.text
            outcome.engine = event.transcript.processing_ms
            outcome.after_speech = (now_s - stream.speech_ends_s[number - 1]) * 1000
            outcome.after_endpoint = now_s
        else:
            if number in stream.last_partial_s:
                outcome.partial_gaps.append((now_s - stream.last_partial_s[number]) * 1000)
            stream.last_partial_s[number] = now_s
    elif kind == "utterance_ended":
        ended = event.utterance_ended
        # The frame that decided it came with the message that carried its last sample.
        messages = -(-ended.endpoint_ms * ENGINE_RATE_HZ // 1000 // _MESSAGE_SAMPLES)
        decided_s = stream.sent_s(messages * _MESSAGE_SAMPLES)
        outcome = outcomes[ended.utterance_id - 1]
        outcome.after_endpoint = (outcome.after_endpoint - decided_s) * 1000
