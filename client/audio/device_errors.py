"""The sentences for devices that cannot be used."""

from client.audio.devices import Device, Direction
from client.errors import CommandError
from client.messages import tr


def not_there(direction: Direction, wanted: str) -> CommandError:
    """The sentence for a name or a number that no device has."""
    if direction == "input":
        sentence = tr("there is no microphone {name}; `superwhisper devices` shows what there is", name=wanted)
    else:
        sentence = tr("there is no loudspeaker {name}; `superwhisper devices` shows what there is", name=wanted)
    return CommandError(sentence)


def unusable(direction: Direction, device: Device, error: Exception) -> CommandError:
    """The sentence for a device that does not open."""
    name, why = device.name, error
    if direction == "input":
        sentence = tr(
            "the microphone {name} cannot be used ({why}); name another: client.microphone", name=name, why=why
        )
    else:
        sentence = tr(
            "the loudspeaker {name} cannot be used ({why}); name another: client.loudspeaker", name=name, why=why
        )
    return CommandError(sentence)
