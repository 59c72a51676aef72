"""What the model is taught to hear: clips whole and cut, alone and in a row, with pauses and noise; and silence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.closed_whisper.clips import Clip
from scripts.closed_whisper.sentences import closed_set, homophones
from scripts.closed_whisper.sound import FLOOR, MELS

MOST_FRAMES = 1250
_SILENT, _WHOLE, _MIXTURE, _CUT = 0.12, 0.24, 0.2, 0.26  # of all scenes; the others are of two or three clips
_FRENCH = 0.7
_NARROW, _NARROW_MELS = 0.12, (57, 64)  # as over a telephone: nothing above some 4 kHz
# How much of a word next to a cut may be heard untold, or be missing and told. What lies between is not taught.
_HEARD_UNTOLD, _MISSING_TOLD = 0.25, 0.1
_MEL_OF_1_KHZ = 15.0
_MELS_STEP = 45.245640471924965 / (MELS + 1)  # the distance of Whisper's mel bands, in mels
_LOG_STEP = np.log(6.4) / 27  # of the Slaney scale above 1 kHz

Mel = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Piece:
    """Speech from one clip. `spans` are the frames of each word; `english` is what it means, where that is known."""

    mel: Mel
    sounds: NDArray[np.uint8]
    words: tuple[str, ...]
    spans: NDArray[np.float32]
    english: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """What one window holds. `begins` are the frames where the pieces begin."""

    mel: Mel
    sounds: NDArray[np.uint8]
    language: str
    pieces: tuple[Piece, ...] = ()
    begins: tuple[int, ...] = ()


class Director:
    """Makes scenes of clips and noises."""

    def __init__(self, clips: Sequence[Clip], noise: Mel, random: np.random.Generator) -> None:
        self._random, self._noise, self._homophones = random, noise, homophones()
        self._english = {sentence.text: sentence.english for sentence in closed_set()}
        self._clips = {
            (language, whole): [clip for clip in clips if (clip.language, clip.whole) == (language, whole)]
            for language in ("fr", "en")
            for whole in (True, False)
        }

    def scene(self) -> Scene:
        """The next one, without noise."""
        random = self._random
        language = "fr" if random.random() < _FRENCH else "en"
        kind = random.random()
        if kind < _SILENT:
            frames = int(random.integers(30, 900))
            return Scene(np.full((MELS, frames), FLOOR, np.float32), np.zeros(frames, np.uint8), language)
        if kind < _SILENT + _WHOLE:
            return self._joined([self._piece(language, whole=True)], language)
        if kind < _SILENT + _WHOLE + _MIXTURE:
            return self._joined([self._piece(language, whole=False)], language)
        if kind < _SILENT + _WHOLE + _MIXTURE + _CUT:
            return self._joined([self._cut(self._piece(language, whole=random.random() < 0.75))], language)
        pieces = [self._piece(language, whole=random.random() < 0.9) for _ in range(random.integers(2, 4))]
        if random.random() < 0.2:
            pieces[-1] = self._cut(pieces[-1])
        return self._joined(pieces, language)

    def with_noise(self, scene: Scene) -> Mel:
        """The scene as features, scaled as Whisper has them."""
        random, frames = self._random, scene.mel.shape[1]
        power = 10.0**scene.mel
        if random.random() < (0.65 if scene.pieces else 0.9):
            begin = random.integers(0, self._noise.shape[1] - frames)
            noise = self._noise[:, begin : begin + frames] * 10 ** (self._tilt(0.25))
            if scene.pieces:
                speech = float(power.sum()) / sum(piece.mel.shape[1] for piece in scene.pieces)
                level = speech * 10 ** (-random.uniform(0, 40) / 10)
            else:
                level = 10 ** random.uniform(-5, 1.5)
            power = power + noise * (level / max(1e-9, float(noise.sum(0).mean())))
        mel = np.log10(np.maximum(power, 10**FLOOR))
        features = (np.maximum(mel, mel.max() - 8) + 4) / 4
        return self._with_holes(features.astype(np.float32)) if random.random() < 0.5 else features.astype(np.float32)

    def _with_holes(self, features: Mel) -> Mel:
        """Some bands and moments unheard, so that the model leans on no single one."""
        random = self._random
        for _ in range(2):
            band, wide = random.integers(0, MELS - 10), random.integers(1, 11)
            features[band : band + wide] = features.mean()
            moment, long = random.integers(0, features.shape[1]), random.integers(1, 8)
            features[:, moment : moment + long] = features.mean()
        return features

    def _piece(self, language: str, *, whole: bool) -> Piece:
        """A clip, said a little slower or faster, by a larger or smaller person, through another microphone."""
        random = self._random
        clips = self._clips[language, whole]
        clip = clips[random.integers(len(clips))]
        speed, size = random.uniform(0.9, 1.12), random.uniform(0.9, 1.12)
        places = np.arange(0, clip.mel.shape[1] - 1, speed)
        left = places.astype(int)
        share = (places - left).astype(np.float32)
        clip_mel = clip.mel.astype(np.float32)
        mel = clip_mel[:, left] * (1 - share) + clip_mel[:, left + 1] * share
        mel = _warped(mel, size) + self._tilt(0.25) + random.uniform(-2.2, 0.4)
        if random.random() < _NARROW:
            mel[random.integers(*_NARROW_MELS) :] = FLOOR
        english = self._english[clip.text] if whole else ""
        spans = (clip.spans / speed).astype(np.float32)
        return Piece(np.maximum(mel, FLOOR), clip.sounds[left], tuple(clip.text.split()), spans, english)

    def _tilt(self, depth: float) -> Mel:
        """A smooth change of the spectrum, in powers of ten."""
        bands = np.arange(MELS)[:, None] * np.arange(1, 6) * (np.pi / MELS)
        phases, depths = self._random.uniform(0, 2 * np.pi, 5), self._random.normal(0, depth, 5)
        return (np.cos(bands + phases) @ depths)[:, None].astype(np.float32)

    def _cut(self, piece: Piece) -> Piece:
        """Some of its words, cut out near where they begin and end."""
        count = len(piece.words)
        if count < 2:
            return piece
        random = self._random
        for _ in range(20):
            way = random.random()
            first = 0 if way < 0.45 else int(random.integers(0, count))
            last = count if 0.45 <= way < 0.8 else int(random.integers(first + 1, count + 1))
            words = piece.words[first:last]
            if last - first < count and (len(words) > 1 or words[0] not in self._homophones):
                return self._cut_out(piece, first, last)
        return piece

    def _cut_out(self, piece: Piece, first: int, last: int) -> Piece:
        begins, ends = piece.spans[:, 0], piece.spans[:, 1]
        lengths = ends - begins
        begin, end = 0, piece.mel.shape[1]
        if first > 0:
            untold, told = _HEARD_UNTOLD * lengths[first - 1], _MISSING_TOLD * lengths[first]
            begin = int(self._random.uniform(ends[first - 1] - untold, begins[first] + told))
        if last < len(piece.words):
            untold, told = _HEARD_UNTOLD * lengths[last], _MISSING_TOLD * lengths[last - 1]
            end = max(begin + 2, int(self._random.uniform(ends[last - 1] - told, begins[last] + untold)))
        spans = np.clip(piece.spans[first:last] - begin, 0, end - begin)
        return Piece(piece.mel[:, begin:end], piece.sounds[begin:end], piece.words[first:last], spans)

    def _pause(self, shortest: int, longest: int, none: float = 0.0) -> int:
        return 0 if self._random.random() < none else int(self._random.uniform(shortest, longest))

    def _joined(self, pieces: Sequence[Piece], language: str) -> Scene:
        """The pieces with pauses, as many as the longest window takes."""
        is_cut = len(pieces) == 1 and not pieces[0].english
        frames = self._pause(0, 150, none=0.45 if is_cut else 0.25)
        parts: list[Piece] = []
        begins: list[int] = []
        for index, piece in enumerate(pieces):
            frames += self._pause(15, 120) if index else 0
            if parts and frames + piece.mel.shape[1] > MOST_FRAMES:
                break
            begins.append(frames)
            parts.append(piece)
            frames += piece.mel.shape[1]
        frames += self._pause(0, 150, none=0.45 if is_cut else 0.25)
        mel, sounds = np.full((MELS, frames), FLOOR, np.float32), np.zeros(frames, np.uint8)
        for begin, piece in zip(begins, parts, strict=True):
            mel[:, begin : begin + piece.mel.shape[1]] = piece.mel
            sounds[begin : begin + piece.mel.shape[1]] = piece.sounds
        placed = [replace(piece, spans=piece.spans + begin) for begin, piece in zip(begins, parts, strict=True)]
        return Scene(mel, sounds, language, tuple(placed), tuple(begins))


def _warped(mel: Mel, size: float) -> Mel:
    """The spectrum of a speaker `size` times as large."""
    mels = (np.arange(MELS) + 1.0) * _MELS_STEP
    wanted = _mels_of(_hz_of(mels) * size) / _MELS_STEP - 1
    places = np.clip(wanted, 0, MELS - 1.001)
    low = places.astype(int)
    share: Mel = (places - low)[:, None].astype(np.float32)
    warped: Mel = mel[low] * (1 - share) + mel[low + 1] * share
    return warped


def _hz_of(mels: Floats) -> Floats:
    return np.where(mels < _MEL_OF_1_KHZ, mels * 200 / 3, 1000 * np.exp((mels - _MEL_OF_1_KHZ) * _LOG_STEP))


def _mels_of(hz: Floats) -> Floats:
    return np.where(hz < 1000, hz * 3 / 200, _MEL_OF_1_KHZ + np.log(np.maximum(hz, 1) / 1000) / _LOG_STEP)
