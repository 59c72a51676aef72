"""espeak-ng itself: what it says, when each word begins, and Piper's own espeak-ng beside it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio

from services.common.audio import Samples
from services.common.errors import UnsupportedError
from services.common.text import check_language
from services.tts.engine import Speech, VoiceChoice, Word
from services.tts.espeak import EspeakEngine
from services.tts.tone import ToneEngine
from tests.support.made_voice import EVEN, check_leaving, check_starts, piper_engine, words_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

_FRENCH, _ENGLISH = VoiceChoice("fr"), VoiceChoice("en-us")
_WORDS = words_of("Bonjour monsieur, il fait beau demain.")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def espeak() -> AsyncIterator[EspeakEngine]:
    engine = await EspeakEngine.load({"de": "de+f2"})
    yield engine
    await engine.close()


def _loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def _length_ms(speech: Speech) -> float:
    return speech.recording.duration_ms


# Speaking


async def test_words_are_spoken_and_each_has_its_time(espeak: EspeakEngine) -> None:
    said = await espeak.synthesize(_WORDS, _FRENCH)
    assert said.recording.sample_rate_hz == 22_050
    assert _loudness(said.recording.samples) > 500
    check_starts(said.word_starts, _WORDS, said.recording.samples.size)
    assert len(set(said.word_starts)) == len(_WORDS)


async def test_a_word_sounds_where_it_is_said_to_begin(espeak: EspeakEngine) -> None:
    pause = 0.2  # of the loudest; the comma's is longer than 100 ms
    said = await espeak.synthesize(words_of("Non, attendez"), _FRENCH)
    samples, start = said.recording.samples.astype(float), said.word_starts[1]
    before, after = samples[start - 1_500 : start], samples[start : start + 3_000]
    assert np.abs(before).max() < pause * np.abs(samples).max() < np.abs(after).max()


@pytest.mark.parametrize(("speed", "rel"), [(0.6, 0.15), (2.0, 0.15), (4.0, 0.2)])
async def test_speed_shortens_it_and_the_times_with_it(espeak: EspeakEngine, speed: float, rel: float) -> None:
    usual, other = [await espeak.synthesize(_WORDS, replace(_FRENCH, speed=factor)) for factor in (1.0, speed)]
    assert _length_ms(other) == pytest.approx(_length_ms(usual) / speed, rel=rel)
    check_starts(other.word_starts, _WORDS, other.recording.samples.size)
    assert other.word_starts[-1] == pytest.approx(usual.word_starts[-1] / speed, rel=rel)


async def test_volume_scales_it(espeak: EspeakEngine) -> None:
    usual, soft, none = [await espeak.synthesize(_WORDS, replace(_FRENCH, volume=volume)) for volume in (1, 0.5, 0)]
    assert _loudness(soft.recording.samples) == pytest.approx(_loudness(usual.recording.samples) / 2, rel=0.2)
    assert not none.recording.samples.any()


async def test_the_shortest_words_have_their_own_times(espeak: EspeakEngine) -> None:
    words = words_of("a b c d e f")
    said = await espeak.synthesize(words, _FRENCH)
    check_starts(said.word_starts, words, said.recording.samples.size)
    assert np.diff(said.word_starts).min() > 1_500


async def test_words_that_it_says_in_one_breath_share_the_time(espeak: EspeakEngine) -> None:
    words = words_of("out of the world")
    said = await espeak.synthesize(words, _ENGLISH)
    check_starts(said.word_starts, words, said.recording.samples.size)
    out, of, the, world = said.word_starts
    assert out < of < the < world


async def test_a_word_that_it_says_as_several_begins_with_the_first(espeak: EspeakEngine) -> None:
    words = words_of("le numéro 12345 est là")
    said = await espeak.synthesize(words, _FRENCH)
    lengths = np.diff(said.word_starts)
    assert lengths.argmax() == 2
    assert lengths[2] > 3 * lengths[0]


# What it is not to take for anything else


async def test_ipa_is_said_as_it_is_written_where_the_voice_has_those_sounds(espeak: EspeakEngine) -> None:
    def of(text: str, ipa: str = "") -> list[Word]:
        return [Word("le", 0, 2), Word(text, 3, 3 + len(text), ipa), Word("là", 9, 11)]

    written = await espeak.synthesize(of("x,", "aaaaaaaa"), _FRENCH)
    plain = await espeak.synthesize(of("x,"), _FRENCH)
    assert _length_ms(written) > 1.3 * _length_ms(plain)
    check_starts(written.word_starts, of("x,"), written.recording.samples.size)
    impossible = await espeak.synthesize(of("x,", "ǃǃǃǃǃǃǃǃ"), _FRENCH)
    assert _length_ms(impossible) == pytest.approx(_length_ms(plain), rel=0.02)


async def test_brackets_and_markup_in_a_text_are_no_phonemes_and_no_commands(espeak: EspeakEngine) -> None:
    bare, bracketed, break_, tag = [
        await espeak.synthesize([Word(text, 0, len(text))], _FRENCH)
        for text in ("SSSSSSSS", "[[SSSSSSSS]]", "break", "<break/>")
    ]
    assert _length_ms(bracketed) == pytest.approx(_length_ms(bare), rel=0.1)
    assert _length_ms(tag) >= _length_ms(break_)
    assert _loudness(tag.recording.samples) > 300


@pytest.mark.parametrize("text", ["—", "…", "\u200b", "\0", "\ud800", "😀", "中文", "a" * 2_000])
async def test_odd_words_do_it_no_harm(espeak: EspeakEngine, text: str) -> None:
    words = [Word(text, 0, len(text)), Word("fin", 9_000, 9_003)]
    said = await espeak.synthesize(words, _FRENCH)
    check_starts(said.word_starts, words, said.recording.samples.size)
    assert (await espeak.synthesize([], _FRENCH)).word_starts == ()


# Voices


async def test_it_speaks_many_languages_and_a_preferred_voice_goes_first(espeak: EspeakEngine) -> None:
    names = [voice.name for voice in espeak.voices()]
    assert len(names) > 90
    assert len(set(names)) == len(names)
    preferred = await espeak.synthesize(_WORDS, VoiceChoice("de"))
    named = await espeak.synthesize(_WORDS, VoiceChoice(voice="de+f2"))
    usual = await espeak.synthesize(_WORDS, VoiceChoice(voice="de"))
    assert _likeness(preferred, named) > 0.95 > _likeness(preferred, usual)


def _likeness(one: Speech, other: Speech) -> float:
    """Of their spectra: two voices differ there, whatever they say."""
    size = min(one.recording.samples.size, other.recording.samples.size)
    spectra = [
        np.abs(np.fft.rfft(speech.recording.samples[:size].astype(float))[: size // 8 * 8]) for speech in (one, other)
    ]
    bands = [np.log(spectrum[: spectrum.size // 200 * 200].reshape(200, -1).sum(axis=1) + 1) for spectrum in spectra]
    return float(np.corrcoef(*bands)[0, 1])


async def test_every_voice_can_be_asked_for_by_each_of_its_codes_and_is_heard(espeak: EspeakEngine) -> None:
    for voice in espeak.voices():
        for code in voice.language_codes:
            assert check_language(code, "language_code") == code
        said = await espeak.synthesize([Word("a", 0, 1), Word("12", 2, 4)], VoiceChoice(voice=voice.name))
        assert said.voice == voice.name
        assert _loudness(said.recording.samples) > 100, voice.name


async def test_it_says_who_speaks_by_a_name_that_is_listed_and_the_variant(espeak: EspeakEngine) -> None:
    for choice, name in (
        (VoiceChoice("fr-CA"), "fr-fr"),
        (VoiceChoice(voice="fr"), "fr-fr"),
        (VoiceChoice(voice="en+f2"), "en-gb+f2"),
        (VoiceChoice("de"), "de+f2"),
        (VoiceChoice("zh"), "cmn"),
    ):
        assert (await espeak.synthesize(_WORDS, choice)).voice == name
        assert name in espeak.identity(choice)
    names = [voice.name for voice in espeak.voices()]
    assert names.index("fr-fr") < names.index("fr-be")


@pytest.mark.parametrize(
    "choice",
    [
        VoiceChoice("zz"),
        VoiceChoice(voice="nobody"),
        VoiceChoice(voice="fr-fr+nobody"),
        VoiceChoice("fr", speaker="woman"),
    ],
)
async def test_what_no_voice_can_is_unsupported(espeak: EspeakEngine, choice: VoiceChoice) -> None:
    with pytest.raises(UnsupportedError):
        await espeak.synthesize(_WORDS, choice)
    with pytest.raises(UnsupportedError):
        espeak.identity(choice)


# Together with others


async def test_pipers_own_espeak_beside_it_disturbs_neither(espeak: EspeakEngine) -> None:
    texts = [f"Voilà {number} pommes, {number * 11} poires." for number in range(40)]
    async with piper_engine(parallel=2) as piper:
        alone = [await piper.synthesize(words_of(text), EVEN) for text in texts]
        calls = [
            *(piper.synthesize(words_of(text), EVEN) for text in texts),
            *(espeak.synthesize(words_of(text), choice) for text in texts for choice in (_FRENCH, _ENGLISH)),
        ]
        together = await asyncio.gather(*calls)
    for one, other in zip(alone, together[: len(texts)], strict=True):
        np.testing.assert_array_equal(one.recording.samples, other.recording.samples)
    assert all(_loudness(said.recording.samples) > 300 for said in together)


async def test_whoever_leaves_sets_its_thread_free(espeak: EspeakEngine) -> None:
    await check_leaving(espeak)
    assert espeak.stuck is None


async def test_the_tone_is_soft_begins_and_ends_gently_and_knows_no_words() -> None:
    tone = await ToneEngine().synthesize(_WORDS, VoiceChoice("zz", voice="nobody"))
    samples = np.abs(tone.recording.samples.astype(int))
    assert tone.word_starts == ()
    assert samples[:100].max() < 500 < samples.max() < 16_000
    assert samples[-100:].max() < 500
