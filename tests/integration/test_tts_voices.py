"""The mouth with all of its engines: whose voice speaks, and what callers are told of it."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from scripts.made_voice.build import MadeVoice
from superwhisper.common.v1 import capabilities_pb2
from superwhisper.tts.v1 import tts_pb2
from tests.support.made_voice import made_voice
from tests.support.mouth import Heard, Stub, refusal_of, running_mouth, say
from tests.support.scripted import LIMIT_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

_FIRST, _PAIR = made_voice(), made_voice(MadeVoice(speakers=2))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mouth() -> "AsyncGenerator[Stub, None]":
    voices = json.dumps([str(_FIRST), str(_PAIR)])
    async with running_mouth(
        "--tts.engines", '["piper", "espeak-ng", "tone"]', "--tts.piper.voices", voices
    ) as running:
        yield running.stub


async def _said(mouth: Any, text: str, **voice: Any) -> Heard:
    return await say(mouth, text, voice=tts_pb2.VoiceConfig(**voice))


async def test_what_it_can_speak_does_not_depend_on_what_was_asked_before(mouth: Any) -> None:
    told = await mouth.GetCapabilities(tts_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    assert [engine.name for engine in told.engines] == ["piper", "espeak-ng", "tone"]
    assert {engine.state for engine in told.engines} == {capabilities_pb2.ENGINE_STATE_READY}
    assert "de" in told.engines[1].language_codes
    voices = (await mouth.ListVoices(tts_pb2.ListVoicesRequest(), timeout=LIMIT_S)).voices
    assert [voice.name for voice in voices[:2]] == [_FIRST.stem, _PAIR.stem]
    german = (await mouth.ListVoices(tts_pb2.ListVoicesRequest(language_code="de"), timeout=LIMIT_S)).voices
    assert [(voice.name, voice.backend) for voice in german] == [("de", "espeak-ng")]


async def test_a_voice_of_the_next_engine_is_read_to_in_its_own_language(mouth: Any) -> None:
    digits, words = [await _said(mouth, text, voice="en-us+f2") for text in ("It costs 80.", "It costs eighty.")]
    assert digits.started.backend == "espeak-ng"
    assert digits.likeness(words) > 0.8


@pytest.mark.parametrize(
    ("wish", "voice"),
    [
        ({}, _FIRST.stem),
        ({"language_code": "fr-CA"}, _FIRST.stem),
        ({"voice": _PAIR.stem}, _PAIR.stem),
        ({"speaker": "woman"}, _PAIR.stem),
        ({"language_code": "de"}, "de"),
        ({"language_code": "en"}, "en-us+f2"),
        ({"voice": "fr"}, "fr-fr"),
        ({"language_code": "zz"}, "tone"),
    ],
)
async def test_the_voice_that_speaks_is_named_and_can_be_asked_for(
    mouth: Any, wish: dict[str, str], voice: str
) -> None:
    for _ in ("made", "kept"):
        said = await _said(mouth, "Bonjour.", **wish)
        assert said.started.voice == voice
    again = await _said(mouth, "Bonsoir.", voice=voice)
    assert (again.started.voice, again.started.backend) == (voice, said.started.backend)


async def test_a_speaker_that_the_voice_that_is_meant_has_not_is_refused(mouth: Any) -> None:
    for name in ("fr", _FIRST.stem):  # Piper's have names of their own, and do not go by their language
        wish = tts_pb2.VoiceConfig(voice=name, speaker="woman")
        told = await refusal_of(
            mouth.Synthesize(tts_pb2.SynthesizeRequest(text="Bonjour.", voice=wish), timeout=LIMIT_S)
        )
        assert told[:2] == ("INVALID_ARGUMENT", "voice.speaker")
