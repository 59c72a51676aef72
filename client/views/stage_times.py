"""What each stage added to the wait for a reply."""

from collections.abc import Mapping
from dataclasses import dataclass

# Each stage, and the times at which its work was done: the last of them that was told counts.
_ENDS = (
    ("stt", ("endpoint", "transcript")),
    ("llm", ("first_token", "first_clause")),
    ("tts", ("first_audio",)),
    ("playback", ("first_heard",)),
)


@dataclass(frozen=True)
class StageTime:
    """A stage, and for how long nothing but it was waited for."""

    stage: str
    ms: float


def stage_times(timings_ms: Mapping[str, float]) -> tuple[StageTime, ...]:
    """The wait, from the person's last word to the first sound, by stages.

    Stages overlap: a reply may be drafted before the ears are sure. So a stage counts from when the one before it was
    done, and may count nothing.
    """
    found = []
    done_ms = 0.0
    for stage, names in _ENDS:
        told = [timings_ms[name] for name in names if name in timings_ms]
        if told:
            found.append(StageTime(stage, max(max(told) - done_ms, 0.0)))
            done_ms = max(done_ms, *told)
    return tuple(found)
