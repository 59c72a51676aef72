"""The sentences about the client itself that every view for people has in common."""

from client.events import DeviceChanged, HearingChanged, SessionOpened
from client.messages import later, tr
from client.views.printable import printable

_STAGES = {"stt": later("ears"), "llm": later("mind"), "tts": later("mouth"), "playback": later("playback")}
_TIMES = {
    "endpoint": later("endpoint"),
    "transcript": later("transcript"),
    "first_token": later("first token"),
    "first_clause": later("first clause"),
    "first_audio": later("first audio"),
    "first_heard": later("voice to voice"),
    "reply_complete": later("reply complete"),
    "barge_in_stop": later("stopped after"),
    "total": later("total"),
}


def of_device(changed: DeviceChanged) -> str:
    """A microphone or a loudspeaker went or came."""
    name = printable(changed.name)
    match changed.direction, changed.is_there:
        case "input", True:
            return tr("the microphone {name} is back", name=name)
        case "input", False:
            return tr("the microphone {name} is gone; waiting for it", name=name)
        case _, True:
            return tr("the loudspeaker {name} is back", name=name)
        case _:
            return tr("the loudspeaker {name} is gone; waiting for it", name=name)


def of_hearing(changed: HearingChanged) -> str:
    """The assistant hears the person from now on, or no more."""
    if changed.is_heard:
        return tr("hears you")
    match changed.reason:
        case "muted":
            return tr("muted: it does not hear you")
        case "wake_word":
            return tr("waits for the wake word")
        case "key":
            return tr("hears you once you press the key")
        case _:
            return tr("nobody spoke: it does not hear you any more")


def of_loss(trying_s: float) -> str:
    """The connection went."""
    return tr("connection lost; trying for {seconds:g} s", seconds=trying_s)


def of_opening(opened: SessionOpened) -> str:
    """The connection came back; empty where it is the first one."""
    return tr("connected again") if opened.resumed else ""


def of_trouble(stage: str, message: str) -> str:
    """A stage failed."""
    return tr("{stage} has a problem: {message}", stage=stage, message=printable(message))


def of_stage(stage: str) -> str:
    """What people call a stage, or what a newer assistant calls it."""
    return tr(_STAGES.get(stage, printable(stage)))


def of_time(name: str) -> str:
    """What a turn's time is called."""
    return tr(_TIMES.get(name, name.replace("_", " ")))


def of_file(path: str, duration_s: float) -> str:
    """The reply audio was written."""
    return tr("reply audio: {path} ({duration:.1f} s)", path=path, duration=duration_s)


def of_lateness(callbacks: int, late: int) -> str:
    """The sound card had to wait."""
    return tr("the sound card had to wait {late} times out of {callbacks}", late=late, callbacks=callbacks)
