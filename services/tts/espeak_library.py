"""espeak-ng's library, as its C header declares it. The only user of it; what it does is for espeak.py.

It keeps one global state for the whole process: two of these at work at once crash it, and so do two threads in one.
One after the other they may work: the library itself is opened once, for after a second time it reads what it freed.
Piper carries an espeak-ng of its own, with a state of its own: that one does not mind.
"""

import ctypes
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np

from services.common.audio import Recording
from services.common.errors import EngineFailedError
from services.common.text import primary_language

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_CHARACTERS_UTF8, _PHONEME_INPUT = 1, 0x100
_POSITION_CHARACTER = 1
_RATE, _VOLUME = 1, 2
_EVENT_LIST_END, _EVENT_WORD = 0, 1
_AS_IPA = 2
_DICTIONARY = re.compile(r"^dictionary\s+(\S+)", re.MULTILINE)  # in a voice's file, where it is not the language's


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1 on
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("string", ctypes.c_char * 8),
    )


class _VoiceRecord(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # pairs of a priority byte and a code, ended by a zero byte
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Manner:
    """Who speaks, and how."""

    voice: str  # as the library identifies it, `roa/fr` or `roa/fr+f2`
    words_per_minute: int
    volume: int  # 100 is normal


@dataclass(frozen=True)
class Utterance:
    """What was said, and the begins of its words: a character of the text, and the sample at which it sounds."""

    recording: Recording
    begins: tuple[tuple[int, int], ...]


class EspeakLibrary:
    """The library, opened. One thread may use it."""

    def __init__(self) -> None:
        self._library, self.rate_hz = _opened()
        self._data = Path(espeakng_loader.get_data_path())
        self.variants = frozenset(path.name for path in (self._data / "voices" / "!v").iterdir())
        self._audio = bytearray()
        self._begins: list[tuple[int, int]] = []
        self._is_unwanted: Callable[[], bool] = lambda: False
        self._callback = _SynthCallback(self._take)  # kept: the library holds only a pointer to it
        self._library.espeak_SetSynthCallback(self._callback)
        self._synthesize(" ")  # from then on it reads [[…]] as phonemes wherever it is given text

    def voices(self) -> Iterator[tuple[str, list[tuple[int, str]]]]:
        """What the library calls each voice that can read, and its languages: a priority (1 is best) and a code."""
        records = self._library.espeak_ListVoices(None)
        index = 0
        while records[index]:
            identifier = records[index].contents.identifier.decode()
            languages = list(_languages(records[index].contents))
            if self._has_dictionary(identifier, [code for _, code in languages]):
                yield identifier, languages
            index += 1

    def speak(self, text: str, manner: Manner, is_unwanted: Callable[[], bool]) -> Utterance:
        """The spoken text, or its begin if meanwhile nobody wants it. [[…]] in it is read as phonemes."""
        self._choose(manner.voice)
        self._library.espeak_SetParameter(_RATE, manner.words_per_minute, 0)
        self._library.espeak_SetParameter(_VOLUME, manner.volume, 0)
        self._audio.clear()
        self._begins.clear()
        self._is_unwanted = is_unwanted
        self._synthesize(text)
        return Utterance(Recording(np.frombuffer(bytes(self._audio), np.int16), self.rate_hz), tuple(self._begins))

    def to_ipa(self, mnemonics: str, voice: str) -> str:
        """How a voice says phonemes that are written in espeak-ng's own way."""
        self._choose(voice)
        text = ctypes.c_char_p(f"[[{mnemonics}]]".encode())
        heard: bytes = self._library.espeak_TextToPhonemes(ctypes.byref(text), _CHARACTERS_UTF8, _AS_IPA)
        return heard.decode()

    def _has_dictionary(self, identifier: str, codes: Iterable[str]) -> bool:
        """Without one it says nothing, and that without an error."""
        named = _DICTIONARY.search((self._data / "lang" / identifier).read_text(encoding="utf-8"))
        names = [named[1]] if named else {primary_language(code) for code in codes}
        return any((self._data / f"{name}_dict").exists() for name in names)

    def _choose(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineFailedError(f"espeak-ng refuses its own voice {voice!r}")

    def _synthesize(self, text: str) -> None:
        encoded = text.encode("utf-8", errors="replace") + b"\0"
        size = ctypes.c_size_t(len(encoded))
        flags = _CHARACTERS_UTF8 | _PHONEME_INPUT
        if failure := self._library.espeak_Synth(encoded, size, 0, _POSITION_CHARACTER, 0, flags, None, None):
            raise EngineFailedError(f"espeak-ng fails with code {failure}")

    def _take(
        self,
        samples: "ctypes._Pointer[ctypes.c_short] | None",
        count: int,
        events: "ctypes._Pointer[_Event]",
    ) -> int:
        """Called by the library with each stretch of audio; 1 makes it stop."""
        if samples and count > 0:
            self._audio += ctypes.string_at(samples, count * 2)
        index = 0
        while (event := events[index]).type != _EVENT_LIST_END:
            if event.type == _EVENT_WORD:
                self._begins.append((event.text_position - 1, event.sample))
            index += 1
        return int(self._is_unwanted())


@cache
def _opened() -> tuple[ctypes.CDLL, int]:
    """The library, and its rate."""
    data = espeakng_loader.get_data_path()
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    rate_hz: int = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), 0)
    if rate_hz <= 0:
        raise EngineFailedError(f"espeak-ng does not start with the data in {data}")
    return library, rate_hz


def _languages(record: _VoiceRecord) -> Iterator[tuple[int, str]]:
    """Priority and code of each: a byte and a zero-ended string, a zero byte after the last."""
    address = record.languages
    while priority := ctypes.string_at(address, 1)[0]:
        code = ctypes.string_at(address + 1)
        yield priority, code.decode().lower()
        address += 1 + len(code) + 1
