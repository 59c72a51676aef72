"""What the orchestrator adds to the critical path: from the last sample of a question to the first of its reply.

By calculation. Everything before the reply's first audio that is not the engines' script is ours: what the
orchestrator does, eight passages through gRPC and the system, and the timers of the client and of the engines that
wake up late. The script, in milliseconds after the last sample was sent:

    pause     the ears have heard `soft_pause_ms` of silence: a microphone sends every 20 ms, so the next multiple of it
    eager     pause + decode_ms: the transcript on which a reply is drafted
    clause    eager + first_token_ms + (tokens of the first clause - 1) / tokens_per_s: its last token is written
    draft     clause + first_audio_ms: the first audio of the drafted reply is made
    endpoint  the ears have heard `endpoint_ms` of silence, and tell the final transcript: no earlier may it be sent

The reply can be there at max(draft, endpoint); what the client measures beyond that is added. A question with a
hesitation is the same from its last sample on: the draft made in it was dropped.

By the engines' records. They tell when each really got and gave something, on a clock that all processes share. So the
same sum is made of the times that the engines really took, and their own lateness is not ours. What is added then
stems from the passages between them, each of which is shown as well:

    client → ears    the message that completes the pause, sent and taken
    ears → mind      the eager transcript told, the call for its reply begun
    mind → mouth     the last token of the first clause written and read
    to the client    the audio made (or the final transcript told, if that was later) and received

Where no reply was drafted, it begins with the final transcript instead, and the message is the one of the endpoint.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.bench.conversation.engines import Speeds
from tests.bench.conversation.turns import Asked
from tests.fakes.scripted_services.records import Record
from tests.fakes.scripted_services.script import OPENING_TOKENS
from tests.support.microphone import MESSAGE_S

PASSAGES = ("client → ears", "ears → mind", "mind → mouth", "to the client")


def scripted_ms(speeds: Speeds) -> float:
    """When the first audio could be there, after the last sample of a question."""
    ears, mind = speeds.ears, speeds.mind
    clause_ms = mind.first_token_ms + (OPENING_TOKENS - 1) * 1000 / mind.tokens_per_s
    draft_ms = _in_messages(ears.soft_pause_ms) + ears.decode_ms + clause_ms + speeds.mouth.first_audio_ms
    return max(draft_ms, _in_messages(ears.endpoint_ms))


@dataclass(frozen=True)
class Chain:
    """The moments of one turn, in milliseconds after its question's last sample was sent."""

    paused: float
    eager: float
    endpoint: float
    final: float
    mind_began: float
    first_token: float
    mind_clause: float
    mouth_clause: float
    audio: float
    received: float

    @property
    def is_drafted(self) -> bool:
        """The reply was begun before it was sure that the question was over."""
        return self.mind_began < self.final

    def added(self, speeds: Speeds) -> float:
        """What the engines' own times do not explain."""
        reply = (self.mind_clause - self.mind_began) + (self.audio - self.mouth_clause)
        final = _in_messages(speeds.ears.endpoint_ms) + (self.final - self.endpoint)
        if not self.is_drafted:
            return self.received - (final + reply)
        draft = _in_messages(speeds.ears.soft_pause_ms) + (self.eager - self.paused) + reply
        return self.received - max(draft, final)

    def passages(self, speeds: Speeds) -> dict[str, float]:
        """What each took."""
        ears = speeds.ears
        if self.is_drafted:
            to_ears, heard = self.paused - _in_messages(ears.soft_pause_ms), self.eager
        else:
            to_ears, heard = self.endpoint - _in_messages(ears.endpoint_ms), self.final
        to_client = self.received - max(self.audio, self.final)
        took = (to_ears, self.mind_began - heard, self.mouth_clause - self.mind_clause, to_client)
        return dict(zip(PASSAGES, took, strict=True))


def chains(asked: Iterable[Asked], records: Iterable[Record]) -> list[Chain]:
    """Those of the turns of which all is known."""
    of_number: dict[int, dict[str, list[Record]]] = {}
    for record in records:
        of_number.setdefault(record.number, {}).setdefault(record.stage, []).append(record)
    found = (_chain(one, of_number.get(one.number, {})) for one in asked)
    return [chain for chain in found if chain is not None]


def _chain(asked: Asked, by_stage: Mapping[str, list[Record]]) -> Chain | None:
    received = asked.first_audio_at
    if received is None:
        return None
    moments: dict[str, float | None] = {"received": received}
    named = (
        ("stt", {"paused": "paused", "eager": "eager", "endpoint": "endpoint", "final": "final"}),
        ("llm", {"began": "mind_began", "first": "first_token", "clause": "mind_clause"}),
        ("tts", {"clause": "mouth_clause", "audio": "audio"}),
    )
    for stage, names in named:
        # The last call before the audio came: an earlier one was a draft that was dropped.
        began = [record for record in by_stage.get(stage, []) if min(record.moments.values()) < received]
        for name, field in names.items():
            moments[field] = began[-1].at(name) if began else None
    known = {field: (at - asked.spoken.ended_at) * 1000 for field, at in moments.items() if at is not None}
    return Chain(**known) if len(known) == len(moments) else None


def _in_messages(duration_ms: float) -> float:
    """Until the microphone has sent so much."""
    message_ms = MESSAGE_S * 1000
    return math.ceil(duration_ms / message_ms) * message_ms
