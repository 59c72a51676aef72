"""The real wake words, said by made voices: they are heard and nothing else is, and what follows them is not lost."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from client.audio.wake_model import WakeModel
from client.errors import CommandError
from client.wake_word import WakeWord
from services.common.audio import Samples, read_wav, resample
from services.tts.engine import VoiceChoice, Word
from services.tts.espeak import EspeakEngine
from tests.support.shared_data import shared_data

pytest.importorskip("pymicro_wakeword", reason="pymicro-wakeword has no package for this machine")
pytestmark = pytest.mark.asyncio(loop_scope="module")

_RATE_HZ = 16_000
_MESSAGE = 320
_AUDIBLE = 300  # of 32 768: below it a made voice has not begun, or is over
_MOST_OF_THE_WORD = 0.35 * _RATE_HZ  # what may be sent of it where it goes over into the question


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def espeak() -> AsyncIterator[EspeakEngine]:
    engine = await EspeakEngine.load({})
    yield engine
    await engine.close()


async def _said(engine: EspeakEngine, text: str, voice: str) -> Samples:
    """The voice without the silence around it."""
    words, start = [], 0
    for word in text.split():
        words.append(Word(word, start, start + len(word)))
        start += len(word) + 1
    speech = await engine.synthesize(words, VoiceChoice(voice=voice))
    samples = resample(speech.recording, _RATE_HZ).samples
    audible = np.flatnonzero(np.abs(samples.astype(int)) > _AUDIBLE)
    return samples[audible[0] : audible[-1] + 1]


def _in_a_room(*sounds: Samples | float) -> Samples:
    """The sounds, and pauses in seconds, in a quiet room that is silent before and after them."""
    pieces = [np.zeros(int(it * _RATE_HZ), np.int16) if isinstance(it, float) else it for it in (1.0, *sounds, 0.5)]
    clean = np.concatenate(pieces)
    hiss = np.random.default_rng(1).normal(0, 10, clean.size)
    return np.clip(clean + hiss, -32768, 32767).astype(np.int16)


def _messages(samples: Samples) -> Iterator[Samples]:
    for start in range(0, samples.size - _MESSAGE + 1, _MESSAGE):
        yield samples[start : start + _MESSAGE]


@pytest.mark.parametrize(
    ("name", "phrase", "voices"),
    [
        ("okay_nabu", "okay nabu", ("en-us+m3", "en-gb", "fr+f2", "es")),
        ("hey_jarvis", "hey jarvis", ("en-us+belinda", "en-us+sandro")),
        ("hey_mycroft", "hey mycroft", ("en-gb", "en-gb+f3")),
        ("alexa", "alexa", ("en-us", "en-us+m3")),
    ],
)
async def test_the_word_is_heard(espeak: EspeakEngine, name: str, phrase: str, voices: tuple[str, ...]) -> None:
    model = WakeModel.load(name)
    for voice in voices:
        room = _in_a_room(await _said(espeak, phrase, voice))
        assert any(model.hears(message) for message in _messages(room)), voice


@pytest.mark.parametrize("pause_s", [0.0, 0.1, 0.4, 1.0])
async def test_all_that_follows_the_word_is_sent_and_little_of_the_word(espeak: EspeakEngine, pause_s: float) -> None:
    word = await _said(espeak, "okay nabu", "en-us+m3")
    question = await _said(espeak, "what time is it", "en-us+m3")
    room = _in_a_room(word, pause_s, question)
    gate = WakeWord(WakeModel.load("okay_nabu"), stay_open_s=8)
    sent = np.concatenate([gate.admit(message) for message in _messages(room)])
    heard = room[: room.size // _MESSAGE * _MESSAGE]
    assert np.array_equal(sent, heard[heard.size - sent.size :])  # as it was heard, without a gap
    begins = heard.size - sent.size
    word_ends = _RATE_HZ + word.size
    assert begins <= word_ends + pause_s * _RATE_HZ
    assert begins >= word_ends - (_MOST_OF_THE_WORD if pause_s == 0 else _MESSAGE)


@pytest.mark.parametrize("name", ["okay_nabu", "hey_jarvis"])
async def test_people_who_say_something_else_and_noise_do_not_wake_it(name: str) -> None:
    folders = [shared_data(folder) for folder in ("speech", "noise")]
    recordings = sorted(path for folder in folders for path in folder.rglob("*.wav"))
    assert recordings
    model = WakeModel.load(name)
    woken_by = [path.name for path in recordings if any(model.hears(message) for message in _messages(_read(path)))]
    assert woken_by == []


def _read(path: Path) -> Samples:
    return resample(read_wav(path.read_bytes(), path.name), _RATE_HZ).samples


async def test_a_wrong_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(CommandError, match=r"no wake word 'computer'; there is: .*okay_nabu.*hey_jarvis"):
        WakeModel.load("computer")


async def test_without_the_package_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymicro_wakeword", None)  # as Python marks what cannot be imported
    with pytest.raises(CommandError, match=r"no wake word can be heard here .* push-to-talk"):
        WakeModel.load("okay_nabu")
