"""What a language consists of here: rules for what is not written in words, tried in order where a word begins."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import cached_property

SPACE = "[ \\t\\u00a0\\u2009\\u202f]"
GAP = f"{SPACE}?"  # what may stand between a number and its unit
WORD_END = r"(?![^\W_])"
_WORD_BEFORE = re.compile(r"([^\W\d_]{1,40})[\s\u00a0]{1,2}\Z")
_REACH = 48  # characters that a rule looks back or ahead


class Begins(Flag):
    """What the first character of a rule's matches may be."""

    DIGIT = auto()
    LETTER = auto()
    SIGN = auto()
    ANY = DIGIT | LETTER | SIGN


@dataclass(frozen=True)
class Rule:
    """What is written, and how it is said: words between spaces, or None where it is something else after all.

    Every quantifier of a pattern is bounded, so that a hostile text costs no more than a long one.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]
    begins: Begins = Begins.ANY
    may_end_sentence: bool = False  # so a dot at its end may be the sentence's, too


@dataclass(frozen=True)
class Language:
    """How a language reads what is not written in words."""

    rules: tuple[Rule, ...]
    elision: re.Pattern[str] | None = None  # `l'`: belongs to what follows, whatever that is
    # What rules say and engines misread: the letter A is no article.
    ipa: Mapping[str, str] = field(default_factory=dict)

    def rules_for(self, character: str) -> tuple[Rule, ...]:
        """The rules that may match where this character stands."""
        if "0" <= character <= "9":
            return self._by_begin[Begins.DIGIT]
        return self._by_begin[Begins.LETTER if character.isalpha() else Begins.SIGN]

    @cached_property
    def _by_begin(self) -> dict[Begins, tuple[Rule, ...]]:
        kinds = (Begins.DIGIT, Begins.LETTER, Begins.SIGN)
        return {kind: tuple(rule for rule in self.rules if rule.begins & kind) for kind in kinds}


def rule(pattern: str, say: Callable[[re.Match[str]], str | None], begins: Begins = Begins.ANY) -> Rule:
    """A rule from the text of its pattern."""
    return Rule(re.compile(pattern), say, begins)


def says(pattern: str, said: str, begins: Begins = Begins.ANY) -> Rule:
    """A rule for what is always said the same."""
    return rule(pattern, lambda _: said, begins)


def word_set(words: str) -> frozenset[str]:
    """Words between white space."""
    return frozenset(words.split())


def any_of(written: Iterable[str]) -> str:
    """A pattern of these texts, the longest first; any kind of space stands for a space."""
    longest_first = sorted(written, key=len, reverse=True)
    return "|".join(re.escape(text).replace("\\ ", SPACE) for text in longest_first)


def any_case_of(written: Iterable[str]) -> str:
    """The same, of texts whose case only matters where they are written with an upper-case letter."""
    longest_first = sorted(written, key=len, reverse=True)
    return "|".join(any_of([text]) if text != text.lower() else f"(?i:{any_of([text])})" for text in longest_first)


def table_rule(table: Mapping[str, str], followed_by: str = WORD_END) -> Rule:
    """Says what a table says; a key without an upper-case letter is found in any case."""

    def say(match: re.Match[str]) -> str | None:
        written = " ".join(match[0].split())
        return table.get(written) or table.get(written.lower())

    return rule(f"(?:{any_case_of(table)}){followed_by}", say)


def word_before(match: re.Match[str]) -> str:
    """The word that stands right before a match, with only a space between; or nothing."""
    found = _WORD_BEFORE.search(text_before(match))
    return found[1] if found else ""


def text_before(match: re.Match[str]) -> str:
    """A little of what precedes a match."""
    return match.string[max(0, match.start() - _REACH) : match.start()]


def text_after(match: re.Match[str]) -> str:
    """A little of what follows a match."""
    return match.string[match.end() : match.end() + _REACH]
