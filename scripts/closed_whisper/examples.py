"""Speech in voices that the model was never taught, whole, cut, in a row and with noise, for its figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scripts.closed_whisper.sentences import Sentence, closed_set, homophones
from scripts.closed_whisper.sound import RATE_HZ, Wave, noises, to_engine_rate
from scripts.closed_whisper.synthesis import Espeak, Speaker
from scripts.closed_whisper.voices import held_out

_SEED, _VOICES = 7, 4
_USUAL = {"fr": Speaker("roa/fr"), "en": Speaker("gmw/en-US+f2")}


@dataclass(frozen=True, eq=False)
class Example:
    """Speech, and what should be heard in it."""

    wave: Wave
    text: str
    language: str
    word_begins_s: tuple[float, ...] = ()


class Examples:
    """The held-out speech in several ways."""

    def __init__(self) -> None:
        self._espeak, self._random = Espeak(), np.random.default_rng(_SEED)
        self._noise = np.concatenate(list(noises(_SEED, 12, 10.0)))

    def said(self, sentence: Sentence, speaker: Speaker | None = None) -> Example:
        """One sentence."""
        speaker = speaker or held_out(sentence.language, self._random)
        spoken = self._espeak.say(sentence.text, speaker)
        wave = to_engine_rate(spoken.recording)
        return Example(wave, sentence.text, sentence.language, tuple(begin for begin, _ in spoken.words_s))

    def wholes(self) -> list[Example]:
        """Every sentence in some voices never heard."""
        return [self.said(sentence) for sentence in closed_set() for _ in range(_VOICES)]

    def usual(self) -> list[Example]:
        """Every sentence as the project says it."""
        return [self.said(sentence, _USUAL[sentence.language]) for sentence in closed_set()]

    def with_noise(self, examples: Sequence[Example], noise: Wave | None = None) -> Iterator[Example]:
        """With a noise 10 dB below the speech."""
        noise = self._noise if noise is None else noise
        for example in examples:
            begin = self._random.integers(0, len(noise) - len(example.wave))
            part = noise[begin : begin + len(example.wave)]
            gain = np.sqrt(np.mean(example.wave**2) / np.mean(part**2)) * 10 ** (-10 / 20)
            yield Example((example.wave + gain * part).astype(np.float32), example.text, example.language)

    def cuts(self, examples: Sequence[Example], *, end: bool) -> Iterator[Example]:
        """Cut between two words: what is left is the begin, or the end."""
        for example in examples:
            words = example.text.split()
            if len(words) < 2:
                continue
            at = int(self._random.integers(1, len(words)))
            sample = int(example.word_begins_s[at] * RATE_HZ)
            left = words[at:] if end else words[:at]
            if len(left) > 1 or left[0] not in homophones():
                wave = example.wave[sample:] if end else example.wave[:sample]
                yield Example(wave, " ".join(left), example.language)

    def pairs(self, examples: Sequence[Example]) -> Iterator[Example]:
        """One after the other, with a pause."""
        for language in ("fr", "en"):
            some = [example for example in examples if example.language == language]
            order = self._random.permutation(len(some))
            for first, second in zip(order[::2], order[1::2], strict=False):
                pause = np.zeros(int(RATE_HZ * self._random.uniform(0.2, 1.0)), np.float32)
                wave = np.concatenate([some[first].wave, pause, some[second].wave])
                yield Example(wave, f"{some[first].text} {some[second].text}", language)

    def translations(self, examples: Sequence[Example]) -> list[Example]:
        """The French ones, with what they mean in English."""
        english = {sentence.text: sentence.english for sentence in closed_set()}
        return [Example(each.wave, english[each.text], "fr") for each in examples if each.language == "fr"]

    def silence(self) -> list[Example]:
        """Noises, loud and soft, and nothing at all."""
        loud = [wave[: int(RATE_HZ * 2.5)] for wave in noises(_SEED + 1, 60, 3.0)]
        soft = [np.float32(0.1) * wave for wave in loud]
        return [Example(wave, "", "fr") for wave in (*loud, *soft, np.zeros(RATE_HZ, np.float32))]
