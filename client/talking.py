"""A conversation put together: who speaks, what plays, and what is shown."""

from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from importlib import resources
from pathlib import Path

from client import scenarios
from client.audio.room import Room, opened_room
from client.audio.sound import NONE
from client.audio.wav_source import WavSource, read_recording
from client.config import ClientSection
from client.conversation import Conversation, ConversationOptions
from client.desk import Desk
from client.errors import CommandError
from client.events import Event, SoundCardServed, What
from client.gates import MutableGate, gate_of
from client.keepsake import Keepsake, kept
from client.messages import tr
from client.peers import Peer
from client.reply_file import audio_file
from client.session import AudioSource, Session, Work
from client.views.terminal import TerminalView, fits_here
from client.views.text_view import TextView
from client.views.view import JsonView, View
from services.common.text import primary_language

_QUESTIONS = {"en": "question-en.wav", "fr": "question-fr.wav"}
_REPLY_FILE = Path("reply.wav")


class Manner(Enum):
    """How a conversation is shown."""

    BEST = auto()  # a full screen, where there is one
    PLAIN = auto()
    JSON = auto()


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    wav: Path | None
    out: Path | None
    record: Path | None
    language_code: str
    voice: str
    system_prompt: str
    manner: Manner


async def converse(client: ClientSection, peer: Peer, wishes: Wishes) -> None:
    """Until the person leaves, or what was to be said is answered."""
    view = _view(client, wishes.manner)

    def tell(what: What) -> None:
        view.show(Event("", what))

    microphone = client.microphone if wishes.wav is None else NONE
    async with opened_room(microphone, client.loudspeaker, tell) as room:
        with kept(wishes.record) as keepsake:
            if keepsake is not None:
                view.note(tr("this conversation is recorded: {folder}", folder=keepsake.folder))
            try:
                problems = await _Talk(client, peer, wishes, view, room, keepsake, gate_of(client)).run()
            finally:
                if room.callbacks:
                    tell(SoundCardServed(room.callbacks, room.late))
    if problems and not room.has_microphone:  # else they were told, and the conversation went on
        raise CommandError("; ".join(dict.fromkeys(problems)))


def _view(client: ClientSection, manner: Manner) -> View:
    if manner is Manner.JSON:
        return JsonView()
    if manner is Manner.BEST and fits_here():
        return TerminalView(client.listen, client.wake_word)
    return TextView()


@dataclass(frozen=True)
class _Talk:
    """Everybody who takes part, and everything."""

    client: ClientSection
    peer: Peer
    wishes: Wishes
    view: View
    room: Room
    keepsake: Keepsake | None
    gate: MutableGate

    async def run(self) -> list[str]:
        """Converses; returns what went wrong on the way."""
        room, view = self.room, self.view
        source, drive, language_code = self._part()
        options = ConversationOptions(
            input_rate_hz=source.rate_hz,
            output_rate_hz=room.player.rate_hz,
            language_code=language_code,
            voice=self.wishes.voice,
            system_prompt=self.wishes.system_prompt,
        )
        out = self.wishes.out or (None if room.has_loudspeaker else _REPLY_FILE)
        with audio_file(out, keep_unfinished=True) as file:
            conversation = Conversation(
                self.peer, options, self.client.conversation_limit_s, try_for_s=self.client.resume_s
            )
            session = Session(conversation, view, room.player, file, observe=self._observe)
            await session.run(drive, partial(scenarios.stay, session))
        if file is not None and file.duration_s:
            view.reply_file(str(file.path), file.duration_s)
        return session.problems

    def _observe(self, event: Event) -> None:
        self.gate.observe(event)
        if self.keepsake is not None:
            self.keepsake.show(event)

    def _part(self) -> tuple[AudioSource, Work, str]:
        """Whose voice it is, what the person does, and in which language."""
        client, wishes = self.client, self.wishes
        if wishes.wav is not None:
            source = WavSource(read_recording(wishes.wav))
            return source, partial(scenarios.speak, source=source, patience_s=client.reply_wait_s), wishes.language_code
        if self.room.has_microphone:
            keep = self.keepsake.take if self.keepsake is not None else None
            microphone = self.room.microphone(client, self.gate, self.view.note, keep)
            return (
                microphone,
                lambda session: scenarios.talk(session, microphone, self._person(session)),
                wishes.language_code,
            )
        return self._without_microphone()

    def _without_microphone(self) -> tuple[AudioSource, Work, str]:
        self.view.note(
            tr("no microphone here: a recorded question is spoken, then each line that you type (Ctrl-D ends)")
        )
        language_code = self.wishes.language_code or "en"
        name = _QUESTIONS.get(primary_language(language_code), _QUESTIONS["en"])
        with resources.as_file(resources.files("client") / "assets" / name) as path:
            question = WavSource(read_recording(path))
        patience_s = self.client.reply_wait_s
        if isinstance(self.view, TerminalView):
            return (
                question,
                lambda session: scenarios.speak_then_converse(session, question, patience_s, self._person(session)),
                language_code,
            )
        return question, partial(scenarios.speak_then_type, question=question, patience_s=patience_s), language_code

    def _person(self, session: Session) -> scenarios.Person:
        """Acts at the view, or by lines on stdin."""
        desk = Desk(session, self.gate, self.room.levels)
        if isinstance(self.view, TerminalView):
            return partial(self.view.run, desk)
        return partial(scenarios.type_beside, session, desk)
