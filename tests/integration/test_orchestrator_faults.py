"""Services and the orchestrator itself killed, frozen and restarted while people talk: real processes, real signals."""

import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.support.conversing import Caller, conversing, kind_is
from tests.support.faulty_stack import Fault, FaultyStack, faulty_engines, faulty_stack, stage_flags
from tests.support.servers import child_service, free_port
from tests.support.strikes import LISTENS_SO_FAST, NOTICED, STAGES, Aftermath, Situation, strike

_COMPLETED, _FAILED = pb.TURN_OUTCOME_COMPLETED, pb.TURN_OUTCOME_FAILED


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[FaultyStack]:
    async with faulty_stack() as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("stage", STAGES)
async def test_four_conversations_survive_a_service_that(stack: FaultyStack, stage: str, fault: Fault) -> None:
    """One is idle, one listens, one thinks and one speaks."""
    aftermaths = {one.situation: one for one in await strike(stack, stage, fault)}
    assert set(aftermaths) == set(Situation)
    for situation, one in aftermaths.items():
        _check_session(one, stage)
        if fault is not Fault.RESTART:
            assert one.was_degraded or situation not in NOTICED[stage], situation
        if situation is not Situation.IDLE:
            assert one.was_heard, situation
            assert one.outcome == (_FAILED if one.was_degraded and stage != "stt" else _COMPLETED), situation


def _check_session(one: Aftermath, stage: str) -> None:
    assert one.degraded_stages <= {STAGES[stage]}, one.situation
    assert one.situation is not Situation.IDLE or stage == "stt" or not one.was_degraded
    assert set(one.finished.values()) == {1}, one.situation
    assert one.next_turn_tries == 1, one.situation


async def test_a_session_of_an_orchestrator_that_was_killed_is_not_found() -> None:
    port = free_port()
    async with faulty_engines() as engines:
        flags = stage_flags({name: engine.address for name, engine in engines.items()})
        async with child_service("orchestrator", *flags, port=port) as orchestrator:
            leaving = contextlib.AsyncExitStack()
            caller = await leaving.enter_async_context(conversing(orchestrator.address))
            await _begin_reply(caller)
            orchestrator.kill()
            await _until_over(caller)
            with pytest.raises(grpc.aio.AioRpcError) as lost:
                await leaving.aclose()
            assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
        async with child_service("orchestrator", *flags, port=port) as orchestrator:
            with pytest.raises(grpc.aio.AioRpcError) as unknown:
                async with conversing(orchestrator.address, resume_token=_token(caller)):
                    pass
            assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
            async with conversing(orchestrator.address, speed=LISTENS_SO_FAST) as caller:
                assert (await caller.turn_end(await _begin_reply(caller))).outcome == _COMPLETED


async def test_an_orchestrator_that_is_told_to_go_ends_its_turns_well_and_waits_for_nobody_else() -> None:
    async with faulty_stack() as stack:
        async with conversing(stack.address) as lost:
            await _begin_reply(lost)  # and nobody comes back for it
        with pytest.raises(grpc.aio.AioRpcError, match="may go on elsewhere"):
            await _talk_until_it_goes(stack)
        assert await stack.orchestrator.ended() == 0


async def _talk_until_it_goes(stack: FaultyStack) -> None:
    """The reply that is being given when it is told to go is given to its end."""
    async with (
        conversing(stack.address, speed=LISTENS_SO_FAST) as idle,
        conversing(stack.address, speed=LISTENS_SO_FAST) as busy,
    ):
        turn_id = await _begin_reply(busy)
        stack.orchestrator.process.terminate()
        assert (await busy.turn_end(turn_id)).outcome == _COMPLETED
        for caller in (idle, busy):
            await _until_over(caller)


async def _begin_reply(caller: Caller) -> str:
    await caller.type("Dis-moi tout.")
    return (await caller.until(kind_is("reply_audio"))).turn_id


async def _until_over(caller: Caller) -> None:
    with pytest.raises(AssertionError, match="the conversation ended"):
        await caller.until(lambda _told: False)


def _token(caller: Caller) -> str:
    return caller.told[0].response.session.resume_token
