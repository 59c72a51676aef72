"""A listener over scripted recognisers, on speech of the repository."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.common.audio import Samples, read_wav
from services.common.breaker import CircuitBreaker
from services.common.chain import Candidate, EngineChain
from services.common.errors import LimitExceededError, UnavailableError
from services.common.metrics import ChainMetrics
from services.stt.endpointing import Cause, Endpointing
from services.stt.engine import RecognitionOptions, SttEngine
from services.stt.events import Heard, ListenerEvent, SpeechPaused, SpeechResumed, SpeechStarted, UtteranceEnded
from services.stt.listener import Listener, ListenOptions
from services.stt.metrics import SttMetrics
from services.stt.segmenter import FlushUtterance, Segmenter
from tests.fakes.recognisers import LoudnessDetector, ScriptedRecogniser
from tests.support.shared_data import REPOSITORY
from tests.support.waiting import wait_until

QUESTION = read_wav((REPOSITORY / "client/assets/question-en.wav").read_bytes(), "question").samples
WORDS = [f"w{number}" for number in range(200)]
SILENCE_1_S = np.zeros(16_000, np.int16)


async def listen(
    *engines: ScriptedRecogniser,
    audio: list[Samples | FlushUtterance],
    interim_results: bool = True,
    in_one_batch: bool = False,
    breaks: bool = False,
    into: list[ListenerEvent] | None = None,
) -> list[ListenerEvent]:
    """All events of a stream with this audio, in messages of 20 ms."""
    registry = CollectorRegistry()

    def candidate(number: int, engine: SttEngine) -> Candidate[SttEngine]:
        async def load() -> SttEngine:
            return engine

        return Candidate(f"engine-{number}", load)

    chain = EngineChain(
        [candidate(number, engine) for number, engine in enumerate(engines)], ChainMetrics.create(registry, "stt")
    )
    await chain.start()
    options = ListenOptions(RecognitionOptions(), interim_results, limit_s=10)
    with ThreadPoolExecutor(1) as threads:
        listener = Listener(chain, SttMetrics.create(registry), options)
        segmenter = Segmenter(Endpointing(), LoudnessDetector(), threads)
        events = [] if into is None else into
        async for event in listener.listen(segmenter, _messages(audio, in_one_batch=in_one_batch, breaks=breaks)):
            events.append(event)  # kept also where the stream ends in an error
        return events


async def _messages(
    audio: list[Samples | FlushUtterance], *, in_one_batch: bool, breaks: bool
) -> AsyncIterator[Samples | FlushUtterance]:
    for item in audio:
        if isinstance(item, FlushUtterance):
            yield item
            continue
        step = item.size if in_one_batch else 320
        for start in range(0, item.size, step):
            yield item[start : start + step]
    if breaks:
        raise LimitExceededError("too fast")


def kinds(events: list[ListenerEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_an_utterance_comes_with_all_its_events_in_order() -> None:
    events = await listen(ScriptedRecogniser(WORDS), audio=[QUESTION, SILENCE_1_S])
    told = kinds(events)
    assert told[0] == "SpeechStarted"
    assert told[-2:] == ["Heard", "UtteranceEnded"]
    ended = events[-1]
    assert isinstance(ended, UtteranceEnded)
    assert ended.cause is Cause.SILENCE
    assert ended.decided_ms - ended.end_ms == pytest.approx(600, abs=33)


async def test_the_first_word_is_not_lost() -> None:
    engine = ScriptedRecogniser(WORDS)
    events = await listen(engine, audio=[SILENCE_1_S, QUESTION, SILENCE_1_S])
    started = events[0]
    assert isinstance(started, SpeechStarted)
    [session] = engine.sessions
    # What the engine was fed begins 300 ms before the detected start: find it in what was sent.
    sent = np.concatenate([SILENCE_1_S, QUESTION, SILENCE_1_S])
    begin = round((started.start_ms - 300) * 16 / 512) * 512
    assert np.array_equal(session.audio, sent[begin : begin + session.audio.size])


async def test_the_eager_transcript_is_the_final_one_and_costs_one_decoding() -> None:
    engine = ScriptedRecogniser(WORDS)
    events = await listen(engine, audio=[QUESTION, SILENCE_1_S])
    [paused] = [event for event in events if isinstance(event, SpeechPaused)]
    [final] = [event for event in events if isinstance(event, Heard) and event.is_final]
    assert paused.eager is not None
    assert final.text == paused.eager.text
    assert engine.sessions[0].transcripts == 1


async def test_when_speech_goes_on_the_eager_transcript_is_made_anew() -> None:
    engine = ScriptedRecogniser(WORDS)
    gap = np.zeros(4800, np.int16)
    events = await listen(engine, audio=[QUESTION, gap, QUESTION, SILENCE_1_S])
    assert len([event for event in events if isinstance(event, UtteranceEnded)]) == 1
    finals = [event for event in events if isinstance(event, Heard) and event.is_final]
    pauses = [event for event in events if isinstance(event, SpeechPaused)]
    resumptions = [event for event in events if isinstance(event, SpeechResumed)]
    assert len(pauses) == len(resumptions) + 1
    assert pauses[-1].eager is not None
    assert [final.text for final in finals] == [pauses[-1].eager.text]


async def test_partials_only_grow_and_come_only_when_asked_for() -> None:
    events = await listen(ScriptedRecogniser(WORDS), audio=[QUESTION, SILENCE_1_S])
    partials = [event.text for event in events if isinstance(event, Heard) and not event.is_final]
    assert len(partials) >= 3
    for shorter, longer in pairwise(partials):
        assert longer.startswith(shorter)
    events = await listen(ScriptedRecogniser(WORDS), audio=[QUESTION, SILENCE_1_S], interim_results=False)
    assert [event for event in events if isinstance(event, Heard) and not event.is_final] == []


async def test_what_was_shown_is_not_taken_back() -> None:
    # A word that goes on with the letters of the one shown is another word: `be` after `b`.
    engine = ScriptedRecogniser(WORDS, partials=["a b", "a b", "a be", "a be", "a x y z", "a b c d", "a b c d"])
    events = await listen(engine, audio=[QUESTION, SILENCE_1_S])
    partials = [(event.text, event.tentative) for event in events if isinstance(event, Heard) and not event.is_final]
    assert partials[:5] == [("", "a b"), ("a b", ""), ("a b", "y z"), ("a b", "c d"), ("a b c d", "")]


async def test_the_first_partial_comes_after_300_ms_and_is_all_tentative() -> None:
    events = await listen(ScriptedRecogniser(WORDS), audio=[QUESTION, SILENCE_1_S])
    first = next(event for event in events if isinstance(event, Heard))
    assert (first.text, first.stability) == ("", 0.0)
    assert first.tentative.startswith("w0 w1")
    assert first.end_ms - first.start_ms == pytest.approx(300, abs=32)


async def test_two_utterances_that_come_at_once_are_each_heard_whole() -> None:
    gap = np.zeros(4800, np.int16)
    audio = np.concatenate([QUESTION, SILENCE_1_S, QUESTION, gap, QUESTION])
    engine = ScriptedRecogniser(WORDS)
    events = await listen(engine, audio=[audio], in_one_batch=True)
    finals = [event for event in events if isinstance(event, Heard) and event.is_final]
    assert len(finals) == 2
    for final in finals:  # a word each 100 ms
        assert final.text.count("w") * 100 >= final.end_ms - final.start_ms


async def test_after_a_flush_nothing_of_the_first_utterance_is_heard_again() -> None:
    engine = ScriptedRecogniser(WORDS)
    await listen(engine, audio=[QUESTION[:24_000], FlushUtterance(), QUESTION[24_000:], SILENCE_1_S])
    _, second = engine.sessions
    assert np.array_equal(second.audio[:1600], QUESTION[23_552:25_152])  # from the frame that the flush fell into


async def test_what_was_said_before_a_limit_was_broken_is_heard() -> None:
    events: list[ListenerEvent] = []
    with pytest.raises(LimitExceededError):
        await listen(ScriptedRecogniser(WORDS), audio=[QUESTION[:32_000]], breaks=True, into=events)
    assert [event for event in events if isinstance(event, Heard) and event.is_final]


async def test_word_times_are_of_the_stream() -> None:
    events = await listen(ScriptedRecogniser(WORDS), audio=[SILENCE_1_S, QUESTION, SILENCE_1_S])
    started = events[0]
    [final] = [event for event in events if isinstance(event, Heard) and event.is_final]
    assert isinstance(started, SpeechStarted)
    assert final.words[0].start_ms == pytest.approx(started.start_ms - 300, abs=33)


async def test_flush_ends_an_utterance_at_once() -> None:
    events = await listen(ScriptedRecogniser(WORDS), audio=[QUESTION[:32_000], FlushUtterance(), SILENCE_1_S])
    ended = events[-1]
    assert isinstance(ended, UtteranceEnded)
    assert ended.cause is Cause.FLUSH


async def test_the_end_of_the_audio_ends_an_utterance() -> None:
    events = await listen(ScriptedRecogniser(WORDS), audio=[QUESTION[:32_000]])
    ended = events[-1]
    assert isinstance(ended, UtteranceEnded)
    assert ended.cause is Cause.END_OF_AUDIO


async def test_silence_reaches_no_engine() -> None:
    engine = ScriptedRecogniser(WORDS)
    assert await listen(engine, audio=[SILENCE_1_S] * 5) == []
    assert engine.sessions == []


async def test_an_engine_that_breaks_in_the_middle_is_replaced_and_no_word_is_lost() -> None:
    broken, whole = ScriptedRecogniser(WORDS, fails_after=15), ScriptedRecogniser(WORDS)
    events = await listen(broken, whole, audio=[QUESTION, SILENCE_1_S])
    [final] = [event for event in events if isinstance(event, Heard) and event.is_final]
    assert final.backend == "engine-1"
    assert final.text.startswith("w0 w1 w2")
    assert np.array_equal(broken.sessions[0].audio, whole.sessions[0].audio[: broken.sessions[0].audio.size])
    assert all(session.is_closed for session in broken.sessions + whole.sessions)


async def test_when_no_engine_is_left_it_says_so() -> None:
    with pytest.raises(UnavailableError, match="engine-0"):
        await listen(ScriptedRecogniser(WORDS, fails_after=3), audio=[QUESTION, SILENCE_1_S])


async def test_a_partial_that_fails_loses_nothing() -> None:
    events = await listen(ScriptedRecogniser(WORDS, failing_partials=1), audio=[QUESTION, SILENCE_1_S])
    [final] = [event for event in events if isinstance(event, Heard) and event.is_final]
    assert final.text.startswith("w0 w1 w2")


async def test_an_eager_transcript_that_fails_is_asked_for_once_more_at_the_end() -> None:
    events = await listen(
        ScriptedRecogniser(WORDS, failing_transcripts=1), audio=[QUESTION, SILENCE_1_S], interim_results=False
    )
    assert kinds(events) == ["SpeechStarted", "Heard", "UtteranceEnded"]


async def test_a_flush_before_a_word_leaves_its_beginning() -> None:
    engine = ScriptedRecogniser(WORDS)
    onset = int(np.flatnonzero(np.abs(QUESTION.astype(np.int32)) > 300)[0])
    before = onset - onset % 320 + 960  # the word has just begun
    audio: list[Samples | FlushUtterance] = [
        SILENCE_1_S,
        QUESTION[:before],
        FlushUtterance(),
        QUESTION[before:],
        SILENCE_1_S,
    ]
    events = await listen(engine, audio=audio)
    [session] = engine.sessions
    whole = np.concatenate([SILENCE_1_S, QUESTION, SILENCE_1_S])
    started = events[0]
    assert isinstance(started, SpeechStarted)
    assert started.start_ms <= (16_000 + onset) / 16 + 33
    begin = round((started.start_ms - 300) * 16 / 512) * 512
    assert np.array_equal(session.audio, whole[begin : begin + session.audio.size])


async def test_cancelled_twice_it_leaves_nothing_behind() -> None:
    engine = ScriptedRecogniser(WORDS, holds_transcripts=asyncio.Event())
    listening = asyncio.create_task(listen(engine, audio=[QUESTION, SILENCE_1_S], interim_results=False))
    await wait_until(lambda: bool(engine.sessions and engine.sessions[0].transcripts), "a transcript to be under way")
    for _ in range(3):
        listening.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([listening])
    await wait_until(lambda: engine.sessions[0].is_closed, "the session to be closed")


async def test_long_speech_that_no_engine_understands_is_not_tried_again_without_end() -> None:
    engine = ScriptedRecogniser(WORDS, failing_transcripts=10**6)
    registry = CollectorRegistry()

    async def load() -> SttEngine:
        return engine

    chain = EngineChain(
        [Candidate("engine", load)],
        ChainMetrics.create(registry, "stt"),
        lambda: CircuitBreaker(failures_to_open=10**6),
    )
    await chain.start()

    async def half_a_minute_and_a_silence_of_the_line() -> AsyncIterator[Samples | FlushUtterance]:
        yield np.full(31 * 16_000, 5000, np.int16)
        for _ in range(500):
            await asyncio.sleep(0)

    with ThreadPoolExecutor(1) as threads:
        segmenter = Segmenter(Endpointing(), LoudnessDetector(), threads)
        listener = Listener(chain, SttMetrics.create(registry), ListenOptions(RecognitionOptions(), False, limit_s=10))
        with pytest.raises(UnavailableError):
            async for _ in listener.listen(segmenter, half_a_minute_and_a_silence_of_the_line()):
                pass
    assert len(engine.sessions) <= 4
