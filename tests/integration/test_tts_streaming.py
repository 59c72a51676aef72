"""The mouth while the text is still being written, and while nobody listens."""

from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from superwhisper.tts.v1 import tts_pb2
from tests.support.mouth import FLUSH, TONE_ALONE, Request, RunningMouth, opened, pour, rest_of, running_mouth, say
from tests.support.scripted import LIMIT_S
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TEXT = "Bien sûr, je regarde cela. Il fera beau demain, mais frais ! Prenez un manteau."
_LONG = "".join(f"Voici la phrase {number}. " for number in range(100))
# What lies between the mouth and a caller that does not read: gRPC's windows and buffers.
_IN_TRANSPORT_S = 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> "AsyncGenerator[RunningMouth, None]":
    async with running_mouth("--tts.clause_wait_ms", "50") as mouth:
        yield mouth


@pytest.fixture
def mouth(running: RunningMouth) -> Any:
    return running.stub


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_poured_in_portions_it_sounds_the_same_as_whole(mouth: Any, size: int) -> None:
    portions = [_TEXT[start : start + size] for start in range(0, len(_TEXT), size)]
    poured, whole = await pour(mouth, portions), await say(mouth, _TEXT)
    poured.check(_TEXT)
    assert poured.pieces == whole.pieces
    assert poured.likeness(whole) > 0.8


async def test_and_every_chunk_says_the_same() -> None:
    async with running_mouth(*TONE_ALONE) as tone:  # which always sounds alike
        whole = await say(tone.stub, _TEXT)
        for size in (1, 3, 20):
            portions = [_TEXT[start : start + size] for start in range(0, len(_TEXT), size)]
            assert (await pour(tone.stub, portions)).chunks == whole.chunks


async def test_it_speaks_before_the_text_is_complete(mouth: Any) -> None:
    call = await opened(mouth, "Bien sûr, je")
    assert (await call.read()).HasField("started")
    assert (await call.read()).audio.audio
    await call.done_writing()
    rest = [response async for response in rest_of(call)]
    assert rest[-1].finished.characters == len("Bien sûr, je")


async def test_it_speaks_the_first_sentence_before_the_second_is_sent(mouth: Any) -> None:
    call = await opened(mouth, "Il fera beau demain. ")
    end = 0
    await call.write(Request(text_delta="E"))
    while end < len("Il fera beau demain. "):
        end = (await call.read()).audio.span.end
    await call.write(Request(text_delta="t puis il pleuvra."))
    await call.done_writing()
    assert [response async for response in rest_of(call)][-1].HasField("finished")


async def test_a_flush_makes_it_speak_inside_of_a_sentence(mouth: Any) -> None:
    call = await opened(mouth, "Bonjour tout", FLUSH)
    await call.read()
    first = (await call.read()).audio
    assert first.span.start == 0
    assert first.span.end <= len("Bonjour tout")
    await call.write(Request(text_delta=" le monde"))
    await call.done_writing()
    last = [response async for response in rest_of(call) if response.HasField("audio")][-1]
    assert (last.audio.piece, last.audio.span.end) == (1, len("Bonjour tout le monde"))


async def test_a_pause_in_the_text_makes_it_speak_the_clause_that_is_there(mouth: Any) -> None:
    call = await opened(mouth, "Bonjour à tous. Il fera beau, mais")
    end = 0
    while end < len("Bonjour à tous. Il fera beau, "):  # which no later text makes a piece
        end = (await call.read()).audio.span.end
    await call.write(Request(text_delta=" frais."))
    await call.done_writing()
    last = [response async for response in rest_of(call) if response.HasField("audio")][-1]
    assert last.audio.span.end == len("Bonjour à tous. Il fera beau, mais frais.")


async def test_an_empty_stream_is_no_error(mouth: Any) -> None:
    assert (await pour(mouth, [])).chunks == []
    assert (await pour(mouth, ["", ""])).chunks == []


async def test_what_was_spoken_before_a_limit_is_kept(mouth: Any) -> None:
    call = await opened(mouth, "Voilà le début. Et ", "x " * 60_000)
    heard = []
    with pytest.raises(grpc.aio.AioRpcError) as caught:  # noqa: PT012  # what comes before the error matters too
        async for response in rest_of(call):
            heard.append(response)  # noqa: PERF401
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert [response for response in heard if response.HasField("audio")][-1].audio.span.end == len("Voilà le début. ")


# Nobody listens


async def _requests_for(running: RunningMouth, others: int) -> int:
    """How many phrases were spoken, while as many of another caller were that is served in turn."""
    before = running.requests()
    text = "".join(f"Et voilà pour l'autre la phrase {number}. " for number in range(others))
    own = len((await say(running.stub, text)).pieces)
    return int(running.requests() - before - own)


async def test_a_caller_that_does_not_read_has_little_spoken_for_him(running: RunningMouth) -> None:
    whole = await say(running.stub, _LONG)
    phrase_s = whole.finished.duration_ms / 1000 / len(whole.pieces)
    before = running.requests()
    call = running.stub.Synthesize(tts_pb2.SynthesizeRequest(text=f"Bis. {_LONG}"), timeout=LIMIT_S)
    await call.read()
    await wait_until(lambda: running.requests() > before, "the first phrase")
    await _requests_for(running, 30)  # meanwhile he could have been served
    settled = running.requests()
    assert await _requests_for(running, 10) == 0
    assert (settled - before - 30) * phrase_s < 2 + phrase_s + _IN_TRANSPORT_S
    call.cancel()


async def test_after_a_cancel_nothing_more_is_spoken(running: RunningMouth) -> None:
    for number in range(3):
        call = running.stub.Synthesize(tts_pb2.SynthesizeRequest(text=f"Numéro {number}. {_LONG}"), timeout=LIMIT_S)
        await call.read()
        call.cancel()
        await _requests_for(running, 3)  # by then the mouth has noticed
        assert await _requests_for(running, 3) == 0
    assert (await say(running.stub, _TEXT)).loudness > 500
