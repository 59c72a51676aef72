"""Silence and noise: what listening costs while nobody speaks, and that nothing is heard."""

import numpy as np

from services.common.audio import Samples, encode_pcm
from services.common.channels import Connection
from services.stt.engine import ENGINE_RATE_HZ
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.bench.figures import Rows

_SECONDS = 120


def _white(level: float) -> Samples:
    return (np.random.default_rng(1).standard_normal(_SECONDS * ENGINE_RATE_HZ) * level).astype(np.int16)


async def measure(address: str) -> Rows:
    """A row a kind of nothing."""
    kinds = {
        "silence": np.zeros(_SECONDS * ENGINE_RATE_HZ, np.int16),
        "white noise, -50 dBFS": _white(100),
        "white noise, -20 dBFS": _white(3300),
    }
    rows = []
    async with Connection(address).open() as channel:
        stub: stt_pb2_grpc.SttServiceAsyncStub = stt_pb2_grpc.SttServiceStub(channel)
        for name, samples in kinds.items():
            audio_format = audio_pb2.AudioFormat(sample_rate_hz=ENGINE_RATE_HZ)
            request = stt_pb2.RecognizeRequest(audio=encode_pcm(samples), audio_format=audio_format)
            answer = await stub.Recognize(request, timeout=600)
            rows.append(
                {
                    "sound": name,
                    "seconds": _SECONDS,
                    "segments": len(answer.segments),
                    "rtf": round(answer.processing_ms / 1000 / _SECONDS, 4),
                }
            )
    return rows
