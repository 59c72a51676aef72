"""Replies held to a form, calls of tools, and histories that are too long, by the real mind over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import pytest
import pytest_asyncio

from services.common.channels import Connection
from services.common.status import from_rpc_error
from services.llm.__main__ import build
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.support.chat_templates import QWEN_2_5
from tests.support.llm import ask, settings, small_model
from tests.support.servers import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT_S = 60
Stub: TypeAlias = "llm_pb2_grpc.LlmServiceAsyncStub"  # only in the type stubs
GREEDY = llm_pb2.SamplingConfig(temperature=0, max_tokens=60)
WEATHER = llm_pb2.Tool(
    name="get_weather",
    description="Tells the weather of a town.",
    parameters_json_schema=json.dumps(
        {"type": "object", "properties": {"town": {"enum": ["Paris", "Lyon"]}}, "required": ["town"]}
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub() -> AsyncIterator[Stub]:
    small_model()
    async with serving(build(settings())) as address, Connection(address).open() as channel:
        yield llm_pb2_grpc.LlmServiceStub(channel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tool_stub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stub]:
    """The same model with a chat template that knows tools."""
    template = tmp_path_factory.mktemp("templates") / "tools.jinja"
    template.write_text(QWEN_2_5, encoding="utf-8")
    models = {"with-tools": {"model": small_model(), "chat_template": str(template)}}
    flags = ("--llm.engines", '["with-tools", "fixed-reply"]', "--llm.llama_cpp", json.dumps(models))
    async with serving(build(settings(*flags))) as address, Connection(address).open() as channel:
        yield llm_pb2_grpc.LlmServiceStub(channel)


async def reply(
    stub: Stub, request: llm_pb2.GenerateRequest
) -> tuple[str, list[llm_pb2.ToolCall], "llm_pb2.FinishReason.ValueType"]:
    """Text, calls and why it ended."""
    responses = [response async for response in stub.Generate(request, timeout=LIMIT_S)]
    calls = [response.tool_call for response in responses if response.WhichOneof("event") == "tool_call"]
    return "".join(response.text_delta for response in responses), calls, responses[-1].finished.finish_reason


async def refusal(stub: Stub, request: llm_pb2.GenerateRequest) -> tuple[str, str]:
    """Status and field."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reply(stub, request)
    error = from_rpc_error(caught.value, "llm")
    return error.status.name, error.field


def schema(value: object) -> llm_pb2.ResponseFormat:
    return llm_pb2.ResponseFormat(json_schema=json.dumps(value))


async def test_a_reply_fulfils_the_schema(stub: Stub) -> None:
    form = schema(
        {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}, "rivers": {"type": "integer"}},
            "required": ["city", "rivers"],
            "additionalProperties": False,
        }
    )
    for seed in range(3):
        sampling = llm_pb2.SamplingConfig(temperature=1.5, seed=seed, max_tokens=100)
        text, _, reason = await reply(stub, ask("Describe Paris.", sampling=sampling, response_format=form))
        described = json.loads(text)
        assert set(described) == {"city", "rivers"}
        assert isinstance(described["rivers"], int)
        assert reason == llm_pb2.FINISH_REASON_STOP


async def test_a_reply_is_what_the_grammar_allows(stub: Stub) -> None:
    form = llm_pb2.ResponseFormat(grammar='root ::= "oui" | "non" | "peut-être"')
    for seed in range(5):
        sampling = llm_pb2.SamplingConfig(temperature=2, top_k=0, top_p=1, min_p=0, seed=seed)
        text, _, reason = await reply(stub, ask("Is it raining?", sampling=sampling, response_format=form))
        assert text in {"oui", "non", "peut-être"}
        assert reason == llm_pb2.FINISH_REASON_STOP


async def test_forms_of_several_conversations_do_not_mix(stub: Stub) -> None:
    grammars = ['root ::= "a"+ "."', 'root ::= "b"+ "."', 'root ::= [0-9]{5} "."', ""]
    requests = [
        ask(
            "Write something.",
            conversation_id=grammar,
            sampling=llm_pb2.SamplingConfig(temperature=0, max_tokens=20),
            response_format=llm_pb2.ResponseFormat(grammar=grammar) if grammar else None,
        )
        for grammar in grammars
    ]
    texts = [text for text, _, _ in await asyncio.gather(*(reply(stub, request) for request in requests))]
    assert set(texts[0]) <= {"a", "."}
    assert set(texts[1]) <= {"b", "."}
    assert len(texts[2]) == 6
    assert len(set(texts[3])) > 5


@pytest.mark.parametrize(
    "form",
    [
        schema("no schema"),
        llm_pb2.ResponseFormat(json_schema="{"),
        llm_pb2.ResponseFormat(grammar="root ::="),
        llm_pb2.ResponseFormat(grammar="root ::= other"),
        llm_pb2.ResponseFormat(grammar='root ::= root "a" | "b"'),
        llm_pb2.ResponseFormat(grammar="(" * 5000),
    ],
)
async def test_a_form_that_is_none_is_refused_and_the_service_lives(stub: Stub, form: llm_pb2.ResponseFormat) -> None:
    assert await refusal(stub, ask("Hi", response_format=form)) == ("INVALID_ARGUMENT", "response_format")
    assert (await reply(stub, ask("Hi", sampling=llm_pb2.SamplingConfig(max_tokens=3))))[0]


async def test_tools_are_refused_where_the_model_knows_none(stub: Stub) -> None:
    assert await refusal(stub, ask("Will it rain?", tools=[WEATHER])) == ("INVALID_ARGUMENT", "tools")
    can = await stub.GetCapabilities(llm_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    assert not can.supports_tools


async def test_a_tool_is_called_and_its_result_read(tool_stub: Stub) -> None:
    can = await tool_stub.GetCapabilities(llm_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    assert can.supports_tools
    request = ask("Will it rain in Lyon?", tools=[WEATHER], sampling=GREEDY, tool_choice=llm_pb2.TOOL_CHOICE_REQUIRED)
    text, (call,), reason = await reply(tool_stub, request)
    assert not text.strip()
    assert call.name == "get_weather"
    assert json.loads(call.arguments_json)["town"] in {"Paris", "Lyon"}
    assert reason == llm_pb2.FINISH_REASON_TOOL_CALLS

    request.messages.add(role=llm_pb2.ROLE_ASSISTANT, tool_calls=[call])
    request.messages.add(role=llm_pb2.ROLE_TOOL, content='{"rain": true}', tool_call_id=call.id)
    request.tool_choice = llm_pb2.TOOL_CHOICE_NONE
    text, calls, reason = await reply(tool_stub, request)
    assert text.strip()
    assert not calls
    assert reason in {llm_pb2.FINISH_REASON_STOP, llm_pb2.FINISH_REASON_LENGTH}


async def test_of_a_history_that_is_too_long_the_last_turns_are_read(stub: Stub) -> None:
    said = [f"Remember the number {number}, please, and tell me about it." for number in range(161)]
    _, _, reason = await reply(stub, ask(*said, sampling=llm_pb2.SamplingConfig(max_tokens=5)))
    assert reason in {llm_pb2.FINISH_REASON_STOP, llm_pb2.FINISH_REASON_LENGTH}


async def test_two_replies_come_at_the_same_time(stub: Stub) -> None:
    """Both have begun before either has ended."""
    order: list[str] = []

    async def read(name: str) -> None:
        sampling = llm_pb2.SamplingConfig(temperature=0, max_tokens=40)
        async for response in stub.Generate(ask("Tell me a story.", sampling=sampling), timeout=LIMIT_S):
            order.append(f"{name} {response.WhichOneof('event')}")  # noqa: PERF401  # as it comes, not at the end

    await asyncio.gather(read("one"), read("two"))
    first_end = min(order.index("one finished"), order.index("two finished"))
    assert {"one text_delta", "two text_delta"} <= set(order[:first_end])
