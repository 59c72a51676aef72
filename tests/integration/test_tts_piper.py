"""Piper's own code, with made voices; and with a real one where there is one."""

import asyncio
import itertools
import resource
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from piper import PiperVoice, SynthesisConfig

from scripts.made_voice.build import MadeVoice
from services.common.errors import (
    OutOfMemoryError,
    UnusableAnswerError,
)
from services.tts.engine import Speech, VoiceChoice, Word
from services.tts.piper import PiperEngine
from services.tts.piper_files import read_voice
from services.tts.piper_voice import LoadedVoice, PiperDevice
from tests.support.made_voice import (
    EVEN,
    changed_voice,
    check_leaving,
    check_starts,
    made_voice,
    piper_engine,
    real_voice,
    words_of,
)

_TEXT = "Bonjour monsieur, il fait beau demain."
_WORDS = words_of(_TEXT)
_PAIR = MadeVoice("en_US", speakers=2)
_UNTIMED = MadeVoice(durations=False)


@pytest_asyncio.fixture(params=[made_voice, real_voice], ids=["made", "real"])
async def piper(request: pytest.FixtureRequest) -> AsyncIterator[PiperEngine]:
    async with piper_engine(request.param()) as engine:
        yield engine


def _loudness(speech: Speech) -> float:
    return float(np.sqrt(np.mean(speech.recording.samples.astype(float) ** 2)))


def _loaded(voice: MadeVoice = MadeVoice()) -> LoadedVoice:  # noqa: B008  # frozen
    return LoadedVoice(read_voice(made_voice(voice)), PiperDevice(threads=1))


# Speaking


async def test_words_are_spoken_at_the_voices_rate_and_each_has_its_time(piper: PiperEngine) -> None:
    said = await piper.synthesize(_WORDS, EVEN)
    assert said.recording.sample_rate_hz == piper.voices()[0].sample_rate_hz
    assert 1_000 < said.recording.duration_ms < 8_000
    assert _loudness(said) > 300
    check_starts(said.word_starts, _WORDS, said.recording.samples.size)
    assert len(set(said.word_starts)) == len(_WORDS)


@pytest.mark.parametrize("speed", [0.5, 2.0])
async def test_speed_shortens_it(piper: PiperEngine, speed: float) -> None:
    usual = await piper.synthesize(_WORDS, EVEN)
    other = await piper.synthesize(_WORDS, replace(EVEN, speed=speed))
    assert other.recording.duration_ms == pytest.approx(usual.recording.duration_ms / speed, rel=0.1)


async def test_volume_scales_it_and_too_much_is_cut_not_wrapped_around(piper: PiperEngine) -> None:
    usual, soft, loud = [await piper.synthesize(_WORDS, replace(EVEN, volume=volume)) for volume in (1, 0.5, 100)]
    assert _loudness(soft) == pytest.approx(_loudness(usual) / 2, rel=0.01)
    np.testing.assert_array_equal(
        np.sign(loud.recording.samples)[usual.recording.samples != 0],
        np.sign(usual.recording.samples)[usual.recording.samples != 0],
    )
    assert np.abs(loud.recording.samples.astype(int)).max() == 32_767


async def test_a_soft_sentence_is_not_made_as_loud_as_a_loud_one() -> None:
    async with piper_engine() as piper:
        hisses, vowels = [await piper.synthesize([Word("x", 0, 1, ipa)], EVEN) for ipa in ("ssss", "aaaa")]
        assert np.abs(hisses.recording.samples).max() < 0.5 * np.abs(vowels.recording.samples).max()


async def test_callers_noise_goes_before_that_of_the_settings_and_that_before_the_voices(piper: PiperEngine) -> None:
    once, again = [await piper.synthesize(_WORDS, EVEN) for _ in range(2)]
    np.testing.assert_array_equal(once.recording.samples, again.recording.samples)
    once, again = [await piper.synthesize(_WORDS, VoiceChoice("fr")) for _ in range(2)]
    assert not np.array_equal(once.recording.samples, again.recording.samples)
    async with piper_engine(noise_scale=0.0, noise_width=0.0) as even:
        first, second = [await even.synthesize(_WORDS, VoiceChoice("fr")) for _ in range(2)]
        np.testing.assert_array_equal(first.recording.samples, second.recording.samples)
        other = await even.synthesize(_WORDS, VoiceChoice("fr", noise_width=2.0))
        assert other.recording.samples.size != first.recording.samples.size


async def test_a_long_text_is_said_in_sentences_that_the_voice_can_bear() -> None:
    words = words_of("le chat dort " * 200)
    async with piper_engine() as piper:
        said = await piper.synthesize(words, EVEN)
        check_starts(said.word_starts, words, said.recording.samples.size)
        steps = np.diff(said.word_starts)
        assert steps.min() > 0
        endless = await piper.synthesize(words_of("a" * 5_000), EVEN)
        assert endless.recording.duration_ms > 5_000


@pytest.mark.parametrize("text", ["—", "« »", "[[b]]", "…", "\u200b", "\0", "\ud800", "[["])
async def test_words_without_a_sound_are_a_short_silence_or_something_said(piper: PiperEngine, text: str) -> None:
    said = await piper.synthesize([Word(text, 0, len(text))], EVEN)
    assert 0 < said.recording.duration_ms < 3_000
    assert len(said.word_starts) == 1
    assert (await piper.synthesize([], EVEN)).word_starts == ()


# Times


@pytest.mark.parametrize("text", [_TEXT, "Oui. Non ! Et demain ?", "Les enfants, parlez !"])
async def test_words_begin_when_the_voice_says_that_they_do(text: str) -> None:
    async with piper_engine() as piper:
        said = await piper.synthesize(words_of(text), EVEN)
    begins: list[int] = []
    done = 0
    voice = PiperVoice.load(made_voice())
    for chunk in voice.synthesize(text, SynthesisConfig(noise_scale=0, noise_w_scale=0), include_alignments=True):
        before = " "
        for one in chunk.phoneme_alignments or ():
            if before in "^ " and one.phoneme not in "^ .?!$":
                begins.append(done)
            done += one.num_samples
            before = one.phoneme
    assert said.word_starts == tuple(begins)
    assert said.recording.samples.size == done


async def test_times_are_estimated_where_the_voice_tells_none() -> None:
    words = words_of("Bonjour monsieur, parce que les enfants sont là demain, il fera beau.")
    async with piper_engine(made_voice(), made_voice(_UNTIMED)) as piper:
        exact = await piper.synthesize(words, replace(EVEN, voice=made_voice().stem))
        guessed = await piper.synthesize(words, replace(EVEN, voice=made_voice(_UNTIMED).stem))
    np.testing.assert_array_equal(exact.recording.samples, guessed.recording.samples)
    errors_s = np.abs(np.subtract(exact.word_starts, guessed.word_starts)) / exact.recording.sample_rate_hz
    assert errors_s.max() < 0.15


async def test_times_of_a_voice_that_lies_about_them_are_estimated(tmp_path: Path) -> None:
    folder = changed_voice(tmp_path, lambda config: config.update(hop_length=100))
    async with piper_engine(folder) as lying, piper_engine(made_voice(_UNTIMED)) as untimed:
        said, guessed = await lying.synthesize(_WORDS, EVEN), await untimed.synthesize(_WORDS, EVEN)
        assert said.word_starts == guessed.word_starts


async def test_ipa_is_said_as_it_is_written_and_brackets_in_a_text_are_not() -> None:
    async with piper_engine() as piper:
        plain = await piper.synthesize([Word("SQL,", 0, 4)], EVEN)
        written = await piper.synthesize([Word("SQL,", 0, 4, "sikwəl")], EVEN)
        same = await piper.synthesize([Word("x,", 0, 2, "sikwəl")], EVEN)
        np.testing.assert_array_equal(written.recording.samples, same.recording.samples)
        assert written.recording.samples.size != plain.recording.samples.size
        bracketed = await piper.synthesize([Word("[[sikwəl]],", 0, 11)], EVEN)
        unbracketed = await piper.synthesize([Word("sikwəl  ,", 0, 9)], EVEN)
        np.testing.assert_array_equal(bracketed.recording.samples, unbracketed.recording.samples)


async def test_a_word_in_ipa_has_its_time_among_the_others() -> None:
    words = [Word("à", 0, 1), Word("Leeds,", 2, 8, "lidz"), Word("demain", 9, 15)]
    async with piper_engine() as piper:
        said = await piper.synthesize(words, EVEN)
        check_starts(said.word_starts, words, said.recording.samples.size)
        assert len(set(said.word_starts)) == 3


# What goes wrong


async def test_sound_that_is_no_number_is_not_handed_on() -> None:
    async with piper_engine() as piper:
        with pytest.raises(UnusableAnswerError):
            await piper.synthesize(_WORDS, replace(EVEN, noise_scale=float("inf")))
        assert _loudness(await piper.synthesize(_WORDS, EVEN)) > 300


async def test_memory_that_is_not_there_is_told_as_such() -> None:
    async with piper_engine() as piper:
        with pytest.raises(OutOfMemoryError):
            await piper.synthesize(_WORDS, replace(EVEN, speed=1e-12))
        assert _loudness(await piper.synthesize(_WORDS, EVEN)) > 300


# Many callers, and those who leave


def test_nobody_is_left_to_hear_it_and_it_stops_after_the_sentence() -> None:
    asked: list[bool] = []

    def is_unwanted() -> bool:
        asked.append(len(asked) >= 2)
        return asked[-1]

    words = words_of("Oui. Non. Oui. Non. Oui.")
    whole = _loaded().speak(words, EVEN, lambda: False)
    begin = _loaded().speak(words, EVEN, is_unwanted)
    assert asked == [False, False, True]
    size = begin.recording.samples.size
    np.testing.assert_array_equal(begin.recording.samples, whole.recording.samples[:size])
    assert 0.3 < size / whole.recording.samples.size < 0.5


def test_the_slower_it_speaks_the_less_it_says_before_it_looks_again() -> None:
    """Whoever left waits for it that long, and a thread that comes back too late costs the process."""

    def looks(speed: float) -> int:
        count = itertools.count()
        words = words_of("le chat dort " * 100)
        _loaded().speak(words, replace(EVEN, speed=speed), lambda: next(count) < 0)  # never unwanted
        return next(count)

    assert looks(0.25) > 3 * looks(1.0) > 3
    assert looks(4.0) == looks(1.0)


async def test_whoever_leaves_sets_the_thread_free() -> None:
    async with piper_engine(parallel=1) as piper:
        await check_leaving(piper)
        assert piper.stuck is None


async def test_callers_at_the_same_time_each_get_their_own(piper: PiperEngine) -> None:
    texts = [f"Voilà {number} pommes et {number * 7} poires." for number in range(12)]
    alone = [await piper.synthesize(words_of(text), EVEN) for text in texts]
    together = await asyncio.gather(*(piper.synthesize(words_of(text), EVEN) for text in texts))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.recording.samples, other.recording.samples)
        assert one.word_starts == other.word_starts


async def test_many_syntheses_leave_memory_flat() -> None:
    async with piper_engine() as piper:
        for number in range(400):
            if number == 100:
                before_mb = _peak_mb()
            await piper.synthesize(words_of(f"Voilà {number} pommes, et c'est tout."), VoiceChoice("fr"))
        assert _peak_mb() - before_mb < 20  # what they said is 60 MB


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
