"""services/llm/reply_text.py: a reply up to its first stop sequence."""

from hypothesis import given
from hypothesis import strategies as st

from services.llm.reply_text import ReplyText


def whole(text: ReplyText, *portions: str) -> list[str]:
    return [*map(text.push, portions), text.flush()]


def test_what_may_be_a_stop_sequence_is_held_back_until_that_is_known() -> None:
    text = ReplyText(["</end>"])
    assert [text.push(portion) for portion in ("so </", "en", "ough")] == ["so ", "", "</enough"]
    assert not text.is_stopped


def test_a_stop_sequence_and_what_follows_are_not_shown() -> None:
    text = ReplyText(["</end>"])
    assert whole(text, "that is all<", "/end> and more", "never") == ["that is all", "", "", ""]
    assert text.is_stopped


def test_what_was_held_back_is_given_at_the_end() -> None:
    assert whole(ReplyText(["abc"]), "xab") == ["x", "ab"]


def test_of_two_stop_sequences_the_first_counts() -> None:
    assert whole(ReplyText(["d", "b"]), "abcd") == ["a", ""]


WORDS = st.text(alphabet="abé🎉 ", max_size=30)
STOPS = st.lists(st.text(alphabet="abé", min_size=1, max_size=4), max_size=3)


@given(WORDS, STOPS, st.lists(st.integers(1, 5), min_size=30, max_size=100))
def test_however_it_is_cut_it_is_the_text_before_the_stop_that_is_complete_first(
    words: str, stops: list[str], sizes: list[int]
) -> None:
    text = ReplyText(stops)
    shown, rest = "", words
    for size in sizes:
        shown += text.push(rest[:size])
        rest = rest[size:]
    shown += text.flush()
    complete = next((end for end in range(len(words) + 1) if words[:end].endswith(tuple(stops))), None)
    if complete is None:
        assert (shown, text.is_stopped) == (words, False)
    else:
        longest = max(len(stop) for stop in stops if words[:complete].endswith(stop))
        assert (shown, text.is_stopped) == (words[: complete - longest], True)
