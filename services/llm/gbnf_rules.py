"""Reads grammars in GBNF, as far as their rules: which parts each has, not which characters.

Whatever llama.cpp itself cannot read it prints whole among the errors of its process, and that is somebody's text. So
nothing may pass here that it refuses: rules end where it ends them, and repetitions count as much as for it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

_MAX_DEPTH = 2_000  # it dies between 10,000 and 30,000, with 8 MB of stack
_MAX_REPETITIONS = 2_000  # its own limit, also of a group's repetitions times all that is in the group
_MAX_REPEATED_CHARACTERS = 100_000  # it writes repetitions out: 60,000 characters 2,000 times take it a gigabyte

_ESCAPE = r'\\(?:[nrt"\\\[\]]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})'
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+|\#[^\n\r]*)
    | (?P<rule>[a-zA-Z0-9-]+)[ \t]*::=
    | (?P<name>[a-zA-Z0-9-]+)
    | (?P<text>"(?:[^"\\]|{_ESCAPE})*")
    | (?P<any>\.|\[(?!\^\])(?:[^\]\\]|{_ESCAPE})+\])
    | \{{[ \t]*(?P<least>[0-9]{{1,9}})[ \t]*(?P<comma>,)?[ \t]*(?P<most>[0-9]{{1,9}})?[ \t]*\}}
    | (?P<sign>[*+?()|])""",
    re.VERBOSE,
)
_RANGE = re.compile(rf"(?P<first>{_ESCAPE}|[^\\])(?:-(?P<last>{_ESCAPE}|[^\\]))", re.DOTALL)


class GrammarError(ValueError):
    """Says what is wrong with a grammar."""


class Item(NamedTuple):
    """A part of a sequence: characters, or what a rule says, so many times."""

    rule: str | None
    least: int = 1
    most: int | None = 1


Sequence = list[Item]
Rules = dict[str, list[Sequence]]


def read_rules(grammar: str) -> Rules:
    """The rules by name; GrammarError where they cannot be read."""
    return _Reader().read(grammar)


@dataclass
class _Weights:
    """What llama.cpp makes of a grammar: a rule of each name and group, and of each repetition that may be missing."""

    names: set[str] = field(default_factory=set)
    unnamed: int = 0
    before: list[int] = field(default_factory=list)  # how many rules there were as each open group began
    rules: int = 1  # that came with the last part
    characters: int = 1  # of the last part

    def add(self, part: str, *, is_name: bool) -> None:
        self.rules, self.characters = 1, 1 if is_name else len(part)
        if is_name:
            self.names.add(part)

    def open(self) -> None:
        self.before.append(self._all)
        self.unnamed += 1

    def close(self) -> None:
        self.rules, self.characters = max(1, self._all - self.before.pop()), 1

    def repeat(self, least: int, most: int | None) -> None:
        times = most or least or 1
        if self.rules * times > _MAX_REPETITIONS or self.characters * times > _MAX_REPEATED_CHARACTERS:
            raise GrammarError(f"{times} repetitions of too much: of {self.rules} rules, {self.characters} characters")
        self.unnamed += 1 if most is None else most - least

    @property
    def _all(self) -> int:
        return len(self.names) + self.unnamed


@dataclass
class _Reader:
    """Reads the rules. Each group becomes a rule of its own."""

    rules: Rules = field(default_factory=dict)
    open_rules: list[str] = field(default_factory=list)  # the rule that is being read, and its open groups
    numbers: Iterator[int] = field(default_factory=count)
    weights: _Weights = field(default_factory=_Weights)
    has_ended: bool = True  # the last rule, with its line

    def read(self, grammar: str) -> Rules:
        at = 0
        while at < len(grammar):
            token = _TOKEN.match(grammar, at)
            if token is None:
                line = grammar.count("\n", 0, at) + 1
                raise GrammarError(f"line {line} cannot be read from {grammar[at : at + 20]!r}")
            if token.lastgroup == "space":
                is_line = not {"\n", "\r"}.isdisjoint(token[0])
                self.has_ended |= is_line and len(self.open_rules) == 1 and bool(self._sequence)
            else:
                self._take(token)
            at = token.end()
        if len(self.open_rules) > 1:
            raise GrammarError("a group is not closed")
        return self.rules

    def _take(self, token: re.Match[str]) -> None:
        if rule := token["rule"]:
            self._begin(rule)
        elif not self.open_rules:
            raise GrammarError(f"it must begin with a rule, not with {token[0][:20]!r}")
        elif self.has_ended:
            raise GrammarError(f"{token[0][:20]!r} begins a line; rules go on in another line only in () or after |")
        elif token["least"]:
            self._repeat(int(token["least"]), _most(token))
        elif sign := token["sign"]:
            self._sign(sign)
        elif token["text"] == '""':
            self._sequence.append(Item(None, 0, 0))
        else:
            _check_ranges(token["any"] or "")
            self.weights.add(token[0], is_name=token["name"] is not None)
            self._sequence.append(Item(token["name"]))

    @property
    def _sequence(self) -> Sequence:
        return self.rules[self.open_rules[-1]][-1]

    def _begin(self, rule: str) -> None:
        if len(self.open_rules) > 1:
            raise GrammarError("a group is not closed")
        if self.open_rules and self._sequence and not self.has_ended:
            raise GrammarError(f"the rule {rule[:80]!r} does not begin a line")
        if rule in self.rules:
            raise GrammarError(f"the rule {rule[:80]!r} is there twice")
        self.has_ended = False
        self.weights.add(rule, is_name=True)
        self.rules[rule] = [[]]
        self.open_rules = [rule]

    def _sign(self, sign: str) -> None:
        if sign == "|":
            self.rules[self.open_rules[-1]].append([])
        elif sign == "(":
            group = f"({next(self.numbers)}"  # no rule can be named so
            self._sequence.append(Item(group))
            self.rules[group] = [[]]
            self.open_rules.append(group)
            self.weights.open()
            if len(self.open_rules) > _MAX_DEPTH:
                raise GrammarError(f"groups are nested more than {_MAX_DEPTH} deep")
        elif sign == ")":
            if len(self.open_rules) < 2:
                raise GrammarError("a group is closed that was never opened")
            self.open_rules.pop()
            self.weights.close()
        else:
            self._repeat(1 if sign == "+" else 0, 1 if sign == "?" else None)

    def _repeat(self, least: int, most: int | None) -> None:
        if not self._sequence:
            raise GrammarError("nothing stands before a repetition")
        if max(least, most or 0) > _MAX_REPETITIONS or (most is not None and most < least):
            raise GrammarError(f"{least} to {most} repetitions; counts must rise, up to {_MAX_REPETITIONS}")
        item = self._sequence[-1]
        if (item.least, item.most) != (1, 1):
            raise GrammarError("a repetition is repeated; it needs a group")
        self.weights.repeat(least, most)
        self._sequence[-1] = item._replace(least=least, most=most)


def _most(token: re.Match[str]) -> int | None:
    if not token["comma"]:
        return int(token["least"])
    return int(token["most"]) if token["most"] else None


def _check_ranges(characters: str) -> None:
    """A turned range lets nothing through, and with nothing to write llama.cpp ends the process."""
    for found in _RANGE.finditer(characters[1:-1].removeprefix("^")):
        if _code(found["first"]) > _code(found["last"]):
            raise GrammarError(f"the range {found[0]!r} is turned")


def _code(character: str) -> int:
    if len(character) > 2:
        return int(character[2:], 16)
    return ord({"n": "\n", "r": "\r", "t": "\t"}.get(character[1], character[1]) if character[1:] else character)
