"""What the client tells people, read from its source: which sentences, and whether they go through `tr`."""

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.shared_data import REPOSITORY

_TWO_WORDS = re.compile(r"[^\W\d_]{2,}[,;:]? [^\W\d_]{2,}")
_WORD = re.compile(r"[^\W\d_]{3}")  # units have two letters at the most
_STYLE = re.compile(r"(?:not |bold|dim|italic|underline|strike|reverse|\w+ on )[ \w{}]*")
_FOR_MACHINES = re.compile(
    r"(?:sudo|pip|podman|docker|superwhisper|make|systemctl|export|openssl) "  # what a person is to type
    r"|[A-Z_]+=|\s*(?:from \S+ )?import |\s*\w+ \{ |-----"  # programs, style sheets, certificates
)
# Whose text is translated later (help), is never told (a bug's own words), or is only compared.
_SILENT_CALLS = {
    "tr",
    "later",
    "examples",
    "_examples",
    "AssertionError",
    "ValueError",
    "BufferError",
    "Literal",
    "compile",
}
_SILENT_KEYWORDS = {"help", "short_help", "description", "metavar", "name", "style"}
_TELLING_CALLS = {"CommandError", "BadParameter", "UsageError", "note", "echo", "secho", "Text"}


@dataclass(frozen=True)
class Told:
    """A sentence at a place of the source. `values` are the names that `tr` is given with it; None where it is not."""

    place: str
    sentence: str
    values: frozenset[str] | None = None


def fields_of(sentence: str) -> frozenset[str]:
    """The names in its braces. What else may stand there, such as JSON, is no place for a value."""
    names = (name or "" for _, name, _, _ in string.Formatter().parse(sentence))
    return frozenset(filter(str.isidentifier, names))


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the client but the French ones."""
    for path in sorted((REPOSITORY / "client").rglob("*.py")):
        if "french" not in path.parts:
            yield path, _parsed(path)


def translated() -> Iterator[Told]:
    """Each sentence that `tr` translates, here or later."""
    for path, tree in modules():
        for call in _translations(tree):
            given = frozenset(keyword.arg or "**" for keyword in call.keywords)
            values = given if _name(call.func) == "tr" else None
            for sentence in _sentences(call, tree):
                yield Told(_place(path, call), sentence, values)


def patched_up() -> Iterator[str]:
    """Places where `tr` gets what was put together there and then, of which nothing is known beforehand."""
    for path, tree in modules():
        for call in _translations(tree):
            if isinstance(call.args[0], ast.JoinedStr | ast.BinOp):
                yield _place(path, call)


def untranslated() -> Iterator[Told]:
    """Each string that reads like a sentence and does not go through `tr`.

    Of what is handed to those who tell it (errors, notes), every word counts; elsewhere only two in a row do. A word
    for programs that is given to `tr` elsewhere in its module is translated where it is told.
    """
    for path, tree in modules():
        known = {sentence for call in _translations(tree) for sentence in _sentences(call, tree)}
        for node, text in _strings(tree, _docstrings(tree)):
            if text not in known:
                yield Told(_place(path, node), text)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(REPOSITORY)}:{getattr(node, 'lineno', 0)}"


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _translations(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in {"tr", "later"}:
            yield node


def _constant(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _sentences(call: ast.Call, tree: ast.Module) -> list[str]:
    """What the call translates: a literal, or the one that stands under a name because the line would be too long."""
    given = call.args[0]
    if not isinstance(given, ast.Name):
        return [sentence] if (sentence := _constant(given)) else []
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _constant(node.value)]
    return [_constant(node.value) for node in assigned if given.id in map(_name, node.targets)]


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    """And every other string that stands by itself."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _strings(node: ast.AST, docstrings: set[ast.AST], *, told: bool = False) -> Iterator[tuple[ast.AST, str]]:
    """Strings with words in them; `told` where the node is what a call tells."""
    if isinstance(node, ast.Constant | ast.JoinedStr) and node not in docstrings:
        text = _text(node)
        has_words = _TWO_WORDS.search(text) or (told and _WORD.search(text.replace("SuperWhisper", "")))
        if has_words and not (_STYLE.fullmatch(text) or _FOR_MACHINES.match(text)):
            yield node, text
            return
    if isinstance(node, ast.Compare) or (isinstance(node, ast.Call) and _name(node.func) in _SILENT_CALLS):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.keyword) and child.arg in _SILENT_KEYWORDS:
            continue
        is_told = isinstance(node, ast.Call) and _name(node.func) in _TELLING_CALLS and child is (*node.args, None)[0]
        yield from _strings(child, docstrings, told=is_told)


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    """`the value is {}` for an f-string."""
    if isinstance(node, ast.Constant):
        return _constant(node)
    return "".join(_constant(part) or "{}" for part in node.values)
