"""When speech starts, pauses, goes on and ends: a state machine over the speech probability of each frame.

No audio, no clock and no I/O: time is the number of frames. Times are in milliseconds of the stream's audio.
"""

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class Endpointing:
    """How the ends of an utterance are found. The defaults are measured: docs/turns.md."""

    soft_pause_ms: float = 100
    endpoint_silence_ms: float = 300  # where a turn detector judged the pause
    unjudged_silence_ms: float = 600  # where none did
    unfinished_wait_ms: float = 1000  # longer than endpoint_silence_ms, where it says that the speaker is not done
    min_speech_ms: float = 120
    speech_threshold: float = 0.4
    # Speech goes on down to this much below the threshold, so that a weak syllable does not cut it. More would hold up
    # the end, for the probability sinks slowly.
    hysteresis: float = 0.05
    # Until it is sure to be speech it may be this much below, and it began where that was reached: words begin softly.
    onset_hysteresis: float = 0.15
    max_utterance_ms: float = 300_000


_LEAST_THRESHOLD = 0.01  # at 0 every frame would be speech, and no utterance would ever end
LONGEST_ONSET_MS = 300  # of soft speech before the threshold; a murmur before it may be as long as it likes


class Cause(Enum):
    """Why an utterance ended."""

    SILENCE = "silence"
    FLUSH = "flush"
    END_OF_AUDIO = "end of audio"
    MAX_LENGTH = "max length"


@dataclass(frozen=True)
class Started:
    """Enough speech to believe in it; it began at `start_ms`, and at `sure_ms` where nothing soft is counted."""

    start_ms: float
    sure_ms: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class Paused:
    """A short silence since `end_ms`."""

    end_ms: float


@dataclass(frozen=True)
class Resumed:
    """Speech again, before the silence was an end."""

    at_ms: float


@dataclass(frozen=True)
class Ended:
    """The utterance is over; its speech ended at `end_ms`, found out at `decided_ms`."""

    end_ms: float
    decided_ms: float
    cause: Cause


Event = Started | Paused | Resumed | Ended


class _State(Enum):
    SILENCE = "silence"
    ONSET = "onset"  # speech, but not enough yet to tell it from a click
    SPEECH = "speech"
    SHORT_GAP = "short gap"  # silence, shorter than a soft pause
    PAUSE = "pause"  # a soft pause, not yet an end


class Verdict(Enum):
    """What is known of a pause."""

    UNJUDGED = "unjudged"
    FINISHED = "finished"
    UNFINISHED = "unfinished"


class Endpointer:
    """Fed with each frame's probability; gives the events of one stream, in order."""

    def __init__(self, settings: Endpointing, frame_ms: float) -> None:
        self._settings = settings
        self._frame_ms = frame_ms
        self._state = _State.SILENCE
        self._now_ms = 0.0
        self._soft_ms: float | None = None  # where the probability began to rise, while there is no speech yet
        self._start_ms = 0.0
        self._onset_ms = 0.0  # of the frame that reached the threshold
        self._last_speech_ms = 0.0
        self._verdict = Verdict.UNJUDGED

    @property
    def in_utterance(self) -> bool:
        """Whether `Started` was given and `Ended` was not."""
        return self._state in {_State.SPEECH, _State.SHORT_GAP, _State.PAUSE}

    @property
    def now_ms(self) -> float:
        """The audio seen so far."""
        return self._now_ms

    def push(self, probability: float) -> list[Event]:
        """What one more frame tells."""
        began_ms = self._now_ms
        self._now_ms += self._frame_ms
        if self._state is _State.SILENCE:
            if not self._reaches(probability, self._settings.onset_hysteresis):
                self._soft_ms = None
            elif self._soft_ms is None:
                self._soft_ms = began_ms
        return self._speech(began_ms) if self._reaches(probability, self._below()) else self._silence()

    def judge(self, verdict: Verdict) -> None:
        """What a turn detector says of the pause that was told last. It is void where that is over."""
        if self._state is _State.PAUSE:
            self._verdict = verdict

    def finish(self, cause: Cause) -> list[Event]:
        """Ends the utterance now, if there is one."""
        if not self.in_utterance:  # what begins just now is not what a flush ends
            return []
        return [self._end(cause)]

    def _speech(self, began_ms: float) -> list[Event]:
        before, self._last_speech_ms = self._state, self._now_ms
        if before is _State.SILENCE:
            self._start_ms = began_ms if self._soft_ms is None else max(self._soft_ms, began_ms - LONGEST_ONSET_MS)
            self._onset_ms, self._soft_ms = began_ms, None
            self._state = _State.ONSET
        if self._state is _State.ONSET:
            if self._now_ms - self._onset_ms < self._settings.min_speech_ms:
                return []
            self._state = _State.SPEECH
            return [Started(self._start_ms, self._onset_ms)]
        self._state = _State.SPEECH
        events: list[Event] = [Resumed(began_ms)] if before is _State.PAUSE else []
        if self._now_ms - self._start_ms >= self._settings.max_utterance_ms:
            events.append(self._end(Cause.MAX_LENGTH))
        return events

    def _silence(self) -> list[Event]:
        silent_ms = self._now_ms - self._last_speech_ms
        if self._state is _State.ONSET:
            # A click, or a hesitant start: forgotten only after a while, so that `p…ause` is one word.
            if silent_ms >= self._settings.soft_pause_ms:
                self._state = _State.SILENCE
            return []
        if self._state is _State.SPEECH:
            self._state = _State.SHORT_GAP
        if self._state is _State.SHORT_GAP and silent_ms >= self._settings.soft_pause_ms:
            self._state, self._verdict = _State.PAUSE, Verdict.UNJUDGED
            return [Paused(self._last_speech_ms)]
        if self._state is _State.PAUSE and silent_ms >= self._patience_ms():
            return [self._end(Cause.SILENCE)]
        return []

    def _patience_ms(self) -> float:
        """The silence that ends the utterance."""
        settings = self._settings
        if self._verdict is Verdict.UNJUDGED:
            return settings.unjudged_silence_ms
        return settings.endpoint_silence_ms + (
            settings.unfinished_wait_ms if self._verdict is Verdict.UNFINISHED else 0
        )

    def _below(self) -> float:
        """How far below the threshold speech may be now."""
        if self._state is _State.SILENCE:
            return 0.0
        return self._settings.onset_hysteresis if self._state is _State.ONSET else self._settings.hysteresis

    def _reaches(self, probability: float, below: float) -> bool:
        return probability >= max(self._settings.speech_threshold - below, _LEAST_THRESHOLD)

    def _end(self, cause: Cause) -> Ended:
        self._state = _State.SILENCE
        return Ended(self._last_speech_ms, self._now_ms, cause)
