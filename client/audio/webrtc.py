"""Echo cancellation by WebRTC's audio processing. The only file that imports livekit, which carries it."""

from collections.abc import Callable
from functools import partial

import numpy as np

from client.audio.echo import FRAME_S, FRAME_SAMPLES, is_audible
from client.audio.residue import ResidueGate
from client.audio.tap import RATE_HZ
from services.common.audio import Samples

_RUN_ON_S = 1.5  # after the last sound that was played: the room rings, and the canceller may still learn from it
_MAX_DELAY_MS = 500  # what WebRTC takes for possible
_FADE_IN = np.linspace(0, 1, FRAME_SAMPLES, dtype=np.float32)


class WebRtcGuard:
    """Runs while something is played; else the microphone's frames pass as they are, at no cost."""

    name = "cancel"

    def __init__(self, latency_s: Callable[[], float] = lambda: 0.0) -> None:
        """`latency_s`: how long sound takes from our hands through both devices back to us. A guess will do."""
        from livekit import rtc  # noqa: PLC0415  # a tenth of a second and 15 MB, and not on every machine

        # Noise suppression as well: it halves how often what is left of the echo is taken for a voice.
        self._new_apm = partial(rtc.AudioProcessingModule, echo_cancellation=True, noise_suppression=True)
        self._apm = self._new_apm()
        # Made once: to make a frame costs as much as to clean it.
        self._far_frame, self._near_frame = (rtc.AudioFrame.create(RATE_HZ, 1, FRAME_SAMPLES) for _ in range(2))
        self._far = np.frombuffer(self._far_frame.data, np.int16)
        self._near = np.frombuffer(self._near_frame.data, np.int16)
        self._latency_s = latency_s
        self._residue = ResidueGate()
        self._runs_s = 0.0  # how long it still runs
        self._ran = False  # in the frame before

    def clean(self, near: Samples, far: Samples) -> Samples:
        """What the microphone heard, without what the loudspeaker said."""
        self._runs_s = _RUN_ON_S if is_audible(far) else self._runs_s - FRAME_S
        runs, ran = self._runs_s > 0, self._ran
        self._ran = runs
        if not (runs or ran):
            return near
        if not ran:
            self._tell_delay()
        cleaned = self._residue.pass_on(near, self._cancel(near, far), far)
        if runs and ran:
            return cleaned
        # What it puts out is a few milliseconds late, so it takes over and leaves off gradually.
        share = _FADE_IN if runs else _FADE_IN[::-1]
        mixed: Samples = np.rint(near * (1 - share) + cleaned * share).astype(np.int16)
        return mixed

    @property
    def stands_out(self) -> bool:
        """Whether somebody was louder than any echo just now."""
        return self._runs_s > 0 and self._residue.stands_out

    def doubt(self) -> None:
        """Samples were lost on the way."""
        self._residue.doubt()

    def forget(self) -> None:
        """Another canceller, which knows no room."""
        self._apm = self._new_apm()
        self._tell_delay()
        self._residue.forget()

    def _tell_delay(self) -> None:
        self._apm.set_stream_delay_ms(min(int(self._latency_s() * 1000), _MAX_DELAY_MS))

    def _cancel(self, near: Samples, far: Samples) -> Samples:
        """Both streams in step, or both not at all: each has its own notion of time."""
        self._far[:] = far
        self._near[:] = near
        self._apm.process_reverse_stream(self._far_frame)
        self._apm.process_stream(self._near_frame)
        return self._near.copy()
