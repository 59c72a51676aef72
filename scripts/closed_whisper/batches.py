"""Scenes and their lessons as tensors, without end."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scripts.closed_whisper.clips import load
from scripts.closed_whisper.lessons import UNTAUGHT, Lesson, Teacher, closed_merges
from scripts.closed_whisper.scenes import Director, Scene
from scripts.closed_whisper.sound import MELS

_BATCH, _BATCHES_SORTED = 32, 16  # scenes are sorted by length, so that those of a batch are alike


@dataclass(frozen=True, eq=False)
class Batch:
    """Scenes and lessons as tensors."""

    features: Tensor
    sounds: Tensor  # for each frame of the encoder; -100 past the end
    window: Tensor
    tokens: Tensor
    answers: Tensor
    spans: Tensor  # [clip, position, begin and end] in encoder frames; -1 where there is none


class School:
    """Makes batches without end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        clips, noise, self.sounds = load(folder)
        self._director = Director(clips, noise, self._random)
        self.merges = closed_merges()
        self._teacher = Teacher(self.merges, self._random)
        self.taught = self._teacher.taught_tokens()
        self._place = {token: place for place, token in enumerate(self.taught)}
        self._waiting: list[list[Scene]] = []

    def batch(self) -> Batch:
        """The next one."""
        if not self._waiting:
            scenes = sorted(
                (self._director.scene() for _ in range(_BATCH * _BATCHES_SORTED)), key=lambda scene: scene.mel.shape[1]
            )
            self._waiting = [scenes[begin : begin + _BATCH] for begin in range(0, len(scenes), _BATCH)]
            self._random.shuffle(self._waiting)
        scenes = self._waiting.pop()
        return self._tensors(scenes, [self._teacher.lesson(scene) for scene in scenes])

    def _tensors(self, scenes: list[Scene], lessons: list[Lesson]) -> Batch:
        frames = (max(scene.mel.shape[1] for scene in scenes) + 9) // 2 * 2
        positions = max(len(lesson.tokens) for lesson in lessons)
        features = np.zeros((len(scenes), MELS, frames), np.float32)
        sounds = np.full((len(scenes), frames // 2), UNTAUGHT)
        tokens, answers = (np.full((len(scenes), positions), fill) for fill in (0, UNTAUGHT))
        spans = np.full((len(scenes), positions, 2), -1.0, np.float32)
        for row, (scene, lesson) in enumerate(zip(scenes, lessons, strict=True)):
            length = scene.mel.shape[1]
            features[row, :, :length] = self._director.with_noise(scene)
            sounds[row, : (length + 1) // 2] = scene.sounds[::2]
            tokens[row, : len(lesson.tokens)] = [self._place[token] for token in lesson.tokens]
            answers[row, : len(lesson.answers)] = [self._place.get(answer, UNTAUGHT) for answer in lesson.answers]
            for position, span in enumerate(lesson.spans):
                if span is not None:
                    spans[row, position] = span[0] / 2, span[1] / 2
        window = np.array([self._window(scene.mel.shape[1]) // 2 for scene in scenes])
        return Batch(*map(torch.from_numpy, (features, sounds, window, tokens, answers, spans)))

    def _window(self, frames: int) -> int:
        """Fitted to the sound, or up to the whole 30 s."""
        random = self._random.random()
        if random < 0.25:
            return 3000
        if random < 0.4:
            return int(self._random.integers(frames + 1, 3000))
        return frames + int(self._random.integers(1, 110))
