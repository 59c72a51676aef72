"""The espeak-ng engine: small, instant, and it speaks about a hundred languages. The only user of its library."""

import ctypes
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import espeakng_loader
import numpy as np

from services.common.audio import Recording
from services.common.errors import EngineFailedError, UnsupportedError
from services.common.text import primary_language
from services.common.threads import EngineThreads, run_blocking
from services.tts.engine import Voice, VoiceChoice

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_CHARACTERS_UTF8 = 1
_POSITION_CHARACTER = 1
_RATE, _VOLUME = 1, 2
_NORMAL_WORDS_PER_MINUTE, _MIN_WORDS_PER_MINUTE, _MAX_WORDS_PER_MINUTE = 150, 80, 450
_NORMAL_VOLUME = 100

_SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


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


class EspeakEngine:
    """espeak-ng keeps global state, so one thread does all of its work, one piece after the other."""

    def __init__(self, preferred_voices: Mapping[str, str]) -> None:
        self._preferred = dict(preferred_voices)
        self._thread = EngineThreads(1, "espeak")
        self._audio = bytearray()
        self._stop = threading.Event()
        self._callback = _SynthCallback(self._take)  # kept: the library holds only a pointer to it

    @classmethod
    async def load(cls, preferred_voices: Mapping[str, str]) -> "EspeakEngine":
        """Loads the library and speaks a word, so that the first caller need not wait."""
        engine = cls(preferred_voices)
        try:
            await run_blocking(engine._thread, lambda _stop: engine._open())
            await engine.synthesize("a", VoiceChoice())
        except BaseException:
            await engine.close()
            raise
        return engine

    def voices(self) -> Sequence[Voice]:
        """One voice a language, named by its code; `+f2` and the like may be added to a name."""
        return self._voices

    async def synthesize(self, text: str, choice: VoiceChoice) -> Recording:
        """The spoken text."""
        voice = self._identifier_of(choice)
        return await run_blocking(self._thread, lambda stop: self._speak(text, voice, choice, stop))

    @property
    def stuck(self) -> str | None:
        """Why its thread must be taken for lost, if it must."""
        return self._thread.stuck

    async def close(self) -> None:
        """Ends its thread. The library itself cannot be unloaded."""
        self._thread.shutdown(wait=False)

    def _identifier_of(self, choice: VoiceChoice) -> str:
        """What the library calls the voice, `+variant` included."""
        if choice.voice:
            base, _, variant = choice.voice.partition("+")
            if base not in self._identifiers or (variant and variant not in self._variants):
                raise UnsupportedError(f"espeak-ng has no voice {choice.voice!r}")
            return f"{self._identifiers[base]}+{variant}" if variant else self._identifiers[base]
        code = choice.language_code.lower() or "en"
        for wanted in (code, primary_language(code)):
            if preferred := self._preferred.get(wanted):
                return self._identifier_of(VoiceChoice(voice=preferred))
            if wanted in self._identifiers:
                return self._identifiers[wanted]
        raise UnsupportedError(f"espeak-ng has no voice for {choice.language_code!r}")

    def _open(self) -> None:
        data = espeakng_loader.get_data_path()
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceRecord))
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), 0)
        if self._rate_hz <= 0:
            raise EngineFailedError(f"espeak-ng does not start with the data in {data}")
        self._library.espeak_SetSynthCallback(self._callback)
        self._identifiers, self._voices = self._list_voices()
        self._variants = {path.name for path in (Path(data) / "voices" / "!v").iterdir()}

    def _list_voices(self) -> tuple[dict[str, str], tuple[Voice, ...]]:
        """Voices, and what the library calls them. Of several for one code, the lowest priority number is the best."""
        records = self._library.espeak_ListVoices(None)
        best: dict[str, tuple[int, str]] = {}
        voices = []
        index = 0
        while records[index]:
            languages = list(_languages(records[index].contents))
            identifier = records[index].contents.identifier.decode()
            voices.append(Voice(languages[0][1], tuple(code for _, code in languages), self._rate_hz))
            for priority, code in languages:
                best[code] = min(best.get(code, (priority, identifier)), (priority, identifier))
            index += 1
        return {code: identifier for code, (_, identifier) in best.items()}, tuple(voices)

    def _speak(self, text: str, voice: str, choice: VoiceChoice, stop: threading.Event) -> Recording:
        self._audio.clear()
        self._stop = stop
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise EngineFailedError(f"espeak-ng refuses its own voice {voice!r}")
        rate = round(_NORMAL_WORDS_PER_MINUTE * choice.speed)
        rate = min(max(rate, _MIN_WORDS_PER_MINUTE), _MAX_WORDS_PER_MINUTE)
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._library.espeak_SetParameter(_VOLUME, round(_NORMAL_VOLUME * choice.volume), 0)
        encoded = text.encode("utf-8", errors="replace") + b"\0"
        failure = self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded)), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
        )
        if failure:
            raise EngineFailedError(f"espeak-ng fails with code {failure}")
        return Recording(np.frombuffer(bytes(self._audio), np.int16), self._rate_hz)

    def _take(self, samples: "ctypes._Pointer[ctypes.c_short] | None", count: int, _events: int | None) -> int:
        """Called by the library with each stretch of audio; 1 makes it stop."""
        if samples and count > 0:
            self._audio += ctypes.string_at(samples, count * 2)
        return int(self._stop.is_set())


def _languages(record: _VoiceRecord) -> Iterator[tuple[int, str]]:
    """Priority and code of each: a byte and a zero-ended string, a zero byte after the last."""
    address = record.languages
    while priority := ctypes.string_at(address, 1)[0]:
        code = ctypes.string_at(address + 1)
        yield priority, code.decode().lower()
        address += 1 + len(code) + 1
