"""Where keys and typed lines end up, whichever view they come from."""

from client.audio.levels import Levels
from client.events import Interrupt, TypedText
from client.gates import MutableGate
from client.messages import tr
from client.session import Session
from services.common.text import clean

MAX_TYPED = 4000  # characters; the protocol's limit


class Desk:
    """The `Controls` of a conversation."""

    def __init__(self, session: Session, gate: MutableGate, levels: Levels) -> None:
        self.levels = levels
        self._session = session
        self._gate = gate

    @property
    def is_muted(self) -> bool:
        """Whether the person wants the microphone not to be heard."""
        return self._gate.is_muted

    async def type(self, text: str) -> None:
        """Takes a turn in writing; a reply that goes on is over with it."""
        text = clean(text).strip()
        if not text:
            self._session.view.note(tr("not sent: there is nothing to read in it"))
        elif len(text) > MAX_TYPED:
            self._session.view.note(tr("not sent: longer than {limit} characters", limit=MAX_TYPED))
        else:
            await self.take_turn(text)

    async def take_turn(self, text: str) -> None:
        """Sends what may be sent."""
        await self.interrupt()
        await self._session.conversation.give(TypedText(text))

    async def interrupt(self) -> None:
        """Stops the reply, if there is one."""
        if not self._session.turns.is_idle:
            await self._session.conversation.give(Interrupt())

    async def mute(self, *, muted: bool) -> None:
        """Stops listening, or listens again."""
        self._gate.is_muted = muted

    async def press(self) -> None:
        """The key for talking. Who presses it into a reply has something to say: the reply ends."""
        self._gate.press()
        if self._gate.is_hearing:
            await self.interrupt()
