"""What the mouth refuses, and in which words."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2
from tests.support.mouth import TONE_ALONE, Request, Stub, config, each, opened, refusal_of, rest_of, running_mouth, say
from tests.support.scripted import LIMIT_S, channel_to, stub_for
from tests.support.servers import child_service

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mouth() -> "AsyncGenerator[Stub, None]":
    async with running_mouth() as running:
        yield running.stub


@pytest.mark.parametrize(
    ("request_", "status", "field_"),
    [
        ({"text": ""}, "INVALID_ARGUMENT", "text"),
        ({"text": " \n\t"}, "INVALID_ARGUMENT", "text"),
        ({"text": "é" * 1_000_000}, "OUT_OF_RANGE", "text"),
        ({"audio_format": {"sample_rate_hz": 0}}, "INVALID_ARGUMENT", "audio_format.sample_rate_hz"),
        ({"audio_format": {"sample_rate_hz": 7_999}}, "INVALID_ARGUMENT", "audio_format.sample_rate_hz"),
        ({"audio_format": {"sample_rate_hz": -1}}, "INVALID_ARGUMENT", "audio_format.sample_rate_hz"),
        ({"audio_format": {"sample_rate_hz": 96_000}}, "INVALID_ARGUMENT", "audio_format.sample_rate_hz"),
        ({"voice": {"language_code": "français"}}, "INVALID_ARGUMENT", "voice.language_code"),
        ({"voice": {"voice": "fr-fr", "speaker": "nobody"}}, "INVALID_ARGUMENT", "voice.speaker"),
        ({"voice": {"speed": 0.1}}, "INVALID_ARGUMENT", "voice.speed"),
        ({"voice": {"speed": float("nan")}}, "INVALID_ARGUMENT", "voice.speed"),
        ({"voice": {"volume": -1.0}}, "INVALID_ARGUMENT", "voice.volume"),
        ({"voice": {"volume": float("inf")}}, "INVALID_ARGUMENT", "voice.volume"),
        ({"voice": {"noise_scale": 3.0}}, "INVALID_ARGUMENT", "voice.noise_scale"),
        ({"text_type": tts_pb2.TEXT_TYPE_SSML}, "INVALID_ARGUMENT", "text"),
        ({"text": "<speak>Bon</jour>", "text_type": tts_pb2.TEXT_TYPE_SSML}, "INVALID_ARGUMENT", "text"),
        ({"container": audio_pb2.AUDIO_CONTAINER_MP3}, "UNIMPLEMENTED", ""),
    ],
)
async def test_a_bad_request_is_refused_and_the_field_named(
    mouth: Any, request_: dict[str, Any], status: str, field_: str
) -> None:
    request = tts_pb2.SynthesizeRequest(**{"text": "Bonjour", **request_})
    told = await refusal_of(mouth.Synthesize(request, timeout=LIMIT_S))
    assert told[:2] == (status, field_)
    assert len(told[2]) < 300


@pytest.mark.parametrize(
    ("requests", "status", "field_"),
    [
        ([], "INVALID_ARGUMENT", "config"),
        ([Request(text_delta="Bonjour")], "INVALID_ARGUMENT", "config"),
        ([Request()], "INVALID_ARGUMENT", "config"),
        ([config(), config()], "INVALID_ARGUMENT", "config"),
        ([config(), Request()], "INVALID_ARGUMENT", "payload"),
        ([config(), Request(control=tts_pb2.SynthesisControl())], "INVALID_ARGUMENT", "control.command"),
        ([config(audio_format=audio_pb2.AudioFormat())], "INVALID_ARGUMENT", "audio_format.sample_rate_hz"),
        ([config(), Request(text_delta="x " * 60_000)], "OUT_OF_RANGE", "text_delta"),
    ],
)
async def test_a_bad_stream_is_refused_and_the_field_named(
    mouth: Any, requests: list[Request], status: str, field_: str
) -> None:
    told = await refusal_of(mouth.StreamingSynthesize(each(requests), timeout=LIMIT_S))
    assert told[:2] == (status, field_)


async def test_many_little_portions_are_too_much_as_well() -> None:
    async with running_mouth(*TONE_ALONE, "--tts.max_text_characters", "99") as short:
        portions = [config(), *[Request(text_delta="Oui, oui. ")] * 10]
        told = await refusal_of(short.stub.StreamingSynthesize(each(portions), timeout=LIMIT_S))
        assert told[:2] == ("OUT_OF_RANGE", "text_delta")


async def test_a_caller_who_sends_no_text_is_let_go() -> None:
    async with running_mouth(*TONE_ALONE, "--tts.idle_limit_s", "0.1") as impatient:
        told = await refusal_of(rest_of(await opened(impatient.stub)))
        assert told[0] == "RESOURCE_EXHAUSTED"
        assert "0.1 s" in told[2]


async def test_a_broken_message_is_refused_and_the_process_lives() -> None:
    broken = tts_pb2.SynthesizeRequest(text="aaaa").SerializeToString().replace(b"aaaa", b"a\xff\xfeb")
    async with child_service("tts") as child, channel_to(child.address) as channel:
        raw: Any = channel.unary_stream("/superwhisper.tts.v1.TtsService/Synthesize")
        for message in (broken, b"\xff" * 100):
            assert (await refusal_of(raw(message, timeout=LIMIT_S)))[:2] == ("INVALID_ARGUMENT", "message")
        assert (await say(stub_for(channel), "Bonjour")).loudness > 500
        assert child.process.poll() is None
        assert "Traceback" not in child.output()
