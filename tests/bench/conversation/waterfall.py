"""The median turn, as bars: from the engines' records where there are any, else from what the orchestrator tells."""

from collections.abc import Sequence
from itertools import pairwise

from tests.bench.conversation.path import Chain, chains
from tests.bench.conversation.picture import Bar
from tests.bench.conversation.turns import Asked, Run
from tests.fakes.scripted_services.records import Record

_TOLD = {
    "endpoint_ms": "endpoint",
    "transcript_ms": "final transcript",
    "first_token_ms": "first token",
    "first_clause_ms": "first clause",
    "first_audio_ms": "first audio",
}


def bars(run: Run, records: Sequence[Record]) -> list[Bar]:
    """Of the turn in the middle; none where there was no turn."""
    if not run.good:
        return []
    by_length = sorted(run.good, key=lambda one: one.voice_to_voice_ms)
    median = by_length[(len(by_length) - 1) // 2]
    known = chains([median], records)
    return _recorded(known[0]) if known else _told(median)


def _recorded(chain: Chain) -> list[Bar]:
    heard = chain.eager if chain.is_drafted else chain.final
    return [
        Bar("silence, until a pause", 0, chain.paused),
        Bar("eager transcript", chain.paused, chain.eager),
        Bar("silence, until the end", 0, chain.endpoint),
        Bar("mind: first token", heard, chain.first_token),
        Bar("mind: first clause", chain.first_token, chain.mind_clause),
        Bar("mouth: first audio", chain.mind_clause, chain.audio),
        Bar("on its way", max(chain.audio, chain.final), chain.received),
        Bar("voice to voice", 0, chain.received),
    ]


def _told(median: Asked) -> list[Bar]:
    known = sorted((median.timings[field], name) for field, name in _TOLD.items() if field in median.timings)
    stages = [Bar(name, before, at) for (before, _), (at, name) in pairwise([(0.0, ""), *known])]
    return [*stages, Bar("voice to voice", 0, median.voice_to_voice_ms)]
