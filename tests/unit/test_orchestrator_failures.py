"""Stages that fail, stall or are late: the user hears of it, and the session lives."""

import pytest

from services.common.errors import CallError, InternalError, UnavailableError
from services.orchestrator.events import Degraded, ReplyAudio, ReplyText, TurnFinished, UserTranscript
from services.orchestrator.inputs import MicrophoneAudio, Played, TypedText
from services.orchestrator.ports import Line, Speaker, Stage
from services.orchestrator.turn_events import Outcome, State
from tests.fakes.stages import ScriptedMind, ScriptedMouth
from tests.support.talking import SPOKEN, TEXT_ONLY, Assistant, Client, section, talking
from tests.support.waiting import wait_until

AUDIO = MicrophoneAudio(bytes(640))
APOLOGY = section().apologies["en"]


async def test_when_the_mind_is_away_the_user_hears_what_was_understood_and_the_session_lives() -> None:
    mind = ScriptedMind([[UnavailableError("gone")], ["Back."]])
    async with talking(Client(Assistant(mind))) as client:
        client.send(TypedText("hello"))
        await client.until(TurnFinished)
        assert client.outcomes == [Outcome.FAILED]
        assert client.all_of(Degraded) == [Degraded(Stage.LLM, "ENGINE_UNAVAILABLE", "gone")]
        assert client.text == APOLOGY.replace("{text}", "hello")
        assert client.all_of(ReplyAudio)
        client.send(TypedText("again"), None)
        await client.to_the_end()
    assert client.all_of(ReplyText)[-1] == ReplyText("Back.")
    assert mind.prompts[1] == [Line(Speaker.SYSTEM, "Be brief."), Line(Speaker.USER, "again")]


async def test_when_the_mouth_is_away_the_text_goes_on_and_a_tone_sounds() -> None:
    mouth = ScriptedMouth(failure=UnavailableError("mute"))
    async with talking(Client(Assistant(ScriptedMind([["One. ", "Two."]]), mouth=mouth))) as client:
        client.send(TypedText("hello"), None)
        await client.to_the_end()
    assert client.all_of(Degraded) == [Degraded(Stage.TTS, "ENGINE_UNAVAILABLE", "mute")]
    assert client.text == "One. Two."
    tone = client.all_of(ReplyAudio)
    assert len(tone) == 1
    assert any(tone[0].audio)


async def test_a_mouth_that_breaks_after_its_text_has_ended_ends_the_turn_too() -> None:
    mouth = ScriptedMouth(failure_at_end=UnavailableError("mute"))
    mind = ScriptedMind([["My name is Bob."], ["Yes."]])
    async with talking(Client(Assistant(mind, mouth=mouth))) as client:
        client.send(TypedText("hello"))
        await client.until(TurnFinished)
        assert client.outcomes == [Outcome.FAILED]
        client.send(TypedText("and?"), None)
        await client.to_the_end()
    assert Line(Speaker.ASSISTANT, "My name is Bob.") in mind.prompts[1]  # it was shown, so it is remembered


async def test_a_mind_that_breaks_in_the_middle_is_heard_to() -> None:
    mind = ScriptedMind([["The answer is ", UnavailableError("gone")], ["Yes."]])
    async with talking(Client(Assistant(mind), TEXT_ONLY)) as client:
        client.send(TypedText("hello"), TypedText("and?"), None)
        await client.to_the_end()
    assert client.text.startswith("The answer is  I understood")
    assert Line(Speaker.ASSISTANT, "The answer is") in mind.prompts[1]


async def test_a_mind_that_writes_nothing_is_not_met_with_silence() -> None:
    mind = ScriptedMind([["\n"], ["Yes."]])
    async with talking(Client(Assistant(mind))) as client:
        client.send(TypedText("hello"), TypedText("and?"), None)
        await client.to_the_end()
    assert [told.reason for told in client.all_of(Degraded)] == ["EMPTY_REPLY"]
    assert client.outcomes == [Outcome.FAILED, Outcome.COMPLETED]
    assert client.all_of(ReplyAudio)
    assert all(line.text.strip() for line in mind.prompts[1])


async def test_ears_that_lose_what_was_said_are_apologised_for_aloud() -> None:
    assistant = Assistant(ScriptedMind([["Hi."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        await client.until_state(State.LISTENING)
        for _ in range(5):  # more than they are given again what they break over
            assistant.ears.starts()
            assistant.ears.fails(UnavailableError("deaf"))
        await client.until(TurnFinished)
        assert client.text == assistant.settings.not_heard["en"]
        assert client.all_of(ReplyAudio)
        assert client.all_of(Degraded)[0] == Degraded(Stage.STT, "ENGINE_UNAVAILABLE", "deaf")
        assert client.all_of(UserTranscript) == []


async def test_a_bug_in_a_stage_ends_the_stream_and_not_the_session() -> None:
    mind = ScriptedMind([])  # asked, it raises an IndexError
    assistant = Assistant(mind)
    client = Client(assistant, TEXT_ONLY)
    client.send(TypedText("hello"))
    with pytest.raises(IndexError):
        await client.to_the_end()
    mind.script.append(["Yes."])
    async with talking(Client(assistant, TEXT_ONLY, token=client.session.resume_token)) as again:
        again.send(TypedText("hello"), None)
        await again.to_the_end()
    assert again.outcomes[-1] is Outcome.COMPLETED


async def test_a_loudspeaker_that_plays_nothing_ends_the_turn() -> None:
    assistant = Assistant(ScriptedMind([["Hello. "], ["Yes."]]), settings=section(budget={"playback_stall_s": 0.1}))
    async with talking(Client(assistant, plays=False)) as client:
        client.send(TypedText("hi"), Played("turn-1", 0))
        await client.until(TurnFinished)
        client.send(TypedText("and?"), Played("turn-2", 0))
        await client.until(TurnFinished)
    assert [told.stage for told in client.all_of(Degraded)] == [Stage.PLAYBACK] * 2
    assert client.outcomes == [Outcome.FAILED] * 2
    assert Line(Speaker.ASSISTANT, "Hello.") not in assistant.mind.prompts[1]


async def test_a_turn_that_thinks_for_too_long_is_ended_and_says_so() -> None:
    mind = ScriptedMind([["never", "told"]])
    mind.go_on.clear()
    mouth = ScriptedMouth()
    assistant = Assistant(mind, mouth=mouth, settings=section(budget={"thinking_s": 0.1}))
    async with talking(Client(assistant, TEXT_ONLY)) as client:
        client.send(TypedText("hi"))
        await client.until(TurnFinished)
        await wait_until(mind.ended.is_set, "the end of the call")
    assert [(told.stage, told.reason) for told in client.all_of(Degraded)] == [(Stage.LLM, "OVERDUE")]
    assert client.outcomes == [Outcome.FAILED]
    assert assistant.metric("pipeline_overdue_total", state="thinking") == 1


async def test_a_late_reply_begins_with_a_filler_where_one_is_wanted() -> None:
    mind = ScriptedMind([["", "Here it is."]])
    mind.go_on.clear()
    assistant = Assistant(mind, settings=section(budget={"filler_after_ms": 20}))
    async with talking(Client(assistant)) as client:
        client.send(TypedText("hi"))
        first = (await client.until(ReplyAudio)).telling
        assert isinstance(first, ReplyAudio)
        assert (first.span_start, first.span_end) == (0, 0)
        mind.go_on.set()
        await client.until(TurnFinished)
    chunks = client.all_of(ReplyAudio)
    assert chunks[-1].span_end == len("Here it is.")
    assert [chunk.first_sample for chunk in chunks] == sorted(chunk.first_sample for chunk in chunks)
    assert client.text == "Here it is."
    assert assistant.metric("pipeline_fillers_total") == 1


async def test_no_filler_is_spoken_where_the_reply_is_there_in_time() -> None:
    assistant = Assistant(ScriptedMind([["Here it is."]]), settings=section(budget={"filler_after_ms": 5_000}))
    async with talking(Client(assistant)) as client:
        client.send(TypedText("hi"))
        await client.until(TurnFinished)
    assert all(chunk.span_end > 0 for chunk in client.all_of(ReplyAudio))
    assert assistant.metric("pipeline_fillers_total") == 0


@pytest.mark.parametrize("error", [InternalError("broken"), UnavailableError("gone")])
async def test_a_draft_whose_mind_fails_is_told_of_only_when_it_is_wanted(error: CallError) -> None:
    mind = ScriptedMind([[error], ["Fine."]])
    assistant = Assistant(mind)
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        await client.until_state(State.LISTENING)
        assistant.ears.starts()
        assistant.ears.pauses("how are")
        await wait_until(mind.ended.is_set, "the draft to fail")
        assistant.ears.resumes()
        assistant.ears.pauses("how are you")
        assistant.ears.ends("how are you")
        await client.until(TurnFinished)
    assert client.all_of(Degraded) == []
    assert client.text == "Fine."
