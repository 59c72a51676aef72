"""Writes a made voice as the two files that Piper loads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

from scripts.made_voice.network import make_network
from scripts.made_voice.sounds import FRAME_SAMPLES, MAN, WOMAN, frames_of, waves

_SPEAKERS = {"man": MAN, "woman": WOMAN}
_ESPEAK_VOICES = {"en_US": "en-us", "en_GB": "en-gb-x-rp"}  # others are called as their language


@dataclass(frozen=True)
class MadeVoice:
    """Which voice is made."""

    language: str = "fr_FR"
    rate_hz: int = 22_050
    speakers: int = 1
    durations: bool = True  # whether it tells when each phoneme is said, as few of Piper's own do

    @property
    def name(self) -> str:
        """Of the files, after Piper's fashion: `fr_FR-made-low`."""
        kind = "made" + ("-pair" if self.speakers > 1 else "") + ("" if self.durations else "-untimed")
        return f"{self.language}-{kind}-{'low' if self.rate_hz == MadeVoice.rate_hz else self.rate_hz}"


def build(folder: Path, voice: MadeVoice) -> Path:
    """The voice's .onnx in that folder, with its .onnx.json beside it."""
    throats = list(_SPEAKERS.values())[: voice.speakers]
    tables = [waves(DEFAULT_PHONEME_ID_MAP, throat, voice.rate_hz) for throat in throats]
    frames = [0] * tables[0].shape[0]
    for phoneme, ids in DEFAULT_PHONEME_ID_MAP.items():
        frames[ids[0]] = frames_of(phoneme)
    network = make_network(tables, frames, durations=voice.durations)
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"{voice.name}.onnx"
    model.write_bytes(network.SerializeToString())
    config = json.dumps(_config(voice, len(frames)), ensure_ascii=False, indent=2)
    (folder / f"{model.name}.json").write_text(config, encoding="utf-8")
    return model


def _config(voice: MadeVoice, symbols: int) -> dict[str, Any]:
    """What Piper's own training writes."""
    speakers = list(_SPEAKERS)[: voice.speakers] if voice.speakers > 1 else []
    family, _, region = voice.language.partition("_")
    return {
        "dataset": "made",
        "audio": {"sample_rate": voice.rate_hz, "quality": "low"},
        "espeak": {"voice": _ESPEAK_VOICES.get(voice.language, family)},
        "language": {"code": voice.language, "family": family, "region": region},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": symbols,
        "num_speakers": voice.speakers,
        "speaker_id_map": {name: number for number, name in enumerate(speakers)},
        "hop_length": FRAME_SAMPLES,
    }
