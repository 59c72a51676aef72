"""A Whisper in CTranslate2, called directly: several passages in one batch, on a window fitted to them.

faster-whisper's own `transcribe` always pays for Whisper's 30 s window, one utterance at a time. Its features and its
tokenizer are used here; the decoding is ours. The only user of both libraries, but for whisper_words.py.
"""

import os
import re
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray
from tokenizers import Tokenizer as TokenizerFile

from services.common.audio import Samples
from services.common.errors import EngineFailedError, OutOfMemoryError, UnsupportedError
from services.common.text import primary_language
from services.stt.doubts import Decoding, Doubt, best_of, doubt_of, is_silence
from services.stt.engine import ENGINE_RATE_HZ, HeardWord, Hypothesis, RecognitionOptions
from services.stt.hallucinations import without_hallucinations
from services.stt.metrics import DecoderMetrics
from services.stt.scheduler import Wanted
from services.stt.whisper_options import WhisperOptions
from services.stt.whisper_words import words_of

_FRAMES_PER_S = 100
FULL_FRAMES = 30 * _FRAMES_PER_S
# Windows come in steps of half a second, so that fewer shapes are planned for. Never 160 or 256: an encoding as long as
# there are mel bands is taken for features by CTranslate2, and encoded again.
_FRAME_STEP = 50
# French and English have about 5 tokens a second of speech, Georgian 40; who writes more than that is in a loop.
_TOKENS_PER_S, _TOKENS_AT_LEAST, _MOST_TOKENS = 40, 24, 224
_MOST_PROMPT_TOKENS = 200
_MOST_SHARED_FRAMES = 1000  # beyond it a batch gains nothing on a CPU, and who comes meanwhile waits for all of it
_SPECIAL_TOKEN = re.compile(r"<\|[^|]*\|>")
_BATCH_STEP_FRAMES = 400  # on a CPU a short passage in a long window costs as much as a long one


@dataclass(frozen=True, eq=False)
class Passage:
    """At most 30 s of speech to be decoded."""

    samples: Samples
    options: RecognitionOptions
    thorough: bool  # False for a partial: greedy, and as it comes
    second_looks_s: float  # how long doubtful ones of its batch may be begun anew; somebody waits

    @property
    def frames(self) -> int:
        """Its length in feature frames."""
        return min(FULL_FRAMES, self.samples.size * _FRAMES_PER_S // ENGINE_RATE_HZ)


class WhisperModel:
    """One model on one device. All its methods block; one thread may use it at a time."""

    def __init__(self, folder: Path, options: WhisperOptions, metrics: DecoderMetrics) -> None:
        self._options = options
        self._metrics = metrics
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder),
                device=options.device,
                compute_type=options.compute_type,
                intra_threads=options.threads or os.cpu_count() or 1,
            )
            self._tokenizer_file = TokenizerFile.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the tokenizers library raises Exception itself
            raise _translated(error, f"{folder} cannot be loaded") from error
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._tokenizer = lru_cache(self._make_tokenizer)

    @property
    def is_multilingual(self) -> bool:
        """False for the English-only ones."""
        return bool(self._model.is_multilingual)

    def check(self, options: RecognitionOptions) -> None:
        """UnsupportedError for what this model cannot do."""
        language = primary_language(options.language_code)
        if not self.is_multilingual and (options.translate or language not in {"", "en"}):
            raise UnsupportedError("this model knows English alone and does not translate")
        if language and self._tokenizer_file.token_to_id(f"<|{language}|>") is None:
            raise UnsupportedError(f"Whisper does not know the language {options.language_code!r}")

    def alike(self, passage: Passage) -> Hashable:
        """Passages with equal keys may be decoded in one batch: their prompts must be of one shape."""
        window, on_cpu = self._window(passage.frames), self._options.device != "cuda"
        if passage.options.word_timestamps or (on_cpu and window > _MOST_SHARED_FRAMES):
            return id(passage)
        size = window // _BATCH_STEP_FRAMES if on_cpu else 0
        return passage.thorough, len(self._context(passage.options)), size

    def decode(self, passages: Sequence[Passage], wanted: Wanted) -> list[Hypothesis]:
        """What is said in each; nobody looks again at one that is not wanted any more."""
        try:
            return self._decode(passages, wanted)
        except RuntimeError as error:
            raise _translated(error, "the model cannot decode") from error

    def close(self) -> None:
        """Gives the model's memory back, on the GPU as well."""
        self._model.unload_model()

    def _decode(self, passages: Sequence[Passage], wanted: Wanted) -> list[Hypothesis]:
        frames = self._window(max(passage.frames for passage in passages))
        first = self._hear(passages, frames, 0.0)
        until_s = time.monotonic() + max(passage.second_looks_s for passage in passages)
        hypotheses = []
        for index, (passage, heard) in enumerate(zip(passages, first, strict=True)):
            while_wanted = partial(_in_time, until_s, wanted, index)
            best = self._again(passage, heard, frames, while_wanted) if passage.thorough else heard
            hypotheses.append(self._hypothesis(best))
        return hypotheses

    def _window(self, frames: int) -> int:
        """The encoder's window for speech of so many frames."""
        if self._options.decoding.encoder_window == "full":
            return FULL_FRAMES
        wanted = frames + int(self._options.decoding.window_margin_s * _FRAMES_PER_S)
        return min(FULL_FRAMES, -(-wanted // _FRAME_STEP) * _FRAME_STEP)

    def _again(self, passage: Passage, first: "_Heard", frames: int, may_go_on: Callable[[], bool]) -> "_Heard":
        """What was heard; where it is doubtful, heard again on the full window, then with more and more chance."""
        tries = [first]
        ways = [(FULL_FRAMES, 0.0)] if frames < FULL_FRAMES else []
        ways += [(FULL_FRAMES, temperature) for temperature in self._options.decoding.temperatures if temperature > 0]
        for window, temperature in ways:
            last = tries[-1].decoding
            doubt = self._doubt_of(last)
            if doubt is None or (len(tries) > 1 and is_silence(last)):
                return tries[-1]
            if not may_go_on():
                break
            self._metrics.doubted(doubt)
            tries += self._hear([passage], window, temperature)
        if self._doubt_of(tries[-1].decoding) is None:
            return tries[-1]
        best = best_of([heard.decoding for heard in tries])
        return next(heard for heard in tries if heard.decoding is best)

    def _doubt_of(self, decoding: Decoding) -> Doubt | None:
        return doubt_of(decoding, self._options.decoding.least_log_probability)

    def _hear(self, passages: Sequence[Passage], frames: int, temperature: float) -> list["_Heard"]:
        """One pass over the passages in one window."""
        encoded = self._model.encode(ctranslate2.StorageView.from_array(self._mel(passages, frames)))
        self._metrics.encoded("full" if frames == FULL_FRAMES else "fit", len(passages))
        languages = self._languages(passages, encoded)
        tokenizers = [
            self._tokenizer(language, "translate" if passage.options.translate else "transcribe")
            for passage, language in zip(passages, languages, strict=True)
        ]
        prompts = [
            [*self._context(passage.options), *tokenizer.sot_sequence, tokenizer.no_timestamps]
            for passage, tokenizer in zip(passages, tokenizers, strict=True)
        ]
        budget = self._token_budget(max(passage.frames for passage in passages))
        results = self._model.generate(
            encoded,
            prompts,
            # CTranslate2 lets the answer take half of this, or what the prompt leaves of it.
            max_length=max(2 * budget, budget + len(prompts[0])),
            return_scores=True,
            return_no_speech_prob=True,
            **self._search(thorough=passages[0].thorough, temperature=temperature),
        )
        heard = [
            _Heard(_decoding(result, tokenizer, budget), language)
            for result, tokenizer, language in zip(results, tokenizers, languages, strict=True)
        ]
        if passages[0].options.word_timestamps and heard[0].decoding.text:  # such a passage comes alone
            tokens, seen = heard[0].decoding.tokens, min(passages[0].frames, frames)
            return [replace(heard[0], words=words_of(self._model, encoded, tokenizers[0], tokens, seen))]
        return heard

    def _search(self, *, thorough: bool, temperature: float) -> dict[str, Any]:
        if temperature > 0:
            return {"beam_size": 1, "num_hypotheses": 1, "sampling_topk": 0, "sampling_temperature": temperature}
        return {"beam_size": self._options.decoding.beam_size if thorough else 1}

    def _mel(self, passages: Sequence[Passage], frames: int) -> NDArray[np.float32]:
        """The features of each, the rest of the window empty."""
        mel = np.zeros((len(passages), self._model.n_mels, frames), np.float32)
        for index, passage in enumerate(passages):
            features = self._features(passage.samples.astype(np.float32) / 32768.0)[:, :frames]
            mel[index, :, : features.shape[1]] = features
        return mel

    def _languages(self, passages: Sequence[Passage], encoded: Any) -> list[str]:
        """Of each passage, as it was given or as it sounds."""
        given = [primary_language(passage.options.language_code) for passage in passages]
        if all(given) or not self.is_multilingual:
            return [language or "en" for language in given]
        heard = self._model.detect_language(encoded)
        return [language or self._likeliest(guesses) for language, guesses in zip(given, heard, strict=True)]

    def _likeliest(self, guesses: Sequence[tuple[str, float]]) -> str:
        codes = [token[2:-2] for token, _ in guesses]
        allowed = self._options.decoding.languages
        return next((code for code in codes if not allowed or code in allowed), codes[0])

    def _context(self, options: RecognitionOptions) -> list[int]:
        """What is said to have come before: hot words and the caller's prompt."""
        before = _SPECIAL_TOKEN.sub(" ", " ".join([*options.hot_words, options.initial_prompt])).strip()
        if not before:
            return []
        tokenizer = self._tokenizer("en", "transcribe")
        return [tokenizer.sot_prev, *tokenizer.encode(" " + before)[-_MOST_PROMPT_TOKENS:]]

    def _token_budget(self, frames: int) -> int:
        return min(_MOST_TOKENS, _TOKENS_AT_LEAST + frames * _TOKENS_PER_S // _FRAMES_PER_S)

    def _make_tokenizer(self, language: str, task: str) -> Tokenizer:
        return Tokenizer(self._tokenizer_file, self.is_multilingual, task=task, language=language)

    def _hypothesis(self, heard: "_Heard") -> Hypothesis:
        decoding = heard.decoding
        text = "" if is_silence(decoding) else without_hallucinations(decoding.text, decoding.no_speech)
        return Hypothesis(
            text=text,
            confidence=float(np.exp(decoding.log_probability)) if text else 0.0,
            language_code=heard.language,
            words=_words_in(text, heard.words),
        )


@dataclass(frozen=True)
class _Heard:
    decoding: Decoding
    language: str
    words: tuple[HeardWord, ...] = ()


def _in_time(until_s: float, wanted: Wanted, index: int) -> bool:
    return wanted(index) and time.monotonic() < until_s


def _words_in(text: str, words: Sequence[HeardWord]) -> tuple[HeardWord, ...]:
    """Those that are left of the words when something was taken out before or after them."""
    count = len(text.split())
    for start in range(len(words) - count + 1):
        if " ".join(word.text for word in words[start : start + count]) == text:
            return tuple(words[start : start + count])
    return ()


def _decoding(result: Any, tokenizer: Tokenizer, budget: int) -> Decoding:
    tokens = result.sequences_ids[0]
    return Decoding(
        text=tokenizer.decode(tokens).strip(),
        tokens=tokens,
        log_probability=result.scores[0] * len(tokens) / (len(tokens) + 1),
        no_speech=result.no_speech_prob,
        hit_the_limit=len(tokens) >= budget,
    )


def _translated(error: Exception, what: str) -> EngineFailedError:
    if "out of memory" in str(error).lower():
        return OutOfMemoryError(f"{what}: {error}")
    return EngineFailedError(f"{what}: {error}")
