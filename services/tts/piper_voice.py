"""One Piper voice, loaded. With piper_espeak.py the only user of the piper package."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from piper.config import PiperConfig, SynthesisConfig
from piper.voice import PiperVoice

from services.common.audio import Recording
from services.common.errors import CallError, EngineFailedError, ModelError, OutOfMemoryError, UnusableAnswerError
from services.tts.alignment import all_starts
from services.tts.engine import Speech, VoiceChoice, Word
from services.tts.piper_espeak import phonemizer_of
from services.tts.piper_files import VoiceFiles
from services.tts.piper_phonemes import Phonemizer, Sentence
from services.tts.piper_times import estimated_edges, exact_edges

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_USUAL_THREADS = 4  # of one sentence where no number is set: more of them wait for each other more than they work
_NOTHING_S = 0.05  # of silence, where words have no sound
_WARM_UP = tuple(Word(digit, 0, 1) for digit in "12345")  # every language says these somehow
_EVEN = VoiceChoice(noise_scale=0.0, noise_width=0.0)  # says the same twice in the same way
_FULL_SCALE = float(np.iinfo(np.int16).max)
_USUAL_PEAK, _LEAST_PEAK = 0.5, 0.01  # of full scale; louder sentences have as much again

_Audio = NDArray[np.float32]


@dataclass(frozen=True)
class PiperDevice:
    """Where voices run."""

    kind: Literal["cpu", "cuda"] = "cpu"
    threads: int = 0  # of one sentence on a CPU; 0: as many as help


class LoadedVoice:
    """Speaks; any number of threads may ask it at once. Its methods block."""

    def __init__(self, files: VoiceFiles, device: PiperDevice) -> None:
        """ModelError, and what to do, where it cannot speak."""
        self.voice = files.voice
        self.digest = files.digest
        self._speaker_ids = files.speaker_ids
        self._gain = 1.0
        try:
            config = PiperConfig.from_dict(files.config)
            self._piper = PiperVoice(session=_session(files, device), config=config)
            self._phonemes = Phonemizer(phonemizer_of(self._piper), config.phoneme_id_map)
            self._warm_up(files.highest_id)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's and Piper's own kinds have no common ancestor but this
            raise ModelError(f"{files.model} is no voice that can speak, fetch it again: {error}") from error

    def speak(self, words: Sequence[Word], choice: VoiceChoice, is_unwanted: Callable[[], bool]) -> Speech:
        """The spoken words, or their begin if meanwhile nobody wants them."""
        manner = self._manner(choice)
        known: dict[int, float] = {}
        parts: list[_Audio] = []
        done = end = 0
        for sentence in self._phonemes.sentences(words, manner.length_scale or 1.0):
            if is_unwanted():
                break
            audio, edges = self._say(sentence, manner)
            for word, edge in zip(sentence.words, edges, strict=False):
                known.setdefault(word, done + edge)
            end = done + edges[-1]
            done += audio.size
            parts.append(audio)
        known.setdefault(0, 0)
        return Speech(self._recording(parts, choice.volume), self.voice.name, all_starts(words, known, end))

    def _manner(self, choice: VoiceChoice) -> SynthesisConfig:
        return SynthesisConfig(
            speaker_id=self._speaker_ids[choice.speaker] if choice.speaker else None,
            length_scale=self._piper.config.length_scale / choice.speed,
            noise_scale=choice.noise_scale,
            noise_w_scale=choice.noise_width,
        )

    def _say(self, sentence: Sentence, manner: SynthesisConfig) -> tuple[_Audio, list[int]]:
        """Its audio, and the first sample of each phoneme; last, where the speech ends."""
        ids = self._piper.phonemes_to_ids(list(sentence.phonemes))
        audio, durations = self._infer(ids, manner)
        id_map = self._piper.config.phoneme_id_map
        counts = [len(id_map[phoneme]) for phoneme in sentence.phonemes]
        edges = exact_edges(counts, durations, audio.size) if durations is not None else None
        return audio, edges or estimated_edges(sentence.phonemes, audio)

    def _infer(self, ids: list[int], manner: SynthesisConfig) -> tuple[_Audio, NDArray[np.int64] | None]:
        try:
            audio, durations = self._piper.phoneme_ids_to_audio(ids, manner, include_alignments=True)
        except Exception as error:  # onnxruntime's own kinds have no common ancestor but this
            raise _translated(error, self.voice.name) from error
        audio = np.atleast_1d(audio)
        if not np.isfinite(audio).all():
            raise UnusableAnswerError(f"{self.voice.name} made sound that is no number of this request")
        return audio, durations

    def _recording(self, parts: Sequence[_Audio], volume: float) -> Recording:
        """The parts at one level. Piper itself would make each as loud as it can be, a murmur as loud as a cry."""
        rate_hz = self.voice.sample_rate_hz
        audio = np.concatenate(parts) if parts else np.zeros(int(rate_hz * _NOTHING_S), np.float32)
        scaled = np.clip(audio * (self._gain * volume), -1.0, 1.0)
        return Recording((scaled * _FULL_SCALE).astype(np.int16), rate_hz)

    def _warm_up(self, highest_id: int) -> None:
        """Says what shows whether it can speak, and how loud it is."""
        manner = self._manner(_EVEN)
        said = [self._say(sentence, manner)[0] for sentence in self._phonemes.sentences(_WARM_UP)]
        peak = max((float(np.abs(audio).max(initial=0)) for audio in said), default=0.0)
        if peak > 0:
            self._gain = _USUAL_PEAK / max(peak, _LEAST_PEAK)
        config = self._piper.config
        manner.speaker_id = config.num_speakers - 1
        self._infer([*config.phoneme_id_map["^"], highest_id, *config.phoneme_id_map["$"]], manner)


def _session(files: VoiceFiles, device: PiperDevice) -> onnxruntime.InferenceSession:
    if device.kind == "cuda" and _CUDA not in onnxruntime.get_available_providers():
        raise ModelError(
            "this onnxruntime has no CUDA: install onnxruntime-gpu in its place, or set tts.piper.device to cpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = device.threads or min(os.cpu_count() or 1, _USUAL_THREADS)
    options.inter_op_num_threads = 1
    if device.kind == "cpu":
        options.log_severity_level = 4  # what is wrong is raised as well; of CUDA it is only logged
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # recognisers and minds need the cores
    provider = _CUDA if device.kind == "cuda" else _CPU
    session = onnxruntime.InferenceSession(str(files.model), options, providers=[provider])
    if provider not in session.get_providers():  # it falls back to the CPU without an error
        raise ModelError("CUDA does not start, see the log above: mend it, or set tts.piper.device to cpu")
    return session


def _translated(error: Exception, name: str) -> CallError:
    text = str(error)
    if "allocate memory" in text or "bad_alloc" in text or "out of memory" in text:
        return OutOfMemoryError(f"{name} needs more memory than there is")
    return EngineFailedError(f"{name} cannot speak: {text}")
