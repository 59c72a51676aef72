"""What of a partial is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.stt.partials import Partial, Partials, agreed_words


@pytest.mark.parametrize(
    ("previous", "current", "agreed"),
    [
        ("", "what", 0),
        ("what is", "what is the", 2),
        ("what his", "what is the", 1),
        ("a b c", "a b c", 3),
        ("x", "y", 0),
        ("Je veux.", "je veux un", 2),
    ],
)
def test_what_two_decodings_agree_on(previous: str, current: str, agreed: int) -> None:
    assert agreed_words(previous.split(), current.split()) == agreed


def shown(*decodings: str) -> list[tuple[str, str]]:
    """What is shown in turn: what is agreed, and what is tentative."""
    partials = Partials(began_ms=0)
    told = [partials.agree(text) for text in decodings]
    return [(partial.text, partial.tentative) for partial in told if partial is not None]


def test_the_first_words_are_tentative_and_the_share_agreed_is_the_stability() -> None:
    partials = Partials(began_ms=0)
    first, second, third = (partials.agree(text) for text in ("allume", "allume la", "allume la"))
    assert first == Partial("", "allume")
    assert second == Partial("allume", "la")
    assert third == Partial("allume la", "")
    assert [partial.stability for partial in (first, second, third)] == [0.0, 6 / 9, 1.0]


def test_nothing_heard_is_stable_in_nothing() -> None:
    assert Partial("").stability == 0.0


def test_nothing_new_is_not_shown_and_nothing_agreed_is_taken_back() -> None:
    decodings = ["a b", "a b", "a b", "a be", "a be", "a x y z"]
    assert shown(*decodings) == [("", "a b"), ("a b", ""), ("a b", "y z")]


def test_tentative_words_that_are_gone_are_taken_back() -> None:
    assert shown("", "uh", "") == [("", "uh"), ("", "")]
    assert shown("a", "a b", "a") == [("", "a"), ("a", "b"), ("a", "")]


def test_a_full_stop_that_was_none_does_not_stop_them() -> None:
    decodings = ["Je veux.", "Je veux.", "Je veux un", "Je veux un café", "Je veux un café noir"]
    assert [text for text, _ in shown(*decodings)] == ["", "Je veux", "Je veux", "Je veux un", "Je veux un café"]


def test_a_word_that_was_heard_otherwise_later_does_not_stop_them() -> None:
    decodings = ["met la", "met la", "mets la table", "mets la table", "mets la table"]
    assert shown(*decodings) == [("", "met la"), ("met la", ""), ("met la", "table"), ("met la table", "")]


def test_a_mark_that_stands_alone_is_no_word() -> None:
    """French puts a space before it. Counted as a word it would take the place of the one that follows."""
    question = "Ça va ?"
    decodings = [question, question, "Ça va mieux ?", "Ça va mieux ?"]
    assert shown(*decodings) == [("", question), ("Ça va", ""), ("Ça va", "mieux ?"), ("Ça va mieux", "")]
    assert shown("…", "…", "Oui", "Oui") == [("", "Oui"), ("Oui", "")]


@given(st.lists(st.text(alphabet="ab .?", max_size=12), max_size=12))
def test_whatever_is_heard_what_is_agreed_only_grows(decodings: list[str]) -> None:
    agreed: list[str] = []
    for text, tentative in shown(*decodings):
        assert text.split()[: len(agreed)] == agreed
        assert [text, tentative] == [text.strip(), tentative.strip()]
        agreed = text.split()


def test_one_is_due_each_300_ms() -> None:
    partials = Partials(began_ms=1000)
    assert not partials.is_due(1299)
    assert partials.is_due(1300)
    partials.asked(1310)
    assert not partials.is_due(1600)


def test_what_was_heard_first_is_soon_confirmed() -> None:
    partials = Partials(0)
    partials.asked(300)
    partials.agree("wait")
    assert not partials.is_due(449)
    assert partials.is_due(450)
    partials.asked(450)
    partials.agree("wait a")
    assert not partials.is_due(600)
    assert partials.is_due(750)
