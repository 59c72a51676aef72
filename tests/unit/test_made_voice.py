"""The made voice, asked by Piper itself: it must be honest, or the tests that lean on it prove nothing."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from piper import PiperVoice, SynthesisConfig
from piper.voice import AudioChunk

from scripts.made_voice.build import MadeVoice, build
from tests.support.made_voice import made_voice
from tests.support.shared_data import REPOSITORY

_EVEN = {"noise_scale": 0.0, "noise_w_scale": 0.0}
_SENTENCE = "Bonjour monsieur."


def _said(voice: MadeVoice, text: str = _SENTENCE, **how: float) -> AudioChunk:
    manner = SynthesisConfig(**{**_EVEN, **how})  # type: ignore[arg-type]  # the numbers are of its own kinds
    return next(iter(PiperVoice.load(made_voice(voice)).synthesize(text, manner, include_alignments=True)))


def test_pipers_own_code_speaks_with_it() -> None:
    said = _said(MadeVoice())
    assert said.sample_rate == 22_050
    assert 1 < said.audio_float_array.size / said.sample_rate < 3
    assert np.abs(said.audio_float_array).max() > 0.5


def test_it_tells_when_each_phoneme_is_said() -> None:
    said = _said(MadeVoice())
    assert said.phoneme_alignments is not None
    assert sum(one.num_samples for one in said.phoneme_alignments) == said.audio_float_array.size
    begin = 0
    for one in said.phoneme_alignments:
        part = said.audio_float_array[begin : begin + one.num_samples]
        begin += one.num_samples
        if one.phoneme in "^$ .":
            assert not part.any(), one
        elif one.num_samples:
            assert part.any(), one


def test_vowels_are_longer_than_consonants_and_marks_take_no_time() -> None:
    alignments = _said(MadeVoice()).phoneme_alignments
    assert alignments is not None
    lengths = {one.phoneme: one.num_samples for one in alignments}
    assert lengths["u"] > lengths["m"] > 0
    assert lengths["ˈ"] == 0


def test_phonemes_sound_unlike_each_other() -> None:
    waves = {text: _said(MadeVoice(), text).audio_float_array[2_000:4_000] for text in ("a", "i", "ou", "o")}
    for one, wave in waves.items():
        for other, another in waves.items():
            if one != other:
                assert abs(np.corrcoef(wave, another)[0, 1]) < 0.95, (one, other)


def test_the_length_scale_stretches_it() -> None:
    usual, slow = (_said(MadeVoice(), length_scale=scale).audio_float_array.size for scale in (1.0, 2.0))
    assert slow == 2 * usual


def test_noise_varies_sound_and_rhythm() -> None:
    even = _said(MadeVoice()).audio_float_array
    np.testing.assert_array_equal(_said(MadeVoice()).audio_float_array, even)
    noisy = _said(MadeVoice(), noise_scale=0.7).audio_float_array
    assert noisy.size == even.size
    assert (noisy != even).any()
    # The rhythm is drawn anew each time and rounded to whole frames, so one drawing may come out even.
    uneven = (_said(MadeVoice(), noise_w_scale=2.0).audio_float_array for _ in range(20))
    assert any(one.size != even.size for one in uneven)


def test_one_without_durations_says_the_same() -> None:
    untimed = _said(MadeVoice(durations=False))
    assert untimed.phoneme_alignments is None
    np.testing.assert_array_equal(untimed.audio_float_array, _said(MadeVoice()).audio_float_array)


def test_two_speakers_say_the_same_in_two_voices() -> None:
    man, woman = (_said(MadeVoice(speakers=2), speaker_id=number).audio_float_array for number in (0, 1))
    np.testing.assert_array_equal(man, _said(MadeVoice()).audio_float_array)
    assert man.size == woman.size
    assert (man != woman).any()


def test_another_rate_and_another_language() -> None:
    voice = MadeVoice("en_US", rate_hz=16_000)
    assert _said(voice, "Hello").sample_rate == 16_000
    config = json.loads(Path(f"{made_voice(voice)}.json").read_text(encoding="utf-8"))
    assert (config["language"]["code"], config["espeak"]["voice"]) == ("en_US", "en-us")


def test_it_is_small_the_same_each_time_and_says_in_its_name_that_it_is_made(tmp_path: Path) -> None:
    first, second = (build(tmp_path / name, MadeVoice(speakers=2)) for name in ("one", "two"))
    assert first.stat().st_size < 2**20
    assert first.read_bytes() == second.read_bytes()
    assert "made" in first.name


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((), "fr_FR-made-low.onnx"),
        (("--language", "en_US", "--speakers", "2"), "en_US-made-pair-low.onnx"),
        (("--rate", "16000", "--no-durations"), "fr_FR-made-untimed-16000.onnx"),
    ],
)
def test_the_command_writes_both_files_and_says_where(tmp_path: Path, arguments: tuple[str, ...], name: str) -> None:
    command = [sys.executable, "-m", "scripts.made_voice", str(tmp_path), *arguments]
    told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert told == f"{tmp_path / name}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.json"]
