"""The real mind over a real socket, with the model of the embedded profile and without any."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
import pytest_asyncio

from services.common.channels import Connection
from services.common.lifecycle import Service
from services.common.status import from_rpc_error
from services.llm.__main__ import build
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.support.llm import ask, settings, small_model, tiny_model
from tests.support.servers import serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT_S = 60
Sampling = llm_pb2.SamplingConfig
Stub: TypeAlias = "llm_pb2_grpc.LlmServiceAsyncStub"  # only in the type stubs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> Service:
    small_model()
    return build(settings("--llm.max_streams", "3", "--llm.max_parallel", "1"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub(service: Service) -> AsyncIterator[Stub]:
    async with serving(service) as address, Connection(address).open() as channel:
        yield llm_pb2_grpc.LlmServiceStub(channel)


async def reply(stub: Stub, request: llm_pb2.GenerateRequest) -> tuple[list[str], llm_pb2.GenerationFinished]:
    """The deltas and the end, which must be the last message and the only one of its kind."""
    responses = [response async for response in stub.Generate(request, timeout=LIMIT_S)]
    assert [response.WhichOneof("event") for response in responses[:-1]] == ["text_delta"] * (len(responses) - 1)
    assert responses[-1].WhichOneof("event") == "finished"
    return [response.text_delta for response in responses[:-1]], responses[-1].finished


async def refusal(stub: Stub, request: llm_pb2.GenerateRequest) -> tuple[str, str, str]:
    """Status, reason and field."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reply(stub, request)
    error = from_rpc_error(caught.value, "llm")
    return error.status.name, error.detailed_reason, error.field


async def test_a_question_is_answered_in_words_as_they_are_written(stub: Stub) -> None:
    request = ask("What is the capital of France?", sampling=Sampling(temperature=0, max_tokens=40))
    deltas, finished = await reply(stub, request)
    assert len(deltas) > 4
    assert "France" in "".join(deltas)
    assert finished.backend == "smollm2-135m"
    assert finished.usage.completion_tokens >= len(deltas)
    timings = finished.timings
    assert 0 <= timings.queued_ms < timings.first_token_ms < timings.total_ms


async def test_max_tokens_and_stop_sequences_end_a_reply(stub: Stub) -> None:
    question = "Count from one to ten."
    deltas, finished = await reply(stub, ask(question, sampling=Sampling(temperature=0, seed=1, max_tokens=12)))
    assert finished.finish_reason == llm_pb2.FINISH_REASON_LENGTH
    assert finished.usage.completion_tokens == 12
    whole = "".join(deltas)
    stop = whole[len(whole) // 2 :][:3]
    sampling = Sampling(temperature=0, seed=1, max_tokens=12, stop=["not in it", stop])
    deltas, finished = await reply(stub, ask(question, sampling=sampling))
    assert finished.finish_reason == llm_pb2.FINISH_REASON_STOP
    assert "".join(deltas) == whole[: whole.index(stop)]


async def test_the_same_seed_gives_the_same_reply(stub: Stub) -> None:
    request = ask("Tell me a story.", sampling=Sampling(temperature=1.2, seed=11, max_tokens=30))
    first, _ = await reply(stub, request)
    await reply(stub, ask("Tell me something else.", sampling=Sampling(max_tokens=3)))
    assert (await reply(stub, request))[0] == first


async def test_a_conversation_goes_on_from_what_is_known(stub: Stub) -> None:
    sampling = Sampling(temperature=0, max_tokens=20)
    deltas, finished = await reply(stub, ask("My name is Zoé. 🎉 Où est le café ?", sampling=sampling))
    read = finished.usage.prompt_tokens
    said = "".join(deltas)
    assert "\ufffd" not in said
    _, finished = await reply(
        stub, ask("My name is Zoé. 🎉 Où est le café ?", said, "What is my name?", sampling=sampling)
    )
    assert finished.usage.cached_prompt_tokens >= read


async def test_a_caller_that_leaves_frees_the_model(stub: Stub, service: Service) -> None:
    def cancelled() -> float:
        labels = {"backend": "smollm2-135m", "status": "cancelled", "gpu": ""}
        return service.registry.get_sample_value("llm_requests_total", labels) or 0

    before = cancelled()
    # So long that it could not have come to its end by itself, and to no end that a model likes.
    endless = ask("Count to a thousand.", sampling=Sampling(temperature=0, repeat_penalty=0.5, max_tokens=1024))
    call = stub.Generate(endless, timeout=LIMIT_S)
    assert (await anext(aiter(call))).text_delta
    call.cancel()
    await reply(stub, ask("Hello", sampling=Sampling(max_tokens=3)))
    assert cancelled() == before + 1


async def test_more_callers_than_the_limit_are_turned_away_at_once(stub: Stub, service: Service) -> None:
    endless = ask("Count to a thousand.", sampling=Sampling(temperature=0, repeat_penalty=0.5, max_tokens=1024))
    calls = [stub.Generate(endless, timeout=LIMIT_S) for _ in range(3)]
    try:
        await anext(aiter(calls[0]))
        await wait_until(
            lambda: (service.registry.get_sample_value("llm_waiting_requests") or 0) == 2, "two replies that wait"
        )
        assert (await refusal(stub, ask("Hello")))[0] == "RESOURCE_EXHAUSTED"
    finally:
        for call in calls:
            call.cancel()
    await wait_until(
        lambda: service.registry.get_sample_value("llm_waiting_requests") == 0, "the end of those that waited"
    )
    assert {await call.code() for call in calls} == {grpc.StatusCode.CANCELLED}


async def test_what_is_too_long_or_wrong_is_refused_and_the_service_lives(stub: Stub) -> None:
    too_long = await refusal(stub, ask("word " * 4000))
    assert too_long == ("INVALID_ARGUMENT", "CONTEXT_TOO_LONG", "messages")
    assert await refusal(stub, ask()) == ("INVALID_ARGUMENT", "INVALID_INPUT", "messages")
    assert (await refusal(stub, ask("x" * 100_001)))[0] == "OUT_OF_RANGE"
    wrong = await refusal(stub, ask("Hi", sampling=Sampling(temperature=float("nan"))))
    assert wrong == ("INVALID_ARGUMENT", "INVALID_INPUT", "sampling.temperature")
    _, finished = await reply(stub, ask("Hello", sampling=Sampling(max_tokens=3)))
    assert finished.backend == "smollm2-135m"


async def test_capabilities(stub: Stub) -> None:
    can = await stub.GetCapabilities(llm_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    assert [engine.name for engine in can.engines] == ["smollm2-135m", "fixed-reply"]
    assert can.engines[0].state == capabilities_pb2.ENGINE_STATE_READY
    assert (can.context_tokens, can.max_reply_tokens) == (2048, 1024)
    assert (can.limits.max_concurrent_streams, can.limits.max_text_characters) == (3, 100_000)
    assert not can.supports_tools
    assert can.supports_response_format


def _broken_file(folder: Path) -> str:
    broken = folder / "broken.gguf"
    broken.write_bytes(tiny_model().read_bytes().replace(b"<0x85>", b"<0x84>", 1))
    return str(broken)


def _missing_file(folder: Path) -> str:
    return str(folder / "nothing.gguf")


def _not_installed(folder: Path) -> str:
    return "smollm2-135m-instruct"


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (_broken_file, "llama.cpp dies over"),
        (_missing_file, "there is no model at"),
        (_not_installed, "superwhisper models pull smollm2-135m-instruct"),
    ],
)
async def test_without_its_model_the_service_says_what_it_understood(
    model: Callable[[Path], str], why: str, tmp_path: Path
) -> None:
    models = json.dumps({"tiny": {"model": model(tmp_path)}})
    flags = ("--llm.engines", '["tiny", "fixed-reply"]', "--llm.llama_cpp", models)
    service = build(settings("--models_dir", str(tmp_path), *flags))
    async with serving(service) as address, Connection(address).open() as channel:
        stub: Stub = llm_pb2_grpc.LlmServiceStub(channel)
        deltas, finished = await reply(stub, ask("Quelle heure est-il ?", language_code="fr"))
        assert "« Quelle heure est-il ? »" in "".join(deltas)
        assert finished.backend == "fixed-reply"
        can = await stub.GetCapabilities(llm_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
        assert can.engines[0].state == capabilities_pb2.ENGINE_STATE_FAILED
        assert why in can.engines[0].detail
