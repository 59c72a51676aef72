"""Two writings of the same speech are the same words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.orchestrator.words import is_same_speech, words_heard, words_of

_any_text = st.text(st.characters(codec=None), max_size=60)  # surrogates too
_hard_text = st.lists(
    st.sampled_from([*"aàdlçİßŉﬁ½Ⅳ'’‘ʼ`´-_.,!? \n\u0301\u00ad()[]*♪", "qu'", "jusqu", "hui", "12"])
).map("".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bonjour !", ["bonjour"]),
        ("D’accord.", ["d'", "accord"]),
        ("D'accord", ["d'", "accord"]),
        ("dʼaccord", ["d'", "accord"]),
        ("d'", ["d'"]),  # of a transcript that goes on
        ("D'acc", ["d'", "acc"]),
        ("C'est ça !", ["c'", "est", "ça"]),
        ("Qu'est-ce que c'est ?", ["qu'", "est", "ce", "que", "c'", "est"]),
        ("jusqu'à lundi", ["jusqu'", "à", "lundi"]),
        ("Lorsqu'il y a puisqu'on est", ["lorsqu'", "il", "y", "a", "puisqu'", "on", "est"]),
        ("aujourd'hui", ["aujourd'hui"]),
        ("jusqu’aujourd’hui", ["jusqu'", "aujourd'hui"]),
        ("quelqu'un", ["quelqu'un"]),
        ("j'n'ai pas", ["j'", "n'", "ai", "pas"]),
        ("I don't know, it's two o'clock", ["i", "don't", "know", "it's", "two", "o'clock"]),
        ("rock'n'roll", ["rock'n'roll"]),
        ("the dogs' tails", ["the", "dogs", "tails"]),
        ("'bonjour'", ["bonjour"]),
        ("mm-hm", ["mm", "hm"]),
        ("peut-être", ["peut", "être"]),
        ("ÉTÉ", ["été"]),
        ("e\u0301te\u0301", ["été"]),
        ("Straße", ["strasse"]),
        ("Il est 15h30.", ["il", "est", "15h30"]),
        ("3,14 %", ["3", "14"]),
        ("snake_case", ["snake", "case"]),
        ("…", []),
        ("♪ ! ?", []),
        ("", []),
        ("\ud800", []),
        ("你好，世界", ["你好", "世界"]),
    ],
)
def test_the_words_of_a_text(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@settings(max_examples=1000)
@given(st.one_of(_any_text, _hard_text))
def test_any_text_has_words_and_they_are_their_own_words(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words


@pytest.mark.parametrize(
    ("text", "other", "is_same"),
    [
        ("Quelle heure est-il ?", "quelle heure est il", True),
        ("L’été, j’aime", "l'été j'aime", True),
        ("quelle heure", "quelle heure est-il", False),
        ("il mange", "il a mangé", False),
        ("quinze", "seize", False),
        ("", "…", True),
    ],
)
def test_the_same_speech(text: str, other: str, is_same: bool) -> None:
    assert is_same_speech(text, other) is is_same


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        ("[Musique]", []),
        ("(rires)", []),
        ("*tousse*", []),
        ("♪ la la la ♪", []),
        ("♪", []),
        ("[Musi", []),  # of a transcript that is not whole yet
        ("(ri", []),
        ("*tou", []),
        ("[Musique] Bonjour (rires) à tous *tousse*", ["bonjour", "à", "tous"]),
        ("Bonjour [rires", ["bonjour"]),
        ("(a) oui [b] non", ["oui", "non"]),
        ("2 * 3 = 6", ["2", "3", "6"]),
        ("Bonjour.", ["bonjour"]),
        ("", []),
    ],
)
def test_noise_is_no_word(transcript: str, words: list[str]) -> None:
    assert words_heard(transcript) == words
