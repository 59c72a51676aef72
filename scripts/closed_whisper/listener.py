"""A made model asked by CTranslate2 itself, for its figures and its tests."""

from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from tokenizers import Tokenizer as TokenizerFile

from scripts.closed_whisper.sound import FRAMES_PER_S, RATE_HZ, Wave

FULL_FRAMES = 3000
_MARGIN_FRAMES = 50
# In such steps the encoder never answers with as many frames as there are mel bands, which CTranslate2 would take for
# features and encode again: 160 frames make 80 of the encoder's.
_WINDOW_STEP = 50


@dataclass(frozen=True)
class Heard:
    """What a model makes of a sound. `no_speech` is how likely it finds that nobody speaks."""

    text: str
    language: str
    no_speech: float


class Listener:
    """A model on two cores, asked greedily."""

    def __init__(self, folder: Path) -> None:
        self._model = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=2)
        self._file = TokenizerFile.from_file(str(folder / "tokenizer.json"))
        self._features = FeatureExtractor(feature_size=self._model.n_mels)

    def hear(
        self, wave: Wave, language: str = "fr", *, task: str = "transcribe", frames: int = 0, times: bool = False
    ) -> Heard:
        """On a window fitted to the sound, or on one of so many frames; with timestamps or without."""
        tokenizer = Tokenizer(self._file, True, task=task, language=language)
        encoded = self._encoded(wave, frames)
        prompt = [*tokenizer.sot_sequence, *([] if times else [tokenizer.no_timestamps])]
        [result] = self._model.generate(encoded, [prompt], beam_size=1, return_no_speech_prob=True)
        [[(found, _), *_]] = self._model.detect_language(encoded)
        return Heard(tokenizer.decode(result.sequences_ids[0]).strip(), found[2:-2], result.no_speech_prob)

    def word_begins_s(self, wave: Wave, text: str, language: str) -> list[float]:
        """When each word of the text begins, which is known to be what is said."""
        tokenizer = Tokenizer(self._file, True, task="transcribe", language=language)
        words = [tokenizer.encode(f" {word}") for word in text.split()]
        tokens = [token for word in words for token in word]
        frames = len(wave) * FRAMES_PER_S // RATE_HZ
        [aligned] = self._model.align(self._encoded(wave, 0), tokenizer.sot_sequence, [tokens], frames)
        first_frame: dict[int, int] = {}
        for token, frame in aligned.alignments:
            first_frame.setdefault(token, frame)
        firsts = np.cumsum([0, *(len(word) for word in words[:-1])])
        return [first_frame[int(first)] * 2 / FRAMES_PER_S for first in firsts]

    def _encoded(self, wave: Wave, frames: int) -> ctranslate2.StorageView:
        features = self._features(wave)
        fitted = -(-(features.shape[1] + _MARGIN_FRAMES) // _WINDOW_STEP) * _WINDOW_STEP
        window = np.zeros((1, features.shape[0], frames or fitted), np.float32)
        window[0, :, : features.shape[1]] = features
        return self._model.encode(ctranslate2.StorageView.from_array(window))
