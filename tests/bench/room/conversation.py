"""Turns that are spoken into a microphone, and whether each reply came out of the loudspeaker, whole."""

from dataclasses import dataclass

from services.common.audio import Recording, read_wav, resample
from tests.bench.conversation.utterances import synthesized_sentences
from tests.bench.figures import Rows, spread
from tests.bench.room.alignment import Found, find
from tests.bench.room.staging import Scene, scene
from tests.support.conversing import RATE_HZ
from tests.support.talker import is_kind
from tests.support.tape import RATE_HZ as TAPE_HZ

_TURN_BOUND_S = 90.0
_REPLY_TOKENS = 40  # some ten seconds: the small model would go on and on


@dataclass(frozen=True)
class Turn:
    """One of them."""

    said: str
    understood: str
    outcome: str
    heard_ms: float | None  # voice to voice, as it was heard
    samples: int  # of its reply, as the client was given it


async def measure(turns: int) -> dict[str, Rows]:
    """So many turns in a row."""
    async with scene(echo=False, longest_reply=_REPLY_TOKENS) as here:
        began_at = here.speakers.now
        asked = [await _turn(here, number) for number in range(turns)]
        tape = here.speakers.between(began_at, here.speakers.now)
        folder_file = here.folder / "replies.wav"
        await here.talker.leave()
        replies = resample(read_wav(folder_file.read_bytes(), "replies"), TAPE_HZ).samples
    found, after, at = [], 0, 0
    rate_hz = replies.size / max(sum(turn.samples for turn in asked), 1)
    for turn in asked:
        end = at + round(turn.samples * rate_hz)
        found.append(find(replies[at:end], tape, TAPE_HZ, after))
        at, after = end, found[-1].ends_at
    return {"Spoken turns in a room": _rows(asked, found)}


async def _turn(here: Scene, number: int) -> Turn:
    sentences = synthesized_sentences()
    utterance, since = sentences[number % len(sentences)], len(here.talker.told)
    await here.room.say(Recording(utterance.samples, RATE_HZ))
    ended = await here.talker.until(is_kind("turn_finished"), since, _TURN_BOUND_S)
    turn_id = ended.event["turn_id"]
    finals = [one["text"] for one in here.talker.of("transcript", turn_id, since) if one["is_final"]]
    return Turn(
        said=utterance.words,
        understood=" ".join(finals),
        outcome=ended.event["outcome"],
        heard_ms=ended.event["timings_ms"].get("first_heard"),
        samples=sum(one["samples"] for one in here.talker.of("reply_audio", turn_id, since)),
    )


def _rows(asked: list[Turn], found: list[Found]) -> Rows:
    heard = [turn.heard_ms for turn in asked if turn.heard_ms is not None]
    rows: Rows = [
        {
            "turn": number,
            "said": turn.said,
            "understood": turn.understood,
            "outcome": turn.outcome,
            "voice to voice, ms": round(turn.heard_ms or 0),
            "reply, blocks of 100 ms": f"{one.blocks - one.missing} of {one.blocks}",
            "longest hole, ms": one.longest_hole_ms,
            "longer pauses, ms": ", ".join(f"{pause * 1000:.0f}" for pause in one.pauses_s),
        }
        for number, (turn, one) in enumerate(zip(asked, found, strict=True), 1)
    ]
    longest = max(one.longest_hole_ms for one in found)
    blocks, missing = sum(one.blocks for one in found), sum(one.missing for one in found)
    together = {
        "turn": "all",
        "outcome": f"{sum(turn.outcome == 'completed' for turn in asked)} completed",
        "voice to voice, ms": spread(heard),
        "reply, blocks of 100 ms": f"{blocks - missing} of {blocks}",
        "longest hole, ms": longest,
    }
    return [*rows, together]
