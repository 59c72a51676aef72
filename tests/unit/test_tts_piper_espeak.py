"""services/tts/piper_espeak.py: what espeak-ng says for Piper is what Piper itself would have it say."""

import pytest
from piper.voice import PiperVoice

from services.tts.piper_espeak import phonemizer_of
from tests.support.made_voice import made_voice

TEXTS = (
    "Bonjour, je m'appelle Zoé : et vous ? Très bien !",
    "Hello, world; this is it. Is it? Yes… Mr. Smith (of Leeds) said so!",
    "Le weekend, le parking et le football",  # espeak-ng changes its language for some of these
    "A. B. C",
    "12,5 %",
    "...",
    "",
)


@pytest.mark.parametrize("language", ["fr", "en-us", "de"])
def test_the_phonemes_are_those_that_piper_takes(language: str) -> None:
    piper = PiperVoice.load(made_voice())
    piper.config.espeak_voice = language
    ours = [phonemizer_of(piper)(text) for text in TEXTS]
    assert any(phonemes for phonemes in ours)
    # Clusters that never occur: these voices are given to Piper, and its phonemes are the same.
    piper.config.vowel_clusters = {("no", "such")}
    assert ours == [phonemizer_of(piper)(text) for text in TEXTS]


def test_voices_take_turns() -> None:
    french, english = PiperVoice.load(made_voice()), PiperVoice.load(made_voice())
    french.config.espeak_voice, english.config.espeak_voice = "fr", "en-us"
    alone = [phonemizer_of(voice)("table") for voice in (french, english)]
    assert alone[0] != alone[1]
    turns = [phonemizer_of(voice)("table") for _ in range(3) for voice in (french, english)]
    assert turns == alone * 3


def test_a_voice_that_piper_serves_itself_does_not_leave_its_language_to_the_next() -> None:
    french, english = PiperVoice.load(made_voice()), PiperVoice.load(made_voice())
    french.config.espeak_voice, english.config.espeak_voice = "fr", "en-us"
    english.config.vowel_clusters = {("no", "such")}
    alone = phonemizer_of(french)("table")
    phonemizer_of(english)("table")
    assert phonemizer_of(french)("table") == alone
