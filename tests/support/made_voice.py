"""Voices that Piper's own code loads, made on the spot, and what the tests of the mouth's engines say with them."""

import asyncio
import atexit
import json
import re
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, overload

import pytest

from scripts.made_voice.build import MadeVoice, build
from services.common.config_files import default_models_dir
from services.common.errors import ModelError
from services.common.models.store import ModelStore
from services.tts.config import PiperSection
from services.tts.engine import TtsEngine, VoiceChoice, Word
from services.tts.piper import PiperEngine
from tests.support.waiting import BOUND_S, wait_until

_WORD = re.compile(r"(?:« )?\S+(?: [!?:;»]+)*")
REAL_VOICE = "fr_FR-siwis-medium"
# Piper's voices vary what they say by chance; so they do not.
EVEN = VoiceChoice("fr", noise_scale=0.0, noise_width=0.0)


class EndlessWords(Sequence[Word]):
    """The same word so often that it takes minutes to say; `begun` once somebody reads them."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._words = [Word("Oui.", 0, 4)] * 200_000

    def __len__(self) -> int:
        return len(self._words)

    @overload
    def __getitem__(self, index: int) -> Word: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Word]: ...
    def __getitem__(self, index: int | slice) -> Word | Sequence[Word]:
        self.begun.set()
        return self._words[index]


async def check_leaving(engine: TtsEngine) -> None:
    """That whoever leaves stops the thread that works for him, so that the next is served."""
    words = EndlessWords()
    leaving = asyncio.create_task(engine.synthesize(words, EVEN))
    await wait_until(words.begun.is_set, "the thread to begin")
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    async with asyncio.timeout(BOUND_S):
        assert (await engine.synthesize(words_of("Bonjour."), EVEN)).recording.samples.any()


@cache
def made_voice(voice: MadeVoice = MadeVoice()) -> Path:  # noqa: B008  # frozen
    """The .onnx of a made voice, alone in its folder, which goes away with the process."""
    folder = Path(tempfile.mkdtemp(prefix="made-voice-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build(folder, voice)


def changed_voice(
    folder: Path,
    change: Callable[[dict[str, Any]], object] = lambda config: None,
    voice: MadeVoice = MadeVoice(),  # noqa: B008
) -> Path:
    """A made voice with another configuration."""
    model = made_voice(voice)
    shutil.copy(model, folder / model.name)
    config = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
    change(config)
    (folder / f"{model.name}.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def real_voice() -> Path:
    """A true Piper voice, or a skip with the reason."""
    try:
        return ModelStore(default_models_dir()).path(REAL_VOICE)
    except ModelError as error:
        pytest.skip(str(error))


@asynccontextmanager
async def piper_engine(*places: Path, **settings: Any) -> AsyncIterator[PiperEngine]:
    """Piper with these voices, or with a made one."""
    voices = tuple(map(str, places or (made_voice(),)))
    engine = await PiperEngine.load(PiperSection(voices=voices, threads=1, **settings), Path)
    try:
        yield engine
    finally:
        await engine.close()


def words_of(text: str) -> list[Word]:
    """The text cut at its spaces; marks that stand alone, as in French, go with the word before them."""
    return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]


def check_starts(starts: Sequence[int], words: Sequence[Word], samples: int) -> None:
    """One for each word, in order, and within the audio."""
    assert len(starts) == len(words)
    assert list(starts) == sorted(starts)
    assert all(0 <= start <= samples for start in starts)
