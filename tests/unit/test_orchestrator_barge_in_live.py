"""Somebody speaks while the assistant replies: what is held, what goes on, what is cut off and what is remembered."""

import pytest

from services.common.errors import UnavailableError
from services.orchestrator.events import HoldMode, Interrupted, ReplyAudio, StateEntered, TurnFinished, UserTranscript
from services.orchestrator.inputs import MicrophoneAudio, Played, TypedText
from services.orchestrator.ports import Line, Speaker
from services.orchestrator.turn_events import Outcome, State
from tests.fakes.stages import ScriptedMind
from tests.support.talking import SPOKEN, Assistant, Client, section, talking
from tests.support.waiting import wait_until

AUDIO = MicrophoneAudio(bytes(640))
LONG = ["Once upon a time there was a king who had three daughters. " * 5]  # 15 s of audio


async def speaking(client: Client) -> None:
    """A long reply is being given, and its first half second was played."""
    client.send(AUDIO)
    client.assistant.ears.says("tell me a story")
    sent = 0
    while sent < 16_000:
        audio = (await client.until(ReplyAudio)).telling
        assert isinstance(audio, ReplyAudio)
        sent = audio.first_sample + len(audio.audio) // 2
    client.send(Played("turn-1", 8_000))


def a_talk(*replies: list[str], **changes: object) -> Client:
    assistant = Assistant(ScriptedMind([LONG, *replies]), settings=section(**changes))
    return Client(assistant, SPOKEN, plays=False)


async def test_real_words_interrupt_and_what_was_said_is_answered() -> None:
    async with talking(a_talk(["All right."])) as client:
        await speaking(client)
        ears = client.assistant.ears
        ears.starts()
        await client.until_state(State.YIELDING)
        ears.partial("", "stop it")
        await client.until(Interrupted)
        ears.pauses("stop it please")
        ears.ends("stop it please")
        await client.until(ReplyAudio)
        finals = [told.text for told in client.all_of(UserTranscript) if told.is_final]
    assert client.states == [
        State.LISTENING,
        State.THINKING,
        State.SPEAKING,
        State.YIELDING,
        State.LISTENING,
        State.THINKING,
        State.SPEAKING,
    ]
    assert client.outcomes == [Outcome.INTERRUPTED]
    assert finals == ["tell me a story", "stop it please"]
    timings = client.all_of(TurnFinished)[0].timings
    assert timings.barge_in_stop_ms is not None


async def test_one_word_that_nothing_confirms_is_waited_on_and_does_not_interrupt() -> None:
    async with talking(a_talk(["Yes?"], barge_in={"decide_within_ms": 100})) as client:
        await speaking(client)
        ears = client.assistant.ears
        ears.starts()
        ears.partial("", "folk")
        await client.until_state(State.YIELDING)
        await client.until_state(State.SPEAKING)
        ears.partial("okay")
        ears.pauses("okay")
        ears.ends("okay")
        client.send(Played("turn-1", 24_000))
        await client.until(ReplyAudio)
    assert client.outcomes == []


async def test_nothing_of_an_interrupted_turn_follows_its_end() -> None:
    async with talking(a_talk(["All right."])) as client:
        await speaking(client)
        client.assistant.ears.says("stop it please")
        await client.until(TurnFinished)
        await client.until(ReplyAudio)
        ids = [event.turn_id for event in client.told]
    last_of_first = len(ids) - 1 - ids[::-1].index("turn-1")
    assert isinstance(client.told[last_of_first].telling, TurnFinished)


async def test_the_next_prompt_shows_what_was_heard_and_that_it_was_interrupted() -> None:
    async with talking(a_talk(["All right."])) as client:
        await speaking(client)
        client.assistant.ears.says("a shorter one")
        await client.until(TurnFinished)
        await client.until(ReplyAudio)
        prompt = client.assistant.mind.prompts[-1]
    heard = client.all_of(Interrupted)[0].heard_text
    assert LONG[0].startswith(heard)
    assert 40 <= len(heard) <= 60  # 8,000 samples at 160 a character
    note = client.assistant.settings.interruption_notes["en"]
    assert prompt[-2:] == [Line(Speaker.ASSISTANT, heard), Line(Speaker.USER, f"{note} a shorter one")]


@pytest.mark.parametrize("heard", ["mm-hm", "okay", "", "[coughs]"])
async def test_a_false_alarm_holds_the_reply_and_lets_it_go_on_where_it_stopped(heard: str) -> None:
    async with talking(a_talk()) as client:
        await speaking(client)
        client.assistant.ears.starts()
        await client.until_state(State.YIELDING)
        held_at = client.all_of(ReplyAudio)[-1]
        client.send(Played("turn-1", 24_000))  # room for more
        client.assistant.ears.pauses(heard)
        await client.until_state(State.SPEAKING)
        await client.until(ReplyAudio)
    went_on = client.all_of(ReplyAudio)[client.all_of(ReplyAudio).index(held_at) + 1]
    assert went_on.first_sample == held_at.first_sample + len(held_at.audio) // 2
    assert client.states[-2:] == [State.YIELDING, State.SPEAKING]
    assert client.assistant.metric("pipeline_speech_into_reply_total", verdict="false_alarm") == 1


async def test_while_it_yields_no_audio_is_sent() -> None:
    async with talking(a_talk()) as client:
        await speaking(client)
        client.assistant.ears.starts()
        await client.until_state(State.YIELDING)
        client.send(Played("turn-1", 16_000))
        client.assistant.ears.ends("")
        await client.until_state(State.SPEAKING)
    kinds = [
        told.telling.state if isinstance(told.telling, StateEntered) else type(told.telling) for told in client.told
    ]
    held = kinds[kinds.index(State.YIELDING) :]
    assert ReplyAudio not in held


async def test_ducked_the_reply_goes_on_softly() -> None:
    async with talking(a_talk(barge_in={"hold": HoldMode.DUCK, "decide_within_ms": 5000})) as client:
        await speaking(client)
        client.assistant.ears.starts()
        yielding = await client.until_state(State.YIELDING)
        client.send(Played("turn-1", 24_000))
        await client.until(ReplyAudio)
    assert yielding.telling == StateEntered(State.YIELDING, HoldMode.DUCK)


async def test_without_words_it_goes_on_when_a_decision_is_due_and_later_words_still_interrupt() -> None:
    async with talking(a_talk(["Yes?"], barge_in={"decide_within_ms": 100})) as client:
        await speaking(client)
        client.assistant.ears.starts()
        await client.until_state(State.YIELDING)
        await client.until_state(State.SPEAKING)
        client.assistant.ears.partial("wait a moment")
        await client.until(Interrupted)


async def test_who_goes_on_after_a_backchannel_is_listened_to_again() -> None:
    async with talking(a_talk(["Yes?"])) as client:
        await speaking(client)
        ears = client.assistant.ears
        ears.starts()
        ears.pauses("okay")
        await client.until_state(State.YIELDING)
        await client.until_state(State.SPEAKING)
        ears.resumes()
        await client.until_state(State.YIELDING)
        ears.partial("okay but what about")
        await client.until(Interrupted)


async def test_speech_before_the_first_sound_keeps_it_back_and_both_parts_are_answered_as_one() -> None:
    mind = ScriptedMind([["Sunny."], ["Rain."]])
    mind.go_on.clear()
    assistant = Assistant(mind)
    assistant.mouth.go_on.clear()
    async with talking(Client(assistant, SPOKEN)) as client:
        client.send(AUDIO)
        await client.until_state(State.LISTENING)
        ears = assistant.ears
        ears.starts()
        ears.ends("what is the weather")
        ears.starts()
        await client.until_state(State.YIELDING)
        mind.go_on.set()
        assistant.mouth.go_on.set()
        ears.partial("tomorrow in Paris")
        await client.until(Interrupted)
        ears.ends("tomorrow in Paris")
        await client.until(TurnFinished, 2)
    assert mind.prompts[-1][-1] == Line(Speaker.USER, "what is the weather tomorrow in Paris")
    assert client.all_of(Interrupted) == [Interrupted("")]


async def test_it_does_not_hear_itself() -> None:
    async with talking(a_talk()) as client:
        await speaking(client)
        for samples in (9_600, 11_200, 12_800):
            client.send(Played("turn-1", samples))
        ears = client.assistant.ears
        ears.starts()
        await client.until_state(State.YIELDING)
        ears.partial("there was a king who")
        ears.pauses("there was a king who had three")
        await client.until_state(State.SPEAKING)
        ears.ends("there was a king who had three")
        client.send(Played("turn-1", 20_000))
        await client.until(ReplyAudio)
    assert client.outcomes == []
    assert len([told for told in client.all_of(UserTranscript) if told.is_final]) == 1


async def test_words_that_were_never_played_are_no_echo() -> None:
    async with talking(a_talk(["All right."], ["Gladly."])) as client:
        await speaking(client)
        ears = client.assistant.ears
        ears.says("stop it")
        await client.until(TurnFinished)
        await client.until(ReplyAudio)
        ears.says("the king and his daughters please")
        await client.until(TurnFinished)
        await client.until(ReplyAudio)
        prompt = client.assistant.mind.prompts[-1][-1].text
    assert prompt.endswith("the king and his daughters please")


async def test_the_echo_guard_can_be_turned_off() -> None:
    async with talking(a_talk(["Yes?"], barge_in={"echo_guard": False})) as client:
        await speaking(client)
        client.assistant.ears.says("there was a king")
        await client.until(Interrupted)


async def test_what_was_typed_waits_while_the_user_says_something() -> None:
    async with talking(a_talk(["Spoken."], ["Typed."])) as client:
        await speaking(client)
        ears = client.assistant.ears
        ears.starts()
        ears.partial("stop")
        await client.until(Interrupted)
        client.send(TypedText("typed meanwhile"))
        await wait_until(client.inputs.empty, "the text to be taken")
        ears.ends("stop it")
        await client.until(ReplyAudio)
        prompt = client.assistant.mind.prompts[-1][-1].text
    assert prompt.endswith("stop it")


async def test_an_outage_of_the_ears_lets_the_reply_go_on() -> None:
    async with talking(a_talk()) as client:
        await speaking(client)
        client.assistant.ears.starts()
        await client.until_state(State.YIELDING)
        client.assistant.ears.fails(UnavailableError("deaf"))
        await client.until_state(State.SPEAKING)
