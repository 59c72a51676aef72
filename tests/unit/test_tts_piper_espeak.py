"""services/tts/piper_espeak.py: what espeak-ng says for Piper is what Piper itself would have it say."""

import subprocess
import sys

import pytest
from piper.voice import PiperVoice

from services.tts.piper_espeak import phonemizer_of
from tests.support.made_voice import made_voice

_TURNS = """
import sys, threading
from piper.voice import PiperVoice
from services.tts.piper_espeak import phonemizer_of

voices = [PiperVoice.load(sys.argv[1]) for _ in range(2)]
voices[1].config.vowel_clusters = {("no", "such")}  # Piper itself serves it
said = []
for _ in range(3):
    speaking = threading.Thread(target=lambda: said.append(phonemizer_of(voices[0])("Six, sept, dix.")))
    speaking.start()
    speaking.join()
    said.append(phonemizer_of(voices[1])("Six, sept, dix."))
assert said == said[:1] * 6, said
"""
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


def test_the_library_is_opened_once_whoever_uses_it_and_in_whichever_thread() -> None:
    """Opened a second time, it reads what it has freed, and says nonsense or dies: so in a process of its own."""
    run = subprocess.run([sys.executable, "-c", _TURNS, str(made_voice())], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_who_used_the_library_himself_leaves_no_other_language_to_a_voice_that_is_loaded_then() -> None:
    french, english = PiperVoice.load(made_voice()), PiperVoice.load(made_voice())
    french.config.espeak_voice, english.config.espeak_voice = "fr", "en-us"
    alone = phonemizer_of(french)("table")
    english.phonemize("table")
    assert phonemizer_of(french)("table") == alone


def test_a_voice_that_piper_serves_itself_does_not_leave_its_language_to_the_next() -> None:
    french, english = PiperVoice.load(made_voice()), PiperVoice.load(made_voice())
    french.config.espeak_voice, english.config.espeak_voice = "fr", "en-us"
    english.config.vowel_clusters = {("no", "such")}
    alone = phonemizer_of(french)("table")
    phonemizer_of(english)("table")
    assert phonemizer_of(french)("table") == alone
