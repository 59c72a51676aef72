"""What a resumed conversation tells again is new once."""

from client.events import Event, Interrupted, ReplyAudio, ReplyText, SessionOpened
from client.resumption import News

RESUMED = Event("", SessionOpened("s1", "secret", True, None))


def texts(news: News, *told: Event) -> list[str]:
    found = [news.of(event) for event in told]
    return [event.what.delta for event in found if event is not None and isinstance(event.what, ReplyText)]


def text(turn_id: str, delta: str) -> Event:
    return Event(turn_id, ReplyText(delta))


def test_text_that_is_told_again_is_left_out() -> None:
    told = [
        text("t1", "I am "),
        text("t1", "an"),
        RESUMED,
        text("t1", "I"),
        text("t1", " am an a"),
        text("t1", "ssistant"),
    ]
    assert texts(News(), *told) == ["I am ", "an", " a", "ssistant"]


def test_another_turn_begins_anew() -> None:
    assert texts(News(), text("t1", "I am"), RESUMED, text("t2", "I am")) == ["I am", "I am"]
    assert texts(News(), text("t1", "I am"), text("t2", "so"), text("t2", "me")) == ["I am", "so", "me"]


def test_the_same_words_twice_in_a_reply_are_both_new() -> None:
    assert texts(News(), text("t1", "ha"), text("t1", "ha")) == ["ha", "ha"]


def test_all_else_is_new() -> None:
    news = News()
    assert news.of(RESUMED) is RESUMED
    event = Event("t1", Interrupted("I"))
    assert news.of(event) is event


def test_audio_that_comes_again_is_left_out() -> None:
    news = News()
    assert news.audio("t1", ReplyAudio(b"aabbcc", 0, 0)) == b"aabbcc"
    assert news.audio("t1", ReplyAudio(b"bbccdd", 1, 1)) == b"dd"
    assert news.audio("t1", ReplyAudio(b"aa", 2, 0)) == b""
    assert news.audio("t1", ReplyAudio(b"ee", 3, 4)) == b"ee"
    assert news.audio("t2", ReplyAudio(b"ff", 0, 0)) == b"ff"
