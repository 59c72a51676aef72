"""The seam of those who keep the assistant from hearing itself."""

from typing import Protocol

from client.audio.tap import RATE_HZ
from services.common.audio import Samples

FRAME_SAMPLES = RATE_HZ // 100  # 10 ms: what WebRTC's audio processing takes at once
FRAME_S = FRAME_SAMPLES / RATE_HZ
_AUDIBLE = 32  # 60 dB below full scale: what is played below makes no echo that anybody hears


class EchoGuard(Protocol):
    """Sees what is played and what is heard, moment by moment."""

    @property
    def name(self) -> str:
        """How people call it."""

    @property
    def stands_out(self) -> bool:
        """Whether what was heard last was louder than any echo can be."""

    def clean(self, near: Samples, far: Samples) -> Samples:
        """What the microphone heard, without what the loudspeaker said. Frames of 10 ms, in order.

        `far` was handed to the sound card when `near` was taken from it, so its echo is in a later `near`.
        """

    def doubt(self) -> None:
        """Samples were lost on their way to the loudspeaker or from the microphone: the echo is not where it was."""

    def forget(self) -> None:
        """It is another loudspeaker or microphone: nothing that was learnt of the echo holds."""


class NoGuard:
    """For headphones: nothing comes back."""

    name = "off"
    stands_out = False  # nothing to stand out from

    def clean(self, near: Samples, far: Samples) -> Samples:
        """What the microphone heard."""
        return near

    def doubt(self) -> None:
        """There is none."""

    def forget(self) -> None:
        """There is none."""


def is_audible(far: Samples) -> bool:
    """Whether something is played."""
    return bool(far.size) and (int(far.max()) > _AUDIBLE or int(far.min()) < -_AUDIBLE)
