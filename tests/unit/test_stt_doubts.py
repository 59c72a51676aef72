"""When a decoding is believed."""

from dataclasses import replace

import pytest

from services.stt.doubts import Decoding, Doubt, best_of, doubt_of, is_silence

SURE = Decoding("allume la lumière", (1, 2, 3, 4), log_probability=-0.1, no_speech=0.01, hit_the_limit=False)


def test_a_sure_one_is_believed() -> None:
    assert doubt_of(SURE) is None
    assert not is_silence(SURE)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"log_probability": -1.2}, Doubt.LOG_PROBABILITY),
        ({"no_speech": 0.9}, Doubt.NO_SPEECH),
        ({"hit_the_limit": True}, Doubt.REPETITION),
        ({"tokens": (5, 6, 7) * 8}, Doubt.REPETITION),
        ({"text": "et puis " * 40}, Doubt.COMPRESSION),
        ({"text": ""}, Doubt.NO_SPEECH),  # no text, and yet the decoder says that somebody spoke
    ],
)
def test_what_is_not(change: dict[str, object], doubt: Doubt) -> None:
    assert doubt_of(replace(SURE, **change)) is doubt  # type: ignore[arg-type]


def test_no_text_from_silence_is_believed() -> None:
    assert doubt_of(replace(SURE, text="", tokens=(), no_speech=0.95)) is None


def test_silence_is_what_the_decoder_calls_so_and_could_not_read() -> None:
    assert is_silence(replace(SURE, no_speech=0.9, log_probability=-1.5))
    assert not is_silence(replace(SURE, no_speech=0.9, log_probability=-0.3))


def test_of_several_doubtful_ones_the_likeliest_that_is_no_loop() -> None:
    loop = replace(SURE, text="loop", tokens=(5, 6, 7) * 8, log_probability=-0.2)
    likely, unlikely = replace(SURE, log_probability=-1.1), replace(SURE, log_probability=-2.0)
    assert best_of([loop, unlikely, likely]) is likely
    assert best_of([loop]) is loop


def test_words_go_before_an_empty_decoding_however_probable() -> None:
    words, empty = replace(SURE, log_probability=-1.05), replace(SURE, text="", tokens=(), log_probability=0.0)
    assert best_of([words, empty]) is words


@pytest.mark.parametrize("tokens", [(7, 8) * 6, (1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 3, 7, 1, 2, 3), (4,) * 12])
def test_people_repeat_themselves_too(tokens: tuple[int, ...]) -> None:
    assert doubt_of(replace(SURE, tokens=tokens)) is None
