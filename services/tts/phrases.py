"""What is synthesized at a time."""

from dataclasses import dataclass

from services.tts.engine import Word


@dataclass(frozen=True)
class Phrase:
    """A clause or a sentence: the words to say, and how."""

    words: tuple[Word, ...]  # empty where there is nothing to say: a pause, or marks alone
    start: int  # the characters of the input that it stands for: from here
    end: int  # up to but not including this one
    pause_ms: int = 0  # of silence between its last word and the next phrase, at least
    speed: float = 1.0  # a factor on top of the caller's
    volume: float = 1.0  # a factor on top of the caller's
    asked_ms: int = 0  # of silence that the text asks for: also where nothing is said before it or after it
