"""Which language the assistant replies in."""

from collections.abc import Collection

from services.common.text import primary_language
from services.orchestrator.words import words_of

_ENOUGH_WORDS = 3  # of fewer, recognisers often get the language wrong: "OK", "Paris", "non, merci"


def following(current: str, heard: str, text: str, known: Collection[str]) -> str:
    """The language of the next reply: the one that was heard, where that is believable, else the current one."""
    language = primary_language(heard)
    if language and language in known and language != primary_language(current):
        return language if len(words_of(text)) >= _ENOUGH_WORDS else current
    return current
