"""What the tests of the mind share: models that are on this machine, and requests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.common.config_files import default_models_dir
from services.common.errors import ModelError
from services.common.models.store import ModelStore
from services.common.settings import load
from services.llm.config import LlmSection, LlmSettings
from services.llm.engine import AtWork, ChatMessage, Finished, Generation, ReplyEvent, Role, Sampling, TextDelta
from services.llm.llama_options import LlamaOptions
from services.llm.llamacpp import LlamaCppEngine, LlamaLimits
from services.llm.metrics import LlamaMetrics
from superwhisper.llm.v1 import llm_pb2
from tests.support.shared_data import shared_data

# Short enough for f16, which is exact up to 512 tokens; this model's heads are too small for q8_0.
TINY = LlamaOptions(context_tokens=256, sequences=4, batch_tokens=32, threads=1)
GREEDY = Sampling(temperature=0, top_p=1, top_k=0, min_p=0, repeat_penalty=1, max_tokens=24)


def tiny_model() -> Path:
    """A real model of 1 MB that tells children's stories."""
    return shared_data("models/stories260K.gguf")


@asynccontextmanager
async def llama_engine(
    path: Path | None = None, options: LlamaOptions = TINY, registry: CollectorRegistry | None = None
) -> AsyncIterator[LlamaCppEngine]:
    """A real one, of the tiny model where no other is named."""
    metrics = LlamaMetrics(registry or CollectorRegistry()).of("llama.cpp")
    engine = await LlamaCppEngine.load(path or tiny_model(), options, LlamaLimits(step_s=60), metrics)
    try:
        yield engine
    finally:
        await engine.close()


def small_model() -> str:
    """The name of the embedded profile's model, or a skip with the reason."""
    name = section().llama_cpp["smollm2-135m"].model
    try:
        ModelStore(default_models_dir()).path(name)
    except ModelError as error:
        pytest.skip(str(error))
    return name


def settings(*arguments: str) -> LlmSettings:
    """Those of the embedded profile, with flags on top."""
    return load(LlmSettings, ("--profile", "embedded", *arguments))


def section(*arguments: str) -> LlmSection:
    """Their part that is the mind's."""
    return settings(*arguments).llm


def generation(*said: str, sampling: Sampling = GREEDY, name: str = "", language_code: str = "en") -> Generation:
    """A conversation: the person, the assistant, the person, …"""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(ChatMessage(roles[index % 2], content) for index, content in enumerate(said))
    return Generation(name, messages, sampling, language_code)


async def collect(events: AsyncIterator[ReplyEvent]) -> tuple[str, Finished]:
    """The text and the end of a reply."""
    received = [event async for event in events if not isinstance(event, AtWork)]
    finished = received.pop()
    assert isinstance(finished, Finished)
    return joined(received), finished


def joined(events: Sequence[ReplyEvent]) -> str:
    """The text of the deltas, which must be nothing else."""
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    assert len(texts) == len(events)
    assert all(texts)
    return "".join(texts)


def ask(*said: str, **fields: object) -> llm_pb2.GenerateRequest:
    """A request on the wire: the person, the assistant, the person, …"""
    roles = (llm_pb2.ROLE_USER, llm_pb2.ROLE_ASSISTANT)
    messages = [llm_pb2.Message(role=roles[index % 2], content=content) for index, content in enumerate(said)]
    return llm_pb2.GenerateRequest(messages=messages, **fields)  # type: ignore[arg-type]
