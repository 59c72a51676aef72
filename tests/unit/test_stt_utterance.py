"""Speech longer than a decoder's window: cut at pauses, understood piece by piece, nothing lost."""

import asyncio

import numpy as np
from prometheus_client import CollectorRegistry

from services.common.audio import Samples
from services.common.chain import Candidate, EngineChain
from services.common.metrics import ChainMetrics
from services.stt.cuts import PIECE_SAMPLES
from services.stt.engine import RecognitionOptions, SttEngine, Urgency
from services.stt.utterance import Utterance
from tests.fakes.recognisers import ScriptedRecogniser
from tests.support.waiting import wait_until

WORDS = [f"w{number}" for number in range(300)]
# 70 s, a pause of half a second after every 10 s.
LONG = np.concatenate(
    [
        np.where(np.arange(160_000) < 152_000, np.random.default_rng(n).integers(-9000, 9000, 160_000), 0)
        for n in range(7)
    ]
).astype(np.int16)


async def utterance(*engines: SttEngine) -> Utterance:
    def candidate(number: int, engine: SttEngine) -> Candidate[SttEngine]:
        async def load() -> SttEngine:
            return engine

        return Candidate(f"engine-{number}", load)

    candidates = [candidate(number, engine) for number, engine in enumerate(engines)]
    return Utterance(EngineChain(candidates, ChainMetrics.create(CollectorRegistry(), "stt")), RecognitionOptions(), 10)


def pieces_heard(engine: ScriptedRecogniser) -> Samples:
    return np.concatenate([session.audio for session in engine.sessions])


async def test_long_speech_is_cut_at_its_pauses_and_heard_whole() -> None:
    engine = ScriptedRecogniser(WORDS)
    long = await utterance(engine)
    long.feed(LONG)
    pieces = await long.pieces(Urgency.FINAL)
    await long.close()
    assert np.array_equal(pieces_heard(engine), LONG)
    assert all(session.audio.size <= PIECE_SAMPLES and session.is_closed for session in engine.sessions)
    assert [round(piece.end_ms / 1000, 1) for piece in pieces[:-1]] == [19.9, 39.9, 59.9]
    assert pieces[-1].end_ms == 70_000


async def test_its_transcript_is_one_and_its_times_go_on() -> None:
    long = await utterance(ScriptedRecogniser(WORDS))
    long.feed(LONG)
    whole = (await long.transcript(Urgency.FINAL)).value
    await long.close()
    assert len(whole.text.split()) == len(whole.words) == 700  # one each 100 ms
    starts = [word.start_ms for word in whole.words]
    assert starts == sorted(starts)
    assert whole.confidence == 0.9


async def test_pieces_are_understood_on_the_way() -> None:
    engine = ScriptedRecogniser(WORDS)
    long = await utterance(engine)
    for begin in range(0, LONG.size, 16_000):
        long.feed(LONG[begin : begin + 16_000])
        if long.is_full:
            await long.advance(Urgency.EAGER)
    transcripts_before_the_end = sum(session.transcripts for session in engine.sessions)
    await long.transcript(Urgency.FINAL)
    await long.close()
    assert transcripts_before_the_end == 3
    assert sum(session.transcripts for session in engine.sessions) == 4


async def test_a_partial_that_is_cancelled_in_the_middle_loses_nothing() -> None:
    engine = ScriptedRecogniser(WORDS, holds_transcripts=asyncio.Event())
    long = await utterance(engine)
    long.feed(LONG[: 31 * 16_000])
    partial = asyncio.create_task(long.partial())
    await wait_until(lambda: bool(engine.sessions and engine.sessions[0].transcripts), "the first piece to be decoded")
    partial.cancel()
    await asyncio.wait([partial])
    assert engine.holds_transcripts is not None
    engine.holds_transcripts.set()
    pieces = await long.pieces(Urgency.FINAL)
    await long.close()
    assert pieces[-1].end_ms == 31_000
    assert np.array_equal(np.concatenate([session.audio for session in engine.sessions[1:]]), LONG[: 31 * 16_000])


async def test_an_engine_that_breaks_in_a_later_piece_is_replaced_there() -> None:
    broken, whole = ScriptedRecogniser(WORDS, fails_in_session=2), ScriptedRecogniser(WORDS)
    long = await utterance(broken, whole)
    long.feed(LONG[: 31 * 16_000])
    pieces = await long.pieces(Urgency.FINAL)
    await long.close()
    assert [piece.answer.backend for piece in pieces] == ["engine-0", "engine-1"]
    assert np.array_equal(whole.sessions[0].audio, broken.sessions[1].audio)
