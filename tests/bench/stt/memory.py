"""Whether the service's memory stays what it is, however many utterances it hears."""

from collections.abc import Sequence

from services.common.audio import encode_pcm
from services.common.channels import Connection
from services.stt.engine import ENGINE_RATE_HZ
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.bench.figures import Rows
from tests.bench.resident import resident_mb
from tests.bench.stt.sessions import Sentence
from tests.support.servers import Child

_WARM_UP = 100  # allocators and pools have grown to their size by then


async def measure(ears: Child, sentences: Sequence[Sentence], utterances: int) -> Rows:
    """Before and after so many utterances, each a recording of its own."""
    async with Connection(ears.address).open() as channel:
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        await _hear(stub, sentences, _WARM_UP)
        before = resident_mb(ears.pid)
        await _hear(stub, sentences, utterances)
        after = resident_mb(ears.pid)
    return [
        {
            "utterances": utterances,
            "RSS before, MB": round(before, 1),
            "after": round(after, 1),
            "growth": round(after - before, 1),
        }
    ]


async def _hear(stub: "stt_pb2_grpc.SttServiceAsyncStub", sentences: Sequence[Sentence], count: int) -> None:
    for number in range(count):
        sentence = sentences[number % len(sentences)]
        # A sample more each time, so that no cache of results answers in the ears' place.
        audio = encode_pcm(sentence.samples) + bytes(2 * (number // len(sentences)))
        audio_format = audio_pb2.AudioFormat(sample_rate_hz=ENGINE_RATE_HZ)
        await stub.Recognize(stt_pb2.RecognizeRequest(audio=audio, audio_format=audio_format), timeout=60)
