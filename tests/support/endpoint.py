"""What the tests of the engine over HTTP share."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

from prometheus_client import CollectorRegistry

from services.common.chain import Answer, Candidate, EngineChain
from services.common.metrics import ChainMetrics
from services.llm.config import EndpointSection
from services.llm.endpoint import EndpointEngine
from services.llm.engine import AtWork, Generation, LlmEngine, ReplyEvent
from services.llm.fixed import FixedReplyEngine
from tests.fakes.openai_server import MODEL

MAX_TURNS = 50


def section(url: str, **fields: object) -> EndpointSection:
    """Settings that do not wait for who is not there, but for who is busy."""
    return EndpointSection.model_validate(
        {"url": url, "model": MODEL, "connect_retries": 0, "health_limit_s": 20} | fields
    )


@asynccontextmanager
async def loaded(url: str, *, api_key: str = "", **fields: object) -> AsyncIterator[EndpointEngine]:
    """An engine that has found its server well; the fields are those of its section."""
    engine = await EndpointEngine.load("near", section(url, **fields), api_key, MAX_TURNS)
    try:
        yield engine
    finally:
        await engine.close()


def chained(engine: LlmEngine, *others: LlmEngine) -> EngineChain[LlmEngine]:
    """The engines, `near`, `near-2` and so on, and behind them the reply that needs none."""
    names = ["near", *(f"near-{number}" for number in range(2, len(others) + 2)), "fixed-reply"]
    engines = [engine, *others, FixedReplyEngine("en")]
    candidates = [Candidate(name, _loader(each)) for name, each in zip(names, engines, strict=True)]
    return EngineChain(candidates, ChainMetrics.create(CollectorRegistry(), "llm"))


def _loader(engine: LlmEngine) -> Callable[[], Awaitable[LlmEngine]]:
    async def load() -> LlmEngine:
        return engine

    return load


async def answered(
    chain: EngineChain[LlmEngine], request: Generation, first_limit_s: float, next_limit_s: float
) -> AsyncGenerator[Answer[ReplyEvent], None]:
    """What the chain gives, as the service asks it."""
    answers = chain.stream(
        lambda engine: engine.generate(request),
        first_limit_s,
        next_limit_s,
        is_part=lambda event: not isinstance(event, AtWork),
    )
    async with aclosing(answers):
        async for answer in answers:
            yield answer
