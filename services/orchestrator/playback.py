"""What of a reply's audio was sent, and what of it was heard. Pure: whoever asks brings the time along.

The client reports what its loudspeaker played. One that never does is taken to play at the pace of time.
"""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, replace

from services.common.audio import BYTES_PER_SAMPLE
from services.orchestrator.events import ReplyAudio

_KEPT_POSITIONS = 600  # a minute of reports: more than anybody looks back
_UNREPORTED_S = 0.25  # reports come more often than that


FILLER = (0, 0)  # the span of audio that is of no text


@dataclass(frozen=True)
class _Mark:
    """Which samples speak which word of the text."""

    first_sample: int
    end_sample: int
    span: tuple[int, int]

    @property
    def middle(self) -> float:
        """Half of it was played then."""
        return (self.first_sample + self.end_sample) / 2


class Playback:
    """The audio of one reply, on its way to somebody's ears."""

    def __init__(self, rate_hz: int, *, is_reported: bool) -> None:
        self.is_reported = is_reported  # whether this client is known to report
        self.first_heard_at: float | None = None
        self._rate_hz = rate_hz
        self._first_sent_at = 0.0
        self._marks: list[_Mark] = []
        self._unplayed: deque[ReplyAudio] = deque()
        self._sent = 0
        self._played = 0
        self._held = False
        self._moved_at = 0.0  # when it last went on, or had nothing to go on with
        self._positions: deque[tuple[float, int]] = deque(maxlen=_KEPT_POSITIONS)  # moment, samples played by then

    @property
    def sent_samples(self) -> int:
        """All that was sent until now: where the next chunk begins."""
        return self._sent

    def sent(self, chunk: ReplyAudio, now: float) -> None:
        """A chunk is on its way."""
        self._advance(now)
        if not self._sent:
            self._first_sent_at = now
        if self._played == self._sent:
            self._note(now)
        self._unplayed.append(chunk)
        self._sent += len(chunk.audio) // BYTES_PER_SAMPLE
        span, first_sample = (chunk.span_start, chunk.span_end), chunk.first_sample
        if self._marks and self._marks[-1].span == span:  # several chunks in a row may speak the same word
            first_sample = self._marks.pop().first_sample
        self._marks.append(_Mark(first_sample, self._sent, span))

    def reported(self, samples: int, now: float) -> None:
        """The client says how much was played; more than it was sent cannot be."""
        self.is_reported = True
        samples = min(samples, self._sent)
        if samples > self._played:
            if self.first_heard_at is None:
                self.first_heard_at = max(now - samples / self._rate_hz, self._first_sent_at)
            self._played = samples
            self._note(now)

    def no_more_reports(self, now: float) -> None:
        """The client has closed its side of the stream: from now on time plays."""
        if self.is_reported:
            self.is_reported = False
            self._note(now)

    def hold(self, now: float) -> None:
        """Nothing is played for now."""
        self._advance(now)
        self._held = True

    def go_on(self, now: float) -> None:
        """It is played again."""
        self._held = False
        self._note(now)

    def ahead_s(self, now: float) -> float:
        """How much was sent and not played yet."""
        self._advance(now)
        return (self._sent - self._played) / self._rate_hz

    def is_over(self, now: float) -> bool:
        """Whether all that was sent was played."""
        self._advance(now)
        return self._played >= self._sent

    def stalled_s(self, now: float) -> float:
        """For how long nothing was played of what there is to play."""
        return 0.0 if self._held or self.is_over(now) else now - self._moved_at

    def heard_end(self, now: float) -> int:
        """Where in the text the last word ends of which at least half was played."""
        self._advance(now)
        return max((word.span[1] for word in self._marks if 0 < word.middle <= self._played), default=0)

    def span_between(self, begin: float, end: float) -> tuple[int, int]:
        """The part of the text that was played between two moments: words of which half, or the beginning."""
        first, last = self._position_at(begin), self._position_at(end)
        words = [word for word in self._marks if word.first_sample < last and word.middle > first]
        spans = [word.span for word in words if word.span != FILLER]
        return (min(start for start, _ in spans), max(stop for _, stop in spans)) if spans else (0, 0)

    def was_filling_between(self, begin: float, end: float) -> bool:
        """Whether a filler was being played between two moments."""
        first, last = self._position_at(begin), self._position_at(end)
        return any(mark.span == FILLER and mark.first_sample < last and mark.end_sample > first for mark in self._marks)

    def unplayed_before(self, place: int, now: float) -> list[ReplyAudio]:
        """What was sent and not played of the text before this place, from the first sample that was not played.

        The rest is forgotten, as if it had not been sent: it will be spoken anew.
        """
        self._advance(now)
        kept = [chunk for chunk in self._unplayed if chunk.span_start < place]
        if kept and (skipped := self._played - kept[0].first_sample) > 0:
            kept[0] = replace(kept[0], audio=kept[0].audio[skipped * BYTES_PER_SAMPLE :], first_sample=self._played)
        self._sent = _end_of(kept[-1]) if kept else self._played
        self._unplayed = deque(kept)
        marks = [mark for mark in self._marks if mark.first_sample < self._sent]
        self._marks = [replace(mark, end_sample=min(mark.end_sample, self._sent)) for mark in marks]
        return kept

    def _advance(self, now: float) -> None:
        """Without reports, time plays."""
        if self.is_reported or self._held or self._played >= self._sent:
            return
        samples = min(self._sent, self._played + round((now - self._moved_at) * self._rate_hz))
        if samples > self._played:
            self._played = samples
            self._note(now)

    def _note(self, now: float) -> None:
        self._moved_at = now
        self._positions.append((now, self._played))
        while self._unplayed and _end_of(self._unplayed[0]) <= self._played:
            self._unplayed.popleft()

    def _position_at(self, moment: float) -> int:
        """How much had been played at that moment, as near as it is known."""
        if not self._positions or moment <= self._positions[0][0]:
            return 0
        index = bisect_left(self._positions, moment, key=lambda position: position[0])
        if index == len(self._positions):
            then, samples = self._positions[-1]
            since_s = 0.0 if self._held else min(moment - then, _UNREPORTED_S)
            return min(self._sent, samples + int(since_s * self._rate_hz))
        (before, fewer), (after, more) = self._positions[index - 1], self._positions[index]
        return fewer + int((more - fewer) * (moment - before) / max(after - before, 1e-6))


def _end_of(chunk: ReplyAudio) -> int:
    return chunk.first_sample + len(chunk.audio) // BYTES_PER_SAMPLE
