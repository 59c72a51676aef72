r"""LaTeX, as language models write formulas, becomes the signs that people write by hand: `\frac{1}{2}` is 1⁄2.

The signs are said in each language by its own rules. What has no sign, such as `\left`, goes; its braces go with it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from services.tts.reading.traced import Traced

_GREEK = (
    "alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta θ iota ι kappa κ lambda λ "
    "mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω "
    "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω"
)
_OPERATORS = (
    "times × cdot ⋅ ast × div ÷ pm ± leq ≤ le ≤ leqslant ≤ geq ≥ ge ≥ geqslant ≥ lt < gt > neq ≠ ne ≠ approx ≈ "
    "simeq ≃ sim ≃ equiv ≡ infty ∞ sum ∑ prod ∏ int ∫ partial ∂ in ∈ notin ∉ subset ⊂ subseteq ⊂ cup ∪ cap ∩ "
    "forall ∀ exists ∃ emptyset ∅ to ⟶ rightarrow ⟶ longrightarrow ⟶ Rightarrow ⇒ implies ⇒ iff ⇔ Leftrightarrow ⇔ "
    "ldots … dots … cdots … degree ° circ °"
)
_FUNCTIONS = frozenset({"sin", "cos", "tan", "ln", "log", "exp", "lim", "max", "min"})
_BRACKETS = frozenset({"left", "right", "big", "Big", "bigl", "bigr"})
_EMPTY = "text textbf mathrm mathbf mathbb mathcal mathit operatorname boxed quad qquad displaystyle limits"
_FRACTIONS = frozenset({"frac", "dfrac", "tfrac"})
_ROOTS = {"3": "∛", "4": "∜"}


def _pairs(listed: str) -> dict[str, str]:
    words = listed.split()
    return dict(zip(words[::2], words[1::2], strict=True))


_LETTERS: Mapping[str, str] = _pairs(_GREEK)
_SIGNS: Mapping[str, str] = {
    **{name: f" {sign} " for name, sign in _pairs(_OPERATORS).items()},
}
KNOWN_COMMANDS = frozenset(
    {*_LETTERS, *_SIGNS, *_EMPTY.split(), *_FUNCTIONS, *_BRACKETS, *_FRACTIONS, "sqrt", "begin", "end"}
)

_TOKEN = re.compile(
    r"""
      \^\{?\\(?P<degree>circ|degree)\b\}?
    | \\[dt]?frac\s?(?P<top>[0-9])\s?(?P<bottom>[0-9])
    | \\sqrt(?:\[(?P<root>[^\[\]{}]{1,9})\])?(?![A-Za-z])
    | \\(?P<environment>begin|end)\{[^{}]{0,40}\}
    | \\(?P<command>[A-Za-z]{1,40})[ ]?
    | \\(?P<escaped>[%$\#&_])
    | (?P<silent>\\.?|[&~])
    | (?P<opening>\{)
    | (?P<closing>\})
    | (?P<mark>[_^])[ ]?
    | (?P<text>[^\\{}_^&~]{1,500})
    """,
    re.VERBOSE | re.DOTALL,
)
_CALLED = re.compile(r"(?:\\left)?\s?[(_^]")  # a function, by what follows it
_SIMPLE = re.compile(r"\s{0,9}[-−]?(?:[^\W_]{1,20}(?:[.,][0-9]{1,20})?|\\[A-Za-z]{1,20})\s{0,9}\}")


def read_latex(text: Traced) -> Traced:
    """The formula, in signs; each knows which command it stands for."""
    return _Formula(text).read()


class _Formula:
    """One formula, from its first token to its last."""

    def __init__(self, text: Traced) -> None:
        self._text = text
        self._parts: list[Traced] = []
        self._last = " "  # character of them
        self._braces: list[str] = []  # what closes those that are open
        self._groups: list[str] = []  # operands to come, the next one last: what is written after them

    def read(self) -> Traced:
        """All of it."""
        for match in _TOKEN.finditer(self._text.text):
            if match["opening"]:
                self._open(match.end())
            elif match["closing"]:
                self._put(self._braces.pop() if self._braces else "", match.start())
            elif match["text"]:
                self._take(match.start(), match.end())
            else:
                self._put(self._sign_of(match), match.start())
        return Traced.join(self._parts)

    def _sign_of(self, match: re.Match[str]) -> str:
        command = match["command"] or ""
        is_braced = self._text.text[match.end() : match.end() + 1] == "{"
        if command in _FRACTIONS:
            self._groups += ["", "⁄"] if is_braced else []
        elif match["mark"] or match[0].startswith("\\sqrt"):
            self._groups += [""] if is_braced else []
            return match["mark"] or _ROOTS.get(match["root"] or "", "√")
        elif match["top"]:
            return f"{match['top']}⁄{match['bottom']} "
        elif match["degree"]:
            return "°"
        elif command in _LETTERS:
            return f" {_LETTERS[command]}" if self._last.isalpha() else _LETTERS[command]
        elif command in _FUNCTIONS:
            return f" {command}" if _CALLED.match(self._text.text, match.end()) else f" {command} "
        return "" if command in _BRACKETS else _SIGNS.get(command) or match["escaped"] or " "

    def _open(self, start: int) -> None:
        """A brace: brackets stand in its place where more than one thing is in it."""
        if not self._groups:
            self._braces.append("")
            return
        ending = self._groups.pop()
        needs_brackets = _SIMPLE.match(self._text.text, start) is None
        self._put("(" if needs_brackets else "", start - 1)
        self._braces.append((")" if needs_brackets else "") + (ending or " "))

    def _take(self, start: int, end: int) -> None:
        if self._last == " " and self._text.text[start] == " ":
            start += 1
        part = self._text.part(start, end)
        self._append(replace(part, text=part.text.replace("-", "−")))  # no dash of a formula is a hyphen

    def _put(self, sign: str, position: int) -> None:
        sign = sign[1:] if self._last == " " and sign.startswith(" ") else sign
        self._append(Traced(sign, (self._text.sources[position],) * len(sign)))

    def _append(self, part: Traced) -> None:
        if part.text:
            self._parts.append(part)
            self._last = part.text[-1]
