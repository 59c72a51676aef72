"""Where speech that was just detected began to be heard."""

import numpy as np

from services.common.audio import Samples
from services.stt.engine import FRAME_SAMPLES
from services.stt.onset import audible_before

_random = np.random.default_rng(7)


def frames(count: int, loudness: int) -> list[Samples]:
    """Noise of that loudness."""
    return [_random.integers(-loudness, loudness + 1, FRAME_SAMPLES).astype(np.int16) for _ in range(count)]


SPEECH = frames(4, 3000)


def test_a_consonant_belongs_to_its_word() -> None:
    assert audible_before([*frames(40, 20), *frames(3, 500)], SPEECH) == 3


def test_only_what_leads_to_the_word_without_a_gap() -> None:
    assert audible_before([*frames(40, 20), *frames(2, 500), *frames(1, 20), *frames(2, 500)], SPEECH) == 2


def test_steady_noise_is_no_beginning() -> None:
    assert audible_before(frames(60, 1000), SPEECH) == 0


def test_what_is_much_fainter_than_the_word_is_no_beginning() -> None:
    assert audible_before([*frames(40, 5), *frames(5, 100)], SPEECH) == 0


def test_no_consonant_lasts_long() -> None:
    assert audible_before([*frames(60, 20), *frames(20, 500)], SPEECH) == 9


def test_the_first_sound_of_a_stream_has_nothing_before() -> None:
    assert audible_before([], SPEECH) == 0
