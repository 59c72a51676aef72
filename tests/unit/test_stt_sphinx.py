"""services/stt/sphinx.py: decoders and the threads that work in them."""

import asyncio
import threading

import pytest

from services.common.errors import EngineFailedError
from services.common.tasks import cancel_and_wait
from services.stt.engine import Hypothesis, RecognitionOptions
from services.stt.sphinx import SphinxEngine
from tests.support.waiting import BOUND_S, wait_until


async def test_decoders_in_which_a_thread_is_lost_are_given_to_nobody_else() -> None:
    engine, began, may_end = SphinxEngine(2, hangs_after_s=0), threading.Event(), threading.Event()

    def hang() -> Hypothesis:
        began.set()
        assert may_end.wait(BOUND_S)
        return Hypothesis("")

    try:
        session = await engine.open(RecognitionOptions())
        task = asyncio.create_task(session._run(hang))
        await wait_until(began.is_set, "the work")
        await cancel_and_wait(task)
        with pytest.raises(EngineFailedError, match="does not come back"):
            await session.partial()
        decoders = session._decoders
        await session.close()
        next_session = await engine.open(RecognitionOptions())
        assert next_session._decoders is not decoders
        await next_session.partial()
        used = next_session._decoders
        await next_session.close()
        assert (await engine.open(RecognitionOptions()))._decoders is used
        await wait_until(lambda: engine.stuck is not None, "the word of it")
    finally:
        may_end.set()
        await engine.close()
