"""How loud the echo of what is played is at most: what is much louder than that is somebody who speaks.

No canceller is needed to tell that, only what one second of a reply sounded like in the microphone. So who is near, and
loud, is heard whole and at once, also while the canceller still learns the room, or lost the echo.
"""

from collections import deque

from client.audio.echo import FRAME_S

_REACH_FRAMES = 30  # 0.3 s: the echo of what was played is heard within that time
_LEARNS_S = 1.0  # of loud reply; nothing stands out before
_STANDS_OUT = 10 ** (8 / 10)  # of power, above the loudest that an echo was
_FRAMES = 3  # fewer are a click
_RISES = 10 ** (3 * FRAME_S / 10)  # a frame, where the echo becomes louder: as slowly as no voice begins
_SINKS = 10 ** (-0.1 * FRAME_S / 10)  # a frame: so it stays above all but the loudest thirtieth of what is heard
_LEAST_SHARE = 10 ** (-30 / 10)  # with headphones; from less it would not rise in time once they are off
_LEAST = 120.0**2  # of power: where no echo comes back, any sound is louder than it; who is fainter is left to the ears
_TEACHES = 100.0**2  # mean power of what is played: from anything softer nothing can be told


class Coupling:
    """From the loudspeaker to the microphone, by power."""

    def __init__(self) -> None:
        self._played = deque[float](maxlen=_REACH_FRAMES)
        self._heard = 0.0  # smoothed over two frames
        self._share = _LEAST_SHARE  # of what is played, the most that is heard
        self._learnt_s = 0.0
        self._loud_frames = 0

    def stands_out(self, heard: float, played: float) -> bool:
        """Whether what is heard cannot be an echo. The mean powers of each frame, in order."""
        self._played.append(played)
        self._heard = (self._heard + heard) / 2
        loudest = max(self._played)
        if loudest < _TEACHES:
            self._loud_frames = 0
            return False
        share = self._heard / loudest
        if self._learnt_s < _LEARNS_S:
            self._learnt_s += FRAME_S
            self._share = max(self._share, share)
            return False
        if share > self._share:
            self._share = min(share, self._share * _RISES)
        else:
            self._share = max(self._share * _SINKS, _LEAST_SHARE)
        is_loud = self._heard > _LEAST and share > _STANDS_OUT * self._share
        self._loud_frames = self._loud_frames + 1 if is_loud else 0
        return self._loud_frames >= _FRAMES
