"""What a resumed conversation tells again: the text of a reply from its beginning, its audio from what was played."""

from dataclasses import replace

from client.events import Event, ReplyAudio, ReplyText, SessionOpened
from services.common.audio import BYTES_PER_SAMPLE


class News:
    """Finds what is new in it."""

    def __init__(self) -> None:
        self._text = _Reach()
        self._audio = _Reach()
        self._text_turn_id = ""
        self._position = 0  # in the text that is being told

    def of(self, event: Event) -> Event | None:
        """The event without text that was told before; None where nothing is left of it."""
        match event.what:
            case SessionOpened(resumed=True):
                self._position = 0
            case ReplyText(delta):
                if event.turn_id != self._text_turn_id:
                    self._text_turn_id, self._position = event.turn_id, 0
                known = self._text.advance(event.turn_id, self._position, self._position + len(delta))
                self._position += len(delta)
                return replace(event, what=ReplyText(delta[known:])) if known < len(delta) else None
        return event

    def audio(self, turn_id: str, reply: ReplyAudio) -> bytes:
        """The samples that did not come before."""
        end_sample = reply.first_sample + len(reply.audio) // BYTES_PER_SAMPLE
        known = self._audio.advance(turn_id, reply.first_sample, end_sample)
        return reply.audio[known * BYTES_PER_SAMPLE :]


class _Reach:
    """How far something got in the last turn."""

    def __init__(self) -> None:
        self._turn_id = ""
        self._end = 0

    def advance(self, turn_id: str, start: int, end: int) -> int:
        """How much was known of what is between; now all of it is."""
        if turn_id != self._turn_id:
            self._turn_id, self._end = turn_id, 0
        known = min(max(self._end - start, 0), end - start)
        self._end = max(self._end, end)
        return known
