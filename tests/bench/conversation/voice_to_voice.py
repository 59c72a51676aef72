"""How long people wait for the voice of the assistant, and for what."""

from collections.abc import Sequence

from tests.bench.conversation.engines import Speeds
from tests.bench.conversation.path import PASSAGES, Chain, scripted_ms
from tests.bench.conversation.turns import Run
from tests.bench.figures import Rows, percentile

_STAGES = {
    "endpoint": "endpoint_ms",
    "transcript": "transcript_ms",
    "first token": "first_token_ms",
    "first clause": "first_clause_ms",
    "first audio sent": "first_audio_ms",
    "first audio heard": "first_heard_ms",
    "reply complete": "reply_complete_ms",
    "turn over": "total_ms",
}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """P50, P95 and P99; nothing of nothing."""
    if not values:
        return {}
    return {"p50": percentile(values, 50), "p95": percentile(values, 95), "p99": percentile(values, 99)}


def turns(runs: Sequence[Run]) -> Rows:
    """How turns went: a row a run."""
    return [
        {
            "conversations": run.conversations,
            "turns": len(run.asked),
            "a minute": round(len(run.asked) * 60 / run.took_s, 1),
            "failed": sum(1 for one in run.asked if not (one.is_good or one.was_missed or one.was_cut_off)),
            "cut off": sum(1 for one in run.asked if one.was_cut_off),
            "missed": sum(1 for one in run.asked if one.was_missed),
        }
        for run in runs
    ]


def stages(run: Run) -> Rows:
    """Where the time went, since the question's last sample: as the orchestrator tells, and as the client saw it."""
    timings = [one.timings for one in run.good]
    rows: Rows = []
    for name, field in _STAGES.items():
        values = [timing[field] for timing in timings if field in timing]
        if values:
            rows.append({"stage": name, "turns": len(values), **percentiles(values)})
    seen = [one.voice_to_voice_ms for one in run.good]
    return [*rows, {"stage": "voice to voice, seen by the client", "turns": len(seen), **percentiles(seen)}]


def added(run: Run, chains: Sequence[Chain], speeds: Speeds) -> Rows:
    """What was added to what the engines cost, in all and by passage (see path.py)."""
    least_ms = scripted_ms(speeds)
    passages = [chain.passages(speeds) for chain in chains]
    calculated = [one.voice_to_voice_ms - least_ms for one in run.good]
    rows: Rows = [
        {"added": f"beyond the {least_ms:.1f} ms of the script", "turns": len(calculated), **percentiles(calculated)},
        {"added": "by the records", "turns": len(passages), **percentiles([chain.added(speeds) for chain in chains])},
    ]
    for name in PASSAGES:
        rows.append({"added": f"  {name}", "turns": len(passages), **percentiles([one[name] for one in passages])})
    drafted = sum(1 for chain in chains if chain.is_drafted)
    return [*rows, {"added": "turns whose reply was drafted at the pause", "turns": drafted}]
