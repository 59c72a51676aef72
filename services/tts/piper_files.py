"""The files of a Piper voice, and whether they say what can be true."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from services.common.audio import MAX_RATE_HZ, MIN_RATE_HZ
from services.common.errors import ModelError
from services.common.text import primary_language
from services.tts.engine import Voice

_MARKS = ("_", "^", "$")  # pad, begin and end, which Piper puts around the phonemes


@dataclass(frozen=True)
class VoiceFiles:
    """A voice that is not loaded yet."""

    model: Path
    config: dict[str, Any]  # as Piper reads it
    voice: Voice
    speaker_ids: dict[str, int]
    highest_id: int  # of the phonemes that it knows
    digest: str  # of both files: another one sounds otherwise, whatever its name


class _Audio(BaseModel):
    sample_rate: int = Field(ge=MIN_RATE_HZ, le=MAX_RATE_HZ)


class _Espeak(BaseModel):
    voice: str


class _Language(BaseModel):
    code: str = ""


class _VoiceConfig(BaseModel):
    """What is read here of a voice's .onnx.json. Other kinds of phonemes need models that Piper would download."""

    audio: _Audio
    espeak: _Espeak
    language: _Language = _Language()
    phoneme_type: Literal["espeak", "text"] = "espeak"
    num_symbols: int = Field(gt=0)
    num_speakers: int = Field(gt=0)
    phoneme_id_map: dict[str, list[int]]
    speaker_id_map: dict[str, int] = {}

    @property
    def highest_id(self) -> int:
        """Of its phonemes."""
        return max(identity for ids in self.phoneme_id_map.values() for identity in ids)

    @model_validator(mode="after")
    def _check_ids(self) -> "_VoiceConfig":
        if missing := [mark for mark in _MARKS if not self.phoneme_id_map.get(mark)]:
            raise ValueError(f"phoneme_id_map lacks {', '.join(missing)}")
        ids = [identity for phoneme in self.phoneme_id_map.values() for identity in phoneme]
        if not 0 <= min(ids) <= max(ids) < self.num_symbols:
            raise ValueError(
                f"phoneme_id_map goes from {min(ids)} to {max(ids)}, and num_symbols is {self.num_symbols}"
            )
        if odd := [name for name, speaker in self.speaker_id_map.items() if not 0 <= speaker < self.num_speakers]:
            raise ValueError(f"speaker_id_map has {odd[0]!r} beyond its num_speakers, {self.num_speakers}")
        return self


def read_voice(place: Path) -> VoiceFiles:
    """The voice in a folder, or that of an .onnx file. ModelError says what is wrong with it."""
    model = _model_in(place)
    path = model.with_name(f"{model.name}.json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        config = _VoiceConfig.model_validate(content)
        digest = _digest(model, path)
    except OSError as error:
        raise ModelError(
            f"{error.filename} cannot be read ({error.strerror}): a voice is a .onnx and its .onnx.json"
        ) from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"])) or "it"
        raise ModelError(f"{path} is not what Piper reads: {where}: {problem['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no JSON: fetch the voice again") from error
    speakers = tuple(sorted(config.speaker_id_map, key=lambda name: config.speaker_id_map[name]))
    voice = Voice(model.stem, _codes(config, model.stem), config.audio.sample_rate, speakers)
    return VoiceFiles(model, content, voice, config.speaker_id_map, config.highest_id, digest)


def _digest(*paths: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _model_in(place: Path) -> Path:
    if not place.is_dir():
        return place
    models = sorted(place.glob("*.onnx"))
    if len(models) != 1:
        found = ", ".join(path.name for path in models) or "none"
        raise ModelError(f"{place} must have one .onnx, and has {found}: name the file itself where it has several")
    return models[0]


def _codes(config: _VoiceConfig, name: str) -> tuple[str, ...]:
    """`fr_FR` as `fr-FR` and `fr`. Old voices tell their language by their name alone, `fr_FR-siwis-medium`."""
    code = (config.language.code or name.partition("-")[0]).replace("_", "-")
    return tuple(dict.fromkeys((code, primary_language(code))))
