"""services/tts/reading/latex.py: LaTeX in a reply, as it is read aloud."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.reading.latex import read_latex
from services.tts.reading.markdown import Markdown
from services.tts.reading.traced import Traced
from services.tts.reading.words import to_words
from tests.support.effort import count_calls

_bits = st.sampled_from(
    [*r"{}[]()$\^_& x1.-~", r"\frac", r"\sqrt", r"\alpha", r"\left", r"\text", "$$", r"\[", r"\)", "\n"]
)
_formulas = st.lists(_bits, max_size=60).map("".join)


def _say(text: str, language: str) -> str:
    words = to_words(Markdown().strip(Traced.of(text)), language)
    return re.sub(r"[^\w' ]", "", " ".join(word.text for word in words).replace("-", " "))


@pytest.mark.parametrize(
    ("written", "french", "english"),
    [
        ("$x$", "x", "x"),
        ("$x^2$", "x au carré", "x squared"),
        (r"\(x_1 \times x_{2}\)", "x un fois x deux", "x one times x two"),
        (r"$\frac{1}{2}$", "un demi", "one half"),
        (r"$\frac12$", "un demi", "one half"),
        (r"$\frac{a}{b}$", "a sur b", "a over b"),
        (r"$\dfrac{\sqrt{x}}{2}$", "racine carrée de x sur deux", "the square root of x over two"),
        (r"$\sqrt[3]{8} = 2$", "racine cubique de huit égale deux", "the cube root of eight equals two"),
        (r"$a \leq b$", "a est inférieur ou égal à b", "a is less than or equal to b"),
        (r"$a \geq 0, a \neq b$", "a est supérieur ou égal à zéro a est différent de b", None),
        (r"$6 \div 2 \approx 3$", "six divisé par deux environ trois", "six divided by two approximately three"),
        (r"$3 \cdot 4$", "trois fois quatre", "three times four"),
        (r"$2\pi r$", "deux pi r", "two pi r"),
        (r"$\alpha + \beta$", "alpha plus bêta", "alpha plus beta"),
        (r"$\Delta t$", "delta t", "delta t"),
        (r"$\to \infty$", "tend vers l'infini", "goes to infinity"),
        (r"$90^\circ$", "quatre vingt dix degrés", "ninety degrees"),
        (r"$10\,\%$", "dix pour cent", "ten percent"),
        (r"$e^{i\pi} + 1 = 0$", "e puissance i pi plus un égale zéro", "e to the power of i pi plus one equals zero"),
        (r"$x^{-1}$", "x puissance moins un", "x to the power of minus one"),
        (r"$\sin x + \cos(2\theta)$", "sinus x plus cosinus deux thêta", "sine x plus cosine two theta"),
        (r"$\int_0^2 x\,dx$", "intégrale de zéro à deux x dx", "the integral of zero to two x dx"),
        (r"$\sum_{i=1}^{n} i$", "somme de i égale un à n i", "the sum of i equals one to n i"),
        (r"$\left(\frac{a}{b}\right)^2$", "a sur b au carré", "a over b squared"),
        (r"$12\text{ cm}$", "douze centimètres", "twelve centimeters"),
        (r"$\vec{v} \in \mathbb{R}^3$", "v appartient à R au cube", "v is in R cubed"),
        (r"$(x-2)(x-3)$", "x moins deux x moins trois", "x minus two x minus three"),
        (
            r"\[ x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a} \]",
            "x égale moins b plus ou moins racine carrée de b au carré moins quatre ac sur deux a",
            "x equals minus b plus or minus the square root of b squared minus four ac over two a",
        ),
        ("$$\nx = \\frac{a}{2} \\\\\n-y\n$$\n", "x égale a sur deux moins y", "x equals a over two minus y"),
        ("\\[\n\\begin{align}\na &= b\n\\end{align}\n\\]\n- fin", "a égale b fin", "a equals b fin"),
        ("$$\n\nx, **gras**\n", "x gras", "x gras"),
        (r"sans dollars \frac{1}{3} et x^{n+1}", "sans dollars un tiers et x puissance n plus un", None),
        (r"\unknown{x} reste", "x reste", "x reste"),
        (r"un reste: $\frac{1}{", "un reste un sur", None),
    ],
)
def test_formulas_are_said(written: str, french: str, english: str | None) -> None:
    assert _say(written, "fr") == french
    if english is not None:
        assert _say(written, "en") == english


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "5 $ ou 10$, $5-$10",
        "$HOME and $PATH",
        "US$5 / CA$10",
        r"C:\Users\alpha",
        "between $5 and nothing: 10$",
    ],
)
def test_what_is_no_formula_stays(text: str) -> None:
    assert Markdown().strip(Traced.of(text)) == Traced.of(text)


def test_signs_know_which_command_they_stand_for() -> None:
    read = read_latex(Traced.of(r"\frac{a}{b+1}", 10))
    assert read.text == "a⁄(b+1) "
    assert [read.sources[read.text.index(sign)] for sign in "a⁄(b)"] == [16, 17, 18, 19, 22]


@given(_formulas, st.lists(st.integers(0, 60), max_size=5))
def test_any_formula_is_read_in_order(formula: str, cuts: list[int]) -> None:
    markdown = Markdown()
    places = sorted({0, len(formula), *(cut for cut in cuts if cut < len(formula))})
    parts = [markdown.strip(Traced.of(formula[start:end], start)) for start, end in itertools.pairwise(places)]
    sources = [source for part in parts for source in part.sources]
    assert sources == sorted(sources)
    assert all(0 <= source < len(formula) for source in sources)
    for language in ("fr", "en"):
        to_words(Traced.join(parts), language)


@pytest.mark.parametrize("bit", [r"\frac{", r"\frac{a}{", "x_{", "$x", r"\[x ", "{}", r"\alpha"])
def test_ten_times_the_formula_is_ten_times_the_work(bit: str) -> None:
    def effort(count: int) -> int:
        return count_calls(lambda: Markdown().strip(Traced.of(bit * count)))

    assert effort(500) <= 12 * effort(50)
