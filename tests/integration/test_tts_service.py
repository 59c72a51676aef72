"""The mouth, whole: whole texts, voices, and what it says of itself."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from superwhisper.common.v1 import audio_pb2, capabilities_pb2
from superwhisper.tts.v1 import tts_pb2
from tests.support.mouth import TONE_ALONE, Stub, pour, refusal_of, running_mouth, say
from tests.support.scripted import LIMIT_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TEXT = "Bien sûr, je regarde cela. Il fera beau demain, mais frais ! Prenez un manteau."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mouth() -> "AsyncGenerator[Stub, None]":
    async with running_mouth() as running:
        yield running.stub


# Speaking


async def test_a_text_is_spoken_and_every_character_of_it_belongs_to_some_audio(mouth: Any) -> None:
    speech = await say(mouth, _TEXT)
    assert speech.started.backend == "espeak-ng"
    assert speech.loudness > 500
    assert 3_000 < speech.finished.duration_ms < 12_000  # of speech, not of time that passed
    speech.check(_TEXT)
    assert [_TEXT[start:end] for start, end in speech.pieces] == [
        "Bien sûr, ",
        "je regarde cela. ",
        "Il fera beau demain, mais frais ! ",
        "Prenez un manteau.",
    ]


async def test_each_chunk_says_few_words(mouth: Any) -> None:
    """So that what was heard is known to the word."""
    speech = await say(mouth, _TEXT)
    assert all(len(_TEXT[chunk.span.start : chunk.span.end].split()) <= 3 for chunk in speech.chunks)
    said = {_TEXT[chunk.span.start : chunk.span.end].strip() for chunk in speech.chunks}
    assert {"Bien", "regarde", "cela.", "demain,", "Prenez", "manteau."} <= said


async def test_what_numbers_are_said_as_has_their_characters(mouth: Any) -> None:
    text = "Il est 14h30 maintenant."
    speech = await say(mouth, text)
    speech.check(text)
    said = [text[chunk.span.start : chunk.span.end].strip() for chunk in speech.chunks]
    assert said.count("14h30") * 30 > 600  # milliseconds: three words


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
async def test_audio_comes_at_the_rate_asked_for(mouth: Any, rate_hz: int) -> None:
    own = await say(mouth, _TEXT)
    speech = await pour(mouth, [_TEXT], audio_format=audio_pb2.AudioFormat(sample_rate_hz=rate_hz))
    assert speech.rate_hz == rate_hz != own.rate_hz
    speech.check(_TEXT)
    assert speech.finished.duration_ms == pytest.approx(own.finished.duration_ms, rel=0.02)
    assert speech.likeness(own) > 0.8


async def test_french_and_english_sound_different_and_french_is_the_default(mouth: Any) -> None:
    by_code = {
        code: await say(mouth, "Important information", voice=tts_pb2.VoiceConfig(language_code=code))
        for code in ("", "fr", "fr-FR", "en", "en-US")
    }
    alike = {code for code, speech in by_code.items() if speech.likeness(by_code["fr"]) > 0.8}
    assert alike == {"", "fr", "fr-FR"}
    assert by_code["en"].likeness(by_code["fr"]) < 0.5


async def test_numbers_are_read_in_the_language_of_the_voice(mouth: Any) -> None:
    digits = await say(mouth, "It costs 80.", voice=tts_pb2.VoiceConfig(voice="en-us"))
    words = await say(mouth, "It costs eighty.", voice=tts_pb2.VoiceConfig(voice="en-us"))
    assert digits.likeness(words) > 0.8


_WAYS: tuple[dict[str, Any], ...] = ({}, {"speed": 2.0}, {"volume": 0.3})


async def test_speed_and_volume(mouth: Any) -> None:
    plain, fast, soft = [await say(mouth, _TEXT, voice=tts_pb2.VoiceConfig(**how)) for how in _WAYS]
    assert fast.finished.duration_ms < 0.8 * plain.finished.duration_ms
    assert soft.loudness < 0.6 * plain.loudness
    assert (await say(mouth, "Chut", voice=tts_pb2.VoiceConfig(volume=0))).loudness < 10


async def test_callers_do_not_hear_each_other(mouth: Any) -> None:
    texts = ["Un, deux, trois, quatre.", "Il fait beau aujourd'hui.", "Quelle heure est-il, maintenant ?"]
    alone = [await say(mouth, text) for text in texts]
    together = await asyncio.gather(*(pour(mouth, [text]) for text in texts * 3))
    for number, speech in enumerate(together):
        alike = [index for index, other in enumerate(alone) if speech.likeness(other) > 0.8]
        assert alike == [number % 3]


# What people write


@pytest.mark.parametrize(
    "text",
    [
        "Salut 👋🏽 tout le monde 👩‍👩‍👧 !",
        "un\0deux\x07trois\x1b[31m quatre\x7f\x85",
        "**Gras**, _italique_, `code`, # titre\n\n- un\n- deux\n\n| a | b |\n|---|---|",
        "Voyez https://example.com/a?b=c&d=%20#e et écrivez à moi@example.fr.",
        "<speak>Bonjour <break time='1s'/> <voice name=\"x\">vous</voice></speak>",
        "a" * 5_000,
        "«\u202eoverride\u202c» \ufeffBOM \u200bzero",
        "日本語のテキスト。עברית. العربية.",
        "3,14 + 2.71 = 5,85 € (12/03/2024 à 15h30)",
        "\r\n".join(["ligne"] * 50),
    ],
    ids=lambda text: text[:12].encode("ascii", "replace").decode(),
)
async def test_whatever_people_write_is_spoken(mouth: Any, text: str) -> None:
    speech = await say(mouth, text)
    speech.check(text)
    assert speech.loudness > 100


@pytest.mark.parametrize("text", ["👋", "…", " . , ; ", "\0\x01", "—"])
async def test_what_cannot_be_said_is_passed_over_in_silence(mouth: Any, text: str) -> None:
    speech = await say(mouth, text)
    assert speech.chunks == []
    assert speech.finished.duration_ms == 0
    assert speech.finished.characters == len(text)


async def test_markup_is_obeyed_where_the_caller_says_that_it_is_markup(mouth: Any) -> None:
    plain = "<speak>Bonjour à tous</speak>"
    slow = "<speak>Bonjour <break time='2s'/> à tous</speak>"
    ssml = {"text_type": tts_pb2.TEXT_TYPE_SSML}
    without, with_break = await say(mouth, plain, **ssml), await say(mouth, slow, **ssml)
    with_break.check(slow)
    assert with_break.finished.duration_ms - without.finished.duration_ms > 1_500


# Voices


async def test_an_unknown_voice_is_not_found_and_the_others_are_listed(mouth: Any) -> None:
    request = tts_pb2.SynthesizeRequest(text="Bonjour", voice=tts_pb2.VoiceConfig(voice="nobody"))
    status, _, sentence = await refusal_of(mouth.Synthesize(request, timeout=LIMIT_S))
    assert status == "NOT_FOUND"
    assert "'nobody'" in sentence
    listed = {voice.name for voice in (await mouth.ListVoices(tts_pb2.ListVoicesRequest(), timeout=LIMIT_S)).voices}
    assert len(listed) > 50
    for name in ("fr-fr", "en-us", "de"):
        assert name in listed
        assert f" {name}," in sentence


async def test_voices_of_a_language(mouth: Any) -> None:
    voices = (await mouth.ListVoices(tts_pb2.ListVoicesRequest(language_code="fr-FR"), timeout=LIMIT_S)).voices
    assert voices
    for voice in voices:
        assert any(code.startswith("fr") for code in voice.language_codes)
        assert voice.sample_rate_hz == 22_050
        assert voice.backend == "espeak-ng"
        heard = await say(mouth, "Bonjour", voice=tts_pb2.VoiceConfig(voice=voice.name))
        assert heard.loudness > 100
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await mouth.ListVoices(tts_pb2.ListVoicesRequest(language_code="f"), timeout=LIMIT_S)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


# What it says of itself, and its last resort


async def test_capabilities(mouth: Any) -> None:
    told = await mouth.GetCapabilities(tts_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    assert [(engine.name, engine.state) for engine in told.engines[:1]] == [
        ("espeak-ng", capabilities_pb2.ENGINE_STATE_READY)
    ]
    assert [engine.name for engine in told.engines] == ["espeak-ng", "tone"]
    assert {"fr-fr", "en-us"} <= set(told.engines[0].language_codes)
    assert told.limits.max_text_characters == 100_000
    assert told.limits.idle_timeout_ms == 60_000
    assert told.limits.max_recording_bytes == 64 * 1024 * 1024
    assert set(told.containers) == {
        audio_pb2.AUDIO_CONTAINER_RAW,
        audio_pb2.AUDIO_CONTAINER_WAV,
        audio_pb2.AUDIO_CONTAINER_FLAC,
        audio_pb2.AUDIO_CONTAINER_OGG,
    }


async def test_a_language_that_nobody_speaks_gets_a_tone(mouth: Any) -> None:
    speech = await say(mouth, _TEXT, voice=tts_pb2.VoiceConfig(language_code="zz"))
    assert speech.started.backend == "tone"
    assert {chunk.backend for chunk in speech.chunks} == {"tone"}
    speech.check(_TEXT)
    assert (await say(mouth, _TEXT)).started.backend == "espeak-ng"  # nobody was blamed for it


async def test_without_espeak_a_tone_stands_for_each_piece() -> None:
    async with running_mouth(*TONE_ALONE) as last_resort:
        speech = await say(last_resort.stub, _TEXT)
        assert speech.started.backend == "tone"
        assert speech.loudness > 500
        speech.check(_TEXT)
