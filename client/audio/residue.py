"""What an echo canceller leaves over: it is made too faint to be taken for a voice.

A canceller needs seconds to learn the room, and a room rings for longer than it models. What it lets through sounds
like speech, and voice activity detection hears speech far below the loudness at which anybody talks. So whoever talks
into a reply is told from its echo by loudness: strictly at first, and less so the more the canceller could learn.
Whoever is louder than any echo is heard as the microphone hears it.
"""

import numpy as np
from numpy.typing import NDArray

from client.audio.coupling import Coupling
from client.audio.echo import FRAME_S, FRAME_SAMPLES, is_audible
from services.common.audio import Samples

# Measured over four rooms and none, delays of 20 to 250 ms, echoes of -12 and -6 dB; the tests try a part of that.
_RINGING_S = 0.6  # how long after the last sound its echo may still be heard
_ECHO_SINKS = 10 ** (-15 * FRAME_S / 10)  # of power a frame: how fast the loudest echo is forgotten, 15 dB a second
_LOUD_FRAMES = 2  # one alone is a click
_STAY_OPEN_S = 0.3  # so that a voice's pauses between syllables remain as they are
_FAINT = 0.1  # -20 dB; silence instead would cut off soft beginnings of words

# By how much of the reply's sound the canceller could learn from:
_DEAF_S = 1.0  # it lets through what it likes: nothing passes
_YOUNG_S = 10.0  # it still leaves much at times: silence, not faintness
_STRICT_DB, _RELAXED_DB = 6.0, 23.0  # a voice may be fainter than the loudest echo by the one, then by the other
_RELAXES_DB_PER_S = 2.0
_DOUBT_S = 0.5  # it learns of another delay so fast, as far as anything is left of the room that it knew
_PLAIN_S = 0.1  # the microphone itself, after a frame that stood out
_TEACHES = 100.0**2  # mean power: what is played more softly teaches it nothing


class ResidueGate:
    """Lets voices through, and of all else hardly anything, as long as something is played and rings on."""

    def __init__(self) -> None:
        self._learnt_s = 0.0
        self._ringing_s = 0.0
        self._echo = 0.0  # the loudest power heard lately
        self._heard = self._left = 0.0  # powers, smoothed over two frames
        self._loud_frames = 0
        self._open_s = 0.0
        self._gain = 1.0
        self._coupling = Coupling()
        self._plain_s = 0.0
        self._plain = 0.0  # the microphone's share in what passes

    def doubt(self) -> None:
        """The echo comes sooner or later than before: the canceller has to find it again."""
        self._learnt_s = min(self._learnt_s, _DEAF_S - _DOUBT_S)

    def forget(self) -> None:
        """The canceller begins anew. What sounded until now may still ring on."""
        self._learnt_s = 0.0
        self._coupling = Coupling()

    @property
    def stands_out(self) -> bool:
        """Whether somebody was louder than any echo just now."""
        return self._plain_s > 0

    def pass_on(self, near: Samples, cleaned: Samples, far: Samples) -> Samples:
        """The cleaned frame or hardly anything of it, or the microphone's where somebody stands out."""
        gain, plain = self._next_gain(near, cleaned, far), self._next_plain(near, far)
        before, self._gain = self._gain, gain
        plain_before, self._plain = self._plain, plain
        if before == gain == 1.0 and plain_before == plain == 0.0:
            return cleaned
        gains = np.linspace(before, gain, FRAME_SAMPLES, dtype=np.float32)  # a jump would be a click
        share = np.linspace(plain_before, plain, FRAME_SAMPLES, dtype=np.float32)
        mixed: Samples = np.rint(cleaned * gains * (1 - share) + near * share).astype(np.int16)
        return mixed

    def _next_plain(self, near: Samples, far: Samples) -> float:
        self._plain_s -= FRAME_S
        if self._coupling.stands_out(_power(near), _power(far)):
            self._plain_s = _PLAIN_S
        return 1.0 if self._plain_s > 0 else 0.0

    def _next_gain(self, near: Samples, cleaned: Samples, far: Samples) -> float:
        self._ringing_s = _RINGING_S if is_audible(far) else self._ringing_s - FRAME_S
        if self._ringing_s <= 0:
            self._echo = self._open_s = 0.0
            return 1.0
        if _power(far) > _TEACHES:
            self._learnt_s += FRAME_S
        is_voice = self._is_voice(_power(near), _power(cleaned))
        if is_voice and self._learnt_s > _DEAF_S:
            return 1.0
        return 0.0 if self._learnt_s < _YOUNG_S else _FAINT

    def _is_voice(self, heard: float, left: float) -> bool:
        self._heard = (self._heard + heard) / 2
        self._left = (self._left + left) / 2
        self._echo = max(self._echo * _ECHO_SINKS, self._heard)
        fainter_db = min(_STRICT_DB + _RELAXES_DB_PER_S * max(self._learnt_s - _DEAF_S, 0), _RELAXED_DB)
        is_loud = self._left > 10 ** (-fainter_db / 10) * self._echo
        self._loud_frames = self._loud_frames + 1 if is_loud else 0
        self._open_s = _STAY_OPEN_S if self._loud_frames >= _LOUD_FRAMES else self._open_s - FRAME_S
        return self._open_s > 0


def _power(samples: Samples) -> float:
    wave: NDArray[np.float32] = samples.astype(np.float32)
    return float(wave @ wave) / samples.size
