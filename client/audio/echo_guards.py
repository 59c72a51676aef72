"""Which guard keeps the assistant from hearing itself."""

from collections.abc import Callable

from client.audio.echo import EchoGuard, NoGuard
from client.audio.half_duplex import HalfDuplex
from client.audio.webrtc import WebRtcGuard
from client.config import EchoSetting
from client.errors import CommandError
from client.messages import tr


def echo_guard(setting: EchoSetting, latency_s: Callable[[], float], note: Callable[[str], None]) -> EchoGuard:
    """As the settings want it; what falls short of that is noted.

    `latency_s`: how long sound takes from our hands through both devices back to us.
    """
    match setting:
        case EchoSetting.OFF:
            return NoGuard()
        case EchoSetting.HALF_DUPLEX:
            return HalfDuplex(latency_s)
    try:
        return WebRtcGuard(latency_s)
    except (ImportError, OSError, RuntimeError) as error:  # no package, no native library for it, or it does not work
        if setting is EchoSetting.CANCEL:
            sentence = tr(
                "echo cancellation cannot run here ({error}): install the package livekit, "
                "or choose another way: client.echo",
                error=error,
            )
            raise CommandError(sentence) from error
        note(
            tr(
                "echo cancellation cannot run here ({error}): nothing is heard while the assistant speaks; "
                "with headphones, set client.echo to off",
                error=error,
            )
        )
        return HalfDuplex(latency_s)
