"""Sentences that were recorded: `NAME.wav` and, in `NAME.txt`, what is said in it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import numpy as np

from client.audio.wav_source import WavSource, read_recording
from client.errors import CommandError, reason_of
from client.messages import tr
from client.session import Heard
from client.validation.steps import Saying, Step
from client.validation.word_errors import words
from services.common.audio import Recording, resample

_RATE_HZ = 16_000  # what the ears work at
_MAX_SENTENCE_BYTES = 4000


def read_folder(folder: Path) -> dict[Saying, Recording]:
    """What is to be said, in the protocol's order. The step is what a name begins with: noise-1.wav."""
    if not folder.is_dir():
        raise CommandError(tr("{folder} is no folder: name one with WAV files", folder=folder))
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav")
    if not paths:
        raise CommandError(tr("{folder} holds no WAV file: put NAME.wav and NAME.txt there", folder=folder))
    spoken = {_saying(path): resample(read_recording(path), _RATE_HZ) for path in paths}
    order = {step: number for number, step in enumerate(Step)}
    in_order = sorted(spoken, key=lambda saying: order[saying.step])
    return {named: spoken[saying] for saying, named in zip(in_order, _with_interruptions(in_order), strict=True)}


def _saying(path: Path) -> Saying:
    text = path.with_suffix(".txt")
    try:
        with text.open("rb") as file:
            sentence = " ".join(file.read(_MAX_SENTENCE_BYTES).decode().split())
    except OSError as error:
        told = "{path}, which tells what is said in {wav}, cannot be read: {reason}"
        raise CommandError(tr(told, path=text, wav=path.name, reason=reason_of(error))) from error
    except UnicodeDecodeError as error:
        raise CommandError(tr("{path} is not UTF-8 text", path=text)) from error
    if not words(sentence, ""):
        raise CommandError(tr("{path} holds no words: write what is said in {wav}", path=text, wav=path.name))
    return Saying(path.stem, _step(path.stem), sentence)


def _step(name: str) -> Step:
    return next((step for step in Step if name.lower().startswith(step)), Step.OTHER)


def _with_interruptions(sayings: Sequence[Saying]) -> list[Saying]:
    """Of the recordings of this step, each second is said into the reply to the one before it."""
    mine = [saying for saying in sayings if saying.step is Step.INTERRUPTION]
    if len(mine) % 2:
        raise CommandError(
            tr(
                "an interruption is two recordings, a question and what is said into its reply; {name}.wav is alone",
                name=mine[-1].name,
            )
        )
    seconds = set(mine[1::2])
    return [Saying(one.name, one.step, one.sentence, interrupts=one in seconds) for one in sayings]


class Recordings:
    """Says them on cue, and silence in between: a Voice, and the source that it is heard from."""

    rate_hz = _RATE_HZ

    def __init__(self, spoken: Mapping[Saying, Recording]) -> None:
        self._spoken = spoken
        self._now = WavSource(Recording(np.zeros(0, np.int16), _RATE_HZ))

    @property
    def source(self) -> "Recordings":
        """Itself."""
        return self

    async def say(self, saying: Saying) -> None:
        """Says it to its end."""
        self._now = WavSource(self._spoken[saying])
        await self._now.finished.wait()

    async def done(self) -> None:
        """Nothing to close."""

    async def again(self, saying: Saying) -> bool:
        """The same recording would be heard the same way."""
        return False

    async def messages(self) -> AsyncGenerator[Heard, None]:
        """Silence, and what is being said; at the pace of time."""
        while True:
            now = self._now
            async with aclosing(now.messages()) as messages:
                async for audio in messages:
                    yield audio
                    if self._now is not now:
                        break
