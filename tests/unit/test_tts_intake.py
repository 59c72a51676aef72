"""services/tts/intake.py and pacing.py: text that comes in its own time becomes phrases. No clock: pauses are told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from services.common.tasks import cancel_and_wait
from services.tts.intake import FlushText, Intake
from services.tts.pacing import patience_of, with_pauses
from services.tts.phrases import Phrase
from services.tts.pieces import Piece
from services.tts.tally import Tally
from tests.support.speaking import phrase, settle
from tests.support.waiting import BOUND_S


class Writer:
    """Writes when told, and pauses when told: its patience ends at `pause`, and not by a clock."""

    def __init__(self) -> None:
        self.taken = 0
        self._portions: asyncio.Queue[str | FlushText | Exception | None] = asyncio.Queue()
        self._paused = asyncio.Event()

    def write(self, *portions: str | FlushText | Exception | None) -> None:
        for portion in portions:
            self._portions.put_nowait(portion)

    async def pause(self) -> None:
        await settle()
        self._paused.set()
        await settle()

    async def patience(self, future: "asyncio.Future[Any]") -> None:
        self._paused.clear()
        over = asyncio.create_task(self._paused.wait())
        try:
            await asyncio.wait([future, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(over)

    async def text(self) -> AsyncGenerator[str | FlushText, None]:
        while (portion := await self._portions.get()) is not None:
            if isinstance(portion, Exception):
                raise portion
            self.taken += 1
            yield portion


class Reading:
    """Takes the phrases of a writer as they come."""

    def __init__(self, writer: Writer, portions_ahead: int = 100) -> None:
        self.texts: list[str] = []
        self.tally = Tally()
        self._phrases = Intake(writer.patience, portions_ahead).phrases(writer.text(), self._read, self.tally)
        self.task = asyncio.create_task(self._take())

    def _read(self, piece: Piece) -> list[Phrase]:
        self.texts.append(piece.text)
        return [phrase(piece.text, piece.start)]

    async def _take(self) -> list[Phrase]:
        async with aclosing(self._phrases) as taken:
            return [one async for one in taken]


async def test_the_first_clause_is_there_before_the_sentence_is_written() -> None:
    writer = Writer()
    reading = Reading(writer)
    writer.write("Bien s", "ûr", ", ", "je")
    await settle()
    assert reading.texts == ["Bien sûr, "]
    writer.write(" regarde.", None)
    taken = await reading.task
    assert [(one.start, one.end) for one in taken] == [(0, 10), (10, 21)]
    assert reading.tally.characters == 21


async def test_a_pause_after_a_clause_speaks_it() -> None:
    writer = Writer()
    reading = Reading(writer)
    writer.write("Bonjour à tous. Il fait beau, mais")
    await settle()
    assert reading.texts == ["Bonjour à tous. "]
    await writer.pause()
    assert reading.texts == ["Bonjour à tous. ", "Il fait beau, "]
    await writer.pause()  # it goes on: nothing new is there
    assert len(reading.texts) == 2
    writer.write(" frais.", None)
    await reading.task
    assert reading.texts[2:] == ["mais frais."]


async def test_a_pause_inside_of_a_clause_speaks_nothing() -> None:
    writer = Writer()
    reading = Reading(writer)
    writer.write("Il fait")
    await writer.pause()
    assert reading.texts == []
    writer.write(" beau.", None)
    await reading.task
    assert reading.texts == ["Il fait beau."]


async def test_a_pause_that_is_over_before_anybody_looks_does_not_cut() -> None:
    """Nobody asks for phrases while enough audio waits. Meanwhile the text has gone on."""
    writer = Writer()
    texts: list[str] = []

    def read(piece: Piece) -> list[Phrase]:
        texts.append(piece.text)
        return [phrase(piece.text, piece.start)]

    async with aclosing(Intake(writer.patience, 100).phrases(writer.text(), read, Tally())) as phrases:
        writer.write("Bonjour à tous. Il fait")
        await anext(phrases)
        writer.write(" beau, mais")
        await writer.pause()
        writer.write(" frais.", None)
        await settle()
        assert [one async for one in phrases]
    assert texts == ["Bonjour à tous. ", "Il fait beau, mais frais."]


async def test_a_flush_speaks_what_is_there() -> None:
    writer = Writer()
    reading = Reading(writer)
    writer.write("Il fait", FlushText(), " beau", FlushText(), FlushText())
    await settle()
    assert reading.texts == ["Il fait", " beau"]
    writer.write(None)
    await reading.task


async def test_an_error_of_the_text_comes_behind_what_was_complete() -> None:
    writer = Writer()
    reading = Reading(writer)
    writer.write("Voilà le début. Et", KeyError("broken"))
    with pytest.raises(KeyError, match="broken"):
        await reading.task
    assert reading.texts == ["Voilà le début. "]


async def test_text_is_taken_in_before_anybody_asks_within_a_bound() -> None:
    writer = Writer()
    phrases = Intake(writer.patience, 10).phrases(writer.text(), lambda piece: [phrase(piece.text)], Tally())
    writer.write("Bonjour à tous. ", *["mot "] * 100)
    await anext(phrases)
    await settle()
    assert 10 <= writer.taken <= 25
    await phrases.aclose()


async def test_whoever_leaves_leaves_nothing_behind() -> None:
    tasks = len(asyncio.all_tasks())
    for portions in ([], ["Bonjour à tous. Il"], ["Bonjour à tous. Il", FlushText()]):
        writer = Writer()
        reading = Reading(writer)
        writer.write(*portions)
        await settle()
        reading.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading.task
    assert len(asyncio.all_tasks()) == tasks


async def test_nothing_comes_of_nothing() -> None:
    writer = Writer()
    reading = Reading(writer)
    writer.write(None)
    assert await reading.task == []


async def test_patience_ends_by_itself_or_with_what_it_waits_for() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(BOUND_S):
        await patience_of(0.001)(future)
        assert not future.done()
        future.set_result(None)
        await patience_of(10 * BOUND_S)(future)


async def test_the_source_is_closed_with_its_reader() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    items = with_pauses(source(), patience_of(0.001))
    assert await anext(items) == 1
    assert not isinstance(await anext(items), int)  # a pause
    await items.aclose()
    assert closed.is_set()


async def test_nor_does_it_stay_open_where_it_has_an_item_that_nobody_took() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    given = source()
    items = with_pauses(given, patience_of(0.001))
    assert await anext(items) == 1
    await settle()
    assert not closed.is_set()
    await items.aclose()
    assert closed.is_set()
