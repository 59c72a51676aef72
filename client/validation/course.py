"""One validation from its first sentence to its report."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from client.audio.playback import Player
from client.config import ClientSection
from client.conversation import Conversation, ConversationOptions
from client.messages import tr
from client.peers import Peer
from client.session import Session
from client.validation import machine
from client.validation.checkout import Checkout
from client.validation.examination import Examination, Voice
from client.validation.keeping import keep
from client.validation.notes import Notes
from client.validation.record import Judgement, Kind, Record, Setting
from client.validation.steps import Saying
from client.views.printable import printable
from services.common.errors import SuperWhisperError


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    client: ClientSection
    peer: Peer
    language_code: str
    voice: str
    profile: str
    out: Path


class Course:
    """Keeps what was done, also when it is broken off."""

    def __init__(
        self, wishes: Wishes, kind: Kind, validator: str, sayings: Sequence[Saying], patience_s: float, notes: Notes
    ) -> None:
        self.judgement: Judgement | None = None
        self._wishes = wishes
        self._setting = _setting(wishes, kind, validator)
        self._sayings = sayings
        self._notes = notes
        self._examination = Examination(self._notes, wishes.language_code, patience_s)

    async def converse(self, voice: Voice, player: Player) -> None:
        """All sentences are said and answered, in one conversation."""
        wishes = self._wishes
        options = ConversationOptions(
            input_rate_hz=voice.source.rate_hz,
            output_rate_hz=player.rate_hz,
            language_code=wishes.language_code,
            voice=wishes.voice,
        )
        conversation = Conversation(wishes.peer, options, wishes.client.conversation_limit_s, wishes.client.resume_s)
        session = Session(conversation, self._notes, player, None)
        await session.run(lambda running: self._examination.run(running, voice, self._sayings))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Writes the report at the end of the body, however it ends; where nothing was said there is none."""
        problem = tr("it was broken off")
        try:
            yield
            problem = ""
        except SuperWhisperError as error:
            problem = str(error)
            raise
        finally:
            if self._examination.takes:
                path = keep(self._record(problem), self._wishes.out)
                self._notes.note(tr("The report: {path}", path=path))

    def _record(self, incomplete_because: str) -> Record:
        steps = tuple(dict.fromkeys(saying.step for saying in self._sayings))
        return Record(self._setting, steps, tuple(self._examination.takes), self.judgement, incomplete_because)


def _setting(wishes: Wishes, kind: Kind, validator: str) -> Setting:
    here = machine.is_here(wishes.client)
    return Setting(
        kind=kind,
        validator=printable(validator),
        began_at=datetime.now().astimezone(),
        language_code=wishes.language_code,
        system=machine.system(),
        gpus=machine.gpus() if here else "",
        profile=wishes.profile if here else "",
        address=wishes.peer.address,
        version=version("superwhisper"),
        commit=Checkout().commit,
    )
