"""From written text to phrases, each as soon as it is there to be said."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

from services.common.tasks import read_batches
from services.tts.pacing import Patience, Paused, with_pauses
from services.tts.phrases import Phrase
from services.tts.pieces import Piece, PieceCutter
from services.tts.tally import Tally

Read = Callable[[Piece], Iterable[Phrase]]


@dataclass(frozen=True)
class FlushText:
    """Speak what is there, even inside a sentence."""


class Intake:
    """Takes the text of callers. One for the process: it holds no state of any of them."""

    def __init__(self, patience: Patience, portions_ahead: int) -> None:
        """`portions_ahead` is how many are taken in while earlier ones wait for their audio to be heard."""
        self._patience = patience
        self._portions_ahead = portions_ahead

    async def phrases(
        self, text: AsyncIterator[str | FlushText], read: Read, tally: Tally
    ) -> AsyncGenerator[Phrase, None]:
        """The phrases of a text that is still being written. It is taken by a task of its own; its error comes last."""
        cutter = PieceCutter()
        portions = read_batches(with_pauses(_counted(text, tally), self._patience), self._portions_ahead)
        async with aclosing(portions) as batches:
            async for batch in batches:
                for piece in _pieces(cutter, batch):
                    for phrase in read(piece):
                        yield phrase
        for piece in cutter.flush():
            for phrase in read(piece):
                yield phrase


async def phrases_of(phrases: Iterable[Phrase]) -> AsyncGenerator[Phrase, None]:
    """Those of a text that is whole."""
    for phrase in phrases:
        yield phrase


async def _counted(text: AsyncIterator[str | FlushText], tally: Tally) -> AsyncGenerator[str | FlushText, None]:
    async for portion in text:
        if isinstance(portion, str):
            tally.receive(portion)
        yield portion


def _pieces(cutter: PieceCutter, batch: list[str | FlushText | Paused]) -> Iterator[Piece]:
    for index, portion in enumerate(batch):
        if isinstance(portion, str):
            yield from cutter.push(portion)
        elif isinstance(portion, FlushText):
            yield from cutter.flush()
        elif index + 1 == len(batch):  # else the pause is over: the text has gone on
            yield from cutter.pause()
