"""What a grammar in GBNF must be like, so that llama.cpp lives through it.

llama.cpp refuses much by itself. But it dies of rules that begin with themselves behind something that may be empty,
and of groups nested too deep, and is busy for ever with turned counts and with choices that multiply. Those are
refused here and in gbnf_rules.py, and what it would refuse too is said in a sentence.

Not seen here are choices that multiply only as text is written, such as two ways to go on at each level of brackets.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from services.llm.gbnf_rules import GrammarError, Item, Rules, Sequence, read_rules

_MAX_STARTS = 5_000  # ways to begin a rule; each is followed at once: 7,000 take it 50 ms a character
_MAX_SKIPS = 64  # things in a row that may be empty; its time goes with their cube: 10 s a character for 400


def check_grammar(grammar: str) -> None:
    """GrammarError where llama.cpp must not see it."""
    if "\0" in grammar or grammar.encode(errors="ignore").decode() != grammar:
        raise GrammarError("it has what is no character of a text")
    rules = read_rules(grammar)
    if "root" not in rules:
        raise GrammarError("it has no rule named root")
    for item in _items(rules):
        if item.rule is not None and item.rule not in rules:
            raise GrammarError(f"there is no rule {item.rule[:80]!r}")
    if not all(sequence for sequences in rules.values() for sequence in sequences):
        raise GrammarError('it has an alternative without anything; nothing is written ""')
    empty = _rules_that_may_be_empty(rules)
    for item in _items(rules):
        if item.rule in empty and item.most != 1:
            raise GrammarError("it repeats what may be empty")
    _check_choices(rules, empty, _from_the_left(rules, empty))


def _items(rules: Rules) -> Iterator[Item]:
    return (item for sequences in rules.values() for sequence in sequences for item in sequence)


def _rules_that_may_be_empty(rules: Rules) -> set[str]:
    """Counts for each sequence the parts that are not known to be empty, so that the time is linear."""
    uses: dict[str | None, list[_Missing]] = defaultdict(list)
    found: list[_Missing] = []
    for rule, sequences in rules.items():
        for sequence in sequences:
            needed = [item.rule for item in sequence if item.least]
            missing = _Missing(rule, len(needed))
            found += [missing] * (not needed)
            for part in needed:
                uses[part].append(missing)
    empty: set[str] = set()
    while found:
        if (rule := found.pop().rule) not in empty:
            empty.add(rule)
            for missing in uses[rule]:
                missing.parts -= 1
            found += [missing for missing in uses[rule] if not missing.parts]
    return empty


@dataclass
class _Missing:
    """How many parts of a sequence are not known to be empty at times."""

    rule: str
    parts: int


def _may_be_empty(item: Item, empty: set[str]) -> bool:
    return not item.least or item.rule in empty


def _first_rules(sequences: list[Sequence], empty: set[str]) -> Iterator[str]:
    """The rules that the sequences may begin with."""
    for sequence in sequences:
        for item in sequence:
            if item.rule is not None:
                yield item.rule
            if not _may_be_empty(item, empty):
                break


def _from_the_left(rules: Rules, empty: set[str]) -> list[str]:
    """The rules, each after those that it may begin with."""
    order: list[str] = []
    seen: set[str] = set()
    for rule in rules:
        path = [(rule, _first_rules(rules[rule], empty))] if rule not in seen else []
        seen.add(rule)
        under_way = {rule}
        while path:
            current, firsts = path[-1]
            following = next(firsts, None)
            if following is None:
                order.append(current)
                under_way.discard(current)
                path.pop()
            elif following in under_way:
                raise GrammarError(f"the rule {_shown(following)} begins with itself")
            elif following not in seen:
                seen.add(following)
                under_way.add(following)
                path.append((following, _first_rules(rules[following], empty)))
    return order


def _shown(rule: str) -> str:
    return "of a group" if rule.startswith("(") else repr(rule[:80])


class _Choices(NamedTuple):
    """How many there are where something begins."""

    starts: int  # ways to begin with a character
    ways: int  # to be empty
    skips: int  # most things in a row that may be empty


def _check_choices(rules: Rules, empty: set[str], order: list[str]) -> None:
    """Looks at each rule, and at each rest of one. `order`: each rule after those that it may begin with."""
    known: dict[str | None, _Choices] = {None: _Choices(1, 0, 0)}
    for rule in order:
        choices = [_choices(sequence, empty, known) for sequence in rules[rule]]
        starts, ways, skips = zip(*choices, strict=True)
        known[rule] = _bounded(_Choices(sum(starts), sum(ways), max(skips)))
    for sequences in rules.values():
        for sequence in sequences:
            for start in range(1, len(sequence)):
                _choices(sequence[start : start + _MAX_SKIPS + 1], empty, known)


def _choices(sequence: Sequence, empty: set[str], known: dict[str | None, _Choices]) -> _Choices:
    beginning = list(takewhile(lambda item: _may_be_empty(item, empty), sequence))
    rest = _Choices(0, 1, 0)
    for item in reversed(sequence[: len(beginning) + 1]):
        own = known[item.rule]
        ways = own.ways + (not item.least)
        rest = _bounded(
            _Choices(own.starts + ways * rest.starts, ways * rest.ways, max(own.skips, rest.skips + 1 if ways else 0))
        )
    return rest


def _bounded(choices: _Choices) -> _Choices:
    if max(choices.starts, choices.ways) > _MAX_STARTS or choices.skips > _MAX_SKIPS:
        raise GrammarError("it has too many choices at one place")
    return choices
