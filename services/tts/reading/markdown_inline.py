"""Takes Markdown's marks out of a line: emphasis, code, formulas, links, HTML, entities and escapes.

Every quantifier is bounded or possessive, so that the work is in proportion to the text, whatever is in it.
"""

import html
import re
from collections.abc import Callable

from services.tts.reading.latex import KNOWN_COMMANDS, read_latex
from services.tts.reading.traced import Traced

_LABEL = r"(?:[^\[\]\\]|\\.|\[[^\[\]]{0,200}+\]){0,400}+"  # brackets in a label are those of an image in a link
_ADDRESS = r"(?:<[^<>]{0,2000}+>|(?:[^()\s\\]|\\.|\([^()\s]{0,300}+\)){0,2000}+)"
_TITLE = r"""(?:\s{1,9}+(?:"[^"]{0,300}+"|'[^']{0,300}+'))?"""
_VALUE = r"""(?:"[^"]{0,500}+"|'[^']{0,500}+'|[^\s"'=<>`]{1,500}+)"""

# Of LaTeX between dollars; `$5 and $10`, `10 $ et 5 $` are none. Groups of braces in as many as people nest.
_FORMULA = r"(?!\s)(?:[^$\n]{0,500}[\\_^=<>+]|(?![^$\n]{0,500}[a-z]{3})[^$\n]{1,60}\$)"
_COMMAND = "|".join(sorted(KNOWN_COMMANDS, key=len, reverse=True))
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,50}+\}){0,100}+\}){0,200}+\}){0,300}+\}"
_MARKUP = re.compile(
    rf"""
      \$\$(?P<display>[^$]{{1,2000}}+)\$\$
    | \\\((?P<inline>(?:[^\\]|\\[^()]){{1,1000}}+)\\\)
    | \\\[(?P<bracketed>(?:[^\\]|\\[^\[\]]){{1,2000}}+)\\\]
    | (?<![\w$\\])\$(?P<dollars>(?={_FORMULA})[^$\n]{{1,500}}+(?<=\S))\$(?![\w$])
    | (?P<formula>(?<![A-Za-z:\\])\\(?:(?:{_COMMAND})(?![A-Za-z])(?:[_^]?{_GROUP}){{0,3}}+|[A-Za-z]{{2,20}}{_GROUP})
        |[_^]{_GROUP})
    | (?P<delimiter>\$\$|(?<!\w)\$(?=\\[A-Za-z])|\\[()\[\]])
    | \\(?P<escape>[!-/:-@\[-`{{-~])
    | (?P<ticks>`{{1,3}}+)(?P<code>.{{1,500}}?)(?<!`)(?P=ticks)(?!`)
    | (?P<tick>`++)
    | <(?:mailto:)?(?P<address>(?:https?|ftp)://[^\s<>]{{1,2000}}+|[^\s<>@"'=]{{1,64}}+@[^\s<>@]{{1,255}}+)>
    | (?P<comment><!--.{{0,2000}}?-->)
    | (?P<tag></?[A-Za-z][A-Za-z0-9:-]{{0,40}}+(?:\s{{1,9}}+[\w:.-]{{1,60}}+={_VALUE}){{0,20}}+\s{{0,9}}+/?>)
    | (?P<footnote>\[\^[^\[\]\s]{{1,60}}+\]:?)
    | !?\[(?P<link>{_LABEL})\]\(\s{{0,9}}+{_ADDRESS}{_TITLE}\s{{0,9}}+\)
    | (?<![\w\]])!?\[(?P<reference>{_LABEL})\]\[[^\[\]]{{0,200}}+\]
    | (?P<entity>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
    | (?<!\w)(?P<url>(?:https?://|www\.)[^\s<>*`|\\]{{1,2000}}+)
    | (?<![\w*])(?P<stars>\*{{1,3}}+)(?=\S)(?P<emphasis>[^*\\`]{{1,500}}+)(?<=\S)(?P=stars)(?!\*)
    | (?P<run>\*++|_++|~~++)
    """,
    re.VERBOSE,
)
_APART = {"br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "td", "th", "tr", "ul"}
_TAG_NAME = re.compile(r"</?([A-Za-z0-9]{1,40})")


def strip_inline(line: Traced) -> Traced:
    """The line as it is read: the text of a link and not its address, what is bold and not its stars."""
    parts, done = [], 0
    for match in _MARKUP.finditer(line.text):
        parts += [line.part(done, match.start()), _READINGS[match.lastgroup or ""](line, match)]
        done = match.end()
    return Traced.join([*parts, line.part(done, len(line.text))]) if parts else line


def _group(line: Traced, match: re.Match[str]) -> Traced:
    """What the mark stands around, as it is written."""
    return line.part(*match.span(match.lastgroup or 0))


def _inside(line: Traced, match: re.Match[str]) -> Traced:
    """What the mark stands around, which may have marks of its own. No deeper than brackets and stars can nest."""
    return strip_inline(_group(line, match))


def _nothing(line: Traced, match: re.Match[str]) -> Traced:
    return Traced("", ())


def _formula(line: Traced, match: re.Match[str]) -> Traced:
    return read_latex(_group(line, match))


def _space(line: Traced, match: re.Match[str]) -> Traced:
    return Traced(" ", (line.sources[match.start()],))


def _tag(line: Traced, match: re.Match[str]) -> Traced:
    """Nothing, or the space that keeps two lines or cells apart."""
    name = _TAG_NAME.match(match.group())
    is_apart = name is not None and name[1].lower() in _APART
    return _space(line, match) if is_apart else _nothing(line, match)


def _entity(line: Traced, match: re.Match[str]) -> Traced:
    """The characters that it names; one that nobody knows stays."""
    text = html.unescape(match.group())
    return _group(line, match) if text == match.group() else Traced(text, (line.sources[match.start()],) * len(text))


def _run(line: Traced, match: re.Match[str]) -> Traced:
    """Stars, underscores and tildes that open or close something go; those of `3 * 4`, `2**8` and `snake_case` stay."""
    before, after = line.text[max(match.start() - 1, 0) : match.start()], line.text[match.end() : match.end() + 1]
    return _group(line, match) if _is_no_markup(match.group(), before, after) else Traced("", ())


def _is_no_markup(run: str, before: str, after: str) -> bool:
    if run[0] == "~":
        return False
    if before.isalnum() and after.isalnum():
        return run == "*" or run[0] == "_" or before.isdigit() or after.isdigit()
    if before.strip() or after.strip():
        return False
    return len(run) == 1 or bool(before and after)  # more than one at an end closes what an earlier piece opened


_READINGS: dict[str, Callable[[Traced, re.Match[str]], Traced]] = {
    "display": _formula,
    "inline": _formula,
    "bracketed": _formula,
    "dollars": _formula,
    "formula": _formula,
    "delimiter": _space,
    "escape": _group,
    "code": _group,
    "tick": _nothing,
    "address": _group,
    "comment": _nothing,
    "tag": _tag,
    "footnote": _nothing,
    "link": _inside,
    "reference": _inside,
    "entity": _entity,
    "url": _group,
    "emphasis": _inside,
    "run": _run,
}
