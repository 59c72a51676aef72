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
    assert call.parent_id == _SPAN
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
    assert call.parent_id == ""


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


@pytest.mark.parametrize(
    ("flags", "is_sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True), ("fe", False)]
)
async def test_who_began_a_trace_decides_whether_it_is_recorded(flags: str, is_sampled: bool) -> None:
    call = calls.enter({"traceparent": f"00-{_TRACE}-{_SPAN}-{flags}"}, None, sample=not is_sampled)
    assert call.is_sampled is is_sampled


@pytest.mark.parametrize("sample", [False, True])
async def test_a_trace_that_begins_here_is_recorded_if_traces_are(sample: bool) -> None:
    assert calls.enter({}, None, sample=sample).is_sampled is sample
    assert dict(calls.outgoing_metadata())["traceparent"].endswith("-01" if sample else "-00")


async def test_a_turn_has_a_trace_and_a_time_of_its_own_and_the_conversations_name() -> None:
    session = calls.enter({"x-request-id": "talk"}, time.monotonic() - 1, sample=True)
    with calls.turn_context(7, limit_s=50) as turn:
        assert calls.current() is turn
        assert (turn.request_id, turn.parent_id, turn.is_sampled) == ("talk.7", "", True)
        assert turn.trace_id != session.trace_id
        assert turn.span_id != session.span_id
        assert 0 < calls.remaining(60) <= 50
        assert calls.remaining(10) == 10
        sent = calls.outgoing_metadata()
        assert dict(sent) == {"x-request-id": "talk.7", "traceparent": f"00-{turn.trace_id}-{turn.span_id}-01"}
    assert calls.current() is session


async def test_every_turn_has_a_trace_of_its_own() -> None:
    calls.enter({}, None)
    traces = set()
    for number in (1, 2):
        with calls.turn_context(number, limit_s=50) as turn:
            traces.add(turn.trace_id)
            assert not turn.is_sampled
    assert len(traces) == 2


async def test_the_name_of_a_turn_is_one_that_the_next_service_takes() -> None:
    calls.enter({"x-request-id": "x" * 64}, None)
    with calls.turn_context(123, limit_s=50):
        sent = dict(calls.outgoing_metadata())
    assert sent["x-request-id"] == "x" * 60 + ".123"
    assert calls.enter(sent, None).request_id == sent["x-request-id"]


async def test_a_turn_outside_of_any_call_has_a_name_too() -> None:
    with calls.turn_context(1, limit_s=50) as turn:
        assert len(turn.request_id) == 18
        assert not turn.is_sampled
    assert calls.current() is None


async def test_tasks_that_a_turn_starts_belong_to_it_also_when_they_outlive_the_block() -> None:
    calls.enter({"x-request-id": "talk"}, None)

    async def work() -> calls.CallContext | None:
        return calls.current()

    with calls.turn_context(1, limit_s=50) as turn:
        task = asyncio.create_task(work())
    assert await task is turn
