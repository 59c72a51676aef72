"""The true Whisper engine behind a real socket, with the made model: real words of real (synthesized) speech."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio

from services.common.audio import Recording, resample
from superwhisper.stt.v1 import stt_pb2, stt_pb2_grpc
from tests.support.closed_whisper import closed_whisper, say
from tests.support.ears import (
    Request,
    Response,
    config,
    ears,
    events,
    finals,
    joined,
    kinds,
    messages,
    next_event,
    recognised,
    whisper,
)
from tests.support.metrics import sample, scraped
from tests.support.servers import free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIGHT, VOLUME = "allume la lumière du salon", "baisse le volume"
KITCHEN = "turn on the kitchen light"
Stub = stt_pb2_grpc.SttServiceStub


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub(metrics_port: int) -> "AsyncIterator[stt_pb2_grpc.SttServiceAsyncStub]":
    arguments = ("--stt.server.metrics_port", str(metrics_port), "--stt.max_streams", "8")
    async with ears(*whisper(closed_whisper()), *arguments) as (_, stub):
        yield stub


@pytest.mark.parametrize(("text", "language"), [(LIGHT, "fr"), (VOLUME, "fr"), (KITCHEN, "en")])
async def test_a_stream_hears_the_words_and_the_language(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", text: str, language: str
) -> None:
    received = await events(stub, [config(interim_results=True), *messages(say(text, language))])
    [final] = finals(received)
    assert (final.text, final.language_code, final.backend) == (text, language, "whisper")
    assert final.confidence > 0.5
    assert kinds(received)[-3:] == ["speech_paused", "transcript", "utterance_ended"]


async def test_the_eager_transcript_is_the_final_one(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", metrics_port: int
) -> None:
    before = sample(await scraped(metrics_port), "stt_batch_size_sum", backend="whisper")
    received = await events(stub, [config(), *messages(say(LIGHT, "fr"))])
    [paused] = [response.speech_paused for response in received if response.HasField("speech_paused")]
    [final] = finals(received)
    assert final.text == paused.eager_transcript.text == LIGHT
    assert final.processing_ms == paused.eager_transcript.processing_ms
    assert sample(await scraped(metrics_port), "stt_batch_size_sum", backend="whisper") == before + 1


async def test_partials_are_words_that_were_said(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    text = "quelle est la meilleure façon d'apprendre une nouvelle langue"
    call = stub.StreamingRecognize(timeout=60)
    spoken = messages(say(text, "fr"))
    transcripts = []
    await call.write(config(interim_results=True))
    for half_a_second in range(0, 20, 5):
        for request in spoken[half_a_second : half_a_second + 5]:
            await call.write(request)
        if half_a_second:  # by then another decoding is due
            transcripts.append(await _next_transcript(call))
    for request in spoken[20:]:
        await call.write(request)
    while not transcripts[-1].is_final:
        transcripts.append(await _next_transcript(call))
    call.cancel()
    *partials, final = transcripts
    assert (final.text, final.tentative_text) == (text, "")
    assert all(text.startswith(partial.text) for partial in partials)
    assert partials[0].text == ""
    assert partials[0].tentative_text.startswith("quelle")
    assert partials[1].text.startswith("quelle")


async def _next_transcript(call: "grpc.aio.StreamStreamCall[Request, Response]") -> stt_pb2.Transcript:
    while not (response := await next_event(call)).HasField("transcript"):
        pass
    return response.transcript


async def test_a_lost_first_word_would_be_noticed(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    """The model does not make up what it was not given: without the first half second the first word is not there."""
    cut = Recording(say(LIGHT, "fr").samples[8_000:], 16_000)
    assert not (await recognised(stub, cut, language_code="fr")).text.startswith("allume")


async def test_a_wrong_rate_would_be_noticed(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    spoken = say(LIGHT, "fr")
    lie = Recording(resample(spoken, 32_000).samples, 16_000)
    assert (await recognised(stub, lie, language_code="fr")).text != LIGHT


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
async def test_every_rate_is_heard(stub: "stt_pb2_grpc.SttServiceAsyncStub", rate_hz: int) -> None:
    received = await events(stub, [config(rate_hz), *messages(resample(say(LIGHT, "fr"), rate_hz))])
    assert [final.text for final in finals(received)] == [LIGHT]


async def test_word_times_lie_in_the_speech_and_in_order(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    answer = await recognised(stub, joined(2.0, say(LIGHT, "fr"), 1.0), language_code="fr", word_timestamps=True)
    [segment] = answer.segments
    assert [word.text for word in segment.words] == LIGHT.split()
    times = [time for word in segment.words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    assert segment.start_ms - 350 <= times[0]
    assert times[-1] <= segment.end_ms + 700
    assert all(0 < word.confidence <= 1 for word in segment.words)


async def test_french_is_translated(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    task = stt_pb2.RECOGNITION_TASK_TRANSLATE
    answer = await recognised(stub, say(VOLUME, "fr"), language_code="fr", task=task)
    assert answer.text == "turn down the volume"


async def test_hot_words_and_a_prompt_do_not_harm(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    answer = await recognised(stub, say(LIGHT, "fr"), hot_words=["salon"], initial_prompt=VOLUME)
    assert answer.text == LIGHT


async def test_a_recording_comes_in_segments_in_order(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    said = [LIGHT, VOLUME, "quelle heure est-il", "merci beaucoup"] * 3
    parts = [part for text in said for part in (say(text, "fr"), 1.0)]
    answer = await recognised(stub, joined(0.5, *parts), language_code="fr")
    assert [segment.text for segment in answer.segments] == said
    starts = [segment.start_ms for segment in answer.segments]
    assert starts == sorted(starts)


async def test_several_speak_at_once_and_each_is_heard(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    said = [LIGHT, VOLUME, "quelle heure est-il", "bonsoir", "arrête la musique", "ferme les volets", LIGHT, VOLUME]
    streams = [events(stub, [config(interim_results=True), *messages(say(text, "fr"))]) for text in said]
    heard = await asyncio.gather(*streams)
    assert [[final.text for final in finals(received)] for received in heard] == [[text] for text in said]


async def test_who_speaks_is_heard_while_a_recording_is_transcribed(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    parts = [part for text in (LIGHT, VOLUME, "quelle heure est-il") * 12 for part in (say(text, "fr"), 1.0)]
    recording = asyncio.create_task(recognised(stub, joined(*parts), language_code="fr"))
    said = [LIGHT, VOLUME, "ferme les volets"]
    heard = await asyncio.gather(*(events(stub, [config(), *messages(say(text, "fr"))]) for text in said))
    assert [[final.text for final in finals(received)] for received in heard] == [[text] for text in said]
    assert {final.backend for received in heard for final in finals(received)} == {"whisper"}
    assert len((await recording).segments) == 36


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(48_000, np.int16),
        (np.random.default_rng(7).standard_normal(48_000) * 800).astype(np.int16),
    ],
    ids=["silence", "noise"],
)
async def test_nobody_speaks_and_nothing_is_heard(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", samples: np.ndarray
) -> None:
    assert (await recognised(stub, Recording(samples, 16_000))).text == ""
    assert kinds(await events(stub, [config(), *messages(Recording(samples, 16_000))])) == ["ready"]


async def test_what_it_doubts_is_heard_again_on_the_full_window_and_counted() -> None:
    """Speech backwards is speech to the voice detector; of what it makes of it this model is not very sure."""
    port = free_port()
    strict = whisper(closed_whisper(), least_log_probability=-0.2)
    async with ears(*strict, "--stt.server.metrics_port", str(port)) as (_, stub):
        for text in (LIGHT, VOLUME, "quelle est la capitale de la france", "il fait froid dans la chambre"):
            await recognised(stub, Recording(say(text, "fr").samples[::-1].copy(), 16_000), language_code="fr")
        metrics = await scraped(port)
    assert sample(metrics, "stt_windows_total", backend="whisper", window="full") > 0
    assert sample(metrics, "stt_second_passes_total", backend="whisper", reason="log_probability") > 0


async def test_an_unknown_language_is_refused(stub: "stt_pb2_grpc.SttServiceAsyncStub") -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await recognised(stub, say(LIGHT, "fr"), language_code="tlh")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_caller_who_vanishes_leaves_nothing_behind(
    stub: "stt_pb2_grpc.SttServiceAsyncStub", metrics_port: int
) -> None:
    call = stub.StreamingRecognize(timeout=60)
    for request in [config(interim_results=True), *messages(say(LIGHT, "fr"), silence_s=0)]:
        await call.write(request)
    assert (await next_event(call)).HasField("ready")
    assert sample(await scraped(metrics_port), "stt_active_sessions") == 1
    call.cancel()

    async def is_gone() -> bool:
        return sample(await scraped(metrics_port), "stt_active_sessions") == 0

    await wait_for(is_gone, "the session to be over", bound_s=5)


async def test_sigterm_in_the_middle_of_an_utterance_lets_it_end_well() -> None:
    async with ears(*whisper(closed_whisper())) as (child, stub):
        call = stub.StreamingRecognize(timeout=60)
        first, *rest = messages(say(LIGHT, "fr"))
        await call.write(config())
        await call.write(first)
        for request in rest[:8]:
            await call.write(request)
        while not (await next_event(call)).HasField("speech_started"):
            pass
        child.process.send_signal(signal.SIGTERM)
        for request in rest[8:]:
            await call.write(request)
        heard = []
        while not (response := await next_event(call)).HasField("utterance_ended"):
            heard.append(response)
        call.cancel()
        assert [final.text for final in finals(heard)] == [LIGHT]
        assert await child.ended() == 0


@pytest.mark.parametrize("damage", ["cut short", "no tokenizer", "not there"])
async def test_a_broken_model_is_passed_over_and_named(tmp_path: Path, damage: str) -> None:
    for file in closed_whisper().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    if damage == "cut short":
        (tmp_path / "model.bin").write_bytes((tmp_path / "model.bin").read_bytes()[:-1000])
    elif damage == "no tokenizer":
        (tmp_path / "tokenizer.json").unlink()
    folder = tmp_path / "elsewhere" if damage == "not there" else tmp_path
    async with ears(*whisper(folder)) as (_, stub):
        capabilities = await stub.GetCapabilities(stt_pb2.GetCapabilitiesRequest(), timeout=5)
        broken, _ = capabilities.engines
        assert str(folder) in broken.detail
        answer = await recognised(stub, say(KITCHEN, "en", voice="en-us+f2"), language_code="en")
        assert answer.backend == "pocketsphinx"
        assert answer.text
