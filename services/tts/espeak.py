"""The espeak-ng engine: small, instant, and it speaks about a hundred languages. One at a time in a process."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.common.errors import InvalidInputError, UnsupportedError
from services.common.text import check_language, primary_language
from services.common.threads import EngineThreads
from services.tts.alignment import all_starts, voiced_part
from services.tts.engine import Speech, Voice, VoiceChoice, Word
from services.tts.espeak_ipa import IpaReader
from services.tts.espeak_library import EspeakLibrary, Manner, Utterance

_NORMAL_WORDS_PER_MINUTE = 150
_MIN_WORDS_PER_MINUTE, _MAX_WORDS_PER_MINUTE = 80, 600  # it takes other numbers too, and goes no slower
_NORMAL_VOLUME = 100
_UNREAD = str.maketrans("[]\0", "   ")  # [[…]] is for phonemes, and a zero would end the text
_ENDING_MARKS = ".,;:!?…"
_WARM_UP = (Word("a", 0, 1),)


class EspeakEngine:
    """espeak-ng keeps one global state a process, so one thread does all of its work, one phrase after the other.

    Two engines at work at once in one process would crash it: one is closed before the next is loaded.
    """

    def __init__(self, preferred_voices: Mapping[str, str]) -> None:
        self._preferred = dict(preferred_voices)
        self._thread = EngineThreads(1, "espeak")
        self._readers: dict[str, IpaReader] = {}

    @classmethod
    async def load(cls, preferred_voices: Mapping[str, str]) -> "EspeakEngine":
        """Loads the library and speaks a word, so that the first caller need not wait."""
        engine = cls(preferred_voices)
        try:
            await engine._thread.run(lambda _stop: engine._open())
            await engine.synthesize(_WARM_UP, VoiceChoice())
        except BaseException:
            await engine.close()
            raise
        return engine

    def voices(self) -> Sequence[Voice]:
        """One voice a language, named by its code; `+f2` and the like may be added to a name."""
        return self._voices

    def identity(self, choice: VoiceChoice) -> str:
        """The voice; this engine has no settings beside it."""
        return f"espeak-ng {self._chosen(choice).name}"

    async def synthesize(self, words: Sequence[Word], choice: VoiceChoice, urgent: bool = False) -> Speech:
        """The spoken words."""
        chosen = self._chosen(choice)
        manner = Manner(
            chosen.identifier,
            _within(_NORMAL_WORDS_PER_MINUTE * choice.speed, _MIN_WORDS_PER_MINUTE, _MAX_WORDS_PER_MINUTE),
            round(_NORMAL_VOLUME * choice.volume),
        )
        return await self._thread.run(lambda stop: self._speak(words, manner, chosen.name, stop))

    @property
    def stuck(self) -> str | None:
        """Why its thread must be taken for lost, if it must."""
        return self._thread.stuck

    async def close(self) -> None:
        """Ends its thread. The library itself cannot be unloaded."""
        self._thread.shutdown(wait=False)

    def _chosen(self, choice: VoiceChoice) -> "_NamedVoice":
        if choice.speaker:
            raise UnsupportedError(f"espeak-ng's voices have one speaker each, and none is {choice.speaker!r}")
        if choice.voice:
            return self._called(choice.voice)
        code = choice.language_code.lower() or "en"
        for wanted in (code, primary_language(code)):
            if preferred := self._preferred.get(wanted):
                return self._called(preferred)
            if wanted in self._by_code:
                return self._by_code[wanted]
        raise UnsupportedError(f"espeak-ng has no voice for {choice.language_code!r}")

    def _called(self, name: str) -> "_NamedVoice":
        """The voice of this name, `+variant` included."""
        code, plus, variant = name.partition("+")
        if code not in self._by_code or (variant and variant not in self._library.variants):
            raise UnsupportedError(f"espeak-ng has no voice {name!r}")
        suffix = plus + variant if variant else ""
        found = self._by_code[code]
        return _NamedVoice(found.name + suffix, found.identifier + suffix)

    def _open(self) -> None:
        self._library = EspeakLibrary()
        self._by_code, voices = _named(self._library)
        best = {named.name for code, named in self._by_code.items() if code == primary_language(code)}
        self._voices = sorted(voices, key=lambda voice: voice.name not in best)

    def _speak(self, words: Sequence[Word], manner: Manner, name: str, stop: threading.Event) -> Speech:
        written = self._write(words, manner.voice)
        said = self._library.speak(written.text, manner, stop.is_set)
        return Speech(said.recording, name, _word_starts(words, written, said))

    def _write(self, words: Sequence[Word], voice: str) -> "_Written":
        """The words as espeak-ng is to read them."""
        phonemes = [self._phonemes_of(word, voice) for word in words]
        parts = [known or word.text.translate(_UNREAD) for word, known in zip(words, phonemes, strict=True)]
        first_characters = [0]
        for part in parts:
            first_characters.append(first_characters[-1] + len(part) + 1)
        return _Written(" ".join(parts), tuple(first_characters))

    def _phonemes_of(self, word: Word, voice: str) -> str:
        """A word of which somebody said how it sounds, in the way of this voice; empty where it cannot say that."""
        if not word.ipa:
            return ""
        if voice not in self._readers:
            self._readers[voice] = IpaReader(lambda mnemonics: self._library.to_ipa(mnemonics, voice))
        phonemes = self._readers[voice].read(word.ipa)
        marks = word.text[len(word.text.rstrip(_ENDING_MARKS)) :]
        return f"[[{phonemes}]]{marks}" if phonemes else ""


@dataclass(frozen=True)
class _NamedVoice:
    name: str  # for callers, `fr-fr+f2`
    identifier: str  # for the library, `roa/fr+f2`


@dataclass(frozen=True)
class _Written:
    text: str
    first_characters: tuple[int, ...]  # of each word, and what would be that of one more

    def word_at(self, character: int) -> int:
        """The word in which a character lies."""
        return max(index for index, first in enumerate(self.first_characters[:-1]) if first <= character)


def _word_starts(words: Sequence[Word], written: _Written, said: Utterance) -> tuple[int, ...]:
    """espeak-ng tells the begin of a part of a word as well, and of several words only one."""
    known: dict[int, float] = {}
    for character, sample in said.begins:
        known.setdefault(written.word_at(character), sample)
    first, end = voiced_part(said.recording.samples)
    known.setdefault(0, first)
    return all_starts(words, known, end)


def _named(library: EspeakLibrary) -> tuple[dict[str, _NamedVoice], tuple[Voice, ...]]:
    """The best voice of each code, and all voices, each named by the first code of which it is the best."""
    best: dict[str, tuple[int, str]] = {}  # the lowest priority is the best
    codes: dict[str, tuple[str, ...]] = {}
    for identifier, languages in library.voices():
        asked_for = [(priority, code) for priority, code in languages if _can_be_asked_for(code)]
        codes[identifier] = tuple(code for _, code in asked_for)
        for priority, code in asked_for:
            best[code] = min(best.get(code, (priority, identifier)), (priority, identifier))
    names: dict[str, str] = {}
    for identifier, own in codes.items():
        if name := next((code for code in own if best[code][1] == identifier), None):  # two call themselves yue
            names[identifier] = name
    by_code = {code: _NamedVoice(names[identifier], identifier) for code, (_, identifier) in best.items()}
    return by_code, tuple(Voice(name, codes[identifier], library.rate_hz) for identifier, name in names.items())


def _can_be_asked_for(code: str) -> bool:
    """Klingon's `piqd`, for one, no caller may write."""
    try:
        check_language(code, "language_code")
    except InvalidInputError:
        return False
    return True


def _within(value: float, least: int, most: int) -> int:
    return min(max(round(value), least), most)
