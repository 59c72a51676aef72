"""The text of a reply up to the first stop sequence, however it comes in portions."""

from collections.abc import Sequence

from services.llm.marks import unsure


class ReplyText:
    """Takes text in any portions. Joined, what it gives is the reply up to the first stop sequence."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(stop)
        self._held = ""  # may be the start of a stop sequence
        self.is_stopped = False

    def push(self, text: str) -> str:
        """What is certain with this text; after a stop sequence, nothing."""
        if self.is_stopped:
            return ""
        text = self._held + text
        # The one that is complete first counts, however the text came in portions.
        found = [(at + len(stop), at) for stop in self._stop if (at := text.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            self._held = ""
            return text[: min(found)[1]]
        certain = len(text) - unsure(text, self._stop)
        self._held = text[certain:]
        return text[:certain]

    def flush(self) -> str:
        """What was held back, as the reply has ended, or goes on with something else than text."""
        held, self._held = self._held, ""
        return held
