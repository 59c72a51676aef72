"""How early the first audio comes: of whole replies, of replies that are still being written, and of cached phrases."""

from collections.abc import Sequence

import numpy as np

from tests.bench.figures import Rows, spread
from tests.bench.tts.mouth import Mouth
from tests.bench.tts.texts import Replies, Reply
from tests.support.metrics import Metrics, sample, scraped

_TOKENS_A_SECOND = 40
_WARM_UP = 5
_ENGINE_SECONDS, _PHRASES = "tts_synthesis_time_seconds_sum", "tts_synthesis_time_seconds_count"


async def of_replies(mouth: Mouth, replies: Replies, times: int) -> Rows:
    """The first audio of three sentences, against the engine's time for all of them."""
    spoken = [await mouth.say(reply.text, reply.language_code) for reply in _fresh(replies, times)]
    shares = [one.first_ms / one.finished.processing_ms for one in spoken]
    return [
        {
            "replies": times,
            "first audio, ms": spread([one.first_ms for one in spoken]),
            "engine, all of it, ms": spread([one.finished.processing_ms for one in spoken]),
            "first : all (p50 / p95, ≤ 0.35)": {f"p{p}": round(float(np.percentile(shares, p)), 3) for p in (50, 95)},
            "last audio, ms": spread([one.all_ms for one in spoken]),
        }
    ]


async def of_clauses(mouth: Mouth, replies: Replies, metrics_port: int, times: int) -> Rows:
    """From the mark that ends the first clause to its first audio, as a language model writes.

    What the engine took for that clause is told by the service's own metric, which must count it alone: before the next
    clause is there, its audio has come.
    """
    waits, engine_times = [], []
    for reply in _fresh(replies, times):
        before = await scraped(metrics_port)
        sent_s: list[float] = []
        first_s = await mouth.first_audio_s(reply.tokens, _TOKENS_A_SECOND, reply.language_code, sent_s)
        after = await scraped(metrics_port)
        if _grown(before, after, _PHRASES) == 1:
            waits.append((first_s - sent_s[reply.first_clause_tokens - 1]) * 1000)
            engine_times.append(_grown(before, after, _ENGINE_SECONDS) * 1000)
    return [
        {
            "clauses": len(waits),
            "clause complete → first audio, ms": spread(waits),
            "of which the engine": spread(engine_times),
            "the rest (≤ 50)": spread([wait - engine for wait, engine in zip(waits, engine_times, strict=True)]),
        }
    ]


async def of_cached(mouth: Mouth, replies: Replies, times: int) -> Rows:
    """A phrase that was said before: to its first audio, and to its last."""
    reply = replies.fresh()
    phrase = reply.text[: reply.text.index(",") + 1]
    rows: Rows = []
    for how in ("Synthesize", "StreamingSynthesize"):
        spoken = []
        for _ in range(_WARM_UP + times):
            if how == "Synthesize":
                spoken.append(await mouth.say(phrase, reply.language_code))
            else:
                spoken.append(await mouth.say_along([phrase], reply.language_code))
        measured = spoken[_WARM_UP:]
        rows.append(
            {
                "call": how,
                "times": times,
                "first audio, ms (P95 ≤ 5)": spread([one.first_ms for one in measured]),
                "all of it, ms": spread([one.all_ms for one in measured]),
                "speech, s": round(measured[0].finished.duration_ms / 1000, 2),
            }
        )
    return rows


def _fresh(replies: Replies, times: int) -> Sequence[Reply]:
    return [replies.fresh() for _ in range(times)]


def _grown(before: Metrics, after: Metrics, name: str) -> float:
    return sample(after, name) - sample(before, name)
