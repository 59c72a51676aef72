"""services/tts/warm.py."""

import logging
from collections.abc import AsyncGenerator

import pytest

from services.common.errors import UnavailableError
from services.tts.warm import warm

PHRASES = {"fr": ("Bonjour.", "Un instant."), "en": ("Hello.",)}


class Mouth:
    """Speaks in two chunks, all but what it cannot say."""

    def __init__(self, cannot_say: str = "") -> None:
        self.said: list[tuple[str, str]] = []
        self._cannot_say = cannot_say

    async def speak(self, language_code: str, text: str) -> AsyncGenerator[bytes, None]:
        yield b"first"
        if text == self._cannot_say:
            raise UnavailableError("no engine can take the request now")
        yield b"second"
        self.said.append((language_code, text))


async def test_every_phrase_is_spoken_to_its_end() -> None:
    mouth = Mouth()
    await warm(PHRASES, mouth.speak)
    assert mouth.said == [("fr", "Bonjour."), ("fr", "Un instant."), ("en", "Hello.")]


async def test_one_that_fails_is_told_and_keeps_none_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    mouth = Mouth(cannot_say="Un instant.")
    await warm(PHRASES, mouth.speak)
    assert mouth.said == [("fr", "Bonjour."), ("en", "Hello.")]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "tts.cache.warm.fr: 'Un instant.' cannot be spoken"
