"""Speech from espeak-ng with the time of each word and sound, which the services' engine has no need of.

One process can hold one espeak-ng: a test asks for speech in a process of its own, by this module's command:
python -m scripts.closed_whisper.synthesis VOICE WORDS_PER_MINUTE PITCH "the text" > speech.npz
"""

import ctypes
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from services.common.audio import Recording

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS, _PHONEME_EVENTS = 2, 1
_CHARACTERS_UTF8, _POSITION_CHARACTER = 1, 1
_RATE, _PITCH = 1, 3
_EVENT_LIST_END, _EVENT_WORD, _EVENT_END, _EVENT_PHONEME = 0, 1, 5, 7
_LOUD = 0.01  # of the loudest sample: speech begins and ends there


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("string", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Speaker:
    """A voice with its ways, such as `roa/fr+f2`."""

    voice: str
    words_per_minute: int = 150
    pitch: int = 50


@dataclass(frozen=True, eq=False)
class Spoken:
    """Speech, and what is heard when: words as the text has them between spaces, sounds as espeak-ng names them."""

    recording: Recording
    words_s: tuple[tuple[float, float], ...]
    sounds: tuple[tuple[float, str], ...]  # each with the time when it begins


class Espeak:
    """The library. Not thread-safe, and one a process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
        self.rate_hz: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _PHONEME_EVENTS)
        self.variants = sorted(path.name for path in (Path(data) / "voices" / "!v").iterdir())
        self._audio = bytearray()
        self._events: list[tuple[int, int, float, str]] = []
        self._callback = _Callback(self._take)  # kept: the library holds only a pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, speaker: Speaker) -> Spoken:
        """The spoken text, with silence around it cut off."""
        self._audio.clear()
        self._events.clear()
        if self._library.espeak_SetVoiceByName(speaker.voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {speaker.voice!r}")
        self._library.espeak_SetParameter(_RATE, speaker.words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, speaker.pitch, 0)
        encoded = text.encode() + b"\0"
        size = ctypes.c_size_t(len(encoded))
        if self._library.espeak_Synth(encoded, size, 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None):
            raise RuntimeError(f"espeak-ng cannot say {text!r}")
        return _trimmed(text, np.frombuffer(bytes(self._audio), np.int16), self.rate_hz, self._events)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._audio += ctypes.string_at(samples, count * 2)
        index = 0
        while (event := events[index]).type != _EVENT_LIST_END:
            name = event.string.decode(errors="replace") if event.type == _EVENT_PHONEME else ""
            self._events.append((event.type, event.text_position, event.audio_position_ms / 1000, name))
            index += 1
        return 0


def _trimmed(text: str, samples: NDArray[np.int16], rate_hz: int, events: list[tuple[int, int, float, str]]) -> Spoken:
    """Without the silence around it, the times counted from its new begin."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _LOUD * np.abs(samples.astype(np.int32)).max())
    first, last = int(loud[0]), int(loud[-1]) + 1
    length_s = (last - first) / rate_hz

    def counted(time_s: float) -> float:
        return min(max(time_s - first / rate_hz, 0.0), length_s)

    words = text.split()
    word_of_character = [index for index, word in enumerate(words) for _ in range(len(word) + 1)]
    begins: dict[int, float] = {}
    for kind, position, time_s, _ in events:
        if kind == _EVENT_WORD:
            begins.setdefault(word_of_character[position - 1], counted(time_s))
    begins[len(words)] = length_s
    # Some words espeak-ng says as one, `on the` for example: each gets the same share of the time.
    edges = np.interp(range(len(words) + 1), sorted(begins), [begins[index] for index in sorted(begins)]).tolist()
    sounds = tuple((counted(time_s), name) for kind, _, time_s, name in events if kind == _EVENT_PHONEME)
    return Spoken(Recording(samples[first:last], rate_hz), tuple(pairwise(edges)), sounds)


def main() -> None:
    """Speaks the text that the command line gives, and writes samples and word times to the standard output."""
    voice, words_per_minute, pitch, text = sys.argv[1:]
    spoken = Espeak().say(text, Speaker(voice, int(words_per_minute), int(pitch)))
    samples, rate_hz = spoken.recording.samples, spoken.recording.sample_rate_hz
    np.savez(sys.stdout.buffer, samples=samples, rate_hz=rate_hz, words_s=np.array(spoken.words_s))


if __name__ == "__main__":
    main()
