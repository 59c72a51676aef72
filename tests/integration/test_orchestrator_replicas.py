"""The connections to the stages, over real sockets and to real processes: who is asked, and who takes over."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

import grpc
import pytest
from prometheus_client import CollectorRegistry

from services.common.channels import Connection
from services.common.errors import CallError, InvalidInputError, LimitExceededError, SettingsError, UnavailableError
from services.common.lifecycle import Service
from services.common.settings import load
from services.common.tasks import cancel_and_wait
from services.orchestrator.clients import GrpcEars
from services.orchestrator.config import OrchestratorSection, OrchestratorSettings
from services.orchestrator.peers import Peers
from services.orchestrator.ports import (
    EarsReady,
    Line,
    Speaker,
    SpeechEnded,
    SpeechHeard,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Stage,
    Voice,
)
from services.orchestrator.text_flow import TextFlow
from superwhisper.stt.v1 import stt_pb2
from superwhisper.tts.v1 import tts_pb2
from tests.support.scripted import Context, Requests, for_ever, nothing, scripted_service
from tests.support.servers import Child, child_service, free_port, loopback, serving
from tests.support.waiting import BOUND_S, wait_for, wait_until

VOICE = Voice("", "en", 16_000)
# What keepalive and ping time-out come to, many times over; without them it is a minute.
FROZEN_BOUND_S = 12.0
Speech = AsyncGenerator[tts_pb2.StreamingSynthesizeResponse, None]
Hearing = AsyncGenerator[stt_pb2.StreamingRecognizeResponse, None]
Heard = stt_pb2.StreamingRecognizeResponse


class Net:
    """The orchestrator's side: all stages at these addresses, nobody where none is given."""

    def __init__(self, **addresses: str) -> None:
        section = load(OrchestratorSettings, ["--profile", "embedded"]).orchestrator
        nobody = f"127.0.0.1:{free_port()}"
        stages = {
            stage: getattr(section, stage).model_copy(update={"address": addresses.get(stage, nobody)})
            for stage in ("stt", "llm", "tts")
        }
        self.section: OrchestratorSection = section.model_copy(update=stages)
        self.registry = CollectorRegistry()
        self.peers = Peers(self.section, self.registry)

    async def say(self, text: str = "Hello.") -> str:
        """Speaks, and tells which engine did."""
        flow = TextFlow(text)
        flow.end()
        backends = [chunk.backend async for chunk in self.peers.stages().mouth.speak(flow, VOICE)]
        return backends[0] if backends else ""

    async def until_said_by(self, backend: str) -> None:
        """Speaks until this one does it, through failures."""

        async def is_said() -> bool:
            try:
                return await self.say() == backend
            except CallError:
                return False

        await wait_for(is_said, f"{backend} to speak")

    async def fail(self) -> CallError:
        with pytest.raises(CallError) as caught:
            await self.say()
        return caught.value

    def metric(self, name: str, address: str) -> float:
        return self.registry.get_sample_value(name, {"stage": "tts", "address": address}) or 0.0

    def failures(self, address: str) -> float:
        return self.metric("pipeline_replica_failures_total", address)

    def serves(self, address: str) -> bool:
        return self.metric("pipeline_replica_serving", address) == 1

    def is_open(self, address: str) -> bool:
        return self.metric("pipeline_replica_breaker_open", address) == 1


@contextlib.asynccontextmanager
async def connected(*, watched: bool = False, **addresses: str) -> AsyncIterator[Net]:
    """As the process has them; where `watched`, their health is followed."""
    net = Net(**addresses)
    watching = asyncio.create_task(net.peers.keep_up() if watched else nothing())
    try:
        yield net
    finally:
        await cancel_and_wait(watching)
        await net.peers.close()


class Mouth:
    """A mouth over the wire that counts how often it is asked; `failure` ends each call before its first audio."""

    def __init__(self, name: str, failure: CallError | None = None) -> None:
        self.name = name
        self.failure = failure
        self.asked = 0
        self.received: list[str] = []

    async def __call__(self, requests: Requests, context: Context) -> Speech:
        self.asked += 1
        async for request in requests:
            self.received.append(request.WhichOneof("payload") or "")
            if self.failure is not None:
                raise self.failure
            if request.HasField("text_delta"):
                chunk = tts_pb2.AudioChunk(audio=b"\0\0", backend=self.name)
                yield tts_pb2.StreamingSynthesizeResponse(audio=chunk)


@contextlib.asynccontextmanager
async def mouths(*handlers: Mouth) -> AsyncIterator[str]:
    """Serves each; their addresses, in this order."""
    async with contextlib.AsyncExitStack() as exits:
        services = [scripted_service(duplex=handler) for handler in handlers]
        yield ",".join([await exits.enter_async_context(serving(service)) for service in services])


# How often whom


async def test_one_alone_that_fails_is_asked_twice_not_four_times() -> None:
    """gRPC's own retry would ask twice for each of our tries."""
    mouth = Mouth("a", UnavailableError("not now"))
    async with mouths(mouth) as address, connected(tts=address) as net:
        error = await net.fail()
    assert mouth.asked == 2
    assert error.status is grpc.StatusCode.UNAVAILABLE
    assert error.message == "tts: not now"


async def test_each_of_two_that_fail_is_asked_once() -> None:
    first, second, third = (Mouth(name, UnavailableError("not now")) for name in "abc")
    async with mouths(first, second, third) as addresses, connected(tts=addresses) as net:
        await net.fail()
    assert [first.asked, second.asked, third.asked] == [1, 1, 0]


async def test_what_the_caller_did_wrong_is_raised_at_once() -> None:
    first, second = Mouth("a", InvalidInputError("voice", "odd")), Mouth("b")
    async with mouths(first, second) as addresses, connected(tts=addresses) as net:
        error = await net.fail()
    assert (error.status, error.field, error.message) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "voice",
        "tts: voice: odd",
    )
    assert [first.asked, second.asked] == [1, 0]


async def test_one_that_is_full_passes_the_call_on() -> None:
    first, second = Mouth("a", LimitExceededError("full")), Mouth("b")
    async with mouths(first, second) as addresses, connected(tts=addresses) as net:
        for _ in range(4):
            assert await net.say() == "b"
        assert net.failures(addresses.split(",")[0]) == 0
    assert first.asked == 4


async def test_once_its_breaker_is_open_nobody_is_asked() -> None:
    mouth = Mouth("a", UnavailableError("not now"))
    async with mouths(mouth) as address, connected(tts=address) as net:
        await net.fail()
        await net.fail()
        assert net.is_open(address)
        assert (await net.fail()).detailed_reason == "BREAKER_OPEN"
    assert mouth.asked == 3


async def test_nobody_at_the_address() -> None:
    async with connected() as net:
        error = await net.fail()
    assert (error.detailed_reason, error.message) == ("CONNECTION_LOST", "tts does not answer")


async def test_the_mouth_is_called_before_there_is_any_text() -> None:
    mouth = Mouth("a")
    text = TextFlow()
    async with (
        mouths(mouth) as address,
        connected(tts=address) as net,
        aclosing(net.peers.stages().mouth.speak(text, VOICE)) as chunks,
    ):
        first = asyncio.create_task(anext(chunks))
        await wait_until(lambda: mouth.received == ["config"], "the configuration")
        text.append("Hello.")
        assert (await first).backend == "a"


# Health


async def test_one_that_does_not_serve_is_asked_last_and_first_again_when_it_does() -> None:
    serves = asyncio.Event()
    first, second = Mouth("a"), Mouth("b")
    async with contextlib.AsyncExitStack() as exits:
        away = scripted_service(duplex=first, ready=serves.is_set)
        address = await exits.enter_async_context(serving(away, until_serving=False))
        other = await exits.enter_async_context(serving(scripted_service(duplex=second)))
        net = await exits.enter_async_context(connected(watched=True, tts=f"{address},{other}"))
        await net.until_said_by("b")
        serves.set()
        await net.until_said_by("a")
        assert await net.say() == "a"


async def test_one_of_each_is_enough_to_begin_with() -> None:
    async with mouths(Mouth("a")) as address:
        nobody = f"127.0.0.1:{free_port()}"
        async with connected(stt=address, llm=address, tts=f"{nobody},{address}") as net, asyncio.timeout(BOUND_S):
            await net.peers.wait_until_serving()


async def test_as_long_as_a_stage_is_missing_it_does_not_begin() -> None:
    port = free_port()
    async with mouths(Mouth("a")) as address, connected(stt=address, llm=address, tts=f"127.0.0.1:{port}") as net:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await net.peers.wait_until_serving()
        async with serving(scripted_service(), loopback(port=port)), asyncio.timeout(BOUND_S):
            await net.peers.wait_until_serving()


async def test_the_engines_of_all_replicas_are_told_and_none_where_nobody_answers() -> None:
    async with child_service("tts", "--tts.engines", '["tone"]') as one, mouths(Mouth("a")) as other:
        nobody = f"127.0.0.1:{free_port()}"
        async with connected(tts=f"{nobody},{one.address},{other}") as net:
            engines = await net.peers.engines()
    assert [engine.name for engine in engines[Stage.TTS] or []] == ["tone"]  # the scripted one has none
    assert engines[Stage.STT] is None


async def test_a_wrong_address_is_named_at_the_start() -> None:
    with pytest.raises(SettingsError, match=r"orchestrator\.tts\.address: .*write a:1, without grpc://"):
        load(OrchestratorSettings, ["--orchestrator.tts.address", "grpc://a:1"])


# Faults of real processes


@contextlib.asynccontextmanager
async def _speaking(net: Net) -> AsyncIterator["asyncio.Task[None]"]:
    """A reply whose first audio came, and that goes on."""
    text = TextFlow("Hello there. ")

    async def to_the_end() -> None:
        async with aclosing(net.peers.stages().mouth.speak(text, VOICE)) as chunks:
            async for _ in chunks:
                has_begun.set()

    has_begun = asyncio.Event()
    task = asyncio.create_task(to_the_end())
    try:
        await wait_until(lambda: has_begun.is_set() or task.done(), "the first audio")
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def _child_and_spare(*, watched: bool = False) -> AsyncIterator[tuple[Child, Net]]:
    """A real mouth that has spoken, and a scripted one that can take over."""
    async with (
        child_service("tts", "--tts.engines", '["tone"]') as child,
        mouths(Mouth("spare")) as other,
        connected(watched=watched, tts=f"{child.address},{other}") as net,
    ):
        await net.until_said_by("tone")
        yield child, net


@pytest.mark.parametrize("fault", [Child.kill, Child.freeze], ids=["killed", "frozen"])
async def test_a_process_that_dies_or_freezes_ends_its_call_and_the_other_takes_the_next(
    fault: Callable[[Child], None],
) -> None:
    async with _child_and_spare(watched=True) as (child, net):
        async with _speaking(net) as reply:
            fault(child)
            with pytest.raises(CallError, match="tts does not answer") as caught:
                async with asyncio.timeout(FROZEN_BOUND_S):
                    await reply
        assert caught.value.detailed_reason == "CONNECTION_LOST"
        for _ in range(3):
            assert await net.say() == "spare"
        assert net.failures(child.address) == 1  # nobody had to wait for it again


@pytest.mark.parametrize("fault", [Child.kill, Child.freeze], ids=["killed", "frozen"])
async def test_its_health_tells_of_it_before_anybody_has_to_ask(fault: Callable[[Child], None]) -> None:
    async with _child_and_spare(watched=True) as (child, net):
        await wait_until(lambda: net.serves(child.address), "its health")
        fault(child)
        await wait_until(lambda: not net.serves(child.address), "the news", FROZEN_BOUND_S)
        assert await net.say() == "spare"
        assert net.failures(child.address) == 0


@pytest.mark.parametrize("fault", [Child.kill, Child.freeze], ids=["killed", "frozen"])
async def test_before_the_first_audio_the_other_takes_over(fault: Callable[[Child], None]) -> None:
    text = TextFlow()
    async with _child_and_spare() as (child, net), aclosing(net.peers.stages().mouth.speak(text, VOICE)) as chunks:
        first = asyncio.create_task(anext(chunks))
        fault(child)
        text.append("Hello.")
        async with asyncio.timeout(FROZEN_BOUND_S):
            assert (await first).backend == "spare"


async def test_a_process_that_is_back_is_asked_again_though_its_breaker_was_open() -> None:
    port = free_port()
    arguments = ("--tts.engines", '["tone"]')
    address = f"127.0.0.1:{port}"
    async with connected(watched=True, tts=address) as net, asyncio.timeout(3 * BOUND_S):
        async with child_service("tts", *arguments, port=port) as child:
            await net.until_said_by("tone")
            child.kill()
            while not net.is_open(address):
                await net.fail()
        async with child_service("tts", *arguments, port=port):
            await wait_until(lambda: not net.is_open(address), "the breaker to close")
            assert await net.say() == "tone"


# The ears


HeardRequests = AsyncIterator[stt_pb2.StreamingRecognizeRequest]


@contextlib.asynccontextmanager
async def ears(hear: Callable[[HeardRequests], Hearing]) -> AsyncIterator[str]:
    """Serves ears that a test writes; they only listen to streams."""

    def stream(requests: HeardRequests, context: Context) -> Hearing:
        return hear(requests)

    descriptor = stt_pb2.DESCRIPTOR.services_by_name["SttService"]
    method = grpc.stream_stream_rpc_method_handler(
        stream,
        request_deserializer=stt_pb2.StreamingRecognizeRequest.FromString,
        response_serializer=Heard.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(descriptor.full_name, {"StreamingRecognize": method})
    service = Service(
        descriptor=descriptor,
        register=lambda server: server.add_generic_rpc_handlers((handler,)),
        limits={},
        start=nothing,
        ready=lambda: True,
        keep_up=for_ever,
        close=nothing,
        registry=CollectorRegistry(),
    )
    async with serving(service, loopback()) as address:
        yield address


async def _audio() -> AsyncGenerator[bytes, None]:
    for number in range(1, 4):
        yield bytes([number, 0])


READY = Heard(ready=stt_pb2.StreamReady(backend="scripted"))


async def test_all_that_ears_tell() -> None:
    partial = stt_pb2.Transcript(utterance_id=1, text="good", tentative_text="mourning", stability=0.5, backend="x")
    eager = stt_pb2.Transcript(utterance_id=1, text="good morning", language_code="en", backend="x")
    final = stt_pb2.Transcript(
        utterance_id=1, text="Good morning", is_final=True, stability=1, language_code="en", backend="x"
    )
    told = [
        READY,
        Heard(speech_started=stt_pb2.SpeechStarted(utterance_id=1, start_ms=10)),
        Heard(transcript=partial),
        Heard(speech_paused=stt_pb2.SpeechPaused(utterance_id=1, end_ms=900, eager_transcript=eager)),
        Heard(speech_resumed=stt_pb2.SpeechResumed(utterance_id=1, resumed_ms=1000)),
        Heard(speech_paused=stt_pb2.SpeechPaused(utterance_id=1, end_ms=1200)),
        Heard(transcript=final),
        Heard(utterance_ended=stt_pb2.UtteranceEnded(utterance_id=1, end_ms=1200, endpoint_ms=1500)),
        Heard(),  # of a kind that these ears do not know yet
    ]

    async def hear(requests: HeardRequests) -> Hearing:
        for response in told:
            yield response

    async with ears(hear) as address, connected(stt=address) as net:
        events = [event async for event in net.peers.stages().ears.listen(_audio(), 16_000, "en")]
    assert events == [
        EarsReady("scripted"),
        SpeechStarted(1, 10),
        SpeechHeard(1, "good", False, 0.5, "", "x", "mourning"),
        SpeechPaused(1, 900, SpeechHeard(1, "good morning", False, 0, "en", "x")),
        SpeechResumed(1),
        SpeechPaused(1, 1200, None),
        SpeechHeard(1, "Good morning", True, 1, "en", "x"),
        SpeechEnded(1, 1200, 1500),
    ]


async def test_audio_is_kept_until_somebody_is_ready_for_it() -> None:
    heard = bytearray()

    async def refuse(requests: HeardRequests) -> Hearing:
        async for _ in requests:
            raise UnavailableError("no engine")
        yield READY

    async def hear(requests: HeardRequests) -> Hearing:
        assert (await anext(requests)).config.interim_results
        yield READY
        async for request in requests:
            heard.extend(request.audio)

    async with ears(refuse) as first, ears(hear) as second, connected(stt=f"{first},{second}") as net:
        events = [event async for event in net.peers.stages().ears.listen(_audio(), 16_000, "en")]
    assert events == [EarsReady("scripted")]
    assert bytes(heard) == b"\1\0\2\0\3\0"


async def test_ears_take_no_audio_before_they_are_ready() -> None:
    is_ready, taken = asyncio.Event(), []

    async def hear(requests: HeardRequests) -> Hearing:
        await anext(requests)
        has_config.set()
        await is_ready.wait()
        yield READY
        async for _ in requests:
            pass

    async def audio() -> AsyncGenerator[bytes, None]:
        taken.append(is_ready.is_set())
        yield b"\0\0"

    has_config = asyncio.Event()
    async with ears(hear) as address, Connection(address).open() as channel:
        listener = GrpcEars(Connection(address), channel, 60, 64)
        listening = asyncio.create_task(_all(listener.listen(audio(), 16_000, "")))
        await has_config.wait()
        is_ready.set()
        assert await listening == [EarsReady("scripted")]
    assert taken == [True]


async def _all(events: AsyncIterator[object]) -> list[object]:
    return [event async for event in events]


async def test_the_mind_reads_the_lines_it_is_given() -> None:
    async with child_service("llm", "--llm.engines", '["fixed-reply"]') as child, connected(llm=child.address) as net:
        mind = net.peers.stages().mind
        deltas = [delta async for delta in mind.reply("c", [Line(Speaker.USER, "Bonjour")], "fr")]
    assert "Bonjour" in "".join(delta for delta in deltas if isinstance(delta, str))
