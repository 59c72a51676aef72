"""Whole conversations over scripted stages: what the client is told, in which order, and what is remembered."""

import asyncio
from dataclasses import replace

import pytest

from services.common.errors import InvalidInputError, LimitExceededError, UnavailableError, UnsupportedError
from services.orchestrator.events import (
    Interrupted,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    StateEntered,
    TurnFinished,
    UserTranscript,
)
from services.orchestrator.inputs import End, Interrupt, MicrophoneAudio, Played, TypedText
from services.orchestrator.ports import Line, Speaker, Stage
from services.orchestrator.turn_events import Outcome, State
from tests.fakes.stages import ScriptedMind, ScriptedMouth
from tests.support.talking import SPOKEN, TEXT_ONLY, Assistant, Client, section, talking
from tests.support.waiting import wait_until

AUDIO = MicrophoneAudio(bytes(640))
NOTE = section().interruption_notes["en"]


async def test_a_spoken_turn_from_the_first_word_to_the_last_sample() -> None:
    assistant = Assistant(ScriptedMind([["Fine, ", "thanks."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        assistant.ears.starts()
        assistant.ears.partial("how")
        assistant.ears.pauses("how are you")
        assistant.ears.ends("How are you?")
        await client.until(TurnFinished)
        client.send(None)
        told = await client.to_the_end()
    assert client.states == [State.LISTENING, State.THINKING, State.SPEAKING, State.LISTENING]
    assert client.all_of(UserTranscript) == [
        UserTranscript("how", False, 0.5, "en"),
        UserTranscript("How are you?", True, 1.0, "en"),
    ]
    assert client.text == "Fine, thanks."
    assert {event.turn_id for event in told if isinstance(event.telling, ReplyAudio)} == {"turn-1"}
    assert client.outcomes == [Outcome.COMPLETED]
    assert client.all_of(TurnFinished)[0].backends == {
        Stage.STT: "driven",
        Stage.LLM: "scripted",
        Stage.TTS: "scripted",
    }


async def test_the_timings_of_a_turn_are_in_their_natural_order() -> None:
    assistant = Assistant(ScriptedMind([["Fine, ", "thanks."]]), settings=section(speculate=False))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        assistant.ears.says("how are you")
        await client.until(TurnFinished)
    timings = client.all_of(TurnFinished)[0].timings
    assert 0 <= timings.endpoint_ms <= timings.transcript_ms <= timings.first_token_ms <= timings.first_clause_ms
    assert timings.first_clause_ms <= timings.first_audio_ms <= timings.first_heard_ms <= timings.total_ms < 60_000
    assert timings.first_token_ms <= timings.reply_complete_ms <= timings.total_ms
    assert timings.barge_in_stop_ms is None


async def test_a_reply_is_drafted_at_a_pause_and_heard_when_it_is_sure_that_nothing_follows() -> None:
    assistant = Assistant(ScriptedMind([["Fine."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        await client.until_state(State.LISTENING)
        assistant.ears.starts()
        assistant.ears.pauses("how are you")
        await wait_until(lambda: bool(assistant.mouth.voices) and assistant.mind.ended.is_set(), "the draft")
        assert client.kinds() == ["SessionOpened", "StateEntered"]
        assistant.ears.ends("How are you?")
        await client.until(TurnFinished)
    assert client.text == "Fine."
    assert len(assistant.mind.prompts) == 1
    assert assistant.metric("pipeline_drafts_total", fate="used") == 1


async def test_who_goes_on_speaking_is_not_answered_to_what_he_said_before() -> None:
    assistant = Assistant(ScriptedMind([["Sunny."], ["Rain in Paris."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        await client.until_state(State.LISTENING)
        assistant.ears.starts()
        assistant.ears.pauses("what is the weather")
        await wait_until(lambda: bool(assistant.mind.prompts), "the draft")
        assistant.ears.resumes()
        assistant.ears.pauses("what is the weather in Paris")
        assistant.ears.ends("what is the weather in Paris")
        await client.until(TurnFinished)
    assert client.text == "Rain in Paris."
    assert assistant.metric("pipeline_drafts_total", fate="dropped") == 1
    assert assistant.mind.prompts[-1][-1] == Line(Speaker.USER, "what is the weather in Paris")


async def test_a_final_text_with_other_words_than_the_eager_one_is_answered_anew() -> None:
    assistant = Assistant(ScriptedMind([["Four."], ["Five."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        await client.until_state(State.LISTENING)
        assistant.ears.starts()
        assistant.ears.pauses("two and two")
        await wait_until(lambda: bool(assistant.mind.prompts), "the draft")
        assistant.ears.ends("two and three")
        await client.until(TurnFinished)
    assert client.text == "Five."


async def test_without_speculation_nothing_is_begun_at_a_pause() -> None:
    assistant = Assistant(ScriptedMind([["Fine."]]), settings=section(speculate=False))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        assistant.ears.starts()
        assistant.ears.pauses("how are you")
        assistant.ears.resumes()
        assistant.ears.says("how are you today")
        await client.until(TurnFinished)
    assert len(assistant.mind.prompts) == 1


@pytest.mark.parametrize("heard", ["", "…", "[Musique]"])
async def test_silence_and_noise_begin_nothing(heard: str) -> None:
    assistant = Assistant(ScriptedMind([]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        assistant.ears.says(heard)
        client.send(None)
        await client.to_the_end()
    assert client.states == [State.LISTENING]
    assert assistant.mind.prompts == []


async def test_reply_audio_is_numbered_and_placed_without_gaps() -> None:
    async with talking(Client(Assistant(ScriptedMind([["One. ", "Two. ", "Three."]])))) as client:
        client.send(TypedText("count"), None)
        await client.to_the_end()
    chunks = client.all_of(ReplyAudio)
    assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
    position = 0
    for chunk in chunks:
        assert chunk.first_sample == position
        position += len(chunk.audio) // 2
    assert (chunks[0].span_start, chunks[-1].span_end) == (0, 16)


async def test_audio_of_the_first_words_goes_out_before_the_reply_is_written() -> None:
    mind = ScriptedMind([["First, ", "second."]])
    mind.go_on.clear()
    async with talking(Client(Assistant(mind))) as client:
        client.send(TypedText("hello"))
        await client.until(ReplyAudio)
        assert not mind.ended.is_set()
        mind.go_on.set()
        client.send(None)
        await client.to_the_end()
    assert client.text == "First, second."


async def test_typed_turns_are_answered_one_after_the_other_and_remembered() -> None:
    mind = ScriptedMind([["Bonjour."], ["Encore."]])
    async with talking(Client(Assistant(mind), TEXT_ONLY)) as client:
        client.send(TypedText("salut"), TypedText("et encore"), None)
        await client.to_the_end()
    assert mind.prompts[1] == [
        Line(Speaker.SYSTEM, "Be brief."),
        Line(Speaker.USER, "salut"),
        Line(Speaker.ASSISTANT, "Bonjour."),
        Line(Speaker.USER, "et encore"),
    ]
    assert len(client.outcomes) == 2
    assert client.all_of(ReplyAudio) == []


async def test_more_typed_turns_than_may_wait_are_refused() -> None:
    mind = ScriptedMind([["Wait."]])
    mind.go_on.clear()
    async with talking(Client(Assistant(mind, settings=section(max_waiting_turns=3)), TEXT_ONLY)) as client:
        client.send(*(TypedText(f"number {number}") for number in range(5)))
        with pytest.raises(LimitExceededError, match="3 typed turns are waiting"):
            await client.to_the_end()


async def test_an_interrupted_turn_stops_everything_and_keeps_what_was_played() -> None:
    mind = ScriptedMind([["Hello. ", "This is never heard."], ["Yes?"]])
    mind.go_on.clear()
    assistant = Assistant(mind)
    async with talking(Client(assistant)) as client:
        client.send(TypedText("hi"))
        await client.until(ReplyAudio)
        client.send(Interrupt())
        await client.until(TurnFinished)
        assert client.all_of(Interrupted) == [Interrupted("Hello.")]
        await wait_until(lambda: mind.ended.is_set() and assistant.mouth.ended.is_set(), "the end of both calls")
        mind.go_on.set()
        client.send(TypedText("what?"), None)
        await client.to_the_end()
    assert client.outcomes == [Outcome.INTERRUPTED, Outcome.COMPLETED]
    assert mind.prompts[1][1:] == [
        Line(Speaker.USER, "hi"),
        Line(Speaker.ASSISTANT, "Hello."),
        Line(Speaker.USER, f"{NOTE} what?"),
    ]


async def test_what_was_heard_of_a_reply_that_begins_with_a_space() -> None:
    mouth = ScriptedMouth()
    mouth.go_on.clear()
    mind = ScriptedMind([[" Hello. ", "More."]])
    async with talking(Client(Assistant(mind, mouth=mouth), plays=False)) as client:
        client.send(TypedText("hi"))
        audio = (await client.until(ReplyAudio)).telling
        assert isinstance(audio, ReplyAudio)
        client.send(Played("turn-1", len(audio.audio) // 2), Interrupt())
        await client.until(TurnFinished)
    heard = client.all_of(Interrupted)[0].heard_text
    assert heard
    assert "Hello. More.".startswith(heard)


async def test_an_interruption_before_the_first_word_is_taken() -> None:
    async with talking(Client(Assistant(ScriptedMind([["Yes."]])), TEXT_ONLY)) as client:
        client.send(TypedText("hello"), Interrupt())
        await client.until(TurnFinished)
    assert client.outcomes == [Outcome.INTERRUPTED]


async def test_a_reply_is_sent_two_seconds_ahead_of_what_was_played_and_no_further() -> None:
    assistant = Assistant(ScriptedMind([[f"word{number:04} " for number in range(100)]]))  # 90 ms of audio each
    async with talking(Client(assistant, plays=False)) as client:
        client.send(TypedText("go on"), Played("turn-1", 0))
        chunks = 0
        while chunks * 1440 <= 2 * 16_000 - 1440:
            await client.until(ReplyAudio)
            chunks += 1
        nothing_more = asyncio.create_task(client.until(ReplyAudio))
        for _ in range(1000):  # turns of the loop: far more than it would take to send everything
            await asyncio.sleep(0)
        assert not nothing_more.done()
        client.send(Played("turn-1", 1440))
        await nothing_more
        client.send(Interrupt())
        await client.until(TurnFinished)


async def test_a_client_that_does_not_read_holds_the_reply_up() -> None:
    mind = ScriptedMind([["word "] * 500])
    assistant = Assistant(mind)
    async with talking(Client(assistant)) as client:
        client.send(TypedText("hello"))
        await client.until(ReplyAudio)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not assistant.mouth.ended.is_set()
        client.send(End())
        await client.to_the_end()
    assert client.text == "word " * 500


async def test_a_client_that_has_closed_its_side_reports_no_more_and_is_taken_to_play_on() -> None:
    async with talking(Client(Assistant(ScriptedMind([["Yes."]])))) as client:
        client.send(TypedText("hello"), Played("turn-1", 0), None)
        await client.to_the_end()
    assert client.outcomes == [Outcome.COMPLETED]


async def test_a_drafted_reply_is_given_to_a_client_that_has_closed_its_side_meanwhile() -> None:
    assistant = Assistant(ScriptedMind([["Yes."], ["Fine."]]), settings=section(budget={"playback_stall_s": 0.2}))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(TypedText("hello"), AUDIO)
        await client.until(TurnFinished)
        assistant.ears.starts()
        assistant.ears.pauses("how are you")
        await wait_until(lambda: len(assistant.mind.prompts) == 2, "the draft")
        assistant.ears.ends("how are you")
        client.plays = False
        client.send(None)
        await client.to_the_end()
    assert client.outcomes == [Outcome.COMPLETED] * 2


async def test_a_client_that_never_reads_and_goes_on_asking_is_let_go() -> None:
    client = Client(Assistant(ScriptedMind([["Yes."]] * 500)), TEXT_ONLY)
    await client.until(StateEntered)
    for _ in range(500):
        client.send(TypedText("hello"), Interrupt())
    await wait_until(client.inputs.empty, "all of it to be taken")
    with pytest.raises(LimitExceededError, match="not read"):
        await client.to_the_end()
    assert len(client.told) <= 1100
    await client.assistant.sessions.close()


async def test_muted_the_ears_hear_silence_and_nothing_is_lost_count_of() -> None:
    assistant = Assistant(ScriptedMind([["Hi."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO, AUDIO, None)
        await client.to_the_end()
    assert assistant.ears.received_bytes == 2 * 640


async def test_a_wish_that_the_ears_refuse_ends_the_conversation_with_their_words() -> None:
    assistant = Assistant()
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        assistant.ears.fails(UnsupportedError("only English is understood"))
        with pytest.raises(UnsupportedError, match="only English"):
            await client.to_the_end()


async def test_end_lets_the_turn_finish() -> None:
    async with talking(Client(Assistant(ScriptedMind([["One. ", "Two."]])), TEXT_ONLY)) as client:
        client.send(TypedText("hello"), End(), TypedText("too late"))
        await client.to_the_end()
    assert client.outcomes == [Outcome.COMPLETED]


async def test_what_was_typed_before_the_end_is_answered() -> None:
    mind = ScriptedMind([["One."], ["Two."], ["Three."]])
    async with talking(Client(Assistant(mind), TEXT_ONLY)) as client:
        client.send(TypedText("a"), TypedText("b"), TypedText("c"), End())
        await client.to_the_end()
    assert client.text == "One.Two.Three."


async def test_draining_ends_an_idle_conversation_and_lets_a_turn_finish() -> None:
    assistant = Assistant(ScriptedMind([["One. ", "Two."]]))
    async with talking(Client(assistant, TEXT_ONLY)) as client:
        client.send(TypedText("hello"))
        await client.until(ReplyText)
        assistant.draining.set()
        with pytest.raises(UnavailableError, match="may go on elsewhere"):
            await client.to_the_end()
    assert client.outcomes == [Outcome.COMPLETED]


async def test_wrong_input_ends_the_conversation_with_its_own_error() -> None:
    async with talking(Client(Assistant(), TEXT_ONLY)) as client:
        client.send(InvalidInputError("text", "it is empty"))
        with pytest.raises(InvalidInputError):
            await client.to_the_end()


async def test_the_session_is_told_first_and_its_token_is_new_each_time() -> None:
    tokens = set()
    for _ in range(2):
        async with talking(Client(Assistant(), TEXT_ONLY)) as client:
            client.send(None)
            await client.to_the_end()
            assert isinstance(client.told[0].telling, SessionOpened)
            tokens.add(client.session.resume_token)
    assert len(tokens) == 2


async def test_a_reply_speaks_the_language_that_was_heard_where_the_client_named_none() -> None:
    assistant = Assistant(ScriptedMind([["Hello."], ["Bonjour."]]), settings=section(language_code="en"))
    async with talking(Client(assistant, replace(SPOKEN, language_code="", system_prompt=""))) as client:
        client.send(AUDIO)
        assistant.ears.says("hello my good friend")
        await client.until(TurnFinished)
        assistant.ears.language_code = "fr"
        assistant.ears.says("quel temps fait-il à Paris")
        await client.until(TurnFinished)
    prompts = assistant.settings.system_prompts
    assert [prompt[0].text for prompt in assistant.mind.prompts] == [prompts["en"], prompts["fr"]]
    assert [voice.language_code for voice in assistant.mouth.voices] == ["en", "fr"]


async def test_a_language_that_the_client_named_stays() -> None:
    assistant = Assistant(ScriptedMind([["Hello."]]))
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        assistant.ears.language_code = "fr"
        assistant.ears.says("quel temps fait-il à Paris")
        await client.until(TurnFinished)
    assert assistant.mouth.voices[0].language_code == "en"
