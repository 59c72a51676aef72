"""services/tts/reading/words.py: what a person would say who reads a text aloud.

The expected words of the tables were written from how people read, not from what the code says.
"""

import random
import re
from collections.abc import Iterable
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # the only way to see inside of a pattern
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.common.errors import SettingsError
from services.tts.engine import Word
from services.tts.reading.lexicon import NO_LEXICON, Lexicon
from services.tts.reading.rules import Language, Rule
from services.tts.reading.traced import Traced
from services.tts.reading.words import LANGUAGES, Reading, to_words

_CASES = Path(__file__).parent / "reading_cases"
_LEXICON = Lexicon({"SQL": "esse cu elle", "Leeds": "/lidz/", "gaz": "gaze", "New York": "niou york", "C++": "cépépé"})

_HARD = "0123456789.,:;/-−–+*=<>^%€$£°²½₂ⅣIVXM()[]«»\"'’&#@_~ \u00a0\u202f\ntheurkmx\\|…!?é"
_any_text = st.text(st.characters(codec=None), max_size=200)  # surrogates too
_hard_text = st.lists(
    st.sampled_from(
        [*_HARD, "12", "2025", "1 000", "M. ", "p. ex.", "l'", "Louis ", "XIV", "www.", "http://", "km", "etc."]
    ),
    max_size=60,
).map("".join)
_languages = st.sampled_from(["fr", "en", "de"])


def _say(text: str, language: str = "fr", lexicon: Lexicon = NO_LEXICON) -> list[str]:
    return [word.text for word in to_words(Traced.of(text), language, lexicon)]


def _spans(text: str, language: str = "fr") -> list[tuple[str, str]]:
    return [(word.text, text[word.start : word.end]) for word in to_words(Traced.of(text), language)]


def _bare(words: str) -> str:
    """Without what nobody hears: case, marks, hyphens; apostrophes are kept."""
    words = words.lower().replace("’", "'").replace("-", " ")
    return " ".join(re.sub(r"[^\w\s']", "", words).split())


def _table(language: str) -> list[tuple[str, str]]:
    lines = (_CASES / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    cases = [line.split("\t") for line in lines if line.strip() and not line.startswith("# ")]
    return [(written, said) for written, said in cases]


def _check_case(language: str, written: str, said: str) -> None:
    assert _bare(" ".join(_say(written, language))) in [_bare(reading) for reading in said.split(" | ")]


@pytest.mark.parametrize(("written", "said"), _table("fr"))
def test_french_is_read_as_people_do(written: str, said: str) -> None:
    _check_case("fr", written, said)


@pytest.mark.parametrize(("written", "said"), _table("en"))
def test_english_is_read_as_people_do(written: str, said: str) -> None:
    _check_case("en", written, said)


_RARER_FRENCH = {
    "1/2 heure": "une demi heure",
    "½ tasse": "une demi tasse",
    "le prix au m²": "le prix au mètre carré",
    "La vitesse en km/h.": "la vitesse en kilomètres par heure",
    "$10-20": "dix à vingt dollars",
    "3 k€ et 2,5 k€": "trois mille euros et deux mille cinq cents euros",
    "10k abonnés": "dix mille abonnés",
    "2025-06-12T14:30:00Z": "douze juin deux mille vingt-cinq quatorze heures trente",
    "le 1/3 des voix": "le un tiers des voix",
    "E = mc²": "e égale mc au carré",
    "3x - 5 = 0": "trois x moins cinq égale zéro",
    "10^-3": "dix puissance moins trois",
    "de -5 à +5": "de moins cinq à plus cinq",
    "un i7-9700K": "un i sept neuf mille sept cents k",
    "les étudiant·e·s": "les étudiants",
    "21 voitures et 31 jours": "vingt et une voitures et trente et un jours",
    "2 t-shirts": "deux t shirts",
    "En 2024 - à Paris": "en deux mille vingt-quatre à paris",
    "2019 - 2024": "deux mille dix-neuf à deux mille vingt-quatre",
    "3 - 5 = -2": "trois moins cinq égale moins deux",
    "le XV de France": "le quinze de france",
    "NE PAS TOUCHER": "ne pas toucher",
    "Fichier > Ouvrir": "fichier ouvrir",
    "README.md et Node.js": "readme point m d et node point j s",
    "@emma #IntelligenceArtificielle": "arobase emma hashtag intelligence artificielle",
    "4111 1111 1111 1111": "quatre un un un" + 3 * " un un un un",
    "l'API, d'EDF": "l'a p i d'e d f",
}
_RARER_ENGLISH = {
    "1800 items in 1800": "one thousand eight hundred items in eighteen hundred",
    "March 10-12, 2024": "march tenth to twelfth twenty twenty-four",
    "His 40s, 30s later": "his forties thirty seconds later",
    "9 a.m.–5 p.m.": "nine a m to five p m",
    "Python 3.11": "python three point eleven",
    "a 16:9 screen": "a sixteen to nine screen",
    "1-800-555-1234": "one eight zero zero five five five one two three four",
    "$10-20 or -$5": "ten to twenty dollars or minus five dollars",
    "Elm St. in Mount St. Helens": "elm street in mount saint helens",
    "King Charles III": "king charles the third",
    "AT&T's CEO": "a t and t's c e o",
    "mail.example.co.uk/x?y": "mail dot example dot c o dot u k",
    "1 ½ cups": "one and a half cups",
    "pre-2000": "pre two thousand",
    "50-50": "fifty fifty",
    "In 2024 - I think": "in twenty twenty-four i think",
    "vitamin C - a must": "vitamin c a must",
    "x - y": "x minus y",
}


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [("fr", *case) for case in _RARER_FRENCH.items()] + [("en", *case) for case in _RARER_ENGLISH.items()],
)
def test_what_people_write_less_often(language: str, written: str, said: str) -> None:
    _check_case(language, written, said)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert len(set(_table("fr"))) >= 300
    assert len(set(_table("en"))) >= 200


def _check_words(words: Iterable[Word], length: int) -> None:
    previous = (0, 0)
    for word in words:
        assert word.text
        assert word.text == word.text.strip()
        assert word.text.encode()  # no half of a surrogate pair
        assert 0 <= word.start < word.end <= length
        assert (word.start, word.end) >= previous
        previous = (word.start, word.end)


@given(_any_text | _hard_text, _languages)
@example("1000k 3 k€ 0k", "fr")
@example("\ud800l'\udfff1/0 ²½ 00:00 12.", "fr")
@example("1/0 0th 0:00 00/00/0000 $0.00 Jan 0", "en")
@example("0e 0/0 00h00 0,00 € IIIIe 0er", "fr")
def test_any_text_has_words_whose_spans_lie_in_it_in_order(text: str, language: str) -> None:
    _check_words(to_words(Traced.of(text), language, _LEXICON), len(text))


@given(_hard_text, _languages, st.lists(st.booleans(), min_size=1, max_size=20))
def test_spans_are_of_the_text_that_it_was_before_it_changed(text: str, language: str, kept: list[bool]) -> None:
    whole = Traced.of(text, start=1000)
    parts = [whole.part(place, place + 1) for place in range(len(text)) if kept[place % len(kept)]]
    for word in to_words(Traced.join(parts), language):
        assert 1000 <= word.start < word.end <= 1000 + len(text)


_plain_words = st.lists(st.from_regex(r"[a-zéèàç]{3,12}(-[a-z]{3,8})?", fullmatch=True), max_size=20)


@given(_plain_words, st.sampled_from([" ", "  ", "\n", "\u00a0"]), st.sampled_from(["es", "de", "ja"]))
def test_words_of_other_languages_come_back_as_they_are(words: list[str], space: str, language: str) -> None:
    assert _say(space.join(words), language) == words


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Le petit chat, qu'on a vu hier, dort aujourd'hui près de l'arc-en-ciel."),
        ("fr", "Peut-être viendra-t-elle ; c'est-à-dire demain !"),
        ("fr", "Он сказал 日本語 et हिन्दी, puis l’été."),
        ("en", "It's a well-known fact that I don't know: \"really?\" (perhaps)"),
        ("en", "The dog's bone and the dogs' bones are rock 'n' roll."),
    ],
)
def test_plain_words_come_back_as_they_are(language: str, text: str) -> None:
    expected = re.sub(r"\s([;!])", r"\1", text).replace("’", "'").split()
    assert _say(text, language) == expected


def test_words_know_what_they_stand_for() -> None:
    assert _spans("Il est 14h30, non ?") == [
        ("Il", "Il"),
        ("est", "est"),
        ("quatorze", "14h30"),
        ("heures", "14h30"),
        ("trente,", "14h30,"),
        ("non?", "non ?"),
    ]
    assert _spans("« 12-15 km »") == [
        ("«douze", "« 12"),
        ("à", "-"),
        ("quinze", "15 km"),
        ("kilomètres»", "15 km »"),
    ]
    assert _spans("l'« eau »") == [("«l'eau»", "l'« eau »")]
    assert _spans("l'ONU, d'1 km") == [("l'ONU,", "l'ONU,"), ("d'un", "d'1 km"), ("kilomètre", "d'1 km")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("«Oui», dit-il.", ["«Oui»,", "dit-il."]),
        ("un – deux — trois - quatre", ["un,", "deux,", "trois,", "quatre"]),
        ("(voir plus bas)", ["(voir", "plus", "bas)"]),
        ('Il dit "oui" et "non".', ["Il", "dit", '"oui"', "et", '"non".']),
        ("- premier", ["premier"]),
        ("« oui » - puis (ici) – là", ["«oui»,", "puis", "(ici),", "là"]),
        ("Quoi ?» - rien", ["Quoi?»", "rien"]),
        ("l'« eau » et d'\"ici\"", ["«l'eau»", "et", '"d\'ici"']),
        ("Oui / Non, I/O", ["Oui,", "Non,", "I", "O"]),
        ("pré-2000", ["pré", "deux", "mille"]),
        ("Quoi ?!!!!!!!!!!!", ["Quoi?!!!"]),
        ("des pommes, etc.", ["des", "pommes,", "et", "cetera."]),
        ("des pommes, etc. Et puis", ["des", "pommes,", "et", "cetera.", "Et", "puis"]),
        ("des pommes, etc. dit-il", ["des", "pommes,", "et", "cetera", "dit-il"]),
        ("(( )) « » [x]", ["[x]"]),
        ("06 12 34 56 78", ["zéro", "six,", "douze,", "trente-quatre,", "cinquante-six,", "soixante-dix-huit"]),
    ],
)
def test_marks_belong_to_their_words(text: str, words: list[str]) -> None:
    assert _say(text) == words


@pytest.mark.parametrize("text", ["", " \n\t\u00a0", "...", "— * _ ~ |", "\u200d\ufe0f", "\ud800", "(«»)", "👋", "-"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_to_say(text: str, language: str) -> None:
    assert to_words(Traced.of(text), language) == ()


def test_the_language_may_have_a_country_and_any_case() -> None:
    assert _say("3 km", "FR-ca") == ["trois", "kilomètres"]
    assert _say("3 km", "en-GB") == ["three", "kilometers"]


def test_other_languages_leave_numbers_to_the_engine() -> None:
    assert _say("Um 14:30 Uhr, 3 km — z. B. «hier»", "de") == ["Um", "14:30", "Uhr,", "3", "km,", "z.", "B.", "«hier»"]
    assert _say("2 + 2 = 4 €", "es") == ["2", "+", "2", "=", "4", "€"]


def test_the_letter_a_is_no_article() -> None:
    assert [(word.text, word.ipa) for word in to_words(Traced.of("a USA plan. A dog"), "en")] == [
        ("a", ""),
        ("U", ""),
        ("S", ""),
        ("A", "ˈeɪ"),
        ("plan.", ""),
        ("A", ""),
        ("dog", ""),
    ]


def test_the_lexicon_comes_first() -> None:
    assert _say("Le SQL, l'SQL et C++.", lexicon=_LEXICON) == [
        *("Le", "esse", "cu", "elle,", "l'esse", "cu", "elle", "et", "cépépé.")
    ]
    assert _say("New York, New\u00a0York", "de", _LEXICON) == ["niou", "york,", "niou", "york"]
    words = to_words(Traced.of("À Leeds, oui"), "fr", _LEXICON)
    assert [(word.text, word.ipa) for word in words] == [("À", ""), ("Leeds,", "lidz"), ("oui", "")]
    assert (words[1].start, words[1].end) == (2, 8)


def test_the_lexicon_knows_whole_words_and_case() -> None:
    assert _say("gaz Gaz GAZ", lexicon=_LEXICON) == ["gaze", "gaze", "gaze"]
    assert _say("leeds", lexicon=_LEXICON) == ["leeds"]
    assert _say("gazon gaz-oil magaz", lexicon=_LEXICON) == ["gazon", "gaz-oil", "magaz"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "x"),
        (" SQL", "x"),
        ("SQL", ""),
        ("SQL", " "),
        ("SQL", "//"),
        ("SQL", "/a"),
        ("SQL", "a/b"),
        ("x" * 101, "x"),
    ],
)
def test_a_bad_entry_of_the_lexicon_is_named(written: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"settings: tts.reading.lexicon: {written[:40]!r}: ")) as caught:
        Lexicon({"OK": "okay", written: said})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("language", ["fr", "en", "de"])
def test_a_megabyte_of_random_unicode(language: str) -> None:
    rng = random.Random(20250612)
    text = "".join(chr(rng.randrange(0x110000)) for _ in range(300_000))
    assert len(text.encode("utf-8", "surrogatepass")) > 1_000_000
    _check_words(to_words(Traced.of(text), language), len(text))


class _Counting:
    """A pattern that takes nothing, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def match(self, text: str, position: int) -> None:
        """Nothing matches."""
        self.asked += 1


def _attempts(text: str) -> int:
    counting = _Counting()
    rule = Rule(cast("re.Pattern[str]", counting), lambda _: None)
    Reading(Traced.of(text), Language((rule,)), NO_LEXICON).words()
    return counting.asked


@given(_any_text | _hard_text)
def test_twenty_times_the_text_is_twenty_times_the_attempts(text: str) -> None:
    """With patterns of bounded length that makes the time linear."""
    assert _attempts(text) <= len(text)
    assert _attempts(f"{text} " * 20) <= 20 * _attempts(f"{text} ")


def test_what_is_never_said_is_passed_in_few_steps() -> None:
    assert _attempts("\u200d" * 1000) <= 20


@pytest.mark.parametrize("rule", [rule for language in LANGUAGES.values() for rule in language.rules])
def test_no_pattern_may_run_on(rule: Rule) -> None:
    assert max(_repeats(_parser.parse(rule.pattern.pattern)), default=0) <= 2000


def _repeats(parsed: Any) -> list[int]:
    """How often the parts of a parsed pattern may be repeated at most."""
    found: list[int] = []
    for operation, argument in parsed:
        if operation in {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}:
            found.append(int(argument[1]))
        found += [repeat for inner in _inner(argument) for repeat in _repeats(inner)]
    return found


def _inner(argument: Any) -> list[Any]:
    if isinstance(argument, _parser.SubPattern):
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [inner for part in argument for inner in _inner(part)]
    return []


def test_an_unbounded_pattern_would_be_found() -> None:
    assert max(_repeats(_parser.parse(r"(?:a(?=b*)){2}"))) > 2000
