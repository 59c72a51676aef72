"""services/common/calls.py: what every call carries along."""

import asyncio
import time

import pytest

from services.common import calls
from services.common.errors import DeadlineError

_TRACE, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_a_trace_is_continued() -> None:
    call = calls.enter({"traceparent": f"00-{_TRACE}-{_SPAN}-01", "x-request-id": "req-1"}, None)
    assert calls.current() is call
    assert (call.trace_id, call.sampled, call.request_id) == (_TRACE, "01", "req-1")
    assert call.span_id != _SPAN  # this service's own part of the trace
    assert dict(calls.outgoing_metadata()) == {
        "x-request-id": "req-1",
        "traceparent": f"00-{_TRACE}-{call.span_id}-01",
    }


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "nonsense",
        f"00-{_TRACE}-{_SPAN}",
        f"00-{_TRACE}-{_SPAN}-01-more",
        f"00-{_TRACE.upper()}-{_SPAN}-01",
        f"ff-{_TRACE}-{_SPAN}-01",
        f"00-{'0' * 32}-{_SPAN}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"00-{_TRACE}-{_SPAN}-01\n",
    ],
)
async def test_a_malformed_trace_is_replaced_by_a_new_one(malformed: str) -> None:
    call = calls.enter({"traceparent": malformed}, None)
    assert call.trace_id != _TRACE
    assert len(call.trace_id) == 32
    assert int(call.trace_id, 16)
    assert call.sampled == "00"


@pytest.mark.parametrize("malformed", ["", "a b", "x" * 65, "é", "id\n", "<script>"])
async def test_a_malformed_request_id_is_replaced(malformed: str) -> None:
    call = calls.enter({"x-request-id": malformed}, None)
    assert call.request_id != malformed
    assert len(call.request_id) == 16


async def test_every_call_has_ids_of_its_own() -> None:
    first, second = calls.enter({}, None), calls.enter({}, None)
    assert first.request_id != second.request_id
    assert first.trace_id != second.trace_id


async def test_tasks_belong_to_the_call_that_started_them_and_other_calls_do_not_see_it() -> None:
    async def handler(name: str) -> str | None:
        calls.enter({"x-request-id": name}, None)
        await asyncio.sleep(0)

        async def inner() -> str | None:
            call = calls.current()
            return call.request_id if call else None

        return await asyncio.create_task(inner())

    assert list(await asyncio.gather(handler("one"), handler("two"))) == ["one", "two"]
    assert calls.current() is None


async def test_outside_of_any_call_there_is_a_request_id_and_no_deadline() -> None:
    assert [key for key, _ in calls.outgoing_metadata()] == ["x-request-id"]
    assert calls.remaining(7) == 7


async def test_an_outgoing_call_has_no_more_time_than_its_incoming_one() -> None:
    calls.enter({}, time.monotonic() + 5)
    assert 0 < calls.remaining(60) <= 5
    assert calls.remaining(1) == 1
    calls.enter({}, None)
    assert calls.remaining(60) == 60


async def test_without_time_left_no_call_goes_out() -> None:
    calls.enter({}, time.monotonic() - 1)
    with pytest.raises(DeadlineError):
        calls.remaining(60)
