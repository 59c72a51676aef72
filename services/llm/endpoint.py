"""The engine that is elsewhere: any server that speaks OpenAI's HTTP API, such as Ollama, vLLM or llama-server."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing

import httpx

from services.common.errors import EngineFailedError, UnavailableError, UnsupportedError
from services.llm.config import EndpointSection
from services.llm.endpoint_check import check
from services.llm.engine import AtWork, ChatMessage, Generation, ReplyEvent, Role, Sampling, TextDelta
from services.llm.openai_server import OpenAiServer
from services.llm.openai_stream import CompletionReader
from services.llm.openai_wire import DIALECTS, Refusal, estimate_tokens, read_refusal, write_request
from services.llm.refusals import EndpointNames, error_of, too_long
from services.llm.turns import fit

_log = logging.getLogger(__name__)
_OK = 200
# An event is 150 to 400 bytes for a token; what a model thinks before it speaks counts as well.
_MOST_BYTES_A_TOKEN = 4096
_MOST_BYTES_BESIDE = 1024 * 1024
# The count of tokens follows the end of a reply at once, or never.
_COUNT_LIMIT_S = 1.0
_WARM_UP = Generation(
    conversation_id="",
    messages=(ChatMessage(Role.USER, "Hello"),),
    # Not what servers do by themselves, so that a strict one refuses now what it will not take later.
    sampling=Sampling(temperature=0.5, top_p=0.9, top_k=40, min_p=0.05, repeat_penalty=1.1, max_tokens=16, seed=1),
    language_code="",
)


class EndpointEngine:
    """Replies over HTTP. Any number of callers share it; who waits for whom is the server's affair."""

    def __init__(self, server: OpenAiServer, section: EndpointSection, max_turns: int) -> None:
        self._server = server
        self._names = EndpointNames.of(server.name, section)
        self._section = section
        self._max_turns = max_turns
        self._dialects = DIALECTS  # those that the server took at first, the richest first

    @classmethod
    async def load(cls, name: str, section: EndpointSection, api_key: str, max_turns: int) -> "EndpointEngine":
        """The engine, once the server has begun a reply; else an EngineFailedError that says what to do."""
        async with AsyncExitStack() as stack:
            server = OpenAiServer(name, section, api_key)
            stack.push_async_callback(server.close)
            engine = cls(server, section, max_turns)
            try:
                async with asyncio.timeout(section.health_limit_s):
                    await check(server, EndpointNames.of(name, section))
                    await engine._warm_up()
            except TimeoutError as error:
                raise EngineFailedError(
                    f"{server.url} gives no reply within {section.health_limit_s:g} s: where its model "
                    f"takes longer to load, raise llm.endpoints.{name}.health_limit_s"
                ) from error
            except UnavailableError as error:
                raise EngineFailedError(error.message) from error
            stack.pop_all()
            return engine

    @property
    def context_tokens(self) -> int:
        """As its settings say: a server does not tell."""
        return self._section.context_tokens

    @property
    def supports_tools(self) -> bool:
        """As its settings say."""
        return self._section.tools

    @property
    def supports_formats(self) -> bool:
        """JSON schemas, and no grammars."""
        return True

    async def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        """The reply, as the server writes it."""
        if request.uses_tools and not self.supports_tools:
            raise UnsupportedError("the model of this server calls no tools", field="tools")
        reply = CompletionReader(request)
        most_bytes = _MOST_BYTES_BESIDE + request.sampling.max_tokens * _MOST_BYTES_A_TOKEN
        response = await self._ask(request, self._fitting(request))
        async with aclosing(_until_done(self._server.events(response, most_bytes), reply)) as pieces:
            async for data in pieces:
                for event in reply.read(data):
                    yield event
        for event in reply.end():
            yield event

    async def close(self) -> None:
        """Ends its connections."""
        await self._server.close()

    async def _warm_up(self) -> None:
        async with aclosing(self.generate(_WARM_UP)) as events:
            async for event in events:
                if isinstance(event, TextDelta | AtWork):
                    return
        raise EngineFailedError(f"the model {self._section.model} says nothing: is it one for conversations?")

    def _fitting(self, request: Generation) -> tuple[ChatMessage, ...]:
        room = self.context_tokens - request.sampling.max_tokens - estimate_tokens((), request.tools)

        def fits(messages: Sequence[ChatMessage]) -> bool:
            return estimate_tokens(messages) <= room

        kept = fit(request.messages, fits, self._max_turns)
        if kept is None:
            raise too_long()
        return kept

    async def _ask(self, request: Generation, messages: Sequence[ChatMessage]) -> httpx.Response:
        """The answer that streams. A strict server is asked with fewer fields.

        Always so only if it refused the first request of all: later it may be the values of one caller that are wrong.
        """
        for dialect in self._dialects:
            body = write_request(request, messages, self._section.model, dialect)
            response = await self._server.post("/chat/completions", body)
            if response.status_code == _OK:
                if request is _WARM_UP:
                    self._dialects = DIALECTS[DIALECTS.index(dialect) :]
                return response
            answer = await self._server.read(response)
            refusal = read_refusal(answer.status, answer.content)
            self._tell(refusal, request)
            if not refusal.may_be_about_fields:
                break
        raise error_of(refusal, self._names, request)

    def _tell(self, refusal: Refusal, request: Generation) -> None:
        """The server's own words only where they cannot repeat what people said."""
        words = [*refusal.codes, *([repr(refusal.message[:300])] if request is _WARM_UP else [])]
        _log.warning("endpoint %s refused a request: %d %s", self._server.name, refusal.status, " ".join(words))


async def _until_done(events: AsyncGenerator[str, None], reply: CompletionReader) -> AsyncGenerator[str, None]:
    """The data of a reply. Once that is complete, a server that falls silent or is lost has done its work."""
    async with aclosing(events):
        while not reply.is_done:
            try:
                async with asyncio.timeout(_COUNT_LIMIT_S if reply.is_complete else None):
                    data = await anext(events, None)
            except (TimeoutError, EngineFailedError, UnavailableError) as error:
                if not reply.is_complete:
                    raise
                _log.debug("a server ends its replies badly: %r", error)
                return
            if data is None:
                return
            yield data
