"""services/stt/result_key.py."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from services.common.audio import Recording
from services.stt.endpointing import Endpointing
from services.stt.engine import RecognitionOptions
from services.stt.result_key import result_key

SOUND = Recording(np.arange(1000, dtype=np.int16), 16_000)
OPTIONS = RecognitionOptions("fr")
ENDPOINTING = Endpointing()
# Another value of every field there is, or will be: a wish that is not in the key gives somebody the wrong transcript.
OTHER: dict[type, Any] = {str: "en", bool: True, tuple: ("Aiko",), int: 77, float: 0.77}


def test_the_same_is_the_same() -> None:
    copy = Recording(SOUND.samples.copy(), 16_000)
    assert result_key(SOUND, "small", OPTIONS, ENDPOINTING) == result_key(copy, "small", OPTIONS, ENDPOINTING)


def test_one_sample_an_engine_or_a_rate_makes_another_key() -> None:
    keys = {
        result_key(sound, engine, OPTIONS, ENDPOINTING)
        for sound in (SOUND, Recording(SOUND.samples[:-1], 16_000), Recording(SOUND.samples, 8_000))
        for engine in ("small", "tiny")
    }
    assert len(keys) == 6


@pytest.mark.parametrize("name", [field.name for field in fields(RecognitionOptions)])
def test_every_option_is_in_the_key(name: str) -> None:
    other = replace(OPTIONS, **{name: OTHER[type(getattr(OPTIONS, name))]})
    assert result_key(SOUND, "small", other, ENDPOINTING) != result_key(SOUND, "small", OPTIONS, ENDPOINTING)


@pytest.mark.parametrize("name", [field.name for field in fields(Endpointing)])
def test_all_endpointing_is_in_the_key(name: str) -> None:
    other = replace(ENDPOINTING, **{name: OTHER[type(getattr(ENDPOINTING, name))]})
    assert result_key(SOUND, "small", OPTIONS, other) != result_key(SOUND, "small", OPTIONS, ENDPOINTING)
