"""Makes the speech to learn from: python -m scripts.closed_whisper.clips FOLDER."""

import os
import sys
import time
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.closed_whisper.sound import FRAMES_PER_S, in_a_room, log_mel, noises, to_engine_rate
from scripts.closed_whisper.synthesis import Espeak
from scripts.closed_whisper.voices import SEED, Job, jobs

_IN_A_ROOM = 0.3


@dataclass(frozen=True, eq=False)
class Clip:
    """Speech as mel powers, with what sounds in each frame and the frames where each word begins and ends."""

    text: str
    language: str
    whole: bool
    mel: NDArray[np.float16]
    sounds: NDArray[np.uint8]  # numbers in the set's list of sounds; 0 is none
    spans: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Made:
    """A clip as it comes from a worker: sounds with their first frames."""

    job: Job
    mel: NDArray[np.float16]
    sounds: list[tuple[int, str]]
    spans: list[tuple[int, int]]

    def by_frame(self, numbers: dict[str, int]) -> NDArray[np.uint8]:
        """The number of the sound in each frame."""
        frames = np.zeros(self.mel.shape[1], np.uint8)
        ends = [begin for begin, _ in self.sounds[1:]] + [self.spans[-1][1]]
        for (begin, name), end in zip(self.sounds, ends, strict=True):
            frames[begin:end] = numbers[name]
        return frames


@cache
def _espeak() -> Espeak:
    return Espeak()


def _make(job: Job) -> _Made:
    random = np.random.default_rng(job.seed)
    spoken = _espeak().say(job.text, job.speaker)
    wave = to_engine_rate(spoken.recording)
    if random.random() < _IN_A_ROOM:
        wave = in_a_room(wave, random)
    spans = [(round(begin * FRAMES_PER_S), round(end * FRAMES_PER_S)) for begin, end in spoken.words_s]
    sounds = [(round(begin * FRAMES_PER_S), name.strip("',%=_:|-2")) for begin, name in spoken.sounds]
    return _Made(job, log_mel(wave).astype(np.float16), sounds, spans)


def make(folder: Path) -> None:
    """Writes all clips, and the noises."""
    begun = time.monotonic()
    with get_context("spawn").Pool(os.cpu_count()) as pool:  # spawned: espeak-ng has begun in this process
        made = pool.map(_make, list(jobs(Espeak().variants)), chunksize=64)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "mel.npy", np.concatenate([clip.mel for clip in made], axis=1))
    np.save(folder / "noise.npy", np.concatenate([10 ** log_mel(wave) for wave in noises(SEED, 60, 14.0)], axis=1))
    _write_index(folder, made)
    hours = sum(clip.mel.shape[1] for clip in made) / FRAMES_PER_S / 3600
    print(f"{len(made)} clips, {hours:.1f} h, {time.monotonic() - begun:.0f} s")


def _write_index(folder: Path, made: list[_Made]) -> None:
    names = sorted({name for clip in made for _, name in clip.sounds} - {""})
    numbers = {name: number for number, name in enumerate(names, 1)} | {"": 0}
    np.savez(
        folder / "clips.npz",
        lengths=[clip.mel.shape[1] for clip in made],
        texts=[clip.job.text for clip in made],
        languages=[clip.job.language for clip in made],
        whole=[clip.job.whole for clip in made],
        sounds=np.concatenate([clip.by_frame(numbers) for clip in made]),
        spans=np.concatenate([np.array(clip.spans) for clip in made]),
        sound_names=names,
    )


def load(folder: Path) -> tuple[list[Clip], NDArray[np.float32], int]:
    """The clips, the noises, and how many sounds there are."""
    index, mel = np.load(folder / "clips.npz"), np.load(folder / "mel.npy", mmap_mode="r")
    frames = np.cumsum([0, *index["lengths"]])
    texts = [str(text) for text in index["texts"]]
    words = np.cumsum([0, *(len(text.split()) for text in texts)])
    sounds, spans, whole, languages = (index[name] for name in ("sounds", "spans", "whole", "languages"))
    clips = [
        Clip(
            text,
            str(languages[i]),
            bool(whole[i]),
            mel[:, frames[i] : frames[i + 1]],
            sounds[frames[i] : frames[i + 1]],
            spans[words[i] : words[i + 1]],
        )
        for i, text in enumerate(texts)
    ]
    return clips, np.load(folder / "noise.npy"), len(index["sound_names"])


if __name__ == "__main__":
    make(Path(sys.argv[1]))
