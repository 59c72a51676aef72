"""The microphone and the loudspeaker that a person validates with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from client.audio.playback import Player
from client.audio.room import opened_room
from client.config import ClientSection
from client.errors import CommandError
from client.events import Event
from client.hearing import AlwaysOpen
from client.messages import tr
from client.session import AudioSource
from client.views.view import View


@dataclass(frozen=True)
class Sound:
    """Both of them, open."""

    microphone: AudioSource
    player: Player
    names: tuple[str, str]


@asynccontextmanager
async def opened_sound(client: ClientSection, view: View) -> AsyncIterator[Sound]:
    """Where one of them is missing, a sentence: nothing can be validated without."""
    async with opened_room(client.microphone, client.loudspeaker, lambda what: view.show(Event("", what))) as room:
        if not room.has_microphone:
            told = "there is no microphone here: plug one in, name it in client.microphone, or give --wavs FOLDER"
            raise CommandError(tr(told))
        if not room.has_loudspeaker:
            raise CommandError(tr("there is no loudspeaker here: plug one in, or name it in client.loudspeaker"))
        # The person's Enter decides when something is heard, whatever `listen` says.
        microphone = room.microphone(client, AlwaysOpen(), view.note, None)
        yield Sound(microphone, room.player, (room.name("input"), room.name("output")))
