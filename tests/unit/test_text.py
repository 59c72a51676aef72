"""services/common/text.py."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidInputError, OutOfRangeError
from services.common.text import check_language, check_length, clean, primary_language

_ANY_TEXT = st.text(st.characters(codec=None))  # surrogates too


@given(_ANY_TEXT)
def test_clean_keeps_every_character_in_its_place(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    for before, after in zip(text, cleaned, strict=True):
        assert after in (before, " ")
    assert clean(cleaned) == cleaned


@given(_ANY_TEXT)
def test_clean_leaves_no_control_characters(text: str) -> None:
    left = {character for character in clean(text) if unicodedata.category(character) in {"Cc", "Cs"}}
    assert left <= {"\t", "\n", "\r"}


@pytest.mark.parametrize(
    "text", ["plain", "C'est l'été, à Noël !", "tab\tline\r\n", "日本語", "👩‍👩‍👧 family", "שלום", "e\u0301", "x²"]
)
def test_clean_leaves_what_people_write(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("bad", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\ufeff", "\u202e", "\u2066"])
def test_clean_takes_out_what_no_engine_should_see(bad: str) -> None:
    assert clean(f"a{bad}é") == "a é"
    assert clean(f"a{bad}b") == "a b"


def test_check_length_counts_characters() -> None:
    assert check_length("é" * 10, 10, "text") == "é" * 10
    with pytest.raises(OutOfRangeError, match="text: 11 characters; the limit is 10") as caught:
        check_length("é" * 11, 10, "text")
    assert caught.value.field == "text"


@pytest.mark.parametrize("code", ["", "fr", "fr-FR", "zh-Hant-TW", "fil", "en-029", "sl-rozaj", "en-gb-x-rp"])
def test_language_codes(code: str) -> None:
    assert check_language(code, "language_code") == code


@pytest.mark.parametrize(
    "code",
    ["f", "french", "fr_FR", "fr-", "fr--x", "-fr", "fr-abcdefghi", "fr FR", "fr\n", "fr-FR;rm", "ﬁ", "12", "fr" * 999],
)
def test_what_is_no_language_code(code: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^language_code: ") as caught:
        check_language(code, "language_code")
    assert caught.value.field == "language_code"
    assert len(caught.value.message) < 200


def test_primary_language() -> None:
    assert [primary_language(code) for code in ("fr-FR", "EN", "zh-Hant-TW", "")] == ["fr", "en", "zh", ""]
