"""Somebody speaks while the assistant replies: does that interrupt it? One pure function, and what it needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

from services.orchestrator.words import words_heard, words_of


class Verdict(Enum):
    """What the speech is."""

    INTERRUPTION = "interruption"  # the user wants to say something
    FALSE_ALARM = "false alarm"  # a cough, noise, or "mm-hm": the reply goes on
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Evidence:
    """What is known of the speech."""

    text: str  # all that was heard of it so far
    is_over: bool  # the speaker fell silent: perhaps no more words come


class Backchannels:
    """What listeners say without wanting to speak: "mm-hm", "oui", "d'accord"."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = {tuple(words_of(phrase)) for phrase in phrases}

    def cover(self, words: Sequence[str], *, is_over: bool) -> bool:
        """Whether the words are backchannels and nothing else; of speech that goes on, or the beginnings of some."""
        rest_begins = {0}  # where a row of whole phrases may end
        for begin in range(len(words)):
            if begin in rest_begins:
                rest = words[begin:]
                if not is_over and any(_is_beginning(rest, phrase) for phrase in self._phrases):
                    return True
                rest_begins |= {begin + len(phrase) for phrase in self._phrases if _is_all_of(rest, phrase)}
        return len(words) in rest_begins


def judge(evidence: Evidence, backchannels: Backchannels) -> Verdict:
    """Real words interrupt; nothing else does, but it takes until the speech is over to be sure of that."""
    words = words_heard(evidence.text)
    if not backchannels.cover(words, is_over=evidence.is_over):
        return Verdict.INTERRUPTION
    return Verdict.FALSE_ALARM if evidence.is_over else Verdict.UNDECIDED


def _is_all_of(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words begin with the whole phrase."""
    return len(words) >= len(phrase) and all(map(_sounds_like, words, phrase))


def _is_beginning(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words may become the phrase. The last one may be unfinished itself."""
    if not 0 < len(words) <= len(phrase):
        return False
    return _is_all_of(words[:-1], phrase[: len(words) - 1]) and phrase[len(words) - 1].startswith(words[-1])


def _sounds_like(word: str, short: str) -> bool:
    """Whether it is the word, perhaps drawn out: `ouiii`, `hmmm`."""
    if word == short:
        return True
    runs, least = _runs(word), _runs(short)
    return len(runs) == len(least) and all(
        letter == wanted and count >= at_least for (letter, count), (wanted, at_least) in zip(runs, least, strict=True)
    )


def _runs(word: str) -> list[tuple[str, int]]:
    """`hmm` → (h, 1), (m, 2)."""
    return [(letter, len(list(same))) for letter, same in groupby(word)]
