"""A whole conversation over scripted stages: what the client is told, in which order, and what is remembered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry

from services.common.errors import InvalidInputError, UnavailableError, UnsupportedError
from services.orchestrator.conversation import Conversation, ConversationOptions
from services.orchestrator.events import (
    Degraded,
    Event,
    Interrupted,
    Outcome,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    StateEntered,
    TurnFinished,
    UserTranscript,
)
from services.orchestrator.history import HistoryLimits
from services.orchestrator.inputs import ClientInput, End, Interrupt, MicrophoneAudio, Played, SetMuted, TypedText
from services.orchestrator.metrics import PipelineMetrics
from services.orchestrator.ports import Line, Speaker, Stage, Stages
from services.orchestrator.turn import State
from tests.fakes.stages import ScriptedEars, ScriptedMind, ScriptedMouth
from tests.support.waiting import wait_until

OPTIONS = ConversationOptions(
    input_rate_hz=16_000,
    output_rate_hz=16_000,
    language_code="en",
    voice="",
    system_prompt="Be brief.",
    interim_results=True,
    apology="I am sorry.",
    history=HistoryLimits(turns=50, characters=4000),
    ears_language_code="",
)
TEXT_ONLY = replace(OPTIONS, input_rate_hz=None, output_rate_hz=None)
AUDIO = MicrophoneAudio(bytes(640))


@dataclass
class Client:
    """Talks to a conversation, input by input, and keeps what it is told."""

    mind: ScriptedMind
    ears: ScriptedEars = field(default_factory=lambda: ScriptedEars([]))
    mouth: ScriptedMouth = field(default_factory=ScriptedMouth)
    options: ConversationOptions = OPTIONS
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    inputs: "asyncio.Queue[ClientInput | Exception | None]" = field(default_factory=asyncio.Queue)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        metrics = PipelineMetrics.create(CollectorRegistry())
        stages = Stages(self.ears, self.mind, self.mouth)
        self.events = Conversation(stages, self.options, metrics, self.draining).events(self._inputs())

    async def _inputs(self) -> AsyncIterator[ClientInput]:
        while (item := await self.inputs.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def send(self, *items: ClientInput | Exception | None) -> None:
        for item in items:
            self.inputs.put_nowait(item)

    async def until(self, kind: type) -> Event:
        """Reads on until something of this kind is told."""
        async with asyncio.timeout(10):
            async for event in self.events:
                self.told.append(event)
                if isinstance(event.telling, kind):
                    return event
        raise AssertionError(f"the conversation ended without {kind.__name__}")

    async def to_the_end(self) -> list[Event]:
        async with asyncio.timeout(10):
            async for event in self.events:
                self.told.append(event)
        return self.told

    def kinds(self) -> list[str]:
        return [type(event.telling).__name__ for event in self.told]

    def all_of(self, kind: type) -> list[object]:
        return [event.telling for event in self.told if isinstance(event.telling, kind)]


async def test_a_spoken_turn_from_the_first_word_to_the_last_sample() -> None:
    client = Client(ScriptedMind([["Fine, ", "thanks."]]), ScriptedEars(["how are you"]))
    client.send(AUDIO, None)
    told = await client.to_the_end()
    kinds = client.kinds()
    assert kinds[:3] == ["SessionOpened", "StateEntered", "UserTranscript"]
    assert kinds[-2:] == ["TurnFinished", "StateEntered"]
    assert [told.state for told in client.all_of(StateEntered)] == [  # type: ignore[attr-defined]
        State.LISTENING,
        State.THINKING,
        State.SPEAKING,
        State.LISTENING,
    ]
    assert client.all_of(UserTranscript) == [
        UserTranscript("how", False, 0.5, "en"),
        UserTranscript("how are you", True, 1.0, "en"),
    ]
    assert client.all_of(ReplyText) == [ReplyText("Fine, "), ReplyText("thanks.")]
    assert [event.turn_id for event in told if isinstance(event.telling, ReplyAudio)] == ["turn-1", "turn-1"]
    finished = client.all_of(TurnFinished)[0]
    assert isinstance(finished, TurnFinished)
    assert finished.outcome is Outcome.COMPLETED
    assert finished.backends == {Stage.STT: "scripted", Stage.LLM: "scripted", Stage.TTS: "scripted"}


async def test_the_timings_of_a_turn_are_in_their_natural_order() -> None:
    client = Client(ScriptedMind([["Fine, ", "thanks."]]), ScriptedEars(["how are you"]))
    client.send(AUDIO, None)
    await client.to_the_end()
    finished = client.all_of(TurnFinished)[0]
    assert isinstance(finished, TurnFinished)
    timings = finished.timings
    assert timings.endpoint_ms is not None
    assert timings.transcript_ms is not None
    assert timings.first_token_ms is not None
    assert timings.first_audio_ms is not None
    assert timings.reply_complete_ms is not None
    assert timings.first_clause_ms is not None
    assert timings.transcript_ms <= timings.first_token_ms <= timings.first_clause_ms
    assert timings.first_clause_ms <= timings.first_audio_ms <= timings.total_ms
    assert timings.first_token_ms <= timings.reply_complete_ms <= timings.total_ms


async def test_reply_audio_is_numbered_and_placed_without_gaps() -> None:
    client = Client(ScriptedMind([["One. ", "Two. ", "Three."]]), options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("count"), None)
    await client.to_the_end()
    chunks = [chunk for chunk in client.all_of(ReplyAudio) if isinstance(chunk, ReplyAudio)]
    assert [chunk.sequence for chunk in chunks] == [0, 1, 2]
    position = 0
    for chunk in chunks:
        assert chunk.first_sample == position
        position += len(chunk.audio) // 2
    assert [(chunk.span_start, chunk.span_end) for chunk in chunks] == [(0, 5), (5, 10), (10, 16)]


async def test_audio_of_the_first_words_goes_out_before_the_reply_is_written() -> None:
    mind = ScriptedMind([["First, ", "second."]])
    mind.go_on.clear()
    client = Client(mind, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hello"))
    await client.until(ReplyAudio)
    assert not mind.ended.is_set()
    mind.go_on.set()
    client.send(None)
    await client.to_the_end()
    assert client.all_of(ReplyText)[-1] == ReplyText("second.")


async def test_typed_turns_are_answered_one_after_the_other_and_remembered() -> None:
    mind = ScriptedMind([["Bonjour."], ["Encore."]])
    client = Client(mind, options=TEXT_ONLY)
    client.send(TypedText("salut"), TypedText("et encore"), None)
    await client.to_the_end()
    assert mind.prompts[1] == [
        Line(Speaker.SYSTEM, "Be brief."),
        Line(Speaker.USER, "salut"),
        Line(Speaker.ASSISTANT, "Bonjour."),
        Line(Speaker.USER, "et encore"),
    ]
    assert len(client.all_of(TurnFinished)) == 2
    assert client.all_of(ReplyAudio) == []


async def test_an_interrupted_turn_stops_everything_and_keeps_what_was_played() -> None:
    mind = ScriptedMind([["Hello. ", "This is never heard."], ["Yes?"]])
    mind.go_on.clear()
    client = Client(mind, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hi"))
    audio = await client.until(ReplyAudio)
    client.send(Played(audio.turn_id, 1), Interrupt())
    finished = await client.until(TurnFinished)
    assert isinstance(finished.telling, TurnFinished)
    assert finished.telling.outcome is Outcome.INTERRUPTED
    assert client.all_of(Interrupted) == [Interrupted("Hello.")]
    assert mind.ended.is_set()
    assert client.mouth.ended.is_set()
    mind.go_on.set()
    client.send(TypedText("what?"), None)
    await client.to_the_end()
    assert mind.prompts[1][1:] == [
        Line(Speaker.USER, "hi"),
        Line(Speaker.ASSISTANT, "Hello."),
        Line(Speaker.USER, "what?"),
    ]


async def test_what_was_heard_of_a_reply_that_begins_with_a_space() -> None:
    mouth = ScriptedMouth()
    mouth.go_on.clear()
    client = Client(ScriptedMind([[" Hello. ", "More."]]), mouth=mouth, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hi"))
    audio = await client.until(ReplyAudio)
    while len(client.all_of(ReplyText)) < 2:
        await client.until(ReplyText)
    client.send(Played(audio.turn_id, 1), Interrupt())
    await client.until(TurnFinished)
    assert client.all_of(Interrupted) == [Interrupted("Hello.")]


async def test_when_the_mind_is_away_the_user_hears_it_and_the_session_lives() -> None:
    mind = ScriptedMind([[UnavailableError("gone")], ["Back."]])
    client = Client(mind, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hello"))
    finished = await client.until(TurnFinished)
    assert isinstance(finished.telling, TurnFinished)
    assert finished.telling.outcome is Outcome.FAILED
    assert client.all_of(Degraded) == [Degraded(Stage.LLM, "ENGINE_UNAVAILABLE", "gone")]
    assert client.all_of(ReplyText) == [ReplyText("I am sorry.")]
    assert client.all_of(ReplyAudio)
    client.send(TypedText("again"), None)
    await client.to_the_end()
    assert client.all_of(ReplyText)[-1] == ReplyText("Back.")
    assert mind.prompts[1] == [Line(Speaker.SYSTEM, "Be brief."), Line(Speaker.USER, "again")]


async def test_when_the_mouth_is_away_the_text_goes_on() -> None:
    mouth = ScriptedMouth(failure=UnavailableError("mute"))
    client = Client(ScriptedMind([["One. ", "Two."]]), mouth=mouth, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hello"), None)
    await client.to_the_end()
    assert client.all_of(Degraded) == [Degraded(Stage.TTS, "ENGINE_UNAVAILABLE", "mute")]
    assert client.all_of(ReplyText) == [ReplyText("One. "), ReplyText("Two.")]


async def test_a_mouth_that_breaks_after_its_text_has_ended_ends_the_turn_too() -> None:
    mouth = ScriptedMouth(failure_at_end=UnavailableError("mute"))
    mind = ScriptedMind([["My name is Bob."], ["Yes."]])
    client = Client(mind, mouth=mouth, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hello"))
    finished = await client.until(TurnFinished)
    assert isinstance(finished.telling, TurnFinished)
    assert finished.telling.outcome is Outcome.FAILED
    client.send(TypedText("and?"), None)
    await client.to_the_end()
    assert Line(Speaker.ASSISTANT, "My name is Bob.") in mind.prompts[1]  # it was shown, so it is remembered


async def test_a_mind_that_breaks_in_the_middle_is_heard_to() -> None:
    mind = ScriptedMind([["The answer is ", UnavailableError("gone")], ["Yes."]])
    client = Client(mind, options=TEXT_ONLY)
    client.send(TypedText("hello"), TypedText("and?"), None)
    await client.to_the_end()
    texts = [text.delta for text in client.all_of(ReplyText) if isinstance(text, ReplyText)]
    assert texts[:2] == ["The answer is ", " I am sorry."]
    assert Line(Speaker.ASSISTANT, "The answer is") in mind.prompts[1]


async def test_a_blank_reply_does_not_spoil_the_next_prompt() -> None:
    mind = ScriptedMind([["\n"], ["Yes."]])
    client = Client(mind, options=TEXT_ONLY)
    client.send(TypedText("hello"), TypedText("and?"), None)
    await client.to_the_end()
    assert all(line.text.strip() for line in mind.prompts[1])


async def test_an_interruption_before_the_first_word_is_taken() -> None:
    client = Client(ScriptedMind([["Yes."]]), options=TEXT_ONLY)
    client.send(TypedText("hello"), Interrupt())
    finished = await client.until(TurnFinished)
    assert isinstance(finished.telling, TurnFinished)
    assert finished.telling.outcome is Outcome.INTERRUPTED


async def test_ears_that_end_ordinarily_after_the_last_audio_end_the_conversation() -> None:
    ears = ScriptedEars([], ends_with=UnavailableError("idle", reason="STREAM_IDLE"))
    client = Client(ScriptedMind([]), ears)
    client.send(AUDIO, None)
    await client.to_the_end()


async def test_when_the_ears_fail_it_is_told_once_and_they_are_tried_again() -> None:
    ears = ScriptedEars([UnavailableError("deaf"), UnavailableError("deaf"), "hello"])
    client = Client(ScriptedMind([["Hi."]]), ears)
    client.send(AUDIO)
    await client.until(Degraded)

    def spoken_until_heard() -> bool:
        client.send(AUDIO)
        return not ears.script

    await wait_until(spoken_until_heard, "the ears to be tried again")
    await client.until(TurnFinished)
    assert client.all_of(Degraded) == [Degraded(Stage.STT, "ENGINE_UNAVAILABLE", "deaf")]
    assert ears.streams == 3


async def test_the_ears_closing_an_idle_stream_is_no_failure() -> None:
    ears = ScriptedEars([UnavailableError("idle", reason="STREAM_IDLE"), "hello"])
    client = Client(ScriptedMind([["Hi."]]), ears)
    client.send(AUDIO, AUDIO)
    await client.until(TurnFinished)
    assert client.all_of(Degraded) == []


async def test_a_wish_that_the_ears_refuse_ends_the_conversation_with_their_words() -> None:
    client = Client(ScriptedMind([]), ScriptedEars([UnsupportedError("only English is understood")]))
    client.send(AUDIO)
    with pytest.raises(UnsupportedError, match="only English"):
        await client.to_the_end()


async def test_muted_the_ears_hear_silence() -> None:
    ears = ScriptedEars(["one"], bytes_an_utterance=12)
    client = Client(ScriptedMind([["Hi."]]), ears)
    client.send(MicrophoneAudio(b"\x01\x02" * 2), SetMuted(True), MicrophoneAudio(b"\x03\x04" * 2), SetMuted(False))
    client.send(MicrophoneAudio(b"\x05\x06" * 2), None)
    await client.to_the_end()
    assert bytes(ears.audio) == b"\x01\x02" * 2 + bytes(4) + b"\x05\x06" * 2


async def test_end_lets_the_turn_finish() -> None:
    client = Client(ScriptedMind([["One. ", "Two."]]), options=TEXT_ONLY)
    client.send(TypedText("hello"), End(), TypedText("too late"))
    await client.to_the_end()
    assert len(client.all_of(TurnFinished)) == 1


async def test_draining_ends_an_idle_conversation_and_lets_a_turn_finish() -> None:
    client = Client(ScriptedMind([["One. ", "Two."]]), options=TEXT_ONLY)
    client.send(TypedText("hello"))
    await client.until(ReplyText)
    client.draining.set()
    await client.to_the_end()
    finished = client.all_of(TurnFinished)[0]
    assert isinstance(finished, TurnFinished)
    assert finished.outcome is Outcome.COMPLETED


async def test_wrong_input_ends_the_conversation_with_its_own_error() -> None:
    client = Client(ScriptedMind([]), options=TEXT_ONLY)
    client.send(InvalidInputError("text", "it is empty"))
    with pytest.raises(InvalidInputError):
        await client.to_the_end()


async def test_a_client_that_leaves_takes_its_turn_with_it() -> None:
    mind = ScriptedMind([["One. ", "Two."]])
    mind.go_on.clear()
    client = Client(mind, options=replace(OPTIONS, input_rate_hz=None))
    client.send(TypedText("hello"))
    await client.until(ReplyAudio)
    async with aclosing(client.events):
        pass
    assert mind.ended.is_set()
    assert client.mouth.ended.is_set()


async def test_a_client_that_does_not_read_holds_the_reply_up() -> None:
    deltas = ["word "] * 500
    mind = ScriptedMind([deltas])
    client = Client(mind, options=TEXT_ONLY)
    client.send(TypedText("hello"))
    await client.until(ReplyText)
    for _ in range(1000):  # turns of the loop: far more than it would take to write everything
        await asyncio.sleep(0)
    assert not mind.ended.is_set()
    client.send(None)
    await client.to_the_end()
    assert len(client.all_of(ReplyText)) == 500


async def test_the_session_is_told_first_and_its_token_is_new_each_time() -> None:
    tokens = set()
    for _ in range(2):
        client = Client(ScriptedMind([]), options=TEXT_ONLY)
        client.send(None)
        first = (await client.to_the_end())[0].telling
        assert isinstance(first, SessionOpened)
        tokens.add(first.resume_token)
    assert len(tokens) == 2
