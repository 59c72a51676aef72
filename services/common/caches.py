"""The cache that the settings of a service ask for."""

from prometheus_client import CollectorRegistry
from pydantic import Field, SecretStr

from services.common.cache import CacheCounts, MemoryCache, ResultCache
from services.common.redis_cache import RedisCache, RedisShelf
from services.common.settings import Section


class CacheSettings(Section):
    """Where results are kept, so that none is made twice."""

    max_mb: int = Field(200, ge=0, description="What they may take in this process; 0 keeps none.")
    ttl_s: float = Field(7200, gt=0, description="How long one is kept.")
    redis_url: SecretStr = Field(
        SecretStr(""), description="redis://HOST:PORT/0: keep them there instead. Who reads that Redis reads them."
    )


def open_cache(settings: CacheSettings, registry: CollectorRegistry, service: str) -> ResultCache:
    """The cache of this service; its hits and misses are counted under the service's name."""
    counts = CacheCounts.create(registry, service)
    if url := settings.redis_url.get_secret_value():
        return RedisCache(RedisShelf(url, f"superwhisper:{service}:", settings.ttl_s), counts)
    return MemoryCache(counts, settings.max_mb * 2**20, settings.ttl_s)
