"""services/tts/wire.py: who is to speak, as a caller says it."""

from typing import Any

import pytest

from services.common.errors import InvalidInputError, NotFoundError
from services.tts import wire
from services.tts.engine import Voice, VoiceChoice
from superwhisper.tts.v1 import tts_pb2

_ANNA = Voice("anna", ("fr-FR", "fr"), 22_050, ("calm", "gay"))
_BOB = Voice("bob", ("en-us",), 22_050)
_VOICES = (_ANNA, _BOB)


def _choice(*, is_all: bool = True, **voice: Any) -> VoiceChoice:
    return wire.to_choice(tts_pb2.VoiceConfig(**voice), _VOICES, "fr", is_all=is_all)


def test_who_says_nothing_gets_the_services_language_and_the_usual_way() -> None:
    assert _choice() == VoiceChoice("fr")


def test_all_of_it() -> None:
    told = _choice(
        language_code="en-US", voice="anna", speaker="gay", speed=2, volume=0, noise_scale=0.5, noise_width=1
    )
    assert told == VoiceChoice("en-US", "anna", "gay", 2.0, 0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("voice", "language_code"), [("anna", "fr-FR"), ("bob", "en-us"), ("en-us+f2", "en-us"), ("fr", "fr-FR")]
)
def test_a_text_is_read_in_the_language_of_the_voice_that_is_named(voice: str, language_code: str) -> None:
    assert _choice(voice=voice).language_code == language_code


def test_a_voice_that_nobody_has_is_not_found_and_the_others_are_listed() -> None:
    with pytest.raises(NotFoundError, match=r"'claire'; there are: anna, bob"):
        _choice(voice="claire")
    with pytest.raises(NotFoundError) as caught:
        _choice(voice="x" * 10_000)
    assert len(caught.value.message) < 200


def test_unless_an_engine_that_is_not_loaded_yet_may_have_it() -> None:
    assert _choice(voice="claire", speaker="loud", is_all=False) == VoiceChoice("fr", "claire", "loud")
    with pytest.raises(InvalidInputError):
        _choice(voice="anna", speaker="loud", is_all=False)


@pytest.mark.parametrize(
    ("voice", "sentence"),
    [
        ({"voice": "anna", "speaker": "loud"}, "no speaker is called 'loud'; there are: calm, gay"),
        ({"voice": "bob", "speaker": "loud"}, "the voice has only one"),
        ({"speaker": "loud"}, "there are: calm, gay"),
        ({"language_code": "en", "speaker": "calm"}, "the voice has only one"),
    ],
)
def test_a_speaker_that_the_voice_has_not(voice: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence) as caught:
        _choice(**voice)
    assert caught.value.field == "voice.speaker"
