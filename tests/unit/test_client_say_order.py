"""client/say_order.py: how much goes in one request."""

from pathlib import Path

import pytest

from client.say_order import Order
from client.say_output import container_for
from client.say_speech import Wishes
from superwhisper.tts.v1 import tts_pb2

TWO_MINUTES_OF_SPEECH = 1_500  # characters, at a voice's own speed; more may wait for the loudspeaker in vain


def order(out: str | None, speed: float | None = None, *, ssml: bool = False) -> Order:
    path = Path(out) if out else None
    return Order("Hello.", Wishes(tts_pb2.VoiceConfig(speed=speed), None, ssml, container_for(path)), path, "")


@pytest.mark.parametrize("speed", [None, 1.0, 0.5, 0.25, 4.0])
def test_a_loudspeaker_gets_no_more_than_it_can_hold(speed: float | None) -> None:
    characters = order(None, speed).part_characters
    assert 100 < characters < TWO_MINUTES_OF_SPEECH * min(speed or 1.0, 1.0)
    assert characters < order("a.wav", speed).part_characters


@pytest.mark.parametrize(
    ("out", "ssml", "single"),
    [
        (None, False, False),
        ("a.wav", False, False),
        ("a.RAW", False, False),
        ("a.flac", False, True),
        ("a.opus", False, True),
        ("a.wav", True, True),
        (None, True, True),
    ],
)
def test_what_cannot_be_put_together_of_parts_goes_in_one_request(out: str | None, ssml: bool, single: bool) -> None:
    assert order(out, ssml=ssml).is_single is single
