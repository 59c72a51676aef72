"""The engine over HTTP, and all that a server can do to it."""

import asyncio
import gzip
from contextlib import aclosing
from dataclasses import replace

import pytest

from services.common.errors import (
    EngineFailedError,
    InvalidInputError,
    UnavailableError,
    UnsupportedError,
    UnusableAnswerError,
)
from services.common.tasks import cancel_and_wait
from services.llm.endpoint import EndpointEngine
from services.llm.engine import (
    AtWork,
    ChatMessage,
    Finished,
    FinishReason,
    GrammarFormat,
    JsonFormat,
    Role,
    TextDelta,
    Tool,
    ToolCall,
    ToolChoice,
    Usage,
)
from tests.fakes.openai_server import DIE, DONE, HANG, HELLO, FakeOpenAi, Piece, Reply, calls, ends, says, used
from tests.support.endpoint import MAX_TURNS, answered, chained, loaded, section
from tests.support.llm import GREEDY, collect, generation
from tests.support.waiting import wait_until

HI = generation("Hi")
TOOL = Tool("get_time", "The time.", "{}")
LONG_S = 20.0


async def test_a_reply_is_text_and_its_end() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        assert await collect(engine.generate(HI)) == ("Hello.", Finished(FinishReason.STOP, Usage(7, 0, 2)))


async def test_text_comes_as_it_is_written() -> None:
    gate = asyncio.Event()
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(says("Hel"), gate, says("lo."), ends("stop"))]
        async with aclosing(engine.generate(HI)) as events:
            assert await anext(events) == TextDelta("Hel")
            gate.set()
            assert await anext(events) == TextDelta("lo.")


async def test_a_character_may_be_cut_between_two_packets() -> None:
    raw = 'data: {"choices": [{"delta": {"content": "Où ça 🎉 ?"}}]}\n\n'.encode()
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(*(raw[at : at + 1] for at in range(len(raw))), DONE)]
        assert (await collect(engine.generate(HI)))[0] == "Où ça 🎉 ?"


async def test_a_reply_ends_when_the_server_says_so() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(says("Hello."), DONE, HANG)]
        assert (await collect(engine.generate(HI)))[0] == "Hello."


async def test_the_last_line_needs_no_end() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(says("Hello."), DONE.strip())]
        assert (await collect(engine.generate(HI)))[0] == "Hello."


async def test_nothing_is_unpacked() -> None:
    """A few packed kilobytes can be gigabytes."""
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        packed = gzip.compress(says("Hello.") + DONE)
        server.replies = [Reply((packed,), headers=("Content-Encoding: gzip",))]
        with pytest.raises(EngineFailedError, match="before it was complete"):
            await collect(engine.generate(HI))
        assert {request.headers["accept-encoding"] for request in server.requests} == {"identity"}


async def test_a_tool_is_called_and_until_then_there_are_signs_of_life() -> None:
    gate = asyncio.Event()
    begins, goes_on = calls(0, "c1", "get_time", '{"zone":'), calls(0, arguments='"fr"}')
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(begins, gate, goes_on, ends("stop"))]
        async with aclosing(engine.generate(replace(HI, tools=(TOOL,)))) as events:
            assert await anext(events) == AtWork()
            gate.set()
            rest = [event async for event in events]
    assert rest == [AtWork(), ToolCall("c1", "get_time", '{"zone": "fr"}'), Finished(FinishReason.TOOL_CALLS)]


async def test_where_a_server_ignores_that_a_tool_must_be_called_the_next_engine_takes_over() -> None:
    must_call = replace(HI, tools=(TOOL,), tool_choice=ToolChoice.REQUIRED)
    able, stubborn = Reply.of(calls(0, "c1", "get_time"), ends("stop")), Reply.of(says("No."), ends("stop"))
    async with (
        FakeOpenAi() as first,
        FakeOpenAi() as second,
        loaded(first.url) as engine,
        loaded(second.url) as next_engine,
    ):
        first.replies, second.replies = [stubborn], [able]
        with pytest.raises(UnusableAnswerError):
            assert [event async for event in engine.generate(must_call)] == []
        chain = chained(engine, next_engine)
        answers = [answer async for answer in answered(chain, must_call, LONG_S, LONG_S)]
    shown = [(answer.backend, answer.value) for answer in answers if answer.value != AtWork()]
    assert shown == [
        ("near-2", ToolCall("c1", "get_time", "{}")),
        ("near-2", Finished(FinishReason.TOOL_CALLS)),
    ]


@pytest.mark.parametrize("end", [DIE, HANG])
async def test_a_complete_reply_need_not_end_well(end: Piece) -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        before = server.left
        server.replies = [Reply.of(says("Hello."), ends("stop"), used(7, 2), end)]
        async with asyncio.timeout(LONG_S):  # the server's silence would end the reply as well, but after a minute
            assert await collect(engine.generate(HI)) == ("Hello.", Finished(FinishReason.STOP, Usage(7, 0, 2)))
        if end is HANG:
            await wait_until(lambda: server.left == before + 1, "the server to see the client leave")


async def test_one_callers_values_take_no_fields_from_the_others() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.json({"error": {"message": "top_k must be below 1000"}}, 400), HELLO]
        odd = replace(HI, sampling=replace(GREEDY, top_k=5000))
        assert (await collect(engine.generate(odd)))[0] == "Hello."
        await collect(engine.generate(HI))
        assert ["top_k" in body for body in server.completions[1:]] == [True, False, True]


async def test_a_server_that_comes_up_late_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "httpcore.connection")
    server = FakeOpenAi()
    engine = asyncio.create_task(EndpointEngine.load("near", section(server.url, connect_retries=6), "", MAX_TURNS))
    await wait_until(lambda: "connect_tcp.failed" in caplog.text, "a connection that is refused")
    async with server:
        await (await engine).close()


async def test_what_was_sent_is_never_sent_again() -> None:
    asked = 0

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.transport.abort()

    async with FakeOpenAi() as server, loaded(server.url, connect_retries=5) as engine:
        await server.stop()
        async with await asyncio.start_server(leave, "127.0.0.1", server.port):
            with pytest.raises(EngineFailedError, match="the connection to the server was lost"):
                await collect(engine.generate(HI))
        await server.start()
        assert (await collect(engine.generate(HI)))[0] == "Hello."
    assert asked == 1


@pytest.mark.parametrize(
    ("pieces", "says_why"),
    [
        ((says("Hel"), DIE), "connection to the server was lost"),
        ((says("Hel"),), "before it was complete"),
        ((), "before it was complete"),
        ((says("Hel"), b"data: {garbage\n\n"), "no chat completion"),
        ((says("Hel"), b"x" * 300_000), "line of more than 262144 bytes"),
        ((says("Hel"), *(b": still thinking\n\n" * 10_000,) * 7), "answers with more than 1146880 bytes"),
        ((b"<html>Welcome</html>",), "before it was complete"),
        ((b"\x1f\x8b\x08" + b"\0" * 99,), "before it was complete"),
    ],
)
async def test_a_reply_that_breaks_is_a_failure_and_the_next_one_is_well(
    pieces: tuple[Piece, ...], says_why: str
) -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(*pieces), HELLO]
        with pytest.raises(EngineFailedError, match=says_why):
            await collect(engine.generate(HI))
        assert (await collect(engine.generate(HI)))[0] == "Hello."


async def test_a_server_that_goes_and_comes_back_is_used_again() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        await server.stop()
        with pytest.raises(UnavailableError, match="nothing answers"):
            await collect(engine.generate(HI))
        await server.start()
        assert (await collect(engine.generate(HI)))[0] == "Hello."


async def test_leaving_a_reply_ends_the_connection() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(says("Hel"), HANG)]
        before = server.left
        events = engine.generate(HI)
        assert await anext(events) == TextDelta("Hel")
        await events.aclose()
        await wait_until(lambda: server.left == before + 1, "the server to see the client leave")


async def test_cancelling_a_reply_ends_the_connection() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(HANG)]
        before = server.left
        reading = asyncio.create_task(collect(engine.generate(HI)))
        await wait_until(lambda: len(server.completions) == 2, "the request")
        await cancel_and_wait(reading)
        await wait_until(lambda: server.left == before + 1, "the server to see the client leave")


async def test_replies_that_are_left_use_nothing_up() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(says("Hel"), HANG)]
        for _ in range(150):  # more than there may be connections
            async with aclosing(engine.generate(HI)) as events:
                assert await anext(events) == TextDelta("Hel")
        server.replies = [HELLO]
        assert (await collect(engine.generate(HI)))[0] == "Hello."


async def test_a_server_that_hangs_is_left_for_the_next_engine() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.of(HANG)]
        before = server.left
        answers = [answer async for answer in answered(chained(engine), HI, 0.2, LONG_S)]
        assert {answer.backend for answer in answers} == {"fixed-reply"}
        await wait_until(lambda: server.left == before + 1, "the server to see the client leave")


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_a_server_that_refuses_is_left_for_the_next_engine(status: int) -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [Reply.json({"error": {"message": "no"}}, status)]
        answers = [answer async for answer in answered(chained(engine), HI, LONG_S, LONG_S)]
        assert {answer.backend for answer in answers} == {"fixed-reply"}


async def test_what_it_cannot_do_is_said() -> None:
    called = ChatMessage(Role.ASSISTANT, "", (ToolCall("c1", "get_time", "{}"),))
    before = (*HI.messages, called, ChatMessage(Role.TOOL, "noon", (), "c1"))
    async with FakeOpenAi() as server, loaded(server.url, tools=False) as engine:
        for request in (replace(HI, tools=(TOOL,)), replace(HI, messages=before)):
            with pytest.raises(UnsupportedError) as caught:
                await collect(engine.generate(request))
            assert caught.value.field == "tools"
        with pytest.raises(UnsupportedError) as caught:
            await collect(engine.generate(replace(HI, format=GrammarFormat('root ::= "a"'))))
        assert caught.value.field == "response_format"
        server.replies = [Reply.json({"error": {"message": "response_format is unknown"}}, 400)]
        with pytest.raises(UnsupportedError) as caught:
            await collect(engine.generate(replace(HI, format=JsonFormat("{}"))))
        assert caught.value.field == "response_format"


async def test_the_oldest_turns_are_left_out_until_the_rest_fits() -> None:
    said = [f"{number} " + "word " * 40 for number in range(40)]
    system = ChatMessage(Role.SYSTEM, "Be kind.")
    request = generation(*said, "and now?")
    async with FakeOpenAi() as server, loaded(server.url, context_tokens=2048) as engine:
        await collect(engine.generate(replace(request, messages=(system, *request.messages))))
        sent = server.completions[-1]["messages"]
    assert (sent[0]["content"], sent[-1]["content"]) == ("Be kind.", "and now?")
    assert sent[1]["role"] == "user"
    assert 12 <= len(sent) <= 24  # 90 tokens each, by the estimate


async def test_a_turn_too_long_for_the_model_is_refused_before_it_is_sent() -> None:
    async with FakeOpenAi() as server, loaded(server.url, context_tokens=512) as engine:
        with pytest.raises(InvalidInputError) as caught:
            await collect(engine.generate(generation("word " * 1000)))
        assert (caught.value.field, caught.value.detailed_reason) == ("messages", "CONTEXT_TOO_LONG")
        assert len(server.completions) == 1  # of the load
        server.replies = [Reply.json({"error": {"message": "x", "code": "context_length_exceeded"}}, 400)]
        with pytest.raises(InvalidInputError) as caught:
            await collect(engine.generate(HI))
        assert caught.value.detailed_reason == "CONTEXT_TOO_LONG"
        assert len(server.completions) == 2  # fewer fields would not help


async def test_the_reply_and_the_tools_need_room_too() -> None:
    request = generation("x" * 1000)  # 400 tokens, by the estimate
    wordy = Tool("get_time", "The time. " * 30, "{}")
    long = replace(request, sampling=replace(GREEDY, max_tokens=120))
    async with FakeOpenAi() as server, loaded(server.url, context_tokens=512) as engine:
        assert (await collect(engine.generate(request)))[0] == "Hello."
        for too_much in (long, replace(request, tools=(wordy,))):
            with pytest.raises(InvalidInputError) as caught:
                await collect(engine.generate(too_much))
            assert caught.value.detailed_reason == "CONTEXT_TOO_LONG"


async def test_nothing_that_was_said_is_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    echo = {"error": {"message": "input: my secret", "type": "bad", "code": "my secret"}}
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        server.replies = [*[Reply.json(echo, 400)] * 3, Reply.json(echo, 500), Reply.of(says("your secret"), DIE)]
        for _ in range(3):
            with pytest.raises(EngineFailedError) as caught:
                await collect(engine.generate(generation("my secret")))
            assert "secret" not in caught.value.message
    assert "secret" not in caplog.text
    assert "endpoint near refused a request: 400 bad" in caplog.text


async def test_many_callers_share_it() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        replies = await asyncio.gather(*(collect(engine.generate(HI)) for _ in range(20)))
    assert {text for text, _ in replies} == {"Hello."}


async def test_the_limit_of_tokens_is_sent() -> None:
    async with FakeOpenAi() as server, loaded(server.url) as engine:
        await collect(engine.generate(generation("Hi", sampling=replace(GREEDY, max_tokens=3, stop=("x",)))))
        assert (server.completions[-1]["max_tokens"], server.completions[-1]["stop"]) == (3, ["x"])
