"""How much is written when several conversations want something at the same time."""

import asyncio
from collections.abc import Sequence
from itertools import chain, islice
from statistics import median

from tests.bench.figures import Rows
from tests.bench.llm.dialogue import STORYTELLER, chat, stories
from tests.bench.llm.mind import Mind
from tests.bench.llm.plain import Plain
from tests.bench.llm.written import Written


async def measure(mind: Mind, plain: Plain, counts: Sequence[int], rounds: int, tokens: int) -> Rows:
    """Two rows a number of conversations: tokens a second of the mind, together, and of `Llama`, one after the other.

    The two work in turn, round by round, on the same requests, so that what else the machine does meets both. A ratio
    is the median of those of the rounds.
    """
    # What both learn of the system prompt is learnt before anything is timed.
    warm_up = chat(STORYTELLER, "Hello")
    await mind.write(warm_up, 1)
    await plain.write(warm_up, 1)
    others = stories()
    outcomes: dict[int, list[tuple[list[Written], list[Written]]]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            chats = [chat(STORYTELLER, story) for story in islice(others, count)]
            together = [mind.write(messages, tokens, seed=seed) for seed, messages in enumerate(chats)]
            of_mind = list(await asyncio.gather(*together))
            of_plain = [await plain.write(messages, tokens, seed=seed) for seed, messages in enumerate(chats)]
            outcomes[count].append((of_mind, of_plain))
    return [row for count, of_rounds in outcomes.items() for row in _rows(count, of_rounds)]


def _rows(count: int, rounds: Sequence[tuple[list[Written], list[Written]]]) -> Rows:
    lengths = [len(reply.at_s) for replies in rounds for reply in chain(*replies)]
    rates = {
        "all": [(_together(of_mind), _in_turn(of_plain)) for of_mind, of_plain in rounds],
        "writing alone": [(_together_writing(of_mind), _in_turn_writing(of_plain)) for of_mind, of_plain in rounds],
    }
    return [
        {
            "conversations": count,
            "time of": what,
            "mind": round(median(mind for mind, _ in of_rounds), 1),
            "Llama": round(median(plain for _, plain in of_rounds), 1),
            **_ratios(of_rounds),
            "tokens a reply": f"{min(lengths)} - {max(lengths)}",
        }
        for what, of_rounds in rates.items()
    ]


def _ratios(rates: Sequence[tuple[float, float]]) -> dict[str, float]:
    ratios = [mind / plain for mind, plain in rates]
    return {
        "mind : Llama": round(median(ratios), 2),
        "lowest": round(min(ratios), 2),
        "highest": round(max(ratios), 2),
    }


def _together(replies: Sequence[Written]) -> float:
    """Tokens a second from the first request to the end of the last reply."""
    took_s = max(reply.at_s[-1] for reply in replies) - min(reply.began_s for reply in replies)
    return sum(len(reply.at_s) for reply in replies) / took_s


def _in_turn(replies: Sequence[Written]) -> float:
    """The same of replies that were written one after the other: what was between them does not count."""
    return sum(len(reply.at_s) for reply in replies) / sum(reply.at_s[-1] - reply.began_s for reply in replies)


def _together_writing(replies: Sequence[Written]) -> float:
    """Tokens a second while all of them were being written; NaN where they never all were."""
    began_s, ended_s = max(reply.at_s[0] for reply in replies), min(reply.at_s[-1] for reply in replies)
    if began_s >= ended_s:
        return float("nan")
    return sum(began_s < at_s <= ended_s for reply in replies for at_s in reply.at_s) / (ended_s - began_s)


def _in_turn_writing(replies: Sequence[Written]) -> float:
    """Tokens a second after the first one of each."""
    return sum(len(reply.at_s) - 1 for reply in replies) / sum(reply.at_s[-1] - reply.at_s[0] for reply in replies)
