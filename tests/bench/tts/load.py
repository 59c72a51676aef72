"""How fast the mouth speaks: cold, warm, to several callers at once; and what a thousand syntheses leave behind."""

import asyncio
from collections.abc import Sequence
from statistics import median

from tests.bench.figures import Rows, spread
from tests.bench.resident import resident_mb
from tests.bench.tts.mouth import Mouth, Spoken
from tests.bench.tts.texts import Replies
from tests.support.servers import Child

_LOOKS = 10


async def speak(mouth: Mouth, replies: Replies) -> Spoken:
    """Another reply."""
    reply = replies.fresh()
    return await mouth.say(reply.text, reply.language_code)


async def speeds(cold: Sequence[Spoken], mouth: Mouth, replies: Replies, times: int) -> Rows:
    """A row for services that have just started, and one for one that has spoken before."""
    warm = [await speak(mouth, replies) for _ in range(times)]
    return [_speed("cold: the first reply of all", cold), _speed("warm", warm)]


def _speed(name: str, spoken: Sequence[Spoken]) -> dict[str, object]:
    return {
        "service": name,
        "replies": len(spoken),
        "first audio, ms": spread([one.first_ms for one in spoken]),
        "RTF": round(median(one.rtf for one in spoken), 4),
        "speech, s": round(median(one.finished.duration_ms for one in spoken) / 1000, 1),
    }


async def sessions(address: str, voice: str, replies: Replies, counts: Sequence[int], each: int) -> Rows:
    """A row a number of callers, each of whom has one reply spoken after the other."""
    rows = []
    for count in counts:
        of_all = await asyncio.gather(*(_session(address, voice, replies, each) for _ in range(count)))
        spoken = [one for own in of_all for one in own]
        rows.append(
            {
                "sessions": count,
                "replies": len(spoken),
                "first audio, ms": spread([one.first_ms for one in spoken]),
                "all, ms": spread([one.all_ms for one in spoken]),
                "RTF of each": round(median(one.rtf for one in spoken), 4),
            }
        )
    return rows


async def _session(address: str, voice: str, replies: Replies, each: int) -> list[Spoken]:
    async with Mouth.at(address, voice) as mouth:
        return [await speak(mouth, replies) for _ in range(each)]


async def memory(child: Child, mouth: Mouth, replies: Replies, syntheses: int) -> Rows:
    """A row a look: what the process occupies after so many replies, each of which it never spoke before."""
    rows = []
    for look in range(1, _LOOKS + 1):
        for _ in range(syntheses // _LOOKS):
            await speak(mouth, replies)
        rows.append({"syntheses": look * (syntheses // _LOOKS), "RSS, MB": round(resident_mb(child.pid), 1)})
    return rows
