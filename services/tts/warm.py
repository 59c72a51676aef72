"""Phrases that are sure to be needed, spoken before anybody asks for them: the cache has them then."""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

_log = logging.getLogger(__name__)


async def warm(phrases: Mapping[str, Sequence[str]], speak: Callable[[str, str], AsyncGenerator[object, None]]) -> None:
    """Has each phrase spoken once. `speak(language_code, text)` must do it just as for a caller's text.

    Nobody waits for these: where one fails, the log tells of it, and a caller who needs it has it spoken as any other.
    """
    for language_code, texts in phrases.items():
        for text in texts:
            try:
                async with aclosing(speak(language_code, text)) as audio:
                    async for _ in audio:
                        pass
            except Exception:  # noqa: BLE001  # whatever it is, it will be told to a caller who needs the phrase
                _log.warning("tts.cache.warm.%s: %r cannot be spoken", language_code, text[:40], exc_info=True)
