"""services/common/health.py; over the wire: tests/integration/test_lifecycle.py."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from grpc_health.v1 import health_pb2

from services.common.errors import NotFoundError
from services.common.health import Health
from tests.support.health import NOT_SERVING, SERVING

_SERVICE = "superwhisper.tts.v1.TtsService"
_CONTEXT: Any = None  # it looks at none


def _request(service: str = _SERVICE) -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)


async def _status(health: Health, service: str = _SERVICE) -> int:
    return int((await health.Check(_request(service), _CONTEXT)).status)


async def test_nothing_serves_before_it_is_told() -> None:
    health = Health(_SERVICE)
    assert [await _status(health, name) for name in ("", _SERVICE)] == [NOT_SERVING] * 2
    health.tell(serving=True)
    assert [await _status(health, name) for name in ("", _SERVICE)] == [SERVING] * 2


async def test_after_the_end_nothing_serves_any_more() -> None:
    health = Health(_SERVICE)
    health.tell(serving=True)
    health.end()
    health.tell(serving=True)
    assert await _status(health) == NOT_SERVING


async def test_an_unknown_service_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        await _status(Health(_SERVICE), "nobody")


async def test_watchers_hear_each_change_and_the_end() -> None:
    health = Health(_SERVICE)

    async def follow() -> list[int]:
        return [response.status async for response in health.Watch(_request(), _CONTEXT)]

    watchers = [asyncio.create_task(follow()) for _ in range(3)]
    for serving in (True, True, False, True):
        for _ in range(5):  # turns of the loop, for the watchers to hear it
            await asyncio.sleep(0)
        health.tell(serving=serving)
    for _ in range(5):
        await asyncio.sleep(0)
    health.end()
    assert await asyncio.gather(*watchers) == [[NOT_SERVING, SERVING, NOT_SERVING, SERVING, NOT_SERVING]] * 3


async def test_who_watches_an_unknown_service_is_told_so_and_waits() -> None:
    health = Health(_SERVICE)
    async with aclosing(health.Watch(_request("nobody"), _CONTEXT)) as told:
        assert (await anext(told)).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        health.end()
        with pytest.raises(StopAsyncIteration):
            await anext(told)
