"""The engine over HTTP with a real server and a real model: llama-cpp-python's own server as a child process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio

from services.common.chain import Answer
from services.common.config_files import default_models_dir
from services.common.errors import EngineFailedError, UnsupportedError
from services.common.models.store import ModelStore
from services.llm.endpoint import EndpointEngine
from services.llm.engine import FinishReason, JsonFormat, ReplyEvent, Sampling, TextDelta
from tests.fakes.openai_server import MODEL
from tests.support.endpoint import answered, chained, loaded
from tests.support.llm import GREEDY, collect, generation, small_model
from tests.support.servers import child_python, free_port
from tests.support.waiting import wait_for

WILD = Sampling(temperature=1.5, top_p=1, top_k=0, min_p=0, repeat_penalty=1, max_tokens=24)
STORY = generation("Tell me a long story about a dog.", sampling=replace(GREEDY, max_tokens=400))
LONG_S = 20.0
# Far more than a token takes, on a busy machine too; only a server that is frozen is ever later.
NEXT_TOKEN_LIMIT_S = 3.0


class LlamaServer:
    """The server as a child process; it may be started again in the same place."""

    def __init__(self, processes: ExitStack) -> None:
        self._processes = processes
        self._port = free_port()
        self.start()

    def start(self) -> None:
        path = ModelStore(default_models_dir()).verified_path(small_model())
        settings = {"model": path, "model_alias": MODEL, "port": self._port, "n_ctx": 1024}
        flags = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        # One thread: on a busy machine several wait for each other in vain, and a token takes a second.
        flags += ["--n_threads", "1", "--n_threads_batch", "1"]
        flags += ["--host", "127.0.0.1", "--interrupt_requests", "false", "--verbose", "false"]
        command = ["-m", "llama_cpp.server", *flags]
        self.process = self._processes.enter_context(child_python("llama-server", command))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    async def until_up(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await wait_for(lambda: self._answers(client), "the server to listen", bound_s=60)

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/models")).is_success
        except httpx.TransportError:
            assert self.process.process.poll() is None, self.process.output()
            return False


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    with ExitStack() as processes:
        yield LlamaServer(processes)


@pytest_asyncio.fixture
async def engine(server: LlamaServer) -> AsyncIterator[EndpointEngine]:
    await server.until_up()
    async with loaded(server.url, context_tokens=1024) as engine:
        yield engine


async def test_a_greedy_reply_is_the_same_each_time(engine: EndpointEngine) -> None:
    request = generation("What is the capital of France?")
    first, finished = await collect(engine.generate(request))
    assert first
    assert finished.usage.completion_tokens > 0
    assert (await collect(engine.generate(request)))[0] == first


async def test_the_reply_ends_at_max_tokens(engine: EndpointEngine) -> None:
    _, finished = await collect(engine.generate(replace(STORY, sampling=replace(GREEDY, max_tokens=5))))
    assert finished.reason is FinishReason.LENGTH
    assert finished.usage.completion_tokens == 5


async def test_a_stop_sequence_ends_the_reply_and_is_not_shown(engine: EndpointEngine) -> None:
    short = replace(STORY, sampling=replace(GREEDY, max_tokens=24))
    whole, _ = await collect(engine.generate(short))
    stop = whole[20:24]
    cut, finished = await collect(engine.generate(replace(short, sampling=replace(short.sampling, stop=(stop,)))))
    assert cut == whole[: whole.index(stop)]
    assert finished.reason is FinishReason.STOP


async def test_the_same_seed_gives_the_same_reply_and_another_seed_another(engine: EndpointEngine) -> None:
    async def reply(seed: int) -> str:
        return (await collect(engine.generate(replace(STORY, sampling=replace(WILD, seed=seed)))))[0]

    first = await reply(7)
    assert await reply(7) == first
    assert await reply(8) != first


async def test_what_the_server_cannot_do_is_said(engine: EndpointEngine) -> None:
    with pytest.raises(UnsupportedError) as caught:
        await collect(engine.generate(replace(STORY, format=JsonFormat("{}"))))
    assert caught.value.field == "response_format"


async def test_a_prompt_too_long_for_the_server_fails_and_it_lives(server: LlamaServer, engine: EndpointEngine) -> None:
    """It answers 200 and ends the stream, as if that were a reply."""
    async with loaded(server.url, context_tokens=100_000) as wrong:
        with pytest.raises(EngineFailedError, match="before it was complete"):
            await collect(wrong.generate(generation("dog " * 3000)))
    assert (await collect(engine.generate(generation("Hello"))))[0]


async def test_a_reply_that_is_left_frees_the_server(engine: EndpointEngine) -> None:
    for _ in range(3):
        async with aclosing(engine.generate(STORY)) as events:
            assert isinstance(await anext(events), TextDelta)
    assert (await collect(engine.generate(generation("Hello"))))[0]


async def test_callers_wait_for_each_other(engine: EndpointEngine) -> None:
    requests = [generation(f"Count to {number}.") for number in (3, 4, 5)]
    alone = [await collect(engine.generate(request)) for request in requests]
    together = await asyncio.gather(*(collect(engine.generate(request)) for request in requests))
    assert [text for text, _ in together] == [text for text, _ in alone]


async def test_a_frozen_server_fails_the_reply_and_the_next_engine_takes_over_until_it_thaws(
    server: LlamaServer, engine: EndpointEngine
) -> None:
    chain = chained(engine)
    async with aclosing(answered(chain, STORY, LONG_S, NEXT_TOKEN_LIMIT_S)) as answers:
        assert (await anext(answers)).backend == "near"
        server.process.freeze()
        with pytest.raises(EngineFailedError, match="near failed"):
            await _all(answers)
    assert await _all(answered(chain, STORY, 0.2, LONG_S)) == {"fixed-reply"}
    server.process.thaw()
    assert await _all(answered(chain, generation("Hello"), LONG_S, LONG_S)) == {"near"}


async def test_a_server_killed_in_the_middle_fails_the_reply_and_is_used_again_once_it_is_back(
    server: LlamaServer, engine: EndpointEngine
) -> None:
    chain = chained(engine)
    async with aclosing(answered(chain, STORY, LONG_S, LONG_S)) as answers:
        assert (await anext(answers)).backend == "near"
        server.process.kill()
        with pytest.raises(EngineFailedError):
            await _all(answers)
    assert await _all(answered(chain, STORY, LONG_S, LONG_S)) == {"fixed-reply"}
    server.start()
    await server.until_up()
    assert await _all(answered(chain, generation("Hello"), LONG_S, LONG_S)) == {"near"}


async def _all(answers: AsyncIterator[Answer[ReplyEvent]]) -> set[str]:
    """Who answered, when the whole answer was there."""
    return {answer.backend async for answer in answers}
