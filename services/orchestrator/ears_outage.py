"""The time in which no ears listen, and what is said meanwhile."""

from collections.abc import Callable

from services.common.errors import CallError
from services.orchestrator.recent_audio import RecentAudio

_GIVE_UP_S = 2.0  # what is older than that when the ears come back is no answer any more: it has to be said again
_FRESH_S = 1.0  # but what is being said just then may be new


class EarsOutage:
    """Knows what nobody will hear any more, so that the speaker is told to say it again."""

    def __init__(self, error: CallError, cut_off: bool, clock: Callable[[], float]) -> None:
        """`cut_off`: somebody was speaking when the ears broke off."""
        self.error = error
        self._cut_off = cut_off
        self._clock = clock
        self._began_at = clock()
        self._lost_an_utterance = False
        self._lost_a_sound = False  # which may have been speech

    @property
    def has_lost_words(self) -> bool:
        """Whether something is lost that nobody was told of yet."""
        return self._lost_an_utterance or self._lost_a_sound

    def is_time_to_tell(self, recent: RecentAudio) -> bool:
        """Whether to tell it now. Sounds only once they are over, lest a noise that goes on is told of all the time."""
        if not (self._lost_an_utterance or (self._lost_a_sound and recent.is_quiet())):
            return False
        self._lost_an_utterance = self._lost_a_sound = False
        return True

    def give_up_what_is_old(self, recent: RecentAudio) -> None:
        """After a while, all that waits but what is being said just now."""
        if self._clock() - self._began_at > _GIVE_UP_S:
            self.give_up(recent, 0.0 if self._cut_off or recent.has_ended else _FRESH_S)

    def give_up(self, recent: RecentAudio, but_s: float = 0.0) -> None:
        """All that waits but the last seconds."""
        self._lost_an_utterance |= self._cut_off
        self._cut_off = False
        self._lost_a_sound |= recent.may_be_speech(recent.keep_last(but_s))
