"""Speaking into replies that real ears hear: Silero, and the made Whisper that understands espeak-ng's French."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from services.common.audio import Samples
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.bench.conversation.engines import Stack
from tests.bench.conversation.overheard import Witness, conversing_in, overheard
from tests.bench.conversation.real_ears import made_whisper, real_ears_stack
from tests.bench.conversation.real_interruptions import begin_reply
from tests.bench.conversation.replies import Current
from tests.bench.conversation.utterances import commands, noises, synthesized
from tests.fakes.reciting_mind import RecitingMind
from tests.support.closed_whisper import closed_whisper
from tests.support.conversing import RATE_HZ, Caller, kind_is
from tests.support.ears import whisper
from tests.support.faulty_stack import stage_flags
from tests.support.servers import Child, child_service, serving
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.asyncio(loop_scope="module")

_NUMBER = 123
_ECHO = 10 ** (-12 / 20)
_ECHO_DELAY = RATE_HZ // 10  # samples: from the loudspeaker through the room into the microphone
_MESSAGE = RATE_HZ // 50
# Of the made Whisper's own sentences, so that it understands what it hears of them.
_RECITED = "Je ne comprends pas. Attends une minute. Pourquoi le ciel est bleu ? Où est mon téléphone ?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Real ears and orchestrator; the mind writes long replies."""
    async with real_ears_stack(*made_whisper().flags) as running:
        yield running


@contextlib.asynccontextmanager
async def _replying(stack: Stack) -> AsyncIterator[tuple[Caller, Witness, Current]]:
    """A conversation in the midst of a reply."""
    async with overheard(stack.address, stack.stages["stt"], "fr") as (caller, witness):
        yield caller, witness, await begin_reply(caller, _NUMBER)


def _states(caller: Caller, turn_id: str) -> list[str]:
    told = caller.of_turn(turn_id, "state")
    return [pb.AssistantState.Name(one.response.state.state).removeprefix("ASSISTANT_STATE_") for one in told]


def _without_a_word(text: str) -> str:
    return text.strip(" .?!").casefold()


async def test_somebody_who_speaks_interrupts_and_is_understood_from_the_first_word(stack: Stack) -> None:
    sentence = synthesized("éteins la lumière de la cuisine", "fr")
    async with _replying(stack) as (caller, _, current):
        await caller.say(sentence.samples)
        finished = await caller.turn_end(current.turn_id)
        heard = await caller.until(
            lambda told: told.turn_id not in ("", current.turn_id) and told.response.transcript.is_final
        )
        await caller.until(kind_is("reply_audio", heard.turn_id))
        interrupted = caller.told.index(caller.of_turn(current.turn_id, "interrupted")[0])
    assert finished.outcome == pb.TURN_OUTCOME_INTERRUPTED
    assert "YIELDING" in _states(caller, current.turn_id)
    assert not any(map(kind_is("reply_audio", current.turn_id), caller.told[interrupted:]))
    assert _without_a_word(heard.response.transcript.text) == sentence.words


async def test_a_person_interrupts(stack: Stack) -> None:
    person = commands(shared_data("speech").parent, "fr")[0]
    async with _replying(stack) as (caller, _, current):
        await caller.say(person.samples)
        assert (await caller.turn_end(current.turn_id)).outcome == pb.TURN_OUTCOME_INTERRUPTED


async def test_who_says_oui_is_listened_to_and_the_reply_goes_on(stack: Stack) -> None:
    async with _replying(stack) as (caller, witness, current):
        await caller.say(synthesized("oui", "fr").samples)
        await caller.until(lambda told: told.response.state.state == pb.ASSISTANT_STATE_YIELDING)
        went_on = await caller.until(
            lambda told: told.response.state.state == pb.ASSISTANT_STATE_SPEAKING, since=_last(caller, "state")
        )
        await caller.until(kind_is("reply_audio", current.turn_id), since=caller.told.index(went_on))
        await witness.silence()
        assert _without_a_word(witness.words(0.0)) == "oui"
        assert not caller.of_turn(current.turn_id, "turn_finished")


async def test_noise_does_not_end_a_reply(stack: Stack) -> None:
    of_kind = {one.kind: one for one in noises(shared_data("noise").parent)}
    async with _replying(stack) as (caller, witness, current):
        for kind in ("noise of a house", "cough", "door", "keys and plates"):
            await caller.say(of_kind[kind].samples)
        sounding = caller.loudspeaker.played_samples + 3 * RATE_HZ  # sent only when most before it was played
        await caller.until(lambda told: told.response.reply_audio.first_sample > sounding)
        await witness.silence()
        assert witness.words(0.0) == ""
        assert not caller.of_turn(current.turn_id, "turn_finished")


async def test_the_assistant_does_not_answer_its_own_voice() -> None:
    """While it yields it goes on softly: if it paused, the ears would hear pieces of words that nobody said."""
    mind = RecitingMind(_RECITED)
    async with (
        serving(mind.service()) as llm,
        child_service("stt", *whisper(closed_whisper())) as stt,
        child_service("tts") as tts,
        _orchestrator(stt=stt.address, llm=llm, tts=tts.address) as orchestrator,
        conversing_in("fr", orchestrator.address) as caller,
        asyncio.TaskGroup() as group,
    ):
        room = group.create_task(_echo(caller))
        await caller.type("Bonjour.")
        begun = await caller.until(kind_is("reply_audio"))
        finished = await caller.turn_end(begun.turn_id)
        room.cancel()
    assert finished.outcome == pb.TURN_OUTCOME_COMPLETED
    assert "YIELDING" in _states(caller, begun.turn_id)  # so it was heard
    assert {told.turn_id for told in caller.told} - {""} == {begun.turn_id}
    assert mind.times_asked == 1


async def _echo(caller: Caller) -> None:
    """The room: what the loudspeaker plays comes back into the microphone, softer and a little later."""
    sent, since = 0, 0
    audio = np.zeros(0, np.int16)
    while True:
        for told in caller.told[since:]:
            if told.kind == "reply_audio":
                audio = np.concatenate([audio, np.frombuffer(told.response.reply_audio.audio, np.int16)])
        since = len(caller.told)
        due = max(0, caller.loudspeaker.played_samples - _ECHO_DELAY) // _MESSAGE * _MESSAGE
        if due > sent:
            await caller.say(_softer(audio[sent:due]))
            sent = due
        else:
            await asyncio.sleep(_MESSAGE / RATE_HZ)


def _orchestrator(**stages: str) -> contextlib.AbstractAsyncContextManager[Child]:
    return child_service("orchestrator", *stage_flags(stages), "--orchestrator.barge_in.hold", "duck")


def _softer(samples: Samples) -> Samples:
    return (samples * _ECHO).astype(np.int16)


def _last(caller: Caller, kind: str) -> int:
    return max(index for index, told in enumerate(caller.told) if told.kind == kind)
