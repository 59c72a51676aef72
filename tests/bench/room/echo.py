"""The loudspeaker is heard by the microphone, and nobody speaks: does the assistant answer itself?"""

import asyncio
from itertools import cycle, islice

from tests.bench.figures import Rows
from tests.bench.room.staging import scene
from tests.support.talker import is_kind

_TYPED = ("Hello, who are you?", "Tell me about the sea.", "What is a cat?", "Name a colour.", "Why is the sky blue?")
_TURN_BOUND_S = 90.0
_LISTENS_ON_S = 3.0  # what is heard of the last reply may begin a turn after it
_REPLY_TOKENS = 40


async def measure(replies: int, *arguments: str) -> dict[str, Rows]:
    """So many replies to typed questions."""
    async with scene(*arguments, echo=True, longest_reply=_REPLY_TOKENS) as here:
        one, outcomes = here.talker, []
        for question in islice(cycle(_TYPED), replies):
            since = len(one.told)
            await one.type(question)
            asked = await one.until(
                lambda told: told.kind == "transcript" and told.event["typed"], since, _TURN_BOUND_S
            )
            ended = await one.until(is_kind("turn_finished", asked.event["turn_id"]), since, _TURN_BOUND_S)
            outcomes.append(ended.event["outcome"])
        await asyncio.sleep(_LISTENS_ON_S)
        spoken = [told["text"] for told in one.of("transcript") if told["is_final"] and not told["typed"]]
        partials = [told["text"] for told in one.of("transcript") if not told["is_final"]]
        yields = sum(told["state"] == "yielding" for told in one.of("state"))
        samples = sum(told["samples"] for told in one.of("reply_audio"))
    return {
        "The loudspeaker heard by the microphone (-12 dB)": [
            {
                "replies": replies,
                "completed": outcomes.count("completed"),
                "samples of reply": samples,
                "turns by itself": len(spoken),
                "partial transcripts": len(partials),
                "held its reply": yields,
                "understood": "; ".join(spoken),
            }
        ]
    }
