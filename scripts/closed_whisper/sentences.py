"""The closed set of sentences, read from sentences.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("sentences.toml")


@dataclass(frozen=True)
class Sentence:
    """One sentence of the set; `english` is empty where it is English itself."""

    text: str
    language: str
    english: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, as they stand between spaces."""
        return tuple(self.text.split())


def closed_set() -> tuple[Sentence, ...]:
    """All of them, French first."""
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    french = [Sentence(text, "fr", english) for text, english in content["french"].items()]
    return (*french, *(Sentence(text, "en") for text in content["english"]))


def homophones() -> frozenset[str]:
    """Words whose spelling cannot be heard without a neighbour."""
    return frozenset(tomllib.loads(_FILE.read_text(encoding="utf-8"))["homophones"])
