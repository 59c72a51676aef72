"""A session goes on at another replica of the orchestrator, by way of a real Redis; and without one that is away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from services.common.cache import CacheCounts
from services.common.errors import NotFoundError, UnavailableError
from services.common.redis_cache import RedisCache, RedisShelf
from services.orchestrator.events import StateEntered, TurnFinished
from services.orchestrator.history_store import HistoryStore
from services.orchestrator.inputs import End, TypedText
from services.orchestrator.ports import Line, Speaker
from services.orchestrator.turn_events import State
from tests.fakes.stages import ScriptedMind
from tests.support.redis import RedisServer, redis_server
from tests.support.talking import TEXT_ONLY, Assistant, Client, talking
from tests.support.waiting import wait_for

PREFIX = "superwhisper:orchestrator:"


@pytest_asyncio.fixture
async def redis(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_server(tmp_path) as server:
        yield server


def replica(redis: RedisServer, *replies: list[str]) -> Assistant:
    """An orchestrator of its own, with nothing but Redis in common with the others."""
    shelf = RedisShelf(redis.url, PREFIX, ttl_s=60, limit_s=2)
    counts = CacheCounts(*([lambda: None] * 3))
    return Assistant(ScriptedMind(list(replies)), store=HistoryStore(RedisCache(shelf, counts)))


async def kept(redis: RedisServer) -> list[bytes]:
    """All values that Redis has."""
    async with Redis.from_url(redis.url) as client:
        values = [await client.get(key) for key in await client.keys(f"{PREFIX}*")]
    return [value for value in values if isinstance(value, bytes)]


async def introduced(assistant: Assistant, redis: RedisServer) -> Client:
    """A client that said its name, which has come to Redis."""
    client = Client(assistant, TEXT_ONLY)
    client.send(TypedText("my name is Ann"))
    await client.until(TurnFinished)

    async def is_there() -> bool:
        return any(b"Ann" in value for value in await kept(redis))

    await wait_for(is_there, "the history to be kept")
    return client


async def is_over(redis: RedisServer, client: Client) -> None:
    """No other replica can go on with its session."""
    other = replica(redis)
    with pytest.raises(NotFoundError, match="no such session"):
        await Client(other, TEXT_ONLY, token=client.session.resume_token).until(StateEntered)
    await other.sessions.close()


async def test_another_replica_goes_on_where_the_first_one_died(redis: RedisServer) -> None:
    first, second = replica(redis, ["Hello Ann."]), replica(redis, ["Ann."])
    client = await introduced(first, redis)
    async with talking(client), talking(Client(second, TEXT_ONLY, token=client.session.resume_token)) as again:
        again.send(TypedText("what is my name"))
        await again.until(TurnFinished)
        assert again.session.resumed
        assert again.session.session_id == client.session.session_id
    assert second.mind.prompts[0][1:3] == [
        Line(Speaker.USER, "my name is Ann"),
        Line(Speaker.ASSISTANT, "Hello Ann."),
    ]


async def test_the_token_itself_is_not_kept(redis: RedisServer) -> None:
    async with talking(await introduced(replica(redis, ["Hello Ann."]), redis)) as client:
        async with Redis.from_url(redis.url) as connection:
            keys = await connection.keys("*")
        values = await kept(redis)
    token = client.session.resume_token.encode()
    assert keys
    assert not any(token in key for key in keys)
    assert not any(token in value for value in values)


async def test_a_session_that_was_ended_is_over_everywhere(redis: RedisServer) -> None:
    async with talking(await introduced(replica(redis, ["Hello Ann."]), redis)) as client:
        client.send(End())
        await client.to_the_end()
        await is_over(redis, client)


async def test_without_its_redis_a_session_still_lives_where_it_is(redis: RedisServer) -> None:
    first = replica(redis, ["Hello Ann."], ["Ann."])
    client = await introduced(first, redis)
    redis.child.kill()
    await client.events.aclose()
    async with talking(Client(first, TEXT_ONLY, token=client.session.resume_token)) as again:
        again.send(TypedText("what is my name"))
        await again.until(TurnFinished)
        assert again.session.resumed
    await is_over(redis, client)


async def test_a_replica_that_goes_down_in_good_order_leaves_the_session_to_others(redis: RedisServer) -> None:
    first, second = replica(redis, ["Hello Ann."]), replica(redis, ["Ann."])
    client = await introduced(first, redis)
    first.draining.set()
    with pytest.raises(UnavailableError):
        await client.to_the_end()
    await first.sessions.close()
    async with talking(Client(second, TEXT_ONLY, token=client.session.resume_token)) as again:
        again.send(TypedText("what is my name"))
        await again.until(TurnFinished)
    assert Line(Speaker.USER, "my name is Ann") in second.mind.prompts[0]


async def test_back_at_the_first_replica_it_goes_on_with_what_was_said_at_the_second(redis: RedisServer) -> None:
    first, second = replica(redis, ["Hello Ann."], ["Paris."]), replica(redis, ["Noted."])
    client = await introduced(first, redis)
    await client.events.aclose()
    away = Client(second, TEXT_ONLY, token=client.session.resume_token)
    away.send(TypedText("I live in Paris"))
    finished = await away.until(TurnFinished)
    await away.events.aclose()
    async with talking(Client(first, TEXT_ONLY, token=client.session.resume_token)) as again:
        again.send(TypedText("where do I live"))
        last = await again.until(TurnFinished)
    assert Line(Speaker.USER, "I live in Paris") in first.mind.prompts[-1]
    assert [finished.turn_id, last.turn_id] == ["turn-2", "turn-3"]
    await second.sessions.close()


async def test_a_copy_that_expires_takes_nothing_from_the_replica_that_went_on(redis: RedisServer) -> None:
    first, second = replica(redis, ["Hello Ann."]), replica(redis, ["Noted."])
    client = await introduced(first, redis)
    await client.events.aclose()
    async with talking(Client(second, TEXT_ONLY, token=client.session.resume_token)) as away:
        await away.until(StateEntered)
        await first.sessions.close()
        assert any(b"Ann" in value for value in await kept(redis))


async def test_another_replica_knows_what_was_being_replied_to(redis: RedisServer) -> None:
    first, second = replica(redis, ["Hello ", "Ann."]), replica(redis, ["Ann."])
    first.mind.go_on.clear()
    client = Client(first, TEXT_ONLY)
    client.send(TypedText("my name is Ann"))
    await client.until_state(State.THINKING)

    async def is_there() -> bool:
        return any(b"Ann" in value for value in await kept(redis))

    await wait_for(is_there, "the question to be kept")
    async with talking(client), talking(Client(second, TEXT_ONLY, token=client.session.resume_token)) as again:
        again.send(TypedText("what is my name"))
        await again.until(TurnFinished)
    assert second.mind.prompts[0][-1] == Line(Speaker.USER, "my name is Ann what is my name")
