"""The first hearing of an engine, before anybody waits for it."""

from typing import TypeVar

import numpy as np

from services.stt.engine import ENGINE_RATE_HZ, RecognitionOptions, SttEngine, Urgency

_SILENCE = np.zeros(ENGINE_RATE_HZ, np.int16)
EngineT = TypeVar("EngineT", bound=SttEngine)


async def warmed_up(engine: EngineT, options: RecognitionOptions) -> EngineT:
    """The engine, once it has listened to a second of silence; closed where it cannot."""
    try:
        session = await engine.open(options)
        try:
            await session.feed(_SILENCE)
            await session.partial()
            await session.transcript(Urgency.FINAL)
        finally:
            await session.close()
    except BaseException:
        await engine.close()
        raise
    return engine
