"""What every engine of the mouth keeps to, whoever speaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
import pytest_asyncio

from services.tts.engine import TtsEngine, VoiceChoice, Word
from services.tts.espeak import EspeakEngine
from services.tts.tone import ToneEngine
from tests.support.made_voice import check_starts, made_voice, piper_engine, real_voice, words_of

_FRENCH = VoiceChoice("fr")
_WORDS = words_of("Bonjour monsieur, comment allez-vous ?")


@asynccontextmanager
async def _espeak() -> AsyncIterator[TtsEngine]:
    engine = await EspeakEngine.load({})
    yield engine
    await engine.close()


@asynccontextmanager
async def _made() -> AsyncIterator[TtsEngine]:
    async with piper_engine(made_voice()) as engine:
        yield engine


@asynccontextmanager
async def _real() -> AsyncIterator[TtsEngine]:
    async with piper_engine(real_voice()) as engine:
        yield engine


@asynccontextmanager
async def _tone() -> AsyncIterator[TtsEngine]:
    yield ToneEngine()


_ENGINES = {"espeak-ng": _espeak, "piper, made voice": _made, "piper, real voice": _real, "tone": _tone}


@pytest_asyncio.fixture(params=_ENGINES.values(), ids=_ENGINES.keys())
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[TtsEngine]:
    async with request.param() as engine:
        yield engine


async def _check(engine: TtsEngine, words: list[Word], choice: VoiceChoice = _FRENCH) -> int:
    """That the words are spoken as they should be; how many samples they are."""
    said = await engine.synthesize(words, choice)
    samples = said.recording.samples
    assert samples.dtype == np.int16
    assert said.recording.sample_rate_hz in {voice.sample_rate_hz for voice in engine.voices()}
    if said.word_starts:
        check_starts(said.word_starts, words, samples.size)
    return int(samples.size)


async def test_words_are_heard(engine: TtsEngine) -> None:
    said = await engine.synthesize(_WORDS, _FRENCH)
    assert np.abs(said.recording.samples.astype(int)).max() > 1_000
    await _check(engine, _WORDS)


async def test_each_of_its_voices_has_a_name_of_its_own(engine: TtsEngine) -> None:
    names = [voice.name for voice in engine.voices()]
    assert names
    assert all(names)
    assert len(set(names)) == len(names)
    for name in names[:3]:
        assert (await engine.synthesize(_WORDS, VoiceChoice(voice=name))).voice == name


async def test_who_speaks_is_told_by_a_name_by_which_he_speaks_again(engine: TtsEngine) -> None:
    said = await engine.synthesize(_WORDS, _FRENCH)
    assert said.voice in {voice.name for voice in engine.voices()}
    by_name = VoiceChoice(voice=said.voice)
    assert (await engine.synthesize(_WORDS, by_name)).voice == said.voice
    assert engine.identity(by_name) == engine.identity(_FRENCH) == engine.identity(VoiceChoice("FR"))


@pytest.mark.parametrize("text", ["—", "[[b]]", "<speak>", "\0", "\ud800", "😀", "中文", "x" * 500, "C++", "l'"])
async def test_whatever_a_word_is_it_gets_an_answer(engine: TtsEngine, text: str) -> None:
    await _check(engine, [Word(text, 0, len(text))])
    assert await _check(engine, [*_WORDS, Word(text, 99, 99 + len(text)), *_WORDS])


async def test_no_words_are_no_error(engine: TtsEngine) -> None:
    await _check(engine, [])


@pytest.mark.parametrize("choice", [VoiceChoice("fr", speed=0.25), VoiceChoice("fr", speed=4.0, volume=2.0)])
async def test_it_takes_all_that_a_caller_may_ask_for(engine: TtsEngine, choice: VoiceChoice) -> None:
    assert await _check(engine, _WORDS, choice)


async def test_callers_at_the_same_time_are_all_served(engine: TtsEngine) -> None:
    lengths = await asyncio.gather(*(_check(engine, _WORDS) for _ in range(8)))
    assert all(lengths)


async def test_one_who_leaves_takes_nothing_from_the_next(engine: TtsEngine) -> None:
    leaving = [asyncio.create_task(engine.synthesize(_WORDS * 50, _FRENCH)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    assert await _check(engine, _WORDS)
