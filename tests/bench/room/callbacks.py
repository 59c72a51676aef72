"""A long conversation, and whether the sound card ever had to wait for the client."""

import time
from itertools import cycle

from tests.bench.figures import Rows
from tests.bench.resident import resident_mb
from tests.bench.room.staging import scene
from tests.support.talker import is_kind

_TYPED = ("Hello, who are you?", "Tell me about the sea.", "What is a cat?", "Name a colour.", "Why is the sky blue?")
_TURN_BOUND_S = 90.0
_REPLY_TOKENS = 40


async def measure(minutes: float) -> dict[str, Rows]:
    """One reply after the other, for so long."""
    async with scene(echo=True, longest_reply=_REPLY_TOKENS) as here:
        ends_at, turns, questions = time.monotonic() + minutes * 60, 0, cycle(_TYPED)
        memory = [resident_mb(here.talker.process.pid)]
        while time.monotonic() < ends_at:
            since = len(here.talker.told)
            await here.talker.type(next(questions))
            await here.talker.until(is_kind("turn_finished"), since, _TURN_BOUND_S)
            turns += 1
        memory.append(resident_mb(here.talker.process.pid))
        await here.talker.leave()
        served = here.talker.of("sound_card")[-1]
    return {
        "The sound card's thread": [
            {
                "minutes": minutes,
                "turns": turns,
                "callbacks": served["callbacks"],
                "late": served["late"],
                "memory at the beginning and the end, MB": " ".join(f"{size:.1f}" for size in memory),
            }
        ]
    }
