"""The person who validates: reads the sentences from the terminal, says them, and judges."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from client.errors import CommandError
from client.events import MicrophoneAudio
from client.messages import tr
from client.session import AudioSource, Heard
from client.validation.record import Judgement, Ratings, Verdict
from client.validation.steps import Saying, Step, instruction, title
from client.views.text_view import printable

_VERDICTS = {"v": Verdict.VALIDATED, "r": Verdict.WITH_RESERVATIONS, "c": Verdict.TO_CORRECT}
_MAX_ANSWER = 2000  # characters of a comment


class Person:
    """Between the sentences the assistant hears nothing, so that nobody needs to whisper."""

    def __init__(self, microphone: AudioSource, answers: AsyncIterator[str], console: Console) -> None:
        self.source = _Ears(microphone)
        self._answers = answers
        self._console = console
        self._step: Step | None = None

    async def say(self, saying: Saying) -> None:
        """Shows it; the ears are open from the moment that Enter says so."""
        if saying.step is not self._step:
            self._step = saying.step
            self._tell(Text(f"\n{title(saying.step)}", "bold"))
            self._tell(Text(instruction(saying.step)))
        if saying.interrupts:
            self._tell(Text(tr("Now, into the reply:"), "bold yellow"))
        self._console.print(Panel(Text(saying.sentence, "bold"), expand=False))
        if not saying.interrupts:
            await self._ask(tr("Press Enter, then say it: "))
            self.source.are_open = True

    async def done(self) -> None:
        """Nothing more is heard until the next sentence."""
        self.source.are_open = False

    async def again(self, saying: Saying) -> bool:
        """Asks."""
        self.source.are_open = False
        return not await self._ask(tr("Nothing was understood. Enter tries again, any letter goes on without: "))

    def greet(self, microphone: str, loudspeaker: str) -> None:
        """Says what is about to happen, and what is kept of it."""
        self._tell(
            Text(
                tr(
                    "Microphone: {microphone}; loudspeaker: {loudspeaker}.",
                    microphone=microphone,
                    loudspeaker=loudspeaker,
                )
            )
        )
        self._tell(Text(tr("What is understood of your words goes into the report; no audio is kept. Ctrl-C ends.")))

    async def name(self, usual: str) -> str:
        """Who validates."""
        return await self._ask(tr("Who validates? [{name}] ", name=usual)) or usual

    async def judgement(self) -> Judgement:
        """What the person thinks of it all."""
        self._tell(Text(tr("\nYour ratings: 1 (unusable) to 5 (perfect)"), "bold"))
        ratings = Ratings(
            transcription=await self._rating(tr("Transcription: were you understood? ")),
            fluidity=await self._rating(tr("Fluidity: did it answer when a person would? ")),
            audio_quality=await self._rating(tr("Audio quality: is its voice pleasant, without dropouts? ")),
        )
        verdict = await self._verdict()
        comments = await self._ask(tr("Comments, in one line (Enter: none): "))
        actions = []
        while action := await self._ask(tr("An action that is needed (Enter: no more): ")):
            actions.append(action)
        return Judgement(ratings, verdict, comments, tuple(actions))

    async def _rating(self, question: str) -> int:
        while True:
            answer = await self._ask(question)
            if answer in {"1", "2", "3", "4", "5"}:
                return int(answer)
            self._tell(Text(tr("A number from 1 to 5, please."), "yellow"))

    async def _verdict(self) -> Verdict:
        while True:
            answer = await self._ask(tr("Verdict: [v]alidated, with [r]eservations, to [c]orrect: "))
            if (verdict := _VERDICTS.get(answer[:1].lower())) is not None:
                return verdict
            self._tell(Text(tr("v, r or c, please."), "yellow"))

    async def _ask(self, question: str) -> str:
        self._console.print(Text(question), end="")
        self._console.file.flush()
        async for answer in self._answers:
            return printable(answer).strip()[:_MAX_ANSWER]
        raise CommandError(tr("nobody answers any more: the input has ended"))

    def _tell(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)


class _Ears:
    """The microphone; silence while nothing is to be said."""

    def __init__(self, microphone: AudioSource) -> None:
        self.rate_hz = microphone.rate_hz
        self.are_open = False
        self._microphone = microphone

    async def messages(self) -> AsyncGenerator[Heard, None]:
        """What the assistant is to hear."""
        async with aclosing(self._microphone.messages()) as messages:
            async for heard in messages:
                if isinstance(heard, MicrophoneAudio) and not self.are_open:
                    yield MicrophoneAudio(bytes(len(heard.audio)))
                else:
                    yield heard
