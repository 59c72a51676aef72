"""What was sent, what was heard of it, and what was in the room at a moment."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.events import ReplyAudio
from services.orchestrator.playback import Playback

RATE_HZ = 1000  # a sample a millisecond


def chunk(first_sample: int, samples: int, start: int, end: int) -> ReplyAudio:
    return ReplyAudio(bytes(2 * samples), 0, first_sample, start, end)


def words(*lengths: int, is_reported: bool = True, now: float = 0.0) -> Playback:
    """One word after the other, each of so many chunks of 100 ms; a word is five characters and a space."""
    playback = Playback(RATE_HZ, is_reported=is_reported)
    for number, length in enumerate(lengths):
        for _ in range(length):
            playback.sent(chunk(playback.sent_samples, 100, 6 * number, 6 * number + 5), now)
    return playback


def test_nothing_was_heard_of_what_was_only_sent() -> None:
    playback = words(2, 2)
    assert playback.heard_end(now=10) == 0
    assert playback.ahead_s(now=10) == 0.4
    assert not playback.is_over(now=10)


def test_a_word_was_heard_when_half_of_it_was_played() -> None:
    playback = words(2, 2)
    playback.reported(99, now=1)
    assert playback.heard_end(now=1) == 0
    playback.reported(100, now=1)
    assert playback.heard_end(now=1) == 5
    playback.reported(300, now=2)
    assert playback.heard_end(now=2) == 11


def test_reports_go_forward_and_no_further_than_what_was_sent() -> None:
    playback = words(2)
    playback.reported(150, now=1)
    playback.reported(50, now=2)
    assert playback.ahead_s(now=2) == 0.05
    playback.reported(10**9, now=3)
    assert playback.ahead_s(now=3) == 0
    assert playback.is_over(now=3)


def test_without_reports_time_plays() -> None:
    playback = words(2, 2, is_reported=False, now=5)
    assert playback.heard_end(now=5.1) == 5
    assert abs(playback.ahead_s(now=5.15) - 0.25) < 0.002
    assert playback.is_over(now=5.4)


def test_time_plays_nothing_before_it_is_sent() -> None:
    playback = words(1, is_reported=False, now=5)
    assert playback.is_over(now=9)
    playback.sent(chunk(100, 100, 6, 11), now=9)
    assert abs(playback.ahead_s(now=9.05) - 0.05) < 0.002


def test_a_report_ends_the_guessing() -> None:
    playback = words(10, is_reported=False, now=0)
    playback.reported(200, now=0.2)
    assert playback.ahead_s(now=100) == 0.8


def test_held_nothing_is_played_and_nothing_stalls() -> None:
    playback = words(10, is_reported=False, now=0)
    playback.hold(now=0.1)
    assert playback.ahead_s(now=50) == 0.9
    assert playback.stalled_s(now=50) == 0
    playback.go_on(now=50)
    assert abs(playback.ahead_s(now=50.1) - 0.8) < 0.002


def test_a_loudspeaker_that_reports_nothing_stalls() -> None:
    playback = words(10, now=3)
    assert playback.stalled_s(now=4) == 1
    playback.reported(100, now=5)
    assert playback.stalled_s(now=5.5) == 0.5
    playback.reported(1000, now=6)
    assert playback.stalled_s(now=60) == 0


def test_when_the_first_sample_was_heard() -> None:
    playback = words(10, now=3)
    heard_at = [playback.first_heard_at]
    for samples, now in ((200, 3.3), (300, 3.4)):
        playback.reported(samples, now)
        heard_at.append(playback.first_heard_at)
    assert heard_at == [None, pytest.approx(3.1), pytest.approx(3.1)]


def test_a_loudspeaker_that_plays_faster_than_time_did_not_begin_before_it_was_sent_anything() -> None:
    playback = words(10, now=3)
    playback.reported(1000, now=3.01)
    assert playback.first_heard_at == 3


def test_what_was_in_the_room_between_two_moments() -> None:
    playback = words(2, 2, 2, now=10)
    for tenth in range(1, 7):
        playback.reported(100 * tenth, now=10 + tenth / 10)
    assert playback.span_between(10.25, 10.35) == (6, 11)
    assert playback.span_between(10.05, 10.45) == (0, 17)
    assert playback.span_between(10.15, 10.45) == (6, 17)  # of the first word less than half
    assert playback.span_between(5, 9) == (0, 0)
    assert playback.span_between(11, 12) == (0, 0)
    assert playback.span_between(9, 20) == (0, 17)


def test_after_a_lost_connection_it_goes_on_with_the_sample_after_the_last_one_played() -> None:
    playback = words(2, 2, 2)
    playback.reported(150, now=1)
    rest = playback.unplayed_before(12, now=2)  # the third word was not complete
    assert [(one.first_sample, len(one.audio) // 2) for one in rest] == [(150, 50), (200, 100), (300, 100)]
    assert playback.sent_samples == 400
    playback.sent(chunk(400, 100, 12, 17), now=2)
    playback.reported(500, now=3)
    assert playback.heard_end(now=3) == 17


def test_a_word_that_is_spoken_anew_is_forgotten_also_where_its_beginning_was_played() -> None:
    playback = words(1, 2)
    playback.reported(150, now=1)
    assert playback.unplayed_before(6, now=1) == []
    assert playback.sent_samples == 150
    assert playback.is_over(now=1)


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=12),
)
def test_what_was_heard_only_grows_and_is_never_more_than_was_sent(
    lengths: list[int], happenings: list[tuple[int, bool]]
) -> None:
    playback, heard, now = words(*lengths, is_reported=False), [0], 0.0
    for samples, is_hold in happenings:
        now += 0.05
        playback.hold(now) if is_hold else playback.reported(samples, now)
        heard.append(playback.heard_end(now))
    assert all(before <= after for before, after in pairwise(heard))
    assert heard[-1] <= 6 * len(lengths) - 1
    assert playback.ahead_s(now) >= 0
