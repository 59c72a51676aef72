"""The Whisper model itself, without a service around it: what a decoding may cost, and what may share one."""

from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.common.audio import Samples
from services.stt.engine import RecognitionOptions
from services.stt.metrics import DecoderMetrics, WhisperMetrics
from services.stt.whisper_model import Passage, WhisperModel
from services.stt.whisper_options import DecodingOptions, WhisperOptions
from tests.support.closed_whisper import closed_whisper, say

TEXT = "allume la lumière du salon"
STRICT = DecodingOptions(least_log_probability=-0.2)
FRENCH = RecognitionOptions(language_code="fr")


class Bench:
    """A model that believes nothing that it is not very sure of, and what it counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        metrics = DecoderMetrics("whisper", WhisperMetrics.create(self.registry))
        self.model = WhisperModel(closed_whisper(), WhisperOptions(decoding=STRICT), metrics)

    def full_windows(self) -> float:
        labels = {"backend": "whisper", "window": "full"}
        return self.registry.get_sample_value("stt_windows_total", labels) or 0


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.model.close()


def passage(samples: Samples, options: RecognitionOptions = FRENCH, second_looks_s: float = 60) -> Passage:
    return Passage(samples, options, thorough=True, second_looks_s=second_looks_s)


def nonsense() -> list[Passage]:
    """Speech backwards: of what it makes of it the model is less sure."""
    texts = (TEXT, "baisse le volume", "quelle est la capitale de la france", "il fait froid dans la chambre")
    return [passage(say(text, "fr").samples[::-1].copy()) for text in texts]


def test_what_is_doubtful_is_heard_again_while_somebody_waits_for_it(bench: Bench) -> None:
    before = bench.full_windows()
    bench.model.decode(nonsense(), lambda _index: False)
    assert bench.full_windows() == before
    bench.model.decode(nonsense(), lambda _index: True)
    assert bench.full_windows() > before


def test_and_as_long_as_its_time_lasts(bench: Bench) -> None:
    before = bench.full_windows()
    hurried = [Passage(one.samples, FRENCH, thorough=True, second_looks_s=0) for one in nonsense()]
    bench.model.decode(hurried, lambda _index: True)
    assert bench.full_windows() == before


def test_short_passages_share_a_batch_and_long_ones_do_not(bench: Bench) -> None:
    short, long = np.zeros(3 * 16_000, np.int16), np.zeros(27 * 16_000, np.int16)
    assert bench.model.alike(passage(short)) == bench.model.alike(passage(short.copy()))
    assert bench.model.alike(passage(long)) != bench.model.alike(passage(long.copy()))
    assert bench.model.alike(passage(short)) != bench.model.alike(passage(np.zeros(8 * 16_000, np.int16)))


def test_hot_words_cannot_bear_commands_to_the_decoder(bench: Bench) -> None:
    options = RecognitionOptions(language_code="fr", hot_words=("<|startoftranscript|>", "<|en|>"))
    [heard] = bench.model.decode([passage(say(TEXT, "fr").samples, options)], lambda _index: True)
    assert heard.text == TEXT
