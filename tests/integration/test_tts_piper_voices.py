"""Piper's voices: which one speaks, and those that cannot be loaded."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from scripts.made_voice.build import MadeVoice
from services.common.errors import ModelError, UnsupportedError
from services.tts.config import PiperSection
from services.tts.engine import VoiceChoice
from services.tts.piper import PiperEngine
from tests.support.made_voice import EVEN, changed_voice, made_voice, piper_engine, words_of

_WORDS = words_of("Bonjour monsieur, il fait beau demain.")
_PAIR = MadeVoice("en_US", speakers=2)


async def test_the_voice_of_a_name_or_else_the_first_of_the_language_speaks() -> None:
    async with piper_engine(made_voice(), made_voice(_PAIR), made_voice(MadeVoice(rate_hz=16_000))) as piper:
        names = [voice.name for voice in piper.voices()]
        assert names == ["fr_FR-made-low", "en_US-made-pair-low", "fr_FR-made-16000"]
        assert piper.voices()[1].language_codes == ("en-US", "en")
        french, english, second = [
            await piper.synthesize(_WORDS, choice)
            for choice in (EVEN, replace(EVEN, language_code="en-us"), replace(EVEN, voice=names[2]))
        ]
        assert second.recording.sample_rate_hz == 16_000
        assert french.recording.samples.size != english.recording.samples.size
        for code, like in (("fr-CA", french), ("", french), ("en-GB", english)):
            said = await piper.synthesize(_WORDS, replace(EVEN, language_code=code))
            np.testing.assert_array_equal(said.recording.samples, like.recording.samples)


@pytest.mark.parametrize("choice", [VoiceChoice("de"), VoiceChoice("fr", voice="nobody"), VoiceChoice(voice="fr")])
async def test_what_no_voice_can_is_unsupported(choice: VoiceChoice) -> None:
    async with piper_engine() as piper:
        with pytest.raises(UnsupportedError):
            await piper.synthesize(_WORDS, choice)


async def test_each_speaker_sounds_in_his_own_way_and_an_unknown_one_is_refused_with_the_list() -> None:
    async with piper_engine(made_voice(_PAIR)) as piper:
        english = replace(EVEN, language_code="en")
        first, man, woman = [
            await piper.synthesize(_WORDS, replace(english, speaker=name)) for name in ("", "man", "woman")
        ]
        np.testing.assert_array_equal(first.recording.samples, man.recording.samples)
        assert not np.array_equal(man.recording.samples, woman.recording.samples)
        for choice in (english, replace(english, voice=piper.voices()[0].name)):
            with pytest.raises(UnsupportedError, match="with 'child'"):
                await piper.synthesize(_WORDS, replace(choice, speaker="child"))


async def test_a_speaker_is_looked_for_in_every_voice_of_the_language() -> None:
    async with piper_engine(made_voice(), made_voice(MadeVoice(speakers=2))) as piper:
        alone, pair = (voice.name for voice in piper.voices())
        assert (await piper.synthesize(_WORDS, EVEN)).voice == alone
        assert (await piper.synthesize(_WORDS, replace(EVEN, speaker="woman"))).voice == pair
        with pytest.raises(UnsupportedError):
            await piper.synthesize(_WORDS, replace(EVEN, speaker="woman", voice=alone))


async def test_its_identity_is_the_voice_s_and_its_files_not_the_way_it_was_found(tmp_path: Path) -> None:
    voice = changed_voice(tmp_path)
    async with piper_engine(voice) as piper:
        name = piper.voices()[0].name
        by_name = piper.identity(VoiceChoice("en", voice=name))
        told = {piper.identity(VoiceChoice(code)) for code in ("", "fr", "FR", "fr-FR", "fr-CA")} | {by_name}
        assert len(told) == 1
        with pytest.raises(UnsupportedError):
            piper.identity(VoiceChoice("de"))
    async with piper_engine(voice, noise_scale=0.1) as piper:
        told.add(piper.identity(VoiceChoice("fr")))
    changed_voice(voice, lambda config: config["inference"].update(length_scale=3.0))
    async with piper_engine(voice) as piper:
        told.add(piper.identity(VoiceChoice("fr")))
    model = voice / f"{name}.onnx"
    model.write_bytes(model.read_bytes().replace(b"made", b"maid"))
    async with piper_engine(voice) as piper:
        told.add(piper.identity(VoiceChoice("fr")))
    assert len(told) == 4


# Voices that cannot be loaded


def _cut(pattern: str, size: int) -> Callable[[Path], object]:
    def cut(folder: Path) -> None:
        path = next(folder.glob(pattern))
        path.write_bytes(path.read_bytes()[:size])

    return cut


def _without(pattern: str) -> Callable[[Path], object]:
    return lambda folder: next(folder.glob(pattern)).unlink()


def _with(**changes: Any) -> Callable[[Path], object]:
    """Its configuration changed; in what is a table itself, only the keys that are named."""

    def change(config: dict[str, Any]) -> None:
        for key, value in changes.items():
            config[key] = config.get(key, {}) | value if isinstance(value, dict) else value

    return lambda folder: changed_voice(folder, change)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_without("*.json"), "cannot be read"),
        (_without("*.onnx"), r"must have one \.onnx, and has none"),
        (_cut("*.json", 100), "is no JSON"),
        (_cut("*.onnx", 1_000), "fetch it again"),
        (_with(audio=None), "audio: "),
        (_with(audio={"sample_rate": 7}), r"audio\.sample_rate: "),
        (_with(num_symbols=20), "num_symbols is 20"),
        (_with(num_symbols=999, phoneme_id_map={"z": [500]}), "fetch it again"),
        (_with(phoneme_id_map={"^": []}), r"lacks \^"),
        (_with(num_speakers=3), "fetch it again"),
        (_with(speaker_id_map={"a": 1}), "'a' beyond"),
        (_with(phoneme_type="pinyin"), "phoneme_type: "),
        (_with(espeak={"voice": "xx"}), "fetch it again"),
    ],
)
async def test_a_broken_voice_is_told_of_and_the_others_serve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(changed_voice(tmp_path))
    async with piper_engine(tmp_path, made_voice(_PAIR)) as piper:
        assert [voice.name for voice in piper.voices()] == ["en_US-made-pair-low"]
    assert f"Piper does without the voice {tmp_path}" in caplog.text
    with pytest.raises(ModelError, match=told):
        await PiperEngine.load(PiperSection(voices=(str(tmp_path),)), Path)


async def test_a_voice_with_fewer_speakers_than_it_says_is_not_loaded(tmp_path: Path) -> None:
    changed_voice(tmp_path, lambda config: config.update(num_speakers=3, speaker_id_map={"c": 2}), _PAIR)
    with pytest.raises(ModelError, match="fetch it again"):
        await PiperEngine.load(PiperSection(voices=(str(tmp_path),)), Path)


async def test_a_voice_that_is_not_installed_is_told_of_with_what_to_do() -> None:
    def find(name: str) -> Path:
        raise ModelError(f"model {name} is not installed: run `superwhisper models pull {name}`")

    with pytest.raises(ModelError, match="superwhisper models pull nobody"):
        await PiperEngine.load(PiperSection(voices=("nobody",)), find)


async def test_without_cuda_a_voice_for_it_is_refused_with_what_to_do() -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime can use a GPU")
    with pytest.raises(ModelError, match=r"install onnxruntime-gpu in its place, or set tts\.piper\.device to cpu"):
        await PiperEngine.load(PiperSection(voices=(str(made_voice()),), device="cuda"), Path)
