"""Which models the mind takes, by what the graphics card has room for. No card is needed: the driver is a fake."""

import json

import pytest

from services.common.channels import Connection
from services.llm.__main__ import build
from services.llm.gguf import read_header, vram_bytes
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc
from tests.fakes.nvml import FakeNvml, card
from tests.support.llm import ask, settings, tiny_model
from tests.support.servers import serving

LIMIT_S = 60


@pytest.fixture(autouse=True)
def _no_card_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "as it was")


async def reasons(nvml: FakeNvml, **models: dict[str, object]) -> tuple[str, dict[str, str]]:
    """Who answers, and why each of the others does not."""
    plain = {"model": str(tiny_model()), "context_tokens": 256, "threads": 1}
    sections = {name: {**plain, **changes} for name, changes in models.items()}
    flags = ("--llm.engines", json.dumps([*models, "fixed-reply"]), "--llm.llama_cpp", json.dumps(sections))
    limits = ("--llm.max_reply_tokens", "100", "--llm.sampling.max_tokens", "5")
    service = build(settings(*flags, *limits), lambda: nvml)
    async with serving(service) as address, Connection(address).open() as channel:
        stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        responses = [response async for response in stub.Generate(ask("Once upon"), timeout=LIMIT_S)]
        can = await stub.GetCapabilities(llm_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    return responses[-1].finished.backend, {engine.name: engine.detail for engine in can.engines}


async def test_the_large_one_does_not_fit_and_the_small_one_is_tried() -> None:
    answered, why = await reasons(
        FakeNvml(card(used_gb=10)), large={"gpu_layers": -1, "vram_gb": 14}, small={"gpu_layers": -1, "vram_gb": 4}
    )
    assert "it needs 14.0 GB" in why["large"]
    assert "built without a GPU" in why["small"]  # as far as it comes without one
    assert answered == "fixed-reply"


async def test_what_a_model_needs_is_worked_out_of_its_file() -> None:
    section = settings().llm.llama_cpp["smollm2-135m"].model_copy(update={"gpu_layers": -1, "context_tokens": 256})
    needs_gb = vram_bytes(read_header(tiny_model()), section.options(1)) / 1e9
    nvml = FakeNvml(card(total_gb=10, used_gb=8 - needs_gb / 2))  # a model may take what is below 80 %
    answered, why = await reasons(nvml, tiny={"gpu_layers": -1}, cpu={})
    assert f"it needs {needs_gb:.1f} GB" in why["tiny"]
    assert answered == "cpu"


async def test_without_a_card_the_cpu_answers() -> None:
    answered, why = await reasons(FakeNvml(), large={"gpu_layers": -1}, cpu={})
    assert answered == "cpu"
    assert "no" in why["large"]
