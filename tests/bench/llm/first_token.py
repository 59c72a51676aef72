"""How long the first token takes: of first words and late ones, with all known, with something known, with nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.llm.engine import ChatMessage, Role
from tests.bench.figures import Rows, percentile
from tests.bench.llm.dialogue import HOUSEHOLD, TURNS, chat, own_prompt
from tests.bench.llm.mind import Mind
from tests.bench.llm.plain import Plain
from tests.bench.llm.written import Written

_REPLY_TOKENS = 32  # about a sentence or two
_FIRST_TOKENS = 4  # the first of them may be only half a character
_LATE = 20


@dataclass
class _Times:
    """Of one situation, in milliseconds."""

    tokens: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    mind: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)

    def row(self, situation: str) -> dict[str, object]:
        return {
            "situation": situation,
            "prompt tokens": round(percentile(self.tokens, 50)),
            "known": round(percentile(self.known, 50)),
            "mind": _middle_and_worst(self.mind),
            "Llama": _middle_and_worst(self.plain),
            "Llama, nothing known": _middle_and_worst(self.fresh),
        }


async def measure(mind: Mind, plain: Plain, times: int) -> Rows:
    """A row a situation; each was measured so many times, in turn with the others."""
    course = _Course(mind, plain)
    for number in range(times):
        for kind, system in (("own prompt", own_prompt()), ("household's prompt", HOUSEHOLD)):
            await course.first_words(f"{number}, {kind}. {system}", kind, number)
        await course.conversation(f"{number} {HOUSEHOLD}", number)
    return [times_of.row(situation) for situation, times_of in course.situations.items()]


class _Course:
    """Puts the mind and `Llama` into each situation, one right after the other."""

    def __init__(self, mind: Mind, plain: Plain) -> None:
        self._mind = mind
        self._plain = plain
        self.situations: defaultdict[str, _Times] = defaultdict(_Times)

    async def first_words(self, system: str, kind: str, number: int) -> None:
        """Two conversations with a system prompt that nobody has seen before."""
        for situation, said in (("nothing known", TURNS[0]), ("second conversation", TURNS[6])):
            messages = chat(system, said)
            name = f"{situation}, {kind}"
            written = await self._mind.write(messages, _FIRST_TOKENS, name=f"{name} {number}")
            plain = await self._plain.write(messages, _FIRST_TOKENS)
            fresh = await self._plain.write(messages, _FIRST_TOKENS, fresh=True)
            self._note(name, written, plain, fresh)

    async def conversation(self, system: str, number: int) -> None:
        """Twenty turns, each with its own replies; then another conversation, and a turn more."""
        of_mind, of_plain = chat(system), chat(system)
        for turn, said in enumerate(TURNS[:_LATE], start=1):
            written, plain = await self._turn(of_mind, of_plain, said, number)
            if turn in {2, _LATE}:
                self._note(f"turn {turn}", written, plain)
            if turn > 1:
                self._note(f"turns 2 to {_LATE}", written, plain)
        self.situations[f"turn {_LATE}"].fresh.append(await self._fresh_ms(of_plain[:-1]))
        self.situations["turn 2"].fresh.append(await self._fresh_ms(of_plain[:4]))
        await self._turn(chat(own_prompt()), chat(own_prompt()), TURNS[0], -1 - number)
        written, plain = await self._turn(of_mind, of_plain, TURNS[_LATE], number)
        self._note(f"turn {_LATE + 1}, another conversation before it", written, plain)

    async def _turn(
        self, of_mind: list[ChatMessage], of_plain: list[ChatMessage], said: str, number: int
    ) -> tuple[Written, Written]:
        """Both are told something, and both histories grow by it and by the reply."""
        for history in (of_mind, of_plain):
            history.append(ChatMessage(Role.USER, said))
        written = await self._mind.write(of_mind, _REPLY_TOKENS, seed=number, name=f"conversation {number}")
        plain = await self._plain.write(of_plain, _REPLY_TOKENS, seed=number)
        for history, reply in ((of_mind, written), (of_plain, plain)):
            history.append(ChatMessage(Role.ASSISTANT, reply.text))
        return written, plain

    async def _fresh_ms(self, messages: Sequence[ChatMessage]) -> float:
        return (await self._plain.write(messages, _FIRST_TOKENS, fresh=True)).first_ms

    def _note(self, situation: str, written: Written, plain: Written, fresh: Written | None = None) -> None:
        times = self.situations[situation]
        times.tokens.append(written.usage.prompt_tokens)
        times.known.append(written.usage.cached_prompt_tokens)
        times.mind.append(written.first_ms)
        times.plain.append(plain.first_ms)
        if fresh is not None:
            times.fresh.append(fresh.first_ms)


def _middle_and_worst(times_ms: Sequence[float]) -> object:
    return {"p50": percentile(times_ms, 50), "max": percentile(times_ms, 100)} if times_ms else ""
