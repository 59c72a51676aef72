"""What of a partial is shown."""

import pytest

from services.stt.partials import Agreed, Partials, agreed_prefix


@pytest.mark.parametrize(
    ("previous", "current", "agreed"),
    [
        ("", "what", ""),
        ("what is", "what is the", "what is"),
        ("what his", "what is the", "what"),
        ("a b c", "a b c", "a b c"),
        ("x", "y", ""),
    ],
)
def test_what_two_decodings_agree_on(previous: str, current: str, agreed: str) -> None:
    assert agreed_prefix(previous, current) == agreed


def test_the_share_shown_is_the_stability() -> None:
    partials = Partials(began_ms=0)
    assert partials.agree("allume") is None
    assert partials.agree("allume la") == Agreed("allume", 6 / 9)
    assert partials.agree("allume la") == Agreed("allume la", 1.0)


def test_nothing_new_is_not_shown_and_nothing_is_taken_back() -> None:
    partials = Partials(began_ms=0)
    for text in ("a b", "a b"):
        partials.agree(text)
    assert partials.agree("a b") is None
    assert partials.agree("a be") is None
    assert partials.agree("a be") is None
    partials.agree("a b c")
    assert partials.agree("a b c") == Agreed("a b c", 1.0)


def test_one_is_due_each_300_ms() -> None:
    partials = Partials(began_ms=1000)
    assert not partials.is_due(1299)
    assert partials.is_due(1300)
    partials.asked(1310)
    assert not partials.is_due(1600)
