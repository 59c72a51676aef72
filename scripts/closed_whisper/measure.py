"""Figures of a built model on voices that it was never taught.

python -m scripts.closed_whisper.measure FOLDER [NOISE.wav]
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from scripts.closed_whisper.examples import Example, Examples
from scripts.closed_whisper.listener import FULL_FRAMES, Listener
from scripts.closed_whisper.sound import Wave, to_engine_rate
from services.common.audio import read_wav


def measure(folder: Path, noise: Wave | None) -> None:
    """Prints the figures."""
    listener, examples = Listener(folder), Examples()
    wholes = examples.wholes()

    def hear(example: Example) -> str:
        return listener.hear(example.wave, example.language).text

    def translate(example: Example) -> str:
        return listener.hear(example.wave, example.language, task="translate").text

    _report("never heard voices", wholes, hear)
    _report("the project's own voices", examples.usual(), hear)
    _report("on 30 s", wholes[::4], lambda each: listener.hear(each.wave, each.language, frames=FULL_FRAMES).text)
    _report("with times", wholes[::4], lambda each: listener.hear(each.wave, each.language, times=True).text)
    _report("made noise at 10 dB", list(examples.with_noise(wholes)), hear)
    if noise is not None:
        _report("recorded noise at 10 dB", list(examples.with_noise(wholes, noise)), hear)
    _report("begins", list(examples.cuts(wholes, end=False)), hear)
    _report("ends", list(examples.cuts(wholes, end=True)), hear)
    _report("two in a row", list(examples.pairs(wholes)), hear)
    _report("translated", examples.translations(wholes), translate)
    _report_others(listener, wholes, examples.silence())


def _report(name: str, examples: Sequence[Example], hear: Callable[[Example], str]) -> None:
    """Prints how many are heard word for word, and some of the others."""
    heard = [(example.text, hear(example)) for example in examples]
    wrong = [f"{text!r} as {answer!r}" for text, answer in heard if text != answer]
    print(f"{name}: {100 - 100 * len(wrong) / len(heard):.1f} % of {len(heard)}; {'; '.join(wrong[:6])}", flush=True)


def _report_others(listener: Listener, wholes: Sequence[Example], silence: Sequence[Example]) -> None:
    """Languages, silence and word times."""
    right = [listener.hear(example.wave).language == example.language for example in wholes]
    print(f"language: {100 * np.mean(right):.1f} % of {len(right)}")
    heard = [listener.hear(example.wave) for example in silence]
    empty, doubts = [not each.text for each in heard], [each.no_speech for each in heard]
    print(
        f"silence and noise: {100 * np.mean(empty):.1f} % of {len(heard)} empty; no speech at least {min(doubts):.2f}"
    )
    errors = [
        abs(begins - said)
        for example in wholes
        for begins, said in zip(
            listener.word_begins_s(example.wave, example.text, example.language), example.word_begins_s, strict=True
        )
    ]
    median_ms, most_ms = np.quantile(errors, (0.5, 0.9)) * 1000
    print(f"word begins: off by {median_ms:.0f} ms (median), {most_ms:.0f} ms (90 %)")


if __name__ == "__main__":
    recorded = None
    if len(sys.argv) > 2:
        recorded = to_engine_rate(read_wav(Path(sys.argv[2]).read_bytes(), "noise"))
    measure(Path(sys.argv[1]), recorded)
