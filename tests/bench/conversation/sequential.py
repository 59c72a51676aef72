"""The same engines, one after the other: the whole utterance, then the whole reply, then the whole audio.

The ears hear as they do in a conversation, while the person speaks, so their part is as short as ours. The voice can
begin when all of its audio is there.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from itertools import count

from services.common.channels import Connection
from services.common.exchange import exchange
from superwhisper.common.v1 import audio_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.bench.conversation.sayings import Saying, Sayings
from tests.bench.conversation.turns import REPLY_BOUND_S
from tests.bench.conversation.voice_to_voice import percentiles
from tests.bench.figures import Rows, percentile
from tests.support.conversing import RATE_HZ
from tests.support.microphone import MESSAGE_S, Microphone

_FORMAT = audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ)
_BETWEEN_S = 0.1
_Request = stt_pb2.StreamingRecognizeRequest


class Pipeline:
    """The three services, called by nobody but this."""

    def __init__(
        self,
        ears: "stt_pb2_grpc.SttServiceAsyncStub",
        mind: "llm_pb2_grpc.LlmServiceAsyncStub",
        mouth: "tts_pb2_grpc.TtsServiceAsyncStub",
    ) -> None:
        self._ears = ears
        self._mind = mind
        self._mouth = mouth

    async def ask(self, saying: Saying) -> float:
        """Voice to voice, in milliseconds."""
        async with asyncio.timeout(REPLY_BOUND_S):
            text, ended_at = await self._hear(saying)
            reply = await self._think(text)
            await self._speak(reply)
            return (time.monotonic() - ended_at) * 1000

    async def _hear(self, saying: Saying) -> tuple[str, float]:
        """The transcript, and when the last sample was sent."""
        microphone = Microphone(RATE_HZ)
        said = asyncio.create_task(microphone.say(saying.samples))
        call = exchange(self._ears.StreamingRecognize(timeout=REPLY_BOUND_S), _requests(microphone))
        async with aclosing(call) as responses:
            async for response in responses:
                if response.transcript.is_final:
                    return response.transcript.text, (await said).ended_at
        raise AssertionError("the ears ended without a transcript")

    async def _think(self, text: str) -> str:
        messages = [llm_pb2.Message(role=llm_pb2.ROLE_USER, content=text)]
        request = llm_pb2.GenerateRequest(messages=messages, language_code="fr")
        call = exchange(self._mind.Generate(request, timeout=REPLY_BOUND_S))
        return "".join([response.text_delta async for response in call])

    async def _speak(self, text: str) -> None:
        voice = tts_pb2.VoiceConfig(language_code="fr")
        request = tts_pb2.SynthesizeRequest(text=text, audio_format=_FORMAT, voice=voice)
        async for _ in exchange(self._mouth.Synthesize(request, timeout=REPLY_BOUND_S)):
            pass


async def run(stages: Mapping[str, str], sayings: Sayings, conversations: int, turns: int) -> list[float]:
    """Voice to voice of every turn of so many conversations at once."""
    of_all = await asyncio.gather(
        *(_converse(stages, sayings, turns, random.Random(seed)) for seed in range(conversations))
    )
    return [took_ms for own in of_all for took_ms in own]


def rows(pipeline_ms: list[float], conversation_ms: list[float]) -> Rows:
    """Both, and the ratio where both were measured."""
    found: Rows = [{"voice to voice": "one after the other", "turns": len(pipeline_ms), **percentiles(pipeline_ms)}]
    if conversation_ms:
        ours = {"voice to voice": "in a conversation", "turns": len(conversation_ms), **percentiles(conversation_ms)}
        ratios = {
            f"p{share}": round(percentile(conversation_ms, share) / percentile(pipeline_ms, share), 3)
            for share in (50, 95, 99)
        }
        found += [ours, {"voice to voice": "ratio", "turns": "", **ratios}]
    return found


async def _converse(stages: Mapping[str, str], sayings: Sayings, turns: int, chance: random.Random) -> list[float]:
    async with AsyncExitStack() as exits:
        stt, llm, tts = [
            await exits.enter_async_context(Connection(stages[name]).open()) for name in ("stt", "llm", "tts")
        ]
        pipeline = Pipeline(
            stt_pb2_grpc.SttServiceStub(stt), llm_pb2_grpc.LlmServiceStub(llm), tts_pb2_grpc.TtsServiceStub(tts)
        )
        took_ms = []
        for _ in range(turns):
            await asyncio.sleep(chance.uniform(0, _BETWEEN_S))
            took_ms.append(await pipeline.ask(sayings.question()))
        return took_ms


async def _requests(microphone: Microphone) -> AsyncGenerator[_Request, None]:
    """What the microphone gives, at the pace of time, for as long as somebody listens."""
    recognition = stt_pb2.RecognitionConfig(language_code="fr")
    yield _Request(config=stt_pb2.StreamingRecognizeConfig(audio_format=_FORMAT, recognition=recognition))
    began = time.monotonic()
    for number in count(1):
        await asyncio.sleep(max(0.0, began + number * MESSAGE_S - time.monotonic()))
        yield _Request(audio=microphone.message())
