"""services/tts/wire.py: who is to speak, as a caller says it."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.common.errors import InvalidInputError, NotFoundError
from services.tts import wire
from services.tts.engine import Voice, VoiceChoice
from superwhisper.tts.v1 import tts_pb2

_ANNA = Voice("anna", ("fr-FR", "fr"), 22_050, ("calm", "gay"))
_BOB = Voice("bob", ("en-us",), 22_050)
_MANY = Voice("de", ("de", "de-at"), 22_050, tuple(f"p{number:03}" for number in range(900)))
_ITALIAN = Voice("it", ("it", "it-it"), 22_050)
_VOICES = (_ANNA, _BOB, _MANY, _ITALIAN)


def _choice(**voice: Any) -> VoiceChoice:
    return wire.to_choice(tts_pb2.VoiceConfig(**voice), _VOICES, "fr")


def test_who_says_nothing_gets_the_services_language_and_the_usual_way() -> None:
    assert _choice() == VoiceChoice("fr")


def test_all_of_it() -> None:
    told = _choice(
        language_code="en-US", voice="anna", speaker="gay", speed=2, volume=0, noise_scale=0.5, noise_width=1
    )
    assert told == VoiceChoice("en-US", "anna", "gay", 2.0, 0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("voice", "language_code"),
    [("anna", "fr-FR"), ("bob", "en-us"), ("it+f2", "it"), ("it-it", "it"), ("it-it+f2", "it")],
)
def test_a_text_is_read_in_the_language_of_the_voice_that_is_named(voice: str, language_code: str) -> None:
    assert _choice(voice=voice).language_code == language_code


def test_a_voice_that_nobody_has_is_not_found_and_the_others_are_listed() -> None:
    for nobody in ("claire", "fr", "Anna", "+f2"):  # the only one for French is called otherwise
        with pytest.raises(NotFoundError, match=rf"'{re.escape(nobody)}'; there are: anna, bob, de, it"):
            _choice(voice=nobody)
    with pytest.raises(NotFoundError) as caught:
        _choice(voice="x" * 10_000)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("voice", "sentence"),
    [
        ({"voice": "anna", "speaker": "loud"}, "no speaker is called 'loud'; there are: calm, gay"),
        ({"voice": "bob", "speaker": "loud"}, "the voice has only one"),
        ({"speaker": "loud"}, "there are: calm, gay"),
        ({"language_code": "en", "speaker": "calm"}, "the voice has only one"),
        ({"voice": "it-it", "speaker": "calm"}, "the voice has only one"),
        ({"voice": "de", "speaker": "x" * 10_000}, "there are: p000, .*, p019, and 880 more$"),
    ],
)
def test_a_speaker_that_the_voice_has_not(voice: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence) as caught:
        _choice(**voice)
    assert caught.value.field == "voice.speaker"
    assert len(caught.value.message) < 400


async def test_an_empty_portion_of_text_is_no_text() -> None:
    """Else one who sends many of them would never be taken for one who pauses."""

    async def messages() -> AsyncIterator[tts_pb2.StreamingSynthesizeRequest]:
        for portion in ("", "Oui, ", "", "non."):
            yield tts_pb2.StreamingSynthesizeRequest(text_delta=portion)

    assert [text async for text in wire.to_text(messages(), 100)] == ["Oui, ", "non."]
