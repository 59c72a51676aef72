"""Text that was changed on its way, and still knows where each of its characters comes from."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Traced:
    """Text, and for each of its characters the one of the input that it stands for. These never decrease."""

    text: str
    sources: tuple[int, ...]

    @classmethod
    def of(cls, text: str, start: int = 0) -> "Traced":
        """Text as it came, from the character `start` of the input on."""
        return cls(text, tuple(range(start, start + len(text))))

    @classmethod
    def join(cls, parts: Iterable["Traced"]) -> "Traced":
        """The parts, one after the other."""
        listed = list(parts)
        return cls("".join(part.text for part in listed), tuple(source for part in listed for source in part.sources))

    def part(self, start: int, end: int) -> "Traced":
        """Its characters from `start` up to but not including `end`."""
        return Traced(self.text[start:end], self.sources[start:end])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the input that those from `start` to `end` stand for; `end` must be above `start`."""
        return self.sources[start], self.sources[end - 1] + 1
