"""What the service adds to the work of llama.cpp, on the way to the first text.

The caller's time, less the steps that llama.cpp did for this request, as the service's own metric counts them. So what
is left holds all else: both directions of gRPC, the checks, the queue, the chain of engines, the chat template and the
tokens of the prompt, and the ways to llama.cpp's thread and back.
"""

import time

from services.common.channels import Connection
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.bench.figures import Rows, spread
from tests.bench.llm.dialogue import HOUSEHOLD, TURNS
from tests.support.metrics import sample, scraped
from tests.support.servers import Child

_LIMIT_S = 60.0
_WARM_UP = 5


async def measure(mind: Child, metrics_port: int, requests: int) -> Rows:
    """A row a part of the time to the first text, in milliseconds."""
    times = []
    async with Connection(mind.address).open() as channel:
        stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        for _ in range(_WARM_UP + requests):
            before_s = await _steps_s(metrics_port)
            caller_ms, service_ms = await _first_text(stub)
            steps_ms = (await _steps_s(metrics_port) - before_s) * 1000
            times.append((caller_ms, steps_ms, caller_ms - steps_ms, caller_ms - service_ms))
    parts = ("the caller waits", "llama.cpp's steps", "the service adds", "of which on the way to it and back")
    columns = zip(*times[_WARM_UP:], strict=True)
    return [{"part": part, "requests": requests, **spread(column)} for part, column in zip(parts, columns, strict=True)]


async def _steps_s(metrics_port: int) -> float:
    return sample(await scraped(metrics_port), "llm_step_seconds_sum")


async def _first_text(stub: "llm_pb2_grpc.LlmServiceAsyncStub") -> tuple[float, float]:
    """Until the first text came, and until the service sent it. All but one token of the prompt is known."""
    request = llm_pb2.GenerateRequest(
        conversation_id="overhead",
        messages=[
            llm_pb2.Message(role=llm_pb2.ROLE_SYSTEM, content=HOUSEHOLD),
            llm_pb2.Message(role=llm_pb2.ROLE_USER, content=TURNS[0]),
        ],
        sampling=llm_pb2.SamplingConfig(temperature=0, max_tokens=1),
    )
    began_s = time.perf_counter()
    call = stub.Generate(request, timeout=_LIMIT_S)
    first, caller_ms = await call.read(), (time.perf_counter() - began_s) * 1000
    assert isinstance(first, llm_pb2.GenerateResponse)
    assert first.text_delta
    last = await call.read()
    assert isinstance(last, llm_pb2.GenerateResponse)
    return caller_ms, last.finished.timings.first_token_ms
