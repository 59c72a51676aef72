"""The mouth, whole: its real engines behind a real socket."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from services.common.audio import decode_pcm, read_wav
from services.common.settings import load
from services.common.status import from_rpc_error
from services.tts.__main__ import build
from services.tts.config import TtsSettings
from superwhisper.common.v1 import audio_pb2, capabilities_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.support.scripted import LIMIT_S, channel_to, stub_for
from tests.support.servers import child_service, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

_Request = tts_pb2.StreamingSynthesizeRequest
_Responses = Iterable[tts_pb2.StreamingSynthesizeResponse | tts_pb2.SynthesizeResponse]
_FLUSH = _Request(control=tts_pb2.SynthesisControl(flush=tts_pb2.Flush()))
_TEXT = "Bien sûr, je regarde cela. Il fera beau demain, mais frais ! Prenez un manteau."


# One mouth with espeak-ng in this process at a time: its library has global state, of which the last engine has hold.
@contextlib.asynccontextmanager
async def _mouth(*flags: str) -> "AsyncIterator[tts_pb2_grpc.TtsServiceAsyncStub]":
    settings = load(TtsSettings, ["--profile", "embedded", *flags])
    async with serving(build(settings)) as address, channel_to(address) as channel:
        yield stub_for(channel)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mouth() -> "AsyncGenerator[tts_pb2_grpc.TtsServiceAsyncStub, None]":
    async with _mouth() as stub:
        yield stub


@dataclass
class Speech:
    """What a synthesis answered, in the order that the contract says."""

    started: tts_pb2.SynthesisStarted = field(default_factory=tts_pb2.SynthesisStarted)
    chunks: list[tts_pb2.AudioChunk] = field(default_factory=list)
    finished: tts_pb2.SynthesisFinished = field(default_factory=tts_pb2.SynthesisFinished)

    @classmethod
    def of(cls, responses: _Responses) -> "Speech":
        speech, kinds = cls(), []
        for response in responses:
            kinds.append(response.WhichOneof("event"))
            if response.HasField("started"):
                speech.started = response.started
            elif response.HasField("audio"):
                speech.chunks.append(response.audio)
            else:
                speech.finished = response.finished
        assert kinds[-1] == "finished"
        assert kinds[:-1] == ([] if len(kinds) == 1 else ["started", *["audio"] * (len(kinds) - 2)])
        return speech

    @property
    def rate_hz(self) -> int:
        return self.started.audio_format.sample_rate_hz

    @property
    def audio(self) -> bytes:
        return b"".join(chunk.audio for chunk in self.chunks)

    @property
    def loudness(self) -> float:
        return float(np.sqrt(np.mean(decode_pcm(self.audio, "audio").astype(float) ** 2)))

    def likeness(self, other: "Speech") -> float:
        """1 for the same words said the same way, about 0 for others: espeak-ng never says anything twice alike."""
        mine, theirs = self._envelope(), other._envelope()
        count = min(mine.size, theirs.size)
        return float(np.corrcoef(mine[:count], theirs[:count])[0, 1])

    def _envelope(self) -> NDArray[np.float64]:
        """How loud it is, every 40 ms."""
        step = self.rate_hz * 40 // 1000
        samples = decode_pcm(self.audio, "audio").astype(float)
        windows = samples[: samples.size // step * step].reshape(-1, step)
        loudness: NDArray[np.float64] = np.log10(np.sqrt((windows**2).mean(axis=1)) + 30)
        return loudness

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Each once, in order."""
        return list(dict.fromkeys((chunk.span.start, chunk.span.end) for chunk in self.chunks))


async def _say(mouth: "tts_pb2_grpc.TtsServiceAsyncStub", text: str, **request: Any) -> Speech:
    call = mouth.Synthesize(tts_pb2.SynthesizeRequest(text=text, **request), timeout=LIMIT_S)
    return Speech.of([response async for response in call])


def _config(**config: Any) -> _Request:
    return _Request(config=tts_pb2.StreamingSynthesizeConfig(**config))


async def _pour(mouth: "tts_pb2_grpc.TtsServiceAsyncStub", portions: Sequence[str], **config: Any) -> Speech:
    async def requests() -> AsyncIterator[_Request]:
        yield _config(**config)
        for portion in portions:
            yield _Request(text_delta=portion)

    return Speech.of([response async for response in mouth.StreamingSynthesize(requests(), timeout=LIMIT_S)])


def _check_contiguous(speech: Speech) -> None:
    """Every chunk begins where the one before it ends, and lasts 20 to 40 ms but for the last of a piece."""
    assert speech.chunks
    samples = 0
    for chunk, following in zip(speech.chunks, [*speech.chunks[1:], None], strict=True):
        assert chunk.offset_ms == pytest.approx(samples * 1000 / speech.rate_hz)
        count = len(chunk.audio) // 2
        assert count * 1000 / speech.rate_hz <= 40
        if following is not None and following.piece == chunk.piece:
            assert count * 1000 / speech.rate_hz >= 20
        samples += count
    assert speech.finished.duration_ms == pytest.approx(samples * 1000 / speech.rate_hz)
    numbers = [chunk.piece for chunk in speech.chunks]
    assert list(dict.fromkeys(numbers)) == list(range(numbers[-1] + 1))


# Speaking


async def test_a_text_is_spoken_and_every_character_of_it_belongs_to_some_audio(mouth: Any) -> None:
    speech = await _say(mouth, _TEXT)
    assert speech.started.backend == "espeak-ng"
    assert speech.loudness > 500
    assert 3_000 < speech.finished.duration_ms < 12_000  # of speech, not of time that passed
    assert speech.finished.characters == len(_TEXT)
    _check_contiguous(speech)
    assert "".join(_TEXT[start:end] for start, end in speech.spans) == _TEXT
    assert len(speech.spans) == 4


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_poured_in_portions_it_sounds_the_same_as_whole(mouth: Any, size: int) -> None:
    portions = [_TEXT[start : start + size] for start in range(0, len(_TEXT), size)]
    poured, whole = await _pour(mouth, portions), await _say(mouth, _TEXT)
    _check_contiguous(poured)
    assert poured.spans == whole.spans
    assert poured.likeness(whole) > 0.8
    assert poured.finished.characters == len(_TEXT)


async def test_it_speaks_before_the_text_is_complete(mouth: Any) -> None:
    call = mouth.StreamingSynthesize(timeout=LIMIT_S)
    await call.write(_config())
    await call.write(_Request(text_delta="Bien sûr, je"))
    assert (await call.read()).HasField("started")
    assert (await call.read()).audio.audio
    await call.done_writing()
    rest = [response async for response in _rest(call)]
    assert rest[-1].finished.characters == len("Bien sûr, je")


async def test_a_flush_makes_it_speak_inside_of_a_sentence(mouth: Any) -> None:
    call = mouth.StreamingSynthesize(timeout=LIMIT_S)
    await call.write(_config())
    await call.write(_Request(text_delta="Bonjour tout"))
    await call.write(_FLUSH)
    await call.read()
    first = (await call.read()).audio
    assert (first.span.start, first.span.end) == (0, len("Bonjour tout"))
    await call.write(_Request(text_delta=" le monde"))
    await call.done_writing()
    last = [response async for response in _rest(call) if response.HasField("audio")][-1]
    assert (last.audio.span.start, last.audio.span.end) == (len("Bonjour tout"), len("Bonjour tout le monde"))


async def _rest(call: Any) -> AsyncIterator[tts_pb2.StreamingSynthesizeResponse]:
    while (response := await call.read()) is not grpc.aio.EOF:
        yield response


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
async def test_audio_comes_at_the_rate_asked_for(mouth: Any, rate_hz: int) -> None:
    own = await _say(mouth, _TEXT)
    speech = await _pour(mouth, [_TEXT], audio_format=audio_pb2.AudioFormat(sample_rate_hz=rate_hz))
    assert speech.rate_hz == rate_hz != own.rate_hz
    _check_contiguous(speech)
    assert speech.finished.duration_ms == pytest.approx(own.finished.duration_ms, rel=0.02)
    assert speech.likeness(own) > 0.8


async def test_french_and_english_sound_different_and_french_is_the_default(mouth: Any) -> None:
    by_code = {
        code: await _say(mouth, "Important information", voice=tts_pb2.VoiceConfig(language_code=code))
        for code in ("", "fr", "fr-FR", "en", "en-US")
    }
    alike = {code for code, speech in by_code.items() if speech.likeness(by_code["fr"]) > 0.8}
    assert alike == {"", "fr", "fr-FR"}
    assert by_code["en"].likeness(by_code["fr"]) < 0.5


_WAYS: tuple[dict[str, Any], ...] = ({}, {"speed": 2.0}, {"volume": 0.3})


async def test_speed_and_volume(mouth: Any) -> None:
    plain, fast, soft = [await _say(mouth, _TEXT, voice=tts_pb2.VoiceConfig(**how)) for how in _WAYS]
    assert fast.finished.duration_ms < 0.8 * plain.finished.duration_ms
    assert soft.loudness < 0.6 * plain.loudness
    assert (await _say(mouth, "Chut", voice=tts_pb2.VoiceConfig(volume=0))).loudness < 10


async def test_as_a_wav_file(mouth: Any) -> None:
    call = mouth.Synthesize(
        tts_pb2.SynthesizeRequest(text=_TEXT * 3, container=audio_pb2.AUDIO_CONTAINER_WAV), timeout=LIMIT_S
    )
    speech = Speech.of([response async for response in call])
    recording = read_wav(speech.audio, "audio")
    assert recording.sample_rate_hz == (await _say(mouth, "a")).rate_hz
    assert recording.duration_ms == pytest.approx(speech.finished.duration_ms)
    assert recording.duration_ms > 5_000


async def test_callers_do_not_hear_each_other(mouth: Any) -> None:
    texts = ["Un, deux, trois, quatre.", "Il fait beau aujourd'hui.", "Quelle heure est-il, maintenant ?"]
    alone = [await _say(mouth, text) for text in texts]
    together = await asyncio.gather(*(_pour(mouth, [text]) for text in texts * 3))
    for number, speech in enumerate(together):
        alike = [index for index, other in enumerate(alone) if speech.likeness(other) > 0.8]
        assert alike == [number % 3]


async def test_after_a_caller_left_the_next_is_served(mouth: Any) -> None:
    for _ in range(3):
        call = mouth.Synthesize(tts_pb2.SynthesizeRequest(text=_TEXT * 20), timeout=LIMIT_S)
        await call.read()
        call.cancel()
    assert (await _say(mouth, _TEXT)).loudness > 500


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
    speech = await _say(mouth, text)
    _check_contiguous(speech)
    assert speech.loudness > 100
    assert speech.finished.characters == len(text)
    assert all(0 <= start < end <= len(text) for start, end in speech.spans)
    starts = [start for start, _ in speech.spans]
    assert starts == sorted(starts)


@pytest.mark.parametrize("text", ["👋", "…", " . , ; ", "\0\x01", "—"])
async def test_what_cannot_be_said_is_passed_over_in_silence(mouth: Any, text: str) -> None:
    speech = await _say(mouth, text)
    assert speech.chunks == []
    assert speech.finished.duration_ms == 0
    assert speech.finished.characters == len(text)


async def test_an_empty_stream_is_no_error(mouth: Any) -> None:
    assert (await _pour(mouth, [])).chunks == []
    assert (await _pour(mouth, ["", ""])).chunks == []


# What is refused


async def _refusal(call: Any) -> tuple[str, str, str]:
    """Status, field and sentence."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    error = from_rpc_error(caught.value, "tts")
    return error.status.name, error.field, error.message


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
        ({"voice": {"speed": 0.1}}, "INVALID_ARGUMENT", "voice.speed"),
        ({"voice": {"speed": float("nan")}}, "INVALID_ARGUMENT", "voice.speed"),
        ({"voice": {"volume": -1.0}}, "INVALID_ARGUMENT", "voice.volume"),
        ({"voice": {"volume": float("inf")}}, "INVALID_ARGUMENT", "voice.volume"),
        ({"voice": {"noise_scale": 3.0}}, "INVALID_ARGUMENT", "voice.noise_scale"),
        ({"text_type": tts_pb2.TEXT_TYPE_SSML}, "UNIMPLEMENTED", ""),
        ({"container": audio_pb2.AUDIO_CONTAINER_FLAC}, "UNIMPLEMENTED", ""),
    ],
)
async def test_a_bad_request_is_refused_and_the_field_named(
    mouth: Any, request_: dict[str, Any], status: str, field_: str
) -> None:
    request = tts_pb2.SynthesizeRequest(**{"text": "Bonjour", **request_})
    told = await _refusal(mouth.Synthesize(request, timeout=LIMIT_S))
    assert told[:2] == (status, field_)
    assert len(told[2]) < 300


@pytest.mark.parametrize(
    ("requests", "status", "field_"),
    [
        ([], "INVALID_ARGUMENT", "config"),
        ([_Request(text_delta="Bonjour")], "INVALID_ARGUMENT", "config"),
        ([_Request()], "INVALID_ARGUMENT", "config"),
        ([_config(), _config()], "INVALID_ARGUMENT", "config"),
        ([_config(), _Request()], "INVALID_ARGUMENT", "payload"),
        ([_config(), _Request(control=tts_pb2.SynthesisControl())], "INVALID_ARGUMENT", "control.command"),
        ([_config(audio_format=audio_pb2.AudioFormat())], "INVALID_ARGUMENT", "audio_format.sample_rate_hz"),
        ([_config(), _Request(text_delta="x " * 60_000)], "OUT_OF_RANGE", "text_delta"),
    ],
)
async def test_a_bad_stream_is_refused_and_the_field_named(
    mouth: Any, requests: list[_Request], status: str, field_: str
) -> None:
    told = await _refusal(mouth.StreamingSynthesize(_each(requests), timeout=LIMIT_S))
    assert told[:2] == (status, field_)


async def _each(requests: Iterable[_Request]) -> AsyncIterator[_Request]:
    for request in requests:
        yield request


async def test_what_was_spoken_before_a_limit_is_kept(mouth: Any) -> None:
    call = mouth.StreamingSynthesize(timeout=LIMIT_S)
    await call.write(_config())
    await call.write(_Request(text_delta="Voilà le début. Et "))
    await call.write(_Request(text_delta="x " * 60_000))
    heard = []
    with pytest.raises(grpc.aio.AioRpcError) as caught:  # noqa: PT012  # what comes before the error matters too
        async for response in _rest(call):
            heard.append(response)  # noqa: PERF401
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert [response for response in heard if response.HasField("audio")]


async def test_an_unknown_voice_is_not_found_and_the_others_are_listed(mouth: Any) -> None:
    request = tts_pb2.SynthesizeRequest(text="Bonjour", voice=tts_pb2.VoiceConfig(voice="nobody"))
    status, _, sentence = await _refusal(mouth.Synthesize(request, timeout=LIMIT_S))
    assert status == "NOT_FOUND"
    assert "'nobody'" in sentence
    listed = {voice.name for voice in (await mouth.ListVoices(tts_pb2.ListVoicesRequest(), timeout=LIMIT_S)).voices}
    assert len(listed) > 50
    for name in ("fr-fr", "en-us", "de"):
        assert name in listed
        assert f" {name}," in sentence


async def test_a_caller_who_sends_no_text_is_let_go() -> None:
    async with _mouth("--tts.engines", '["tone"]', "--tts.idle_limit_s", "0.1") as impatient:
        call = impatient.StreamingSynthesize(timeout=LIMIT_S)
        await call.write(_config())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        error = from_rpc_error(caught.value, "tts")
        assert (error.status.name, error.detailed_reason) == ("RESOURCE_EXHAUSTED", "STREAM_IDLE")


# What it says of itself, and its last resort


async def test_voices_of_a_language(mouth: Any) -> None:
    voices = (await mouth.ListVoices(tts_pb2.ListVoicesRequest(language_code="fr-FR"), timeout=LIMIT_S)).voices
    assert voices
    for voice in voices:
        assert any(code.startswith("fr") for code in voice.language_codes)
        assert voice.sample_rate_hz == 22_050
        assert voice.backend == "espeak-ng"
        heard = await _say(mouth, "Bonjour", voice=tts_pb2.VoiceConfig(voice=voice.name))
        assert heard.loudness > 100
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await mouth.ListVoices(tts_pb2.ListVoicesRequest(language_code="f"), timeout=LIMIT_S)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_capabilities(mouth: Any) -> None:
    told = await mouth.GetCapabilities(tts_pb2.GetCapabilitiesRequest(), timeout=LIMIT_S)
    assert [(engine.name, engine.state) for engine in told.engines[:1]] == [
        ("espeak-ng", capabilities_pb2.ENGINE_STATE_READY)
    ]
    assert [engine.name for engine in told.engines] == ["espeak-ng", "tone"]
    assert {"fr-fr", "en-us"} <= set(told.engines[0].language_codes)
    assert told.limits.max_text_characters == 100_000
    assert told.limits.idle_timeout_ms == 60_000
    assert set(told.containers) == {audio_pb2.AUDIO_CONTAINER_RAW, audio_pb2.AUDIO_CONTAINER_WAV}


async def test_a_language_that_nobody_speaks_gets_a_tone(mouth: Any) -> None:
    speech = await _say(mouth, _TEXT, voice=tts_pb2.VoiceConfig(language_code="zz"))
    assert speech.started.backend == "tone"
    assert {chunk.backend for chunk in speech.chunks} == {"tone"}
    _check_contiguous(speech)
    assert (await _say(mouth, _TEXT)).started.backend == "espeak-ng"  # nobody was blamed for it


async def test_without_espeak_a_tone_stands_for_each_piece() -> None:
    async with _mouth("--tts.engines", '["tone"]') as last_resort:
        speech = await _say(last_resort, _TEXT)
        assert speech.started.backend == "tone"
        assert speech.loudness > 500
        assert "".join(_TEXT[start:end] for start, end in speech.spans) == _TEXT
        _check_contiguous(speech)


async def test_a_broken_message_is_refused_and_the_process_lives() -> None:
    broken = tts_pb2.SynthesizeRequest(text="aaaa").SerializeToString().replace(b"aaaa", b"a\xff\xfeb")
    async with child_service("tts") as child, channel_to(child.address) as channel:
        raw: Any = channel.unary_stream("/superwhisper.tts.v1.TtsService/Synthesize")
        for message in (broken, b"\xff" * 100):
            assert (await _refusal(raw(message, timeout=LIMIT_S)))[:2] == ("INVALID_ARGUMENT", "message")
        assert (await _say(stub_for(channel), "Bonjour")).loudness > 500
        assert child.process.poll() is None
        assert "Traceback" not in child.output()
