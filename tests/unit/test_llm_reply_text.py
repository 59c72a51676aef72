"""Bytes of tokens to text that may be shown."""

from hypothesis import given
from hypothesis import strategies as st

from services.llm.reply_text import ReplyText


def whole(text: ReplyText, *pieces: bytes) -> list[str]:
    return [*map(text.push, pieces), text.flush()]


def test_a_character_comes_whole_or_not_at_all() -> None:
    party = "🎉".encode()
    assert whole(ReplyText(), party[:1], party[1:3], party[3:] + b"!") == ["", "", "🎉!", ""]


def test_half_a_character_at_the_end_stays_out() -> None:
    assert whole(ReplyText(), b"caf", "é".encode()[:1]) == ["caf", "", ""]


def test_bytes_that_are_no_character_are_left_out() -> None:
    assert "".join(whole(ReplyText(), b"a\xff\xfeb", b"\x80c")) == "abc"


def test_what_may_be_a_stop_sequence_is_held_back_until_that_is_known() -> None:
    text = ReplyText(["</end>"])
    assert [text.push(piece) for piece in (b"so </", b"en", b"ough")] == ["so ", "", "</enough"]
    assert not text.is_stopped


def test_a_stop_sequence_and_what_follows_are_not_shown() -> None:
    text = ReplyText(["</end>"])
    assert whole(text, b"that is all<", b"/end> and more", b"never") == ["that is all", "", "", ""]
    assert text.is_stopped


def test_what_was_held_back_is_given_at_the_end() -> None:
    assert whole(ReplyText(["abc"]), b"xab") == ["x", "ab"]


WORDS = st.text(alphabet="abé🎉 ", max_size=30)
STOPS = st.lists(st.text(alphabet="abé", min_size=1, max_size=4), max_size=3)


@given(WORDS, STOPS, st.lists(st.integers(1, 5), min_size=40, max_size=200))
def test_however_it_is_cut_it_is_the_text_before_the_stop_that_is_complete_first(
    words: str, stops: list[str], sizes: list[int]
) -> None:
    content = words.encode()
    text = ReplyText(stops)
    shown = ""
    for size in sizes:
        shown += text.push(content[:size])
        content = content[size:]
    shown += text.flush()
    complete = next((end for end in range(len(words) + 1) if words[:end].endswith(tuple(stops))), None)
    if complete is None:
        assert (shown, text.is_stopped) == (words, False)
    else:
        longest = max(len(stop) for stop in stops if words[:complete].endswith(stop))
        assert (shown, text.is_stopped) == (words[: complete - longest], True)
