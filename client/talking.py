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
from client.both_sides import BothSides
from client.config import ClientSection, Listening
from client.conversation import Conversation, ConversationOptions
from client.desk import Desk
from client.errors import CommandError, reason_of
from client.events import Event, SoundCardServed, What
from client.gates import MutableGate, gate_of
from client.hearing import AlwaysOpen
from client.keepsake import Keepsake, kept
from client.messages import tr
from client.peers import Peer
from client.reply_file import audio_file
from client.session import AudioSource, Companion, Observer, Session, Work
from client.unused import unused
from client.views.terminal import TerminalView, fits_here
from client.views.text_view import TextView
from client.views.view import JsonView, View
from services.common.audio import Recording
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
            gate = gate_of(client) if room.has_microphone else MutableGate(AlwaysOpen())
            try:
                problems = await _Talk(client, peer, wishes, view, room, keepsake, gate).run()
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
class _Part:
    """Whose voice it is, what the person does, and in which language. `spoken` is there in place of a microphone."""

    source: AudioSource
    drive: Work
    language_code: str
    spoken: Recording | None = None


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
        part = self._part()
        options = ConversationOptions(
            input_rate_hz=part.source.rate_hz,
            output_rate_hz=room.player.rate_hz,
            language_code=part.language_code,
            voice=self.wishes.voice,
            system_prompt=self.wishes.system_prompt,
        )
        out = self.wishes.out or (None if room.has_loudspeaker else self._unasked_file())
        observers, companions = self._beside(part)
        with audio_file(out, keep_unfinished=True) as file:
            conversation = Conversation(
                self.peer, options, self.client.conversation_limit_s, try_for_s=self.client.resume_s
            )
            session = Session(conversation, view, room.player, file, observers=observers)
            await session.run(part.drive, partial(scenarios.stay, session), *companions)
        if file is not None and file.duration_s:
            view.reply_file(str(file.path), file.duration_s)
        return session.problems

    def _unasked_file(self) -> Path | None:
        """A new file; none where nothing can be written, for nobody asked for it."""
        path = unused(_REPLY_FILE)
        try:
            path.touch(exist_ok=False)
            path.unlink()
        except OSError as error:
            self.view.note(tr("the reply audio is not kept: {path}: {reason}", path=path, reason=reason_of(error)))
            return None
        return path

    def _beside(self, part: _Part) -> tuple[list[Observer], list[Companion]]:
        """Who wants to know what is told, and who works meanwhile."""
        observers: list[Observer] = [self.gate.observe]
        if self.keepsake is None:
            return observers, []
        observers.append(self.keepsake.show)
        if part.spoken is None:
            return observers, []
        sides = BothSides(part.spoken, self.keepsake.take)
        return [*observers, sides.observe], [sides.keep]

    def _part(self) -> _Part:
        """Whose voice it is, what the person does, and in which language."""
        client, wishes = self.client, self.wishes
        if wishes.wav is not None:
            spoken = read_recording(wishes.wav)
            source = WavSource(spoken)
            drive = partial(scenarios.speak, source=source, patience_s=client.reply_wait_s)
            return _Part(source, drive, wishes.language_code, spoken)
        if self.room.has_microphone:
            keep = self.keepsake.take if self.keepsake is not None else None
            microphone = self.room.microphone(client, self.gate, self.view.note, keep)
            return _Part(
                microphone,
                lambda session: scenarios.talk(session, microphone, self._person(session)),
                wishes.language_code,
            )
        return self._without_microphone()

    def _without_microphone(self) -> _Part:
        self.view.note(
            tr("no microphone here: a recorded question is spoken, then each line that you type (Ctrl-D ends)")
        )
        language_code = self.wishes.language_code or "en"
        name = _QUESTIONS.get(primary_language(language_code), _QUESTIONS["en"])
        with resources.as_file(resources.files("client") / "assets" / name) as path:
            spoken = read_recording(path)
        question, patience_s = WavSource(spoken), self.client.reply_wait_s

        async def drive(session: Session) -> None:
            if isinstance(self.view, TerminalView):
                await scenarios.speak_then_converse(session, question, patience_s, self._person(session))
            else:
                desk = scenarios.PatientDesk(session, self.gate, self.room.levels)
                await scenarios.speak_then_type(session, question, patience_s, desk)

        return _Part(question, drive, language_code, spoken)

    def _person(self, session: Session) -> scenarios.Person:
        """Acts at the view, or by lines on stdin."""
        desk = Desk(session, self.gate, self.room.levels)
        if isinstance(self.view, TerminalView):
            return partial(self.view.run, desk)
        if self.client.listen is Listening.PUSH_TO_TALK:
            self.view.note(tr("the key for talking is the line {command}", command='{"command": "press"}'))
        return partial(scenarios.type_beside, session, desk)
