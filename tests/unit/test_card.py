"""services/common/card.py: which card a service uses, and what happens to its chain as the memory fills."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from services.common.breaker import CircuitBreaker
from services.common.card import Card, CardSeeker, find_card
from services.common.chain import Candidate, EngineChain
from services.common.errors import GpuError, OutOfMemoryError
from services.common.gpu import GB, Gpu, GpuSettings
from services.common.metrics import ChainMetrics
from services.stt.engine import SttEngine
from tests.fakes.nvml import FakeNvml, card
from tests.fakes.recognisers import ScriptedRecogniser
from tests.support.waiting import wait_until

NEEDS_GB = {"large": 2.5, "medium": 1.5}  # the others need no card
RTX_3090 = GpuSettings(name="RTX 3090", min_total_gb=20)


@pytest.fixture(autouse=True)
def _no_card_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "as it was")


def found(nvml: FakeNvml, *engines: str, registry: CollectorRegistry | None = None) -> Card:
    seeker = CardSeeker("llm", "the mind", RTX_3090, set(engines), NEEDS_GB.keys() & set(engines))
    return find_card(seeker, lambda: nvml, registry or CollectorRegistry(), lambda: 0)


async def test_of_two_cards_the_one_that_was_asked_for_is_the_only_one_seen() -> None:
    chosen = found(FakeNvml(card("RTX 4090", index=0), card(index=1)), "large", "small")
    assert chosen.name == "NVIDIA GeForce RTX 3090"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-00000001"
    await chosen.close()


@pytest.mark.parametrize(
    "cards", [(), (card("RTX 2060", total_gb=6),), (card(used_gb=24.5),)], ids=["none", "wrong", "full"]
)
def test_without_it_the_cpu_goes_on_and_says_why(cards: tuple[Gpu, ...], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        absent = found(FakeNvml(*cards), "large", "small")
    assert "RTX 3090" in caplog.text
    assert "the mind" in caplog.text
    assert absent.obstacle(GB)(False) == absent.absence != ""


def test_without_it_a_chain_that_needs_it_does_not_start() -> None:
    with pytest.raises(GpuError, match="RTX 2060"):
        found(FakeNvml(card("RTX 2060", total_gb=6)), "large", "medium")


def test_a_chain_without_gpu_engines_asks_no_driver() -> None:
    nvml = FakeNvml()
    assert found(nvml, "small", "pocketsphinx") == Card()
    assert nvml.asked == 0


async def test_what_is_used_of_it_is_shown_under_the_services_name() -> None:
    registry = CollectorRegistry()
    chosen = found(FakeNvml(card(used_gb=12.9), process_bytes=3 * GB), "large", "small", registry=registry)
    await chosen.look()
    assert registry.get_sample_value("llm_vram_usage_bytes") == 3 * GB
    assert registry.get_sample_value("gpu_memory_usage_percent", {"gpu_model": chosen.name}) == pytest.approx(50)
    await chosen.close()


class Ears:
    """A chain of scripted recognisers, two of them on a card."""

    def __init__(self, nvml: FakeNvml) -> None:
        self.card = found(nvml, "large", "medium", "small")
        self.loads = 0
        candidates = [self._candidate(name) for name in ("large", "medium", "small")]
        metrics = ChainMetrics.create(CollectorRegistry(), "stt")
        self.chain: EngineChain[SttEngine] = EngineChain(
            candidates, metrics, lambda: CircuitBreaker(open_for_s=0.1), look=self.card.look
        )

    def _candidate(self, name: str) -> Candidate[SttEngine]:
        async def load() -> SttEngine:
            self.loads += 1
            return ScriptedRecogniser(["word"])

        if name not in NEEDS_GB:
            return Candidate(name, load)
        return Candidate(name, load, self.card.obstacle(int(NEEDS_GB[name] * GB)), self.card.name)

    async def who_answers(self, *, memory_runs_out_on: str = "") -> str:
        async def use(engine: SttEngine) -> None:
            if engine is self.engine(memory_runs_out_on):
                raise OutOfMemoryError("CUDA out of memory")

        return (await self.chain.call(use, limit_s=5)).backend

    def engine(self, name: str) -> SttEngine | None:
        return next((status.engine for status in self.chain.status() if status.name == name), None)


@asynccontextmanager
async def listening(nvml: FakeNvml) -> AsyncIterator[Ears]:
    """Ears that look at their card all the time."""
    ears = Ears(nvml)
    await ears.chain.start()
    keeping_up = asyncio.create_task(ears.chain.keep_up(every_s=0.01))
    try:
        yield ears
    finally:
        keeping_up.cancel()
        await asyncio.wait([keeping_up])
        await ears.chain.close()
        await ears.card.close()


async def test_a_full_card_leaves_the_work_to_the_cpu_until_there_is_room_again() -> None:
    nvml = FakeNvml(card())
    async with listening(nvml) as ears:
        assert await ears.who_answers() == "large"
        nvml.use(24)
        await wait_until(lambda: ears.engine("large") is None, "the large model to be unloaded")
        assert await ears.who_answers() == "small"
        assert "24.0 of 25.8 GB" in str(ears.chain.status()[0].failure)
        nvml.use(3)
        await wait_until(lambda: ears.engine("large") is not None, "the large model to be back")
        assert await ears.who_answers() == "large"


async def test_when_its_memory_runs_out_the_smaller_model_answers_the_same_request() -> None:
    async with listening(FakeNvml(card())) as ears:
        assert await ears.who_answers(memory_runs_out_on="large") == "medium"
        await wait_until(lambda: ears.loads == 3, "the large model, which was unloaded, to be back")
        assert await ears.who_answers() == "large"
