"""The times in which no ears listen, and what is said meanwhile."""

from collections.abc import Callable

from services.common.errors import CallError
from services.orchestrator.recent_audio import RecentAudio

_GIVE_UP_S = 2.0  # what is older than that when the ears come back is no answer any more: it has to be said again
_FRESH_S = 1.0  # but what is being said just then may be new


class EarsOutage:
    """Knows what nobody will hear any more, so that the speaker is told to say it again.

    It begins and ends as often as the ears go and come back. An utterance that was cut off outlasts that: it is heard
    only when a stream tells of speech, and ears that come back may be gone before they do.
    """

    def __init__(self, recent: RecentAudio, clock: Callable[[], float]) -> None:
        self.error: CallError | None = None  # while there is an outage: what it began with
        self._recent = recent
        self._clock = clock
        self._began_at = 0.0
        self._cut_off_at: float | None = None  # when an utterance was that no stream took up since
        self._lost_an_utterance = False
        self._lost_a_sound = False  # which may have been speech
        self._told_of_a_sound = False  # in this outage: whoever cannot be heard need not be asked again and again

    def broke_off(self, open_since_ms: float | None, *, was_idle: bool) -> bool:
        """A stream is over, in an utterance since then perhaps. Whether one is cut off, by this stream or before.

        The next stream is given again what this one had, except after a long silence, which nothing continues.
        """
        if open_since_ms is not None:
            self._cut_off_at = self._clock()
        elif not self._recent.is_repeating:
            self._cut_off_at = None  # its audio was passed by
        if was_idle:
            self._recent.forget_all_but(0.0)
        self._recent.rewind(open_since_ms)
        return self._cut_off_at is not None

    def forget_cut_off(self) -> None:
        """The utterance that was cut off matters no more: a stream tells of speech again, or it was told to be lost."""
        self._cut_off_at = None

    def begin(self, error: CallError) -> bool:
        """The ears are away. Whether that is new."""
        is_new = self.error is None
        if is_new:
            self.error, self._began_at, self._told_of_a_sound = error, self._clock(), False
        self._give_up_what_is_old()
        return is_new

    def end(self) -> bool:
        """They listen again. Whether something is lost that nobody was told of yet."""
        self._give_up_what_is_old()
        has_lost_words = self._lost_an_utterance or self._lost_a_sound
        self.error, self._lost_an_utterance, self._lost_a_sound = None, False, False
        return has_lost_words

    def is_time_to_tell(self) -> bool:
        """Whether to tell of a loss now. Of a sound only once it is over, for it may be a noise that goes on."""
        if not (self._lost_an_utterance or (self._lost_a_sound and self._recent.is_quiet())):
            return False
        self._told_of_a_sound |= self._lost_a_sound
        self._lost_an_utterance = self._lost_a_sound = False
        return True

    def _give_up_what_is_old(self) -> None:
        """What has lost its beginning, at once; after a while, all that waits but what is being said just now."""
        began_at = self._began_at if self._cut_off_at is None else self._cut_off_at
        if self._cut_off_at is not None and not self._recent.is_whole:
            self._give_up(0.0)  # perhaps it is this audio that they break over
        elif self._clock() - began_at > _GIVE_UP_S:
            self._give_up(_FRESH_S if self._cut_off_at is None and not self._recent.has_ended else 0.0)

    def _give_up(self, but_s: float) -> None:
        dropped = self._recent.keep_last(but_s)
        if self._cut_off_at is not None:
            self._lost_an_utterance, self._cut_off_at = True, None
        elif not self._told_of_a_sound:
            self._lost_a_sound |= self._recent.may_be_speech(dropped)
