"""What the sound card's thread renders: how loud, when it begins and ends, and what of it counts as heard."""

import gc
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.audio.fader import FULL, SILENT, SOFT
from client.audio.output_ring import OutputRing
from client.audio.runs import Runs
from services.common.audio import Samples

RATE_HZ = 400
RAMP = 4  # samples in 10 ms
LEAST = 24  # samples in 60 ms
LOUD = np.full(100, 1000, np.int16)
LOUDNESS = {"pause": SILENT, "duck": SOFT, "go_on": FULL}


def render(ring: OutputRing, frames: int) -> Samples:
    """The next frames; they are on their way when it returns."""
    out = np.full(frames, 99, np.int16)
    ring.render(out)
    ring.render(out[:0])
    return out


def levels(ring: OutputRing, frames: int) -> list[int]:
    return [int(sample) for sample in render(ring, frames)]


def playing() -> OutputRing:
    """A ring with 90 samples left, in the middle of something."""
    ring = OutputRing(RATE_HZ)
    ring.write(LOUD)
    render(ring, 10)
    return ring


def test_silence_where_there_is_nothing() -> None:
    ring = OutputRing(RATE_HZ)
    assert levels(ring, 3) == [0, 0, 0]
    assert ring.heard(0) is None
    assert ring.is_silent(0)


def test_what_sounds_fades_out_and_waits_while_it_is_silent() -> None:
    ring = playing()
    ring.move_to(SILENT)
    assert levels(ring, RAMP + 2) == [750, 500, 250, 0, 0, 0]
    assert levels(ring, 50) == [0] * 50
    assert ring.waiting == 90 - RAMP
    ring.move_to(FULL)
    assert levels(ring, RAMP + 1) == [250, 500, 750, 1000, 1000]
    assert ring.heard(0) == 10 + RAMP + RAMP + 1


def test_a_pause_that_ends_while_it_begins() -> None:
    ring = playing()
    ring.move_to(SILENT)
    assert levels(ring, 2) == [750, 500]
    ring.move_to(FULL)
    assert levels(ring, 3) == [750, 1000, 1000]


def test_it_can_be_soft() -> None:
    ring = playing()
    ring.move_to(SOFT)
    assert levels(ring, RAMP + 2) == [750, 500, 250, 177, 177, 177]
    ring.move_to(FULL)
    assert levels(ring, RAMP + 1) == [427, 677, 927, 1000, 1000]


def test_what_sounds_fades_out_and_the_rest_is_dropped() -> None:
    ring = playing()
    ring.flush()
    assert levels(ring, RAMP + 2) == [750, 500, 250, 0, 0, 0]
    assert ring.waiting == 0
    assert ring.heard(0) == 10 + RAMP
    ring.write(LOUD)
    assert levels(ring, 3) == [1000] * 3  # at once, for it begins
    assert ring.heard(0) == 103


def test_a_fade_may_take_several_visits_of_the_sound_card() -> None:
    ring = playing()
    ring.flush()
    ring.write(-LOUD)
    assert [levels(ring, frames) for frames in (1, 2, 2, 2)] == [[750], [500, 250], [0, 0], [-1000, -1000]]


def test_what_follows_a_fade_begins_at_once() -> None:
    ring = playing()
    ring.flush()
    ring.write(-LOUD)
    assert levels(ring, RAMP) == [750, 500, 250, 0]
    assert ring.waiting == 100
    assert levels(ring, 1) == [-1000]
    assert ring.heard(0) == 101


def test_what_follows_a_reply_that_was_over_begins_at_once() -> None:
    ring = playing()
    render(ring, 90)
    ring.flush()
    ring.write(-LOUD)
    assert levels(ring, 1) == [-1000]


def test_what_does_not_sound_yet_is_dropped_without_a_fade() -> None:
    ring = OutputRing(RATE_HZ)
    ring.write(LOUD)
    ring.flush()
    assert ring.waiting == 0
    assert levels(ring, 8) == [0] * 8
    assert ring.heard(0) is None


@pytest.mark.parametrize("is_heard", [True, False])
def test_what_follows_something_dropped_waits_until_enough_is_there(is_heard: bool) -> None:
    ring = playing() if is_heard else OutputRing(RATE_HZ)
    ring.write(LOUD[:10])
    render(ring, LEAST - RAMP)
    ring.flush()
    render(ring, RAMP)
    ring.begin_turn()
    ring.write(LOUD[:10])
    assert levels(ring, LEAST) == [0] * LEAST
    assert levels(ring, RAMP) == [1000] * RAMP


@pytest.mark.parametrize(
    "orders", [("flush", "pause"), ("pause", "flush", "pause"), ("duck", "flush", "flush", "pause")]
)
@pytest.mark.parametrize("frames", [0, 2, 50], ids=lambda frames: f"{frames} frames between")
def test_dropped_and_paused_in_any_order(orders: tuple[str, ...], frames: int) -> None:
    ring = playing()
    for order in orders:
        ring.flush() if order == "flush" else ring.move_to(LOUDNESS[order])
        render(ring, frames)
    ring.write(-LOUD)
    assert render(ring, 50).min() == 0
    assert ring.waiting == 100
    ring.move_to(FULL)
    assert levels(ring, RAMP + 1) == [-250, -500, -750, -1000, -1000]


def test_a_pause_ends_with_what_was_paused() -> None:
    ring = playing()
    ring.move_to(SILENT)
    render(ring, 50)
    ring.flush()
    ring.write(-LOUD)
    assert levels(ring, 2) == [-1000, -1000]


def test_what_comes_in_a_silence_does_not_begin_to_sound() -> None:
    ring = OutputRing(RATE_HZ)
    ring.move_to(SILENT)
    ring.write(LOUD)
    assert levels(ring, 50) == [0] * 50
    assert ring.waiting == 100


def test_more_than_there_is_space_for_is_refused() -> None:
    ring = OutputRing(RATE_HZ)
    ring.write(np.zeros(ring.space, np.int16))
    with pytest.raises(BufferError, match="1 samples do not fit in the 0 that are free"):
        ring.write(LOUD[:1])


# --- when it begins


def test_it_begins_as_soon_as_enough_is_there() -> None:
    ring = OutputRing(RATE_HZ)
    ring.write(LOUD[: LEAST - 1])
    assert not render(ring, RAMP).any()
    ring.write(LOUD[:1])
    assert render(ring, RAMP).all()


@pytest.mark.parametrize("block", [1, 4, 7, 10, 24])
def test_no_first_sample_waits_for_longer_than_enough_would_sound(block: int) -> None:
    ring = OutputRing(RATE_HZ)
    ring.write(LOUD[:1])
    silent = 0
    while not render(ring, block).any():
        silent += block
        assert silent <= LEAST


def test_after_a_gap_within_a_turn_more_must_be_there() -> None:
    ring = OutputRing(RATE_HZ)
    begun_after = []
    for turn_id in "AAAAB":
        if turn_id == "B":
            ring.begin_turn()
        begun_after.append(samples_until_it_begins(ring))
        render(ring, 200)
    assert begun_after == [24, 48, 96, 96, 24]


def samples_until_it_begins(ring: OutputRing) -> int:
    """Writes a sample at a time, and lets no time pass."""
    for samples in range(1, 200):
        ring.write(LOUD[:1])
        if ring.waiting >= LEAST and render(ring, 1).any():
            return samples
    raise AssertionError("it does not begin")


def test_the_end_of_a_reply_is_not_stuck() -> None:
    ring = playing()
    render(ring, 200)
    ring.write(LOUD[:5])
    assert np.count_nonzero(render(ring, 2 * LEAST + 5 + RAMP)) == 5
    assert ring.waiting == 0


# --- what was heard


def test_what_the_device_holds_back_was_not_heard() -> None:
    ring = OutputRing(RATE_HZ)
    ring.write(LOUD)
    render(ring, 60)
    assert ring.heard(20) == 40
    render(ring, 60)  # forty samples, and twenty of silence
    assert (ring.heard(20), ring.is_silent(20)) == (100, True)
    assert (ring.heard(21), ring.is_silent(21)) == (99, False)


def test_what_the_device_was_given_last_was_not_heard() -> None:
    ring = OutputRing(RATE_HZ)
    ring.write(LOUD)
    ring.render(np.empty(10, np.int16))
    assert ring.heard(0) is None
    ring.render(np.empty(10, np.int16))
    assert ring.heard(0) == 10


def test_a_program_that_was_held_up_finds_out_what_was_heard_last() -> None:
    runs = Runs()
    for number in range(5000):
        runs.note(10 * number, 100 * number, 5)
    assert runs.heard(10 * 4990 + 3) == 100 * 4990 + 3
    assert runs.heard(10**6) == 100 * 4999 + 5


def test_only_what_is_still_known_is_looked_at() -> None:
    runs = Runs()
    runs.note(0, 0, 5)
    assert runs.heard(3) == 3
    for number in range(1, 4098):  # the last ones take the place of the first
        runs.note(10 * number, 100 * number, 5)
    assert runs.heard(40_903) == 409_003


# --- whatever happens

courses = st.lists(
    st.tuples(
        st.sampled_from(["pause", "duck", "go_on", "flush", "write", "render", "render"]),
        st.integers(0, 60),
    ),
    max_size=60,
)


@given(courses)
def test_loudness_never_jumps(course: list[tuple[str, int]]) -> None:
    ring, heard = OutputRing(RATE_HZ), [0]
    for what, frames in course:
        if what == "flush":
            ring.flush()
        elif what in LOUDNESS:
            ring.move_to(LOUDNESS[what])
        if ring.space > 200:
            ring.write(LOUD)  # it never runs out
        heard += levels(ring, frames)
    changes = np.diff(heard)
    assert min(changes, default=0) >= -1000 / RAMP - 1
    beginnings = np.flatnonzero(changes > 1000 / RAMP + 1)
    assert len(beginnings) <= 1 + sum(what == "flush" for what, _ in course)
    assert not np.array(heard)[beginnings].any()


class Twins:
    """Two rings that are treated the same. One plays a loud constant, so how loud the other plays its numbers is known.

    The other's samples are numbered, so each can be told in what is heard.
    """

    _APART = 16  # so that neighbours differ when they are played softly, too

    def __init__(self) -> None:
        self.constant, self.numbered = OutputRing(RATE_HZ), OutputRing(RATE_HZ)
        self.written = 0

    def both(self) -> Iterator[OutputRing]:
        yield self.constant
        yield self.numbered

    def write(self, count: int) -> None:
        count = min(count, self.numbered.space, 2000 - self.written)
        numbers = np.arange(self.written + 1, self.written + count + 1)
        self.constant.write(np.full(count, 32000, np.int16))
        self.numbered.write((numbers * self._APART).astype(np.int16))
        self.written += count

    def render(self, frames: int) -> list[int | None]:
        """The number of each sample that is heard."""
        gains = render(self.constant, frames) / 32000
        samples = render(self.numbered, frames)
        return [
            round(sample / gain / self._APART) if gain else None for sample, gain in zip(samples, gains, strict=True)
        ]


@given(courses)
def test_each_sample_is_heard_once_and_in_order_and_none_that_was_dropped(course: list[tuple[str, int]]) -> None:
    twins = Twins()
    heard: list[int | None] = []
    dropped_at: list[int] = [0]
    after_drop = 0  # samples of before it, heard after it
    for what, count in course:
        match what:
            case "write":
                twins.write(count)
            case "flush":
                for ring in twins.both():
                    ring.flush()
                dropped_at.append(twins.written)
                after_drop = 0
            case "render":
                sounded = twins.render(count)
                after_drop += sum(number is not None and number <= dropped_at[-1] for number in sounded)
                assert after_drop <= RAMP
                heard += sounded
            case _:
                for ring in twins.both():
                    ring.move_to(LOUDNESS[what])
    numbers = [number for number in heard if number is not None]
    for before, after in zip([0, *numbers], numbers, strict=False):
        assert after > before
        was_dropped = any(before <= position < after for position in dropped_at)
        assert was_dropped or after - before <= 2  # the last sample of a fade is heard as silence


@given(courses, st.integers(0, 40))
def test_what_counts_as_heard_was_heard(course: list[tuple[str, int]], delay_frames: int) -> None:
    twins, heard_by_frame = Twins(), [0]
    for what, count in course:
        if what == "write":
            twins.write(count)
        elif what == "render":
            heard_by_frame += accumulate(
                twins.render(count), lambda before, number: number or before, initial=heard_by_frame.pop()
            )
        else:
            for each in twins.both():
                each.flush() if what == "flush" else each.move_to(LOUDNESS[what])
        truth = heard_by_frame[max(len(heard_by_frame) - 1 - delay_frames, 0)]
        assert (twins.numbered.heard(delay_frames) or 0) - truth in {
            0,
            1,
        }  # one may be heard as silence, at the end of a fade


# --- two threads


def test_the_sound_card_never_waits_for_memory() -> None:
    ring = OutputRing(192_000)  # at such a rate a block is larger than all the small objects together
    out, audio = np.empty(1920, np.int16), np.full(19_200, 1000, np.int16)

    def a_while() -> None:
        for number in range(1000):
            if number % 5 == 0:
                ring.write(audio)
            if ring.space < ring.waiting:
                ring.flush()
            if number % 3 == 0:
                ring.move_to((FULL, SOFT, SILENT)[number % 9 // 3])
            ring.render(out)

    a_while()
    gc.collect()
    tracemalloc.start()
    try:
        before, blocks = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
        tracemalloc.reset_peak()
        a_while()
        peak, more_blocks = tracemalloc.get_traced_memory()[1] - before, sys.getallocatedblocks() - blocks
    finally:
        tracemalloc.stop()
    assert peak < out.nbytes  # numpy tells of each array's memory: there was not one of a block's size
    assert more_blocks < 100


def test_a_thread_hears_all_that_another_writes() -> None:
    ring, heard, total = OutputRing(8000), [], 200_000
    numbers = (np.arange(total) % 30_000 + 1).astype(np.int16)
    is_over = threading.Event()

    def be_the_sound_card() -> None:
        while not is_over.is_set() or ring.waiting:
            out = np.empty(100, np.int16)
            ring.render(out)
            heard.append(out)

    thread = threading.Thread(target=be_the_sound_card)
    thread.start()
    try:
        written = 0
        while written < total:
            count = min(ring.space, 777, total - written)
            ring.write(numbers[written : written + count])
            written += count
    finally:
        is_over.set()
        thread.join()
    sounded = np.concatenate(heard)
    assert np.array_equal(sounded[sounded != 0], numbers)
    ring.render(np.empty(0, np.int16))
    assert ring.heard(0) == total
