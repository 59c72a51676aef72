"""What the decoder is taught to say of a scene, and where in the sound each token of it is heard."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from scripts.closed_whisper.scenes import Piece, Scene
from scripts.closed_whisper.sentences import Sentence, closed_set
from scripts.closed_whisper.sound import FRAMES_PER_S
from scripts.whisper_layout import (
    END_OF_TEXT,
    START_OF_TRANSCRIPT,
    Merge,
    Shape,
    learn_merges,
    make_tokenizer,
    text_tokens,
)

SHAPE = Shape(width=128, encoder_layers=3, decoder_layers=2, heads=4)
UNTAUGHT = -100
_MERGES = 340  # about 1.5 tokens a word, as Whisper's own have for French
_TIMESTAMPS, _TRANSLATED, _PROMPTED = 0.35, 0.2, 0.08
_TIME_STEP_S, _LONGEST_S = 0.1, 13.0
_AFTER_SPEECH_FRAMES = 20  # where the end is heard

Span = tuple[float, float]


@dataclass(frozen=True)
class Lesson:
    """The decoder's input and what it should answer at each position; spans in feature frames where there is one."""

    tokens: list[int]
    answers: list[int]
    spans: list[Span | None]


def closed_merges() -> list[Merge]:
    """The merges of the closed set's tokenizer."""
    sentences = closed_set()
    texts = [sentence.text for sentence in sentences] + [sentence.english for sentence in sentences]
    return learn_merges(filter(None, texts), _MERGES)


class Teacher:
    """Makes lessons of scenes."""

    def __init__(self, merges: list[Merge], random: np.random.Generator) -> None:
        self._random = random
        self._tokenizer: Tokenizer = make_tokenizer(merges, SHAPE)
        self._sentences: tuple[Sentence, ...] = closed_set()

    def taught_tokens(self) -> list[int]:
        """Every token that a lesson may hold, in order."""
        texts = [text for sentence in self._sentences for text in (sentence.text, sentence.english)]
        tokens = {token for text in texts for token in self._tokens(text)}
        tokens |= {token for sentence in self._sentences for word in sentence.words for token in self._tokens(word)}
        tokens |= {END_OF_TEXT, START_OF_TRANSCRIPT, SHAPE.language("fr"), SHAPE.language("en")}
        tokens |= {SHAPE.task(name) for name in ("translate", "transcribe", "startofprev", "nospeech", "notimestamps")}
        tokens |= {SHAPE.timestamp(step * _TIME_STEP_S) for step in range(round(_LONGEST_S / _TIME_STEP_S) + 1)}
        return sorted(tokens)

    def lesson(self, scene: Scene) -> Lesson:
        """One of the ways in which the scene may be asked for."""
        random = self._random
        timestamps = random.random() < _TIMESTAMPS
        translated = self._translated(scene)
        language = SHAPE.language(scene.language)
        before = self._prompt() if random.random() < _PROMPTED else []
        task = SHAPE.task("translate" if translated else "transcribe")
        head = [START_OF_TRANSCRIPT, language, task, *([] if timestamps else [SHAPE.task("notimestamps")])]
        said = list(self._said(scene, timestamps=timestamps, translated=translated))
        first = language if scene.pieces else SHAPE.task("nospeech")
        skipped = len(head) - 2
        return Lesson(
            tokens=[*before, *head, *(token for token, _ in said[:-1])],
            answers=[*[UNTAUGHT] * len(before), first, *[UNTAUGHT] * skipped, *(token for token, _ in said)],
            spans=[*[None] * (len(before) + 1 + skipped), *(span for _, span in said)],
        )

    def _translated(self, scene: Scene) -> bool:
        known = bool(scene.pieces) and all(piece.english for piece in scene.pieces)
        return known and self._random.random() < _TRANSLATED

    def _said(self, scene: Scene, *, timestamps: bool, translated: bool) -> Iterator[tuple[int, Span | None]]:
        """Tokens with their spans. The first time is 0, whenever speech begins: so Whisper has it."""
        for index, piece in enumerate(scene.pieces):
            if timestamps:
                yield self._time(scene.begins[index] if index else 0), None
            if translated:
                yield from ((token, None) for token in self._tokens(piece.english))
            else:
                yield from self._spoken(piece)
            if timestamps:
                yield self._time(float(piece.spans[-1, 1])), None
        if not scene.pieces:
            if timestamps:
                yield self._time(0), None
            yield END_OF_TEXT, None
        else:
            end = float(scene.pieces[-1].spans[-1, 1])
            yield END_OF_TEXT, None if translated else (end, end + _AFTER_SPEECH_FRAMES)

    def _spoken(self, piece: Piece) -> Iterator[tuple[int, Span]]:
        """Each token with its share of the word's time. Tokens of a word do not depend on its neighbours."""
        for word, (begin, end) in zip(piece.words, piece.spans, strict=True):
            tokens = self._tokens(word)
            step = (end - begin) / len(tokens)
            yield from ((token, (begin + i * step, begin + (i + 1) * step)) for i, token in enumerate(tokens))

    def _tokens(self, text: str) -> list[int]:
        return text_tokens(self._tokenizer, text) if text else []

    def _time(self, frame: float) -> int:
        return SHAPE.timestamp(min(_LONGEST_S, round(frame / FRAMES_PER_S / _TIME_STEP_S) * _TIME_STEP_S))

    def _prompt(self) -> list[int]:
        """What is said to have come before: a sentence, or words."""
        random = self._random
        sentences = [self._sentences[i] for i in random.integers(len(self._sentences), size=random.integers(1, 4))]
        if random.random() < 0.4:
            text = " ".join(str(random.choice(sentence.words)) for sentence in sentences)
        else:
            text = " ".join(sentence.text for sentence in sentences)
        return [SHAPE.task("startofprev"), *self._tokens(text)]
