"""The made model that really hears a closed set of sentences, and speech for it to hear."""

import io
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from scripts.closed_whisper.build import digest, ensure
from scripts.closed_whisper.sentences import closed_set
from services.common.audio import Recording, resample
from tests.support.shared_data import REPOSITORY

RATE_HZ = 16_000
SENTENCES = tuple((sentence.text, sentence.language) for sentence in closed_set())
_VOICES = {"fr": "roa/fr", "en": "gmw/en-US+f2"}  # what the project itself speaks with
_NORMAL_WORDS_PER_MINUTE, _NORMAL_PITCH = 150, 50


@dataclass(frozen=True, eq=False)
class Said:
    """Speech at 16 kHz, without silence around it, and the samples where each word begins and ends."""

    recording: Recording
    words: tuple[tuple[int, int], ...]


@cache
def closed_whisper() -> Path:
    """The folder of the model, made where it is missing."""
    return ensure(REPOSITORY / ".run" / "models" / f"closed-whisper-{digest()[:12]}")


def say(text: str, language: str, voice: str = "", speed: float = 1.0) -> Recording:
    """The spoken text at 16 kHz."""
    return said(text, language, voice, speed).recording


@cache
def said(text: str, language: str, voice: str = "", speed: float = 1.0) -> Said:
    """The spoken text, and where its words are. Two espeak-ngs in one process would crash: this one has its own."""
    speaker = (voice or _VOICES[language], round(speed * _NORMAL_WORDS_PER_MINUTE), _NORMAL_PITCH)
    command = [sys.executable, "-m", "scripts.closed_whisper.synthesis", *map(str, speaker), text]
    spoken = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    with np.load(io.BytesIO(spoken)) as content:
        samples, rate_hz, words_s = content["samples"], int(content["rate_hz"]), content["words_s"]
    words = tuple((round(begin * RATE_HZ), round(end * RATE_HZ)) for begin, end in words_s)
    return Said(resample(Recording(samples, rate_hz), RATE_HZ), words)
