"""Histories in a Redis, so that any replica of the orchestrator can go on with a session.

Who reads that Redis reads what people said. It is a help, never a need: without it a session is resumed where it was,
and nowhere else.
"""

import json
from dataclasses import asdict, dataclass

from services.common.redis_cache import RedisCache
from services.orchestrator.history import Exchange

_VERSION = 1


@dataclass(frozen=True)
class KeptSession:
    """What is needed to go on."""

    session_id: str
    language_code: str
    turns: int  # all there were: the next one is numbered after them
    exchanges: tuple[Exchange, ...]


class HistoryStore:
    """Keeps them until they are too old."""

    def __init__(self, redis: RedisCache) -> None:
        self._redis = redis

    async def get(self, key: str) -> KeptSession | None:
        """What was kept, if it can still be read."""
        content = await self._redis.get(key)
        if not content:
            return None
        kept = json.loads(content)
        if kept["version"] != _VERSION:  # of an orchestrator that was replaced meanwhile
            return None
        exchanges = tuple(Exchange(**exchange) for exchange in kept["exchanges"])
        return KeptSession(kept["session_id"], kept["language_code"], kept["turns"], exchanges)

    async def put(self, key: str, kept: KeptSession) -> None:
        """Keeps it for a while."""
        await self._redis.put(key, json.dumps({"version": _VERSION, **asdict(kept)}).encode())

    async def forget(self, key: str) -> None:
        """It was over."""
        await self._redis.put(key, b"")

    async def close(self) -> None:
        """Ends the connections."""
        await self._redis.close()
