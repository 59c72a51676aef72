"""From the bytes of tokens to text that may be shown: whole characters, and nothing of a stop sequence."""

import codecs
from collections.abc import Sequence


class ReplyText:
    """Takes tokens' bytes in any portions. Joined, what it gives is the reply up to the first stop sequence."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        # A model may write bytes that are no character at all; they are left out, never shown as a mark.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._stop = tuple(stop)
        self._held = ""  # may be the start of a stop sequence
        self.is_stopped = False

    def push(self, piece: bytes) -> str:
        """The text that is certain with these bytes; after a stop sequence, none."""
        if self.is_stopped:
            return ""
        text = self._held + self._decoder.decode(piece)
        # The one that is complete first counts, however the text came in portions.
        found = [(at + len(stop), at) for stop in self._stop if (at := text.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            self._held = ""
            return text[: min(found)[1]]
        certain = len(text) - self._doubtful(text)
        self._held = text[certain:]
        return text[:certain]

    def flush(self) -> str:
        """What was held back, as the reply has ended; half a character stays out."""
        held, self._held = self._held, ""
        return held

    def _doubtful(self, text: str) -> int:
        """How many characters at the end may be the start of a stop sequence."""
        return max(
            (
                length
                for stop in self._stop
                for length in range(1, min(len(stop), len(text) + 1))
                if text.endswith(stop[:length])
            ),
            default=0,
        )
