"""What of a partial is shown."""

import pytest

from services.stt.partials import Agreed, Partials, agreed_words


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


def shown(*decodings: str) -> list[str]:
    """What is shown in turn."""
    partials = Partials(began_ms=0)
    return [agreed.text for text in decodings if (agreed := partials.agree(text)) is not None]


def test_the_share_shown_is_the_stability() -> None:
    partials = Partials(began_ms=0)
    assert partials.agree("allume") is None
    assert partials.agree("allume la") == Agreed("allume", 6 / 9)
    assert partials.agree("allume la") == Agreed("allume la", 1.0)


def test_nothing_new_is_not_shown_and_nothing_is_taken_back() -> None:
    assert shown("a b", "a b", "a b", "a be", "a be", "a x y z") == ["a b"]


def test_a_full_stop_that_was_none_does_not_stop_them() -> None:
    decodings = ["Je veux.", "Je veux.", "Je veux un", "Je veux un café", "Je veux un café noir"]
    assert shown(*decodings) == ["Je veux", "Je veux un", "Je veux un café"]


def test_a_word_that_was_heard_otherwise_later_does_not_stop_them() -> None:
    assert shown("met la", "met la", "mets la table", "mets la table", "mets la table") == ["met la", "met la table"]


def test_one_is_due_each_300_ms() -> None:
    partials = Partials(began_ms=1000)
    assert not partials.is_due(1299)
    assert partials.is_due(1300)
    partials.asked(1310)
    assert not partials.is_due(1600)
