"""Sessions outlive their connections: what goes on, from where, for how long, and for how many."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise

import pytest

from services.common import calls
from services.common.errors import (
    CallAbortedError,
    InvalidInputError,
    LimitExceededError,
    NotFoundError,
    UnavailableError,
)
from services.orchestrator.events import Degraded, ReplyAudio, ReplyText, StateEntered, TurnFinished
from services.orchestrator.inputs import End, Interrupt, MicrophoneAudio, Played, SetMuted, TypedText
from services.orchestrator.ports import Line, Speaker, SpokenAudio, Voice, WrittenText
from services.orchestrator.turn_events import Outcome, State
from tests.fakes.stages import AUDIO_A_CHARACTER, ScriptedMind, ScriptedMouth
from tests.support.talking import SPOKEN, TEXT_ONLY, TYPED, Assistant, Client, section, talking
from tests.support.waiting import wait_until

LONG = " ".join(f"word{number:02}" for number in range(60))  # 7 characters each: 25 s of audio
SAMPLES_A_WORD = 7 * len(AUDIO_A_CHARACTER) // 2


class ContextMouth(ScriptedMouth):
    """Notes for which call it works."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[calls.CallContext | None] = []

    async def speak(self, text: WrittenText, voice: Voice) -> AsyncGenerator[SpokenAudio, None]:
        self.calls.append(calls.current())
        async with aclosing(super().speak(text, voice)) as chunks:
            async for chunk in chunks:
                yield chunk


async def leave(client: Client) -> None:
    """The connection is lost."""
    await client.events.aclose()


def back(client: Client, **changes: object) -> Client:
    """The same client, over another connection."""
    options = replace(client.options, **changes) if changes else client.options  # type: ignore[arg-type]
    return Client(client.assistant, options, client.plays, client.session.resume_token)


async def test_a_history_goes_on_after_a_lost_connection() -> None:
    mind = ScriptedMind([["Hello Ann."], ["Ann."]])
    client = Client(Assistant(mind), TEXT_ONLY)
    client.send(TypedText("my name is Ann"))
    await client.until(TurnFinished)
    await leave(client)
    async with talking(back(client)) as again:
        again.send(TypedText("what is my name"))
        await again.until(TurnFinished)
        assert again.session.resumed
        assert again.session.session_id == client.session.session_id
        assert again.session.resume_token == client.session.resume_token
    assert Line(Speaker.USER, "my name is Ann") in mind.prompts[1]
    assert client.assistant.metric("pipeline_sessions_resumed_total") == 1


async def test_a_reply_goes_on_from_the_last_sample_that_was_played() -> None:
    client = Client(Assistant(ScriptedMind([[LONG]])), TYPED, plays=False)
    client.send(TypedText("count"))
    while (sent := (await client.until(ReplyAudio)).telling) and isinstance(sent, ReplyAudio):
        if sent.first_sample >= 10 * SAMPLES_A_WORD:
            break
    played = 4 * SAMPLES_A_WORD + 100
    client.send(Played("turn-1", played))
    await wait_until(client.inputs.empty, "the report to be taken")
    await leave(client)
    before = client.all_of(ReplyAudio)
    again = back(client)
    again.plays = True
    async with talking(again):
        again.send(Played("turn-1", played))
        await again.until(TurnFinished)
    chunks = again.all_of(ReplyAudio)
    assert chunks[0].first_sample == played
    assert all(one.first_sample + len(one.audio) // 2 == other.first_sample for one, other in pairwise(chunks))
    assert chunks[0].sequence > before[-1].sequence
    assert chunks[-1].span_end == len(LONG)
    assert again.states == [State.SPEAKING]
    assert again.text == LONG
    assert again.outcomes == [Outcome.COMPLETED]


async def test_all_words_of_a_reply_are_heard_once_over_two_connections() -> None:
    client = Client(Assistant(ScriptedMind([[LONG]])), TYPED, plays=False)
    client.send(TypedText("count"), Played("turn-1", 0))
    await client.until(ReplyAudio, 8)
    client.send(Played("turn-1", 3 * SAMPLES_A_WORD))
    await wait_until(client.inputs.empty, "the report to be taken")
    await leave(client)
    again = back(client)
    again.plays = True
    async with talking(again):
        await again.until(TurnFinished)
    spans = [(0, 7), (7, 14), (14, 21)] + [(chunk.span_start, chunk.span_end) for chunk in again.all_of(ReplyAudio)]
    assert spans == sorted(set(spans))
    assert all(one[1] == other[0] for one, other in pairwise(spans))


async def test_a_reply_that_was_still_thought_of_is_given_when_the_client_is_back() -> None:
    mind = ScriptedMind([["", "Here it is."]])
    mind.go_on.clear()
    client = Client(Assistant(mind), TYPED)
    client.send(TypedText("think"))
    await client.until_state(State.THINKING)
    await leave(client)
    mind.go_on.set()
    await wait_until(mind.ended.is_set, "the text to be written")
    async with talking(back(client)) as again:
        await again.until(TurnFinished)
    assert again.text == "Here it is."
    assert again.all_of(ReplyAudio)
    assert len(mind.prompts) == 1


async def test_the_mouth_is_let_go_at_once_and_the_mind_when_it_has_written() -> None:
    mind = ScriptedMind([["One. ", "Two."]])
    mind.go_on.clear()
    client = Client(Assistant(mind), TYPED)
    client.send(TypedText("hello"))
    await client.until(ReplyAudio)
    await leave(client)
    await wait_until(client.assistant.mouth.ended.is_set, "the end of the mouth's call")
    assert not mind.ended.is_set()
    mind.go_on.set()
    await wait_until(mind.ended.is_set, "the end of the mind's call")
    await client.assistant.sessions.close()


async def test_a_client_that_is_soon_back_gets_all_of_a_reply_that_takes_long_to_write() -> None:
    mind = ScriptedMind([["One ", "two ", "three."]])
    mind.go_on.clear()
    client = Client(Assistant(mind, settings=section(session={"write_on_s": 0.05})), TYPED)
    client.send(TypedText("count"))
    await client.until(ReplyText)
    await leave(client)
    async with talking(back(client)) as again:
        await again.until(ReplyText)
        await asyncio.sleep(0.1)  # longer than it would have been written on without a client
        mind.go_on.set()
        await again.until(TurnFinished)
    assert again.text == "One two three."


@pytest.mark.parametrize("script", [["", "Late."], ["", UnavailableError("gone")]])
async def test_a_turn_of_which_nothing_was_written_is_not_answered_with_silence(script: list[str]) -> None:
    mind = ScriptedMind([script, ["Again."]])
    mind.go_on.clear()
    client = Client(Assistant(mind, settings=section(session={"write_on_s": 0.05})), TYPED)
    client.send(TypedText("think"))
    await client.until_state(State.THINKING)
    await wait_until(lambda: bool(mind.prompts), "the mind to be asked")
    await leave(client)
    await wait_until(mind.ended.is_set, "the mind to be given up")
    mind.go_on.set()
    async with talking(back(client)) as again:
        await again.until(TurnFinished)
    assert again.text == "Again."
    assert again.all_of(ReplyAudio)


async def test_a_mind_that_failed_meanwhile_is_told_of_when_the_client_is_back() -> None:
    mind = ScriptedMind([["", UnavailableError("gone")]])
    mind.go_on.clear()
    client = Client(Assistant(mind), TYPED)
    client.send(TypedText("hello"))
    await client.until_state(State.THINKING)
    await wait_until(lambda: bool(mind.prompts), "the mind to be asked")
    await leave(client)
    mind.go_on.set()
    await wait_until(mind.ended.is_set, "the mind to fail")
    async with talking(back(client)) as again:
        await again.until(TurnFinished)
    assert [told.reason for told in again.all_of(Degraded)] == ["ENGINE_UNAVAILABLE"]
    assert "hello" in again.text
    assert again.outcomes == [Outcome.FAILED]


async def test_a_reply_that_was_given_up_in_the_middle_says_so() -> None:
    mind = ScriptedMind([["One ", "two."]])
    mind.go_on.clear()
    client = Client(Assistant(mind, settings=section(session={"write_on_s": 0.05})), TYPED)
    client.send(TypedText("count"))
    await client.until(ReplyText)
    await leave(client)
    await wait_until(mind.ended.is_set, "the mind to be given up")
    async with talking(back(client)) as again:
        await again.until(TurnFinished)
    assert [told.reason for told in again.all_of(Degraded)] == ["GIVEN_UP"]
    assert again.text.startswith("One  I understood")
    assert again.outcomes == [Outcome.FAILED]


async def test_a_turn_that_nobody_comes_back_for_is_finished() -> None:
    client = Client(Assistant(ScriptedMind([[LONG]]), settings=section(session={"resume_s": 0.05})), TYPED, plays=False)
    client.send(TypedText("count"))
    await client.until(ReplyAudio)
    await leave(client)
    metric = client.assistant.metric
    await wait_until(lambda: metric("pipeline_requests_total", outcome="interrupted") == 1, "the turn to be finished")


async def test_no_time_passes_for_a_turn_while_its_client_is_away() -> None:
    mind = ScriptedMind([["Here."]])
    assistant = Assistant(mind, settings=section(budget={"thinking_s": 0.2}))
    assistant.mouth.go_on.clear()
    mind.go_on.clear()
    client = Client(assistant, TEXT_ONLY)
    client.send(TypedText("think"))
    await client.until(ReplyText)
    await leave(client)
    await asyncio.sleep(0.3)  # longer than the turn may think
    async with talking(back(client)) as again:
        await again.until(StateEntered)
        mind.go_on.set()
        await again.until(TurnFinished)
    assert again.outcomes == [Outcome.COMPLETED]


async def test_what_the_mouth_is_asked_after_a_loss_belongs_to_the_same_turn() -> None:
    mouth = ContextMouth()
    client = Client(Assistant(ScriptedMind([[LONG]]), mouth=mouth), TYPED, plays=False)
    calls.enter({"x-request-id": "first"}, None)
    client.send(TypedText("count"))
    await client.until(ReplyAudio)
    await leave(client)
    calls.enter({"x-request-id": "second"}, None)
    async with talking(back(client)) as again:
        await again.until(ReplyAudio)
    before, after = mouth.calls
    assert before == after
    assert before is not None
    assert before.request_id == "first.1"


async def test_a_client_may_come_back_in_another_language() -> None:
    client = Client(Assistant(ScriptedMind([["Salut."]])), TYPED)
    await client.until(StateEntered)
    await leave(client)
    async with talking(back(client, language_code="fr")) as again:
        again.send(TypedText("bonjour"))
        await again.until(TurnFinished)
    assert client.assistant.mouth.voices[0].language_code == "fr"


async def test_who_muted_himself_is_muted_still() -> None:
    client = Client(Assistant(), SPOKEN)
    client.send(SetMuted(True), MicrophoneAudio(bytes(640)))
    await client.until(StateEntered)
    await wait_until(client.inputs.empty, "the command to be taken")
    await leave(client)
    async with talking(back(client)) as again:
        await again.until(StateEntered)
        again.send(MicrophoneAudio(b"\1\1" * 320))
        ears = client.assistant.ears
        received = ears.received_bytes
        await wait_until(lambda: ears.received_bytes > received, "the audio")
        assert not any(ears.last)


async def test_a_session_that_comes_back_while_another_is_put_out_is_not_put_out_itself() -> None:
    mind = ScriptedMind([[LONG]] * 9)
    assistant = Assistant(mind, settings=section(max_sessions=1, session={"resume_s": 0.3}))
    clients = [Client(assistant, TEXT_ONLY) for _ in range(5)]
    for client in clients[:4]:
        await client.until(StateEntered)
        await leave(client)
    await clients[4].until(StateEntered)
    leaving = asyncio.create_task(leave(clients[4]))
    again = back(clients[4])
    await asyncio.sleep(0)
    async with talking(again):
        await leaving
        await again.until(StateEntered)
        await asyncio.sleep(0.4)  # longer than a lost session waits
        again.send(TypedText("still there?"))
        await again.until(ReplyText)


async def test_a_refused_return_leaves_nothing_behind() -> None:
    assistant = Assistant(settings=section(max_sessions=1))
    lost, other = Client(assistant, TEXT_ONLY), Client(assistant, TEXT_ONLY)
    await lost.until(StateEntered)
    await leave(lost)
    await other.until(StateEntered)
    for _ in range(3):
        with pytest.raises(LimitExceededError):
            await back(lost).until(StateEntered)
    assert assistant.metric("pipeline_sessions_parked") == 1
    await leave(other)
    await assistant.sessions.close()


async def test_half_an_utterance_is_forgotten_and_a_draft_dropped() -> None:
    mind = ScriptedMind([["Draft."], ["Reply."]])
    client = Client(Assistant(mind), SPOKEN)
    client.send(MicrophoneAudio(bytes(640)))
    await client.until_state(State.LISTENING)
    client.assistant.ears.starts()
    client.assistant.ears.pauses("how are")
    await wait_until(lambda: bool(mind.prompts), "the draft")
    await leave(client)
    async with talking(back(client)) as again:
        assert client.assistant.metric("pipeline_drafts_total", fate="dropped") == 1
        again.send(TypedText("hello"))
        await again.until(TurnFinished)
    assert again.text == "Reply."


async def test_a_client_that_is_back_before_its_loss_was_noticed_takes_the_session_over() -> None:
    mind = ScriptedMind([["One."], ["Two."]])
    client = Client(Assistant(mind), TEXT_ONLY)
    client.send(TypedText("one"))
    await client.until(TurnFinished)
    async with talking(back(client)) as again:
        again.send(TypedText("two"))
        await again.until(TurnFinished)
        with pytest.raises(CallAbortedError, match="another connection"):
            await client.to_the_end()
        again.send(End())
        await again.to_the_end()
    assert mind.prompts[1][1] == Line(Speaker.USER, "one")


async def test_a_session_takes_up_a_place_while_it_is_connected_and_no_longer() -> None:
    assistant = Assistant(settings=section(max_sessions=1))
    client = Client(assistant, TEXT_ONLY)
    await client.until(StateEntered)
    with pytest.raises(LimitExceededError, match="1 conversations are open"):
        await Client(assistant, TEXT_ONLY).until(StateEntered)
    await leave(client)
    other = Client(assistant, TEXT_ONLY)
    await other.until(StateEntered)
    with pytest.raises(LimitExceededError):
        await back(client).until(StateEntered)
    await leave(other)
    async with talking(back(client)) as again:
        await again.until(StateEntered)


async def test_of_very_many_lost_sessions_the_oldest_are_forgotten_first() -> None:
    assistant = Assistant(settings=section(max_sessions=2))
    clients = [Client(assistant, TEXT_ONLY) for _ in range(9)]
    for client in clients:
        await client.until(StateEntered)
        await leave(client)
    assert assistant.metric("pipeline_sessions_parked") == 8
    with pytest.raises(NotFoundError):
        await back(clients[0]).until(StateEntered)
    async with talking(back(clients[1])) as again:
        await again.until(StateEntered)


async def test_a_session_is_forgotten_when_nobody_comes_back() -> None:
    assistant = Assistant(ScriptedMind([["One."]]), settings=section(session={"resume_s": 0.05}))
    client = Client(assistant, TEXT_ONLY)
    await client.until(StateEntered)
    await leave(client)
    await wait_until(lambda: assistant.metric("pipeline_sessions_parked") == 0, "the session to be forgotten")
    with pytest.raises(NotFoundError, match="no such session"):
        await back(client).until(StateEntered)


async def test_a_session_that_was_ended_is_over() -> None:
    client = Client(Assistant(), TEXT_ONLY)
    client.send(End())
    await client.to_the_end()
    with pytest.raises(NotFoundError):
        await back(client).until(StateEntered)


async def test_a_token_of_nobody_is_not_found() -> None:
    client = Client(Assistant(), TEXT_ONLY, token="made up")
    with pytest.raises(NotFoundError):
        await client.until(StateEntered)


async def test_a_session_goes_on_in_its_own_audio_format() -> None:
    client = Client(Assistant(), TYPED)
    await client.until(StateEntered)
    await leave(client)
    with pytest.raises(InvalidInputError, match=r"config\.output_format"):
        await back(client, output_rate_hz=8_000).until(StateEntered)
    async with talking(back(client)) as again:
        await again.until(StateEntered)


async def test_nothing_is_left_of_clients_that_vanish_in_the_middle_of_a_turn() -> None:
    tasks = len(asyncio.all_tasks())
    assistant = Assistant(ScriptedMind([[LONG]] * 50), settings=section(session={"resume_s": 0}))
    for _ in range(50):
        client = Client(assistant, TYPED)
        client.send(TypedText("count"))
        await client.until(ReplyText)
        await leave(client)
    assert len(asyncio.all_tasks()) == tasks
    assert assistant.metric("pipeline_sessions_active") == 0


async def test_what_was_typed_before_the_loss_is_answered_after_it() -> None:
    mind = ScriptedMind([[LONG], ["Two."]])
    client = Client(Assistant(mind), TYPED, plays=False)
    client.send(TypedText("one"), TypedText("two"))
    await client.until(ReplyAudio)
    await wait_until(client.inputs.empty, "the second text to be taken")
    await leave(client)
    async with talking(back(client)) as again:
        again.plays = True
        again.send(Interrupt())
        await again.until(TurnFinished, 2)
    assert again.outcomes == [Outcome.INTERRUPTED, Outcome.COMPLETED]
    assert again.text.endswith("Two.")
