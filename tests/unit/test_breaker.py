"""services/common/breaker.py."""

import pytest

from services.common.breaker import BreakerState, CircuitBreaker
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breaker(clock: FakeClock) -> CircuitBreaker:
    return CircuitBreaker(failures_to_open=3, open_for_s=30, clock=clock)


def _state(breaker: CircuitBreaker) -> BreakerState:
    return breaker.state  # a call, so that mypy does not take it for constant


def _fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.try_acquire()
        breaker.record_failure()


def test_it_opens_only_at_the_third_failure_in_a_row(breaker: CircuitBreaker) -> None:
    _fail(breaker, 2)
    assert _state(breaker) is BreakerState.CLOSED
    _fail(breaker, 1)
    assert _state(breaker) is BreakerState.OPEN
    assert not breaker.try_acquire()


def test_a_success_forgives_the_failures_before_it(breaker: CircuitBreaker) -> None:
    _fail(breaker, 2)
    breaker.record_success()
    _fail(breaker, 2)
    assert _state(breaker) is BreakerState.CLOSED


def test_time_alone_makes_it_half_open(breaker: CircuitBreaker, clock: FakeClock) -> None:
    _fail(breaker, 3)
    clock.advance(29.9)
    assert _state(breaker) is BreakerState.OPEN
    clock.advance(0.1)
    assert _state(breaker) is BreakerState.HALF_OPEN


def test_half_open_it_lets_a_single_probe_through(breaker: CircuitBreaker, clock: FakeClock) -> None:
    _fail(breaker, 3)
    clock.advance(30)
    assert breaker.try_acquire()
    assert not breaker.try_acquire()


def test_a_good_probe_closes_it(breaker: CircuitBreaker, clock: FakeClock) -> None:
    _fail(breaker, 3)
    clock.advance(30)
    assert breaker.try_acquire()
    breaker.record_success()
    assert _state(breaker) is BreakerState.CLOSED
    _fail(breaker, 2)
    assert _state(breaker) is BreakerState.CLOSED


def test_one_failed_probe_opens_it_again_for_the_whole_time(breaker: CircuitBreaker, clock: FakeClock) -> None:
    _fail(breaker, 3)
    clock.advance(30)
    _fail(breaker, 1)
    assert _state(breaker) is BreakerState.OPEN
    clock.advance(29)
    assert not breaker.try_acquire()
    clock.advance(1)
    assert breaker.try_acquire()


def test_a_probe_that_tells_nothing_leaves_room_for_the_next(breaker: CircuitBreaker, clock: FakeClock) -> None:
    _fail(breaker, 3)
    clock.advance(30)
    assert breaker.try_acquire()
    breaker.release()
    assert _state(breaker) is BreakerState.HALF_OPEN
    assert breaker.try_acquire()


def test_tripped_it_is_open_whatever_the_count(breaker: CircuitBreaker, clock: FakeClock) -> None:
    breaker.trip()
    assert not breaker.try_acquire()
    clock.advance(30)
    _fail(breaker, 1)  # the probe
    assert _state(breaker) is BreakerState.OPEN
