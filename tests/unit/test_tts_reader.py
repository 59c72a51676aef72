"""services/tts/reading/reader.py: what is said of a text that comes in pieces."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import SettingsError
from services.tts.config import ReadingSection
from services.tts.phrases import Phrase
from services.tts.pieces import Piece, PieceCutter
from services.tts.reading.emoji_names import EmojiReader
from services.tts.reading.plain import ReadingOptions
from services.tts.reading.reader import Reader
from services.tts.reading.traced import Traced

_NAMED = ReadingOptions(names_emoji=True)
_snippets = st.sampled_from(
    [
        *"a1é,.!?*_`#|<>[]()\n \t",
        "- ",
        "**",
        "```\n",
        "14h30",
        "12,50 €",
        "👍🏽",
        "1️⃣",
        "\u200d",
        "\ud800",
        "\x00",
        "M. X",
    ]
)
_texts = st.one_of(st.text(), st.lists(_snippets, max_size=60).map("".join))


def _read(text: str, language: str = "fr", options: ReadingOptions | None = None) -> list[Phrase]:
    reader = Reader(language, options or ReadingOptions())
    cutter = PieceCutter()
    return [phrase for piece in [*cutter.push(text), *cutter.flush()] for phrase in reader.read(piece)]


def _said(text: str, language: str = "fr", options: ReadingOptions | None = None) -> str:
    return " ".join(word.text for phrase in _read(text, language, options) for word in phrase.words)


@given(_texts, st.lists(st.integers(0, 1000), max_size=8), st.sampled_from(["fr", "en", "de"]))
def test_any_text_in_any_pieces_is_read(text: str, cuts: list[int], language: str) -> None:
    reader = Reader(language, _NAMED)
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    at = 0
    for start, end in itertools.pairwise(places):
        for phrase in reader.read(Piece(text[start:end], start)):
            assert (phrase.start, phrase.end) == (start, end)
            for word in phrase.words:
                assert max(at, start) <= word.start < word.end <= end
                assert word.text
                assert word.text == word.text.strip()
                at = word.start


@given(st.lists(st.sampled_from(["bonjour", "élan", "maison,", "table.", "rouge"]), min_size=1))
def test_plain_sentences_stay_as_they_are(words: list[str]) -> None:
    assert _said(" ".join(words)) == " ".join(words)


def test_words_stand_for_what_was_written() -> None:
    text = "Voici **[un lien](https://exemple.fr)**, enfin.\n"
    phrases = _read(text)
    written = [(word.text, text[word.start : word.end].rstrip(",.")) for phrase in phrases for word in phrase.words]
    assert [said.rstrip(",.") for said, _ in written] == ["Voici", "un", "lien", "enfin"]
    assert [source.partition("]")[0] for _, source in written] == ["Voici", "un", "lien", "enfin"]


@pytest.mark.parametrize(
    ("text", "pause_ms"),
    [
        ("Bien sûr, ", 120),
        ("Voici : ", 120),
        ("Il fait beau. ", 250),
        ("**Vraiment ?** ", 250),
        ("« Oui. » ", 250),
        ("une ligne\n", 120),
        ("- du lait\n", 250),
        ("# Un titre\n", 500),
        ("Fini.\n\n", 500),
        ("Fini. \r\n \r\n", 500),
        ("sans fin ", 0),
        ("---\n\n", 0),
        ("👍\n\n", 0),
    ],
)
def test_the_end_of_a_piece_asks_for_a_pause(text: str, pause_ms: int) -> None:
    assert [phrase.pause_ms for phrase in Reader("fr", ReadingOptions()).read(Piece(text, 0))] == [pause_ms]


def test_code_says_nothing() -> None:
    assert _said("Essayez ceci :\n\n```py\nprint(1)\n```\n\nVoilà.") == "Essayez ceci: Voilà."


def test_emoji_are_left_out() -> None:
    assert _said("Bravo👏🏽Paul 👨‍👩‍👧 ! ❤️") == "Bravo Paul!"


def test_emoji_are_said_by_name_without_the_colour_of_the_skin() -> None:
    assert _said("Bravo 👏🏽", options=_NAMED) == "Bravo applaudissements"
    assert _said("Well done 👏🏽", "en", _NAMED) == "Well done clapping hands"
    assert _said("Goed 👏", "nl", _NAMED) == "Goed clapping hands"
    assert _said("La 🇫🇷 !", options=_NAMED) == "La drapeau france!"


def test_the_same_emoji_in_a_row_is_said_once() -> None:
    assert _said("Ah 😂😂😂 oui 😂", "en", _NAMED) == "Ah face with tears of joy oui face with tears of joy"


def test_an_emoji_stands_where_it_is_written() -> None:
    (phrase,) = _read("Oui 👨‍👩‍👧 Paul", "en", _NAMED)
    words = {word.text: (word.start, word.end) for word in phrase.words}
    assert words["Paul"] == (10, 14)
    names = [span for text, span in words.items() if text not in {"Oui", "Paul"}]
    assert all(4 <= start < end <= 9 for start, end in names)
    assert names[-1][0] > names[0][0]


@pytest.mark.parametrize("snippet", ["👨\u200d", "🇫", "1\ufe0f\u20e3", "🏴\U000e0067", "\u200b", "👍🏽"])
def test_a_hostile_text_costs_no_more_than_a_long_one(snippet: str) -> None:
    """Where a search goes back over what it has seen, this takes minutes."""
    text = snippet * (100_000 // len(snippet))
    assert len(EmojiReader("fr", is_named=False).read(Traced.of(text)).text) <= len(text)


def test_keycaps_are_their_numbers() -> None:
    assert _said("1️⃣ Premier", "en") == "one Premier"


def test_what_cannot_be_seen_is_not_said() -> None:
    assert _said("in\u00adcroy\u200bable\ufe0f \u202eoui\u202c\x07 non\U000e0041") == "incroyable oui non"
    assert _said("ja\x07nein", "de") == "ja nein"


def test_the_owners_lexicon_goes_first() -> None:
    section = ReadingSection(emoji="named", lexicon={"fr-FR": {"Leeds": "/lidz/", "SQL": "esse cu elle"}})
    (phrase,) = _read("Leeds aime SQL 👏", options=ReadingOptions.of(section))
    assert [(word.text, word.ipa) for word in phrase.words] == [
        ("Leeds", "lidz"),
        ("aime", ""),
        *[(word, "") for word in ["esse", "cu", "elle", "applaudissements"]],
    ]


def test_a_bad_entry_of_the_lexicon_names_itself() -> None:
    with pytest.raises(SettingsError, match="Leeds"):
        ReadingOptions.of(ReadingSection(lexicon={"fr": {"Leeds": " "}}))
