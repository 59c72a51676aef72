"""The replies of one conversation: drafted, given, held, cut off and remembered, as the turn machine decides."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any

from services.common import calls
from services.common.tasks import wait_for_end
from services.orchestrator.events import Degraded, Interrupted, TurnFinished, UserTranscript
from services.orchestrator.history import Exchange, History
from services.orchestrator.outbox import Outbox, Outlet
from services.orchestrator.ports import Stage
from services.orchestrator.reply import Reply
from services.orchestrator.reply_maker import ReplyMaker
from services.orchestrator.resources import Resources
from services.orchestrator.turn_events import BeginTurn, FinishTurn, Outcome, ReplyEnded, Said, State
from services.orchestrator.turn_trace import record_draft, record_turn

_OVERDUE = {State.THINKING: Stage.LLM, State.SPEAKING: Stage.PLAYBACK}


@dataclass
class _Work:
    """A reply, and the tasks that make it."""

    said: Said
    reply: Reply
    call: calls.CallContext
    context: Context  # in which its calls are made: the ids and the deadline of the turn
    thinking: "asyncio.Task[None]"
    giving: "asyncio.Task[None]"
    turn_id: str = ""
    outlet: Outlet | None = None
    writing_on: "asyncio.Task[None] | None" = None  # while its client is lost
    was_given_up: bool = False  # before it was written to its end

    def cancel(self) -> None:
        """Stops it. Both tasks are awaited by their owner."""
        self.thinking.cancel()
        self.giving.cancel()


class Turns:
    """At most one turn, at most one draft, and what is still being cleaned up."""

    def __init__(
        self,
        maker: ReplyMaker,
        history: History,
        resources: Resources,
        reply_ended: Callable[[ReplyEnded], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._maker = maker
        self._history = history
        self._metrics = resources.metrics
        self._tracer = resources.tracer
        self._write_on_s = resources.settings.session.write_on_s
        self._turn_limit_s = resources.settings.budget.thinking_s + resources.settings.budget.speaking_s
        self._count = 0
        self._reply_ended = reply_ended
        self._failed = failed
        self._draft: _Work | None = None
        self._current: _Work | None = None
        self._last: Reply | None = None  # its sound may still be in the room
        self._tasks: set[asyncio.Task[None]] = set()

    def draft(self, said: Said) -> None:
        """Prepares a reply of which nobody hears yet."""
        self._draft = self._start(said)

    def drop_draft(self) -> None:
        """It is not wanted."""
        if self._draft is not None:
            self._draft.cancel()
            self._metrics.draft("dropped")
            record_draft(self._tracer, self._draft.call, self._draft.said.said_at, self._maker.now())
            self._draft = None

    def begin(self, effect: BeginTurn, outbox: Outbox) -> None:
        """Replies; with the draft, where it is a reply to the same."""
        outlet = Outlet(outbox, effect.turn_id)
        said = effect.said
        if not said.was_lost:
            outlet.tell(UserTranscript(said.text, True, 1.0, said.language_code, said.typed))
        work = self._draft if effect.drafted else None
        if work is not None:
            self._draft = None
            self._metrics.draft("used")
        else:
            work = self._start(said)
        work.said, work.turn_id, work.outlet = said, effect.turn_id, outlet
        work.reply.marks.transcript = self._maker.now()
        self._maker.language = self._maker.language_of(said)
        self._current = work
        work.reply.tell_to(outlet)

    def hold(self) -> None:
        """Somebody speaks into it."""
        if self._current is not None and self._current.reply.speech is not None:
            self._current.reply.speech.hold()

    def let_go_on(self) -> None:
        """It was nothing."""
        if self._current is not None:
            self._metrics.spoken_into("false_alarm")
            if self._current.reply.speech is not None:
                self._current.reply.speech.let_sound()

    def played(self, turn_id: str, samples: int) -> None:
        """The client's loudspeaker has come so far."""
        self._maker.is_playback_reported = True
        work = self._current
        if work is not None and work.turn_id == turn_id and work.reply.speech is not None:
            work.reply.speech.played(samples)

    def no_more_reports(self) -> None:
        """The client cannot tell any more."""
        self._maker.is_playback_reported = False
        for work in (self._draft, self._current):
            if work is not None and work.reply.speech is not None:
                work.reply.speech.playback.no_more_reports(self._maker.now())

    def finish(self, effect: FinishTurn) -> None:
        """Ends the turn, at once; what its reply still does is stopped, and cannot be heard of any more."""
        work, self._current = self._current, None
        if work is None or work.outlet is None:
            return
        reply, outlet, now = work.reply, work.outlet, self._maker.now()
        if effect.overdue is not None:
            self._metrics.overdue(effect.overdue)
            outlet.tell(Degraded(_OVERDUE[effect.overdue], "OVERDUE", f"{effect.overdue.value} took too long"))
        if effect.outcome is Outcome.INTERRUPTED:
            self._note_interruption(reply, effect.spoken_at, now)
            outlet.tell(Interrupted(reply.heard_text()))
        self._remember(work, effect)
        if reply.was_filled:
            self._metrics.filler_said()
        timings = reply.timings(work.said, now)
        self._metrics.turn_finished(effect.outcome, timings)
        backends = reply.backends(work.said)
        record_turn(self._tracer, work.call, work.said.said_at, timings, effect.outcome, backends)
        outlet.tell(TurnFinished(effect.outcome, timings, backends))
        outlet.close()
        work.cancel()
        if reply.speech is not None:
            reply.speech.playback.hold(now)  # nobody plays what is left of it
        self._last = reply

    @property
    def unanswered(self) -> str:
        """What is being replied to."""
        return self._current.said.text if self._current is not None else ""

    def text_between(self, begin: float, end: float) -> str:
        """What of the last replies was being played between two moments."""
        replies = [self._last, self._current.reply if self._current else None]
        return " ".join(text for reply in replies if reply and (text := reply.text_between(begin, end)))

    def suspend(self) -> None:
        """The client was lost. What is being written is written to its end; nobody speaks."""
        self.drop_draft()
        if (work := self._current) is not None:
            work.reply.tell_nobody()
            work.giving.cancel()
            work.writing_on = self._own(self._write_on(work))

    def resume(self, outbox: Outbox) -> None:
        """It is back."""
        if (work := self._current) is not None:
            if work.writing_on is not None:
                work.writing_on.cancel()
            work.outlet = Outlet(outbox, work.turn_id)
            work.reply.tell_to(work.outlet)
            if work.was_given_up:
                self._take_up_again(work)
            work.giving = self._own(work.reply.give(), work.context)
            self._own(self._follow(work))

    def _take_up_again(self, work: _Work) -> None:
        """What was given up before its first word is thought of anew; what is cut off in the middle stays so."""
        work.was_given_up = False
        if work.reply.is_written:
            work.reply.break_off()
        else:
            work.reply.begin_anew()
            work.thinking = self._own(work.reply.think(), work.context)

    async def close(self) -> None:
        """Ends all of it, and waits until it has ended."""
        for task in self._tasks:
            task.cancel()
        for task in tuple(self._tasks):
            await wait_for_end(task)

    def _start(self, said: Said) -> _Work:
        reply = self._maker.make(said, self._history)
        self._count += 1
        with calls.turn_context(self._count, self._turn_limit_s) as call:
            context = copy_context()
        thinking, giving = self._own(reply.think(), context), self._own(reply.give(), context)
        work = _Work(said, reply, call, context, thinking, giving)
        self._own(self._follow(work))
        return work

    async def _follow(self, work: _Work) -> None:
        """Tells the machine when the reply was given."""
        giving = work.giving
        await asyncio.wait([giving])
        if not giving.cancelled() and giving.exception() is None and work is self._current:
            is_question = work.reply.written_text().endswith("?")
            self._reply_ended(ReplyEnded(work.turn_id, work.reply.outcome, is_question))

    async def _write_on(self, work: _Work) -> None:
        await asyncio.wait([work.thinking], timeout=self._write_on_s)
        if not work.thinking.done():
            work.was_given_up = True
            work.thinking.cancel()

    def _own(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> "asyncio.Task[None]":
        """A task that is awaited by `close`, and whose error is the conversation's."""
        task = asyncio.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def _note_interruption(self, reply: Reply, spoken_at: float | None, now: float) -> None:
        reply.marks.spoken_into_at = spoken_at
        if spoken_at is not None:
            self._metrics.spoken_into("interruption")
        if reply.marks.silenced is None:
            reply.marks.silenced = now

    def _remember(self, work: _Work, effect: FinishTurn) -> None:
        """What was heard, which is all that was written unless it was cut off."""
        reply = work.reply
        if work.said.was_lost:
            return
        is_cut = effect.outcome is Outcome.INTERRUPTED or effect.overdue is not None or reply.was_stalled
        heard = reply.heard_text() if is_cut else reply.written_text()
        if heard or effect.outcome is not Outcome.FAILED:
            is_noted = effect.outcome is Outcome.INTERRUPTED and heard
            note = self._maker.interruption_note() if is_noted else ""
            self._history.add(Exchange(work.said.text, heard, note))
