"""The real ears over a real socket: streams, recordings, people, noise, and everything that is wrong with input."""

from collections.abc import AsyncIterator, Sequence

import grpc
import numpy as np
import pytest
import pytest_asyncio

from services.common.audio import Recording, encode_pcm, read_wav, resample, write_wav
from services.common.status import from_rpc_error
from superwhisper.common.v1 import audio_pb2
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.support.ears import Request, Response, config, ears, events, finals, kinds, messages
from tests.support.shared_data import REPOSITORY, shared_data

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = read_wav((REPOSITORY / "client/assets/question-en.wav").read_bytes(), "question")
TEXT = "what is the best way to learn a new language"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub() -> "AsyncIterator[stt_pb2_grpc.SttServiceAsyncStub]":
    async with ears("--stt.idle_limit_s", "1") as (_, stub):
        yield stub


async def refusal(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", requests: Sequence[Request], *, stay_open: bool = False
) -> tuple[str, str]:
    """The status that a stream ends with, and the field that it names."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await events(stub, requests, stay_open=stay_open)
    error = from_rpc_error(caught.value, "stt")
    return error.status.name, error.field


def texts(received: Sequence[Response]) -> list[str]:
    return [final.text for final in finals(received)]


async def test_a_stream_hears_the_question(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    received = await events(stub, [config(interim_results=True), *messages(QUESTION)])
    assert kinds(received)[:2] == ["ready", "speech_started"]
    assert kinds(received)[-2:] == ["transcript", "utterance_ended"]
    assert texts(received) == [TEXT]


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
async def test_any_declared_rate_is_resampled(stub: "stt_pb2_grpc.SttServiceAsyncStub", rate_hz: int) -> None:
    received = await events(stub, [config(rate_hz), *messages(resample(QUESTION, rate_hz))])
    assert texts(received) == [TEXT]


async def test_an_8_khz_stream_is_heard(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    received = await events(stub, [config(8_000), *messages(resample(QUESTION, 8_000))])
    [final] = texts(received)
    assert len(set(final.split()) & set(TEXT.split())) >= 4  # half of the band is missing, not all of the words


async def test_two_questions_are_two_utterances(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    received = await events(stub, [config(), *messages(QUESTION), *messages(QUESTION)])
    assert texts(received) == [TEXT, TEXT]
    assert [response.transcript.utterance_id for response in received if response.transcript.is_final] == [1, 2]


async def test_flush_ends_the_utterance(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    flush = Request(control=stt_pb2.StreamControl(flush=stt_pb2.Flush()))
    received = await events(stub, [config(), *messages(QUESTION, silence_s=0), flush])
    assert received[-1].utterance_ended.reason == stt_pb2.END_REASON_FLUSH


@pytest.mark.parametrize("as_wav", [True, False])
async def test_a_recording_is_transcribed(stub: "stt_pb2_grpc.SttServiceAsyncStub", as_wav: bool) -> None:
    request = stt_pb2.RecognizeRequest(
        audio=write_wav(QUESTION) if as_wav else encode_pcm(QUESTION.samples),
        audio_format=None if as_wav else audio_pb2.AudioFormat(sample_rate_hz=16_000),
        recognition=stt_pb2.RecognitionConfig(word_timestamps=True),
    )
    answer = await stub.Recognize(request, timeout=60)
    assert answer.text == TEXT
    [segment] = answer.segments
    assert [word.text for word in segment.words] == TEXT.split()
    starts = [word.start_ms for word in segment.words]
    assert starts == sorted(starts)
    assert answer.duration_ms == round(QUESTION.duration_ms)


async def test_a_long_recording_comes_in_pieces_with_progress(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    gap = np.zeros(16_000, np.int16)
    recording = Recording(np.concatenate([QUESTION.samples, gap, QUESTION.samples, gap]), 16_000)
    content = write_wav(recording)

    async def requests() -> AsyncIterator[stt_pb2.RecognizeFileRequest]:
        yield stt_pb2.RecognizeFileRequest(config=stt_pb2.RecognizeFileConfig())
        for start in range(0, len(content), 32_768):
            yield stt_pb2.RecognizeFileRequest(audio=content[start : start + 32_768])

    received = [response async for response in stub.RecognizeFile(requests(), timeout=60)]
    assert [response.segment.text for response in received if response.HasField("segment")] == [TEXT, TEXT]
    progress = [response.progress.processed_ms for response in received if response.HasField("progress")]
    assert progress == sorted(progress)
    assert progress[-1] == round(recording.duration_ms)
    assert received[-1].result.text == f"{TEXT} {TEXT}"


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.int16),
        np.zeros(48_000, np.int16),
        np.concatenate([np.zeros(16_000, np.int16), np.full(100, 30_000, np.int16), np.zeros(16_000, np.int16)]),
        (np.random.default_rng(7).standard_normal(48_000) * 800).astype(np.int16),
    ],
    ids=["nothing", "silence", "a click", "noise"],
)
async def test_what_is_no_speech_is_no_text(stub: "stt_pb2_grpc.SttServiceAsyncStub", samples: np.ndarray) -> None:
    audio = encode_pcm(samples)
    request = stt_pb2.RecognizeRequest(audio=audio, audio_format=audio_pb2.AudioFormat(sample_rate_hz=16_000))
    assert (await stub.Recognize(request, timeout=60)).text == ""
    received = await events(stub, [config(), *messages(Recording(samples, 16_000))])
    assert kinds(received) == ["ready"]


@pytest.mark.parametrize(
    ("requests", "status", "field"),
    [
        ([], "INVALID_ARGUMENT", "config"),
        ([Request()], "INVALID_ARGUMENT", "config"),
        ([Request(audio=bytes(2))], "INVALID_ARGUMENT", "config"),
        ([config(), config()], "INVALID_ARGUMENT", "config"),
        ([config(), Request()], "INVALID_ARGUMENT", "payload"),
        ([config(), Request(audio=bytes(3))], "INVALID_ARGUMENT", "audio"),
        ([config(0)], "INVALID_ARGUMENT", "config.audio_format.sample_rate_hz"),
        ([config(7_999)], "INVALID_ARGUMENT", "config.audio_format.sample_rate_hz"),
        ([config(), Request(audio=bytes(65_538))], "OUT_OF_RANGE", "audio"),
        ([config(), *[Request(audio=bytes(64_000))] * 20], "RESOURCE_EXHAUSTED", "audio"),
        ([config(), Request(control=stt_pb2.StreamControl())], "INVALID_ARGUMENT", "control.command"),
        (
            [config(recognition=stt_pb2.RecognitionConfig(language_code="<fr>"))],
            "INVALID_ARGUMENT",
            "recognition.language_code",
        ),
        (
            [config(endpointing=stt_pb2.EndpointingConfig(speech_threshold=float("nan")))],
            "INVALID_ARGUMENT",
            "endpointing.speech_threshold",
        ),
        (
            [config(recognition=stt_pb2.RecognitionConfig(hot_words=["x"] * 101))],
            "OUT_OF_RANGE",
            "recognition.hot_words",
        ),
    ],
)
async def test_wrong_input_is_refused_by_name(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", requests: list[Request], status: str, field: str
) -> None:
    assert await refusal(stub, requests) == (status, field)


async def test_a_silent_caller_is_told_to_go(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    assert (await refusal(stub, [config()], stay_open=True))[0] == "RESOURCE_EXHAUSTED"


async def test_a_language_that_no_engine_knows_is_refused(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    french = config(recognition=stt_pb2.RecognitionConfig(language_code="fr"))
    assert (await refusal(stub, [french, *messages(QUESTION)]))[0] == "UNIMPLEMENTED"


def _lying_wav() -> bytes:
    content = bytearray(write_wav(QUESTION))
    content[40:44] = (len(content) * 2).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    "audio",
    [b"RIFF", b"RIFF0000WAVEfmt ", _lying_wav(), write_wav(QUESTION)[:500]],
    ids=["4 bytes", "no data", "lying", "cut"],
)
async def test_a_broken_recording_is_refused(stub: "stt_pb2_grpc.SttServiceAsyncStub", audio: bytes) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Recognize(stt_pb2.RecognizeRequest(audio=audio), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert from_rpc_error(caught.value, "stt").field == "audio"


async def test_more_streams_than_published_are_refused_at_once_while_health_answers(
    stub: "stt_pb2_grpc.SttServiceAsyncStub",
) -> None:
    capabilities = await stub.GetCapabilities(stt_pb2.GetCapabilitiesRequest(), timeout=5)
    calls = [stub.StreamingRecognize(timeout=60) for _ in range(capabilities.limits.max_concurrent_streams)]
    try:
        for call in calls:
            await call.write(config())
            await call.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await events(stub, [config()])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    finally:
        for call in calls:
            call.cancel()


async def test_people_are_heard_as_one_utterance_each(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    folders = (shared_data("speech/fr-commands"), shared_data("speech/en-commands"))
    files = [path for folder in folders for path in sorted(folder.glob("*.wav"))[:6]]
    heard = 0
    for path in files:
        recording = read_wav(path.read_bytes(), path.name)
        received = await events(stub, [config(recording.sample_rate_hz), *messages(recording)])
        heard += kinds(received).count("utterance_ended") == 1
    assert heard >= len(files) - 1  # one recording ends with a noise that is taken for a second, wordless utterance
