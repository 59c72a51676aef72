"""`superwhisper status`: which services serve."""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from client.messages import tr
from client.options import AsJson, common, examples, run
from client.peers import NAMES, Peer
from superwhisper.assistant.v1 import assistant_pb2
from superwhisper.llm.v1 import llm_pb2
from superwhisper.stt.v1 import stt_pb2
from superwhisper.tts.v1 import tts_pb2

EXAMPLES = examples("status", "status --wait 60", "status --json")
_CHECK_LIMIT_S = 2.0
_LOOK_EVERY_S = 0.25
_SERVICES = {
    "assistant": assistant_pb2.DESCRIPTOR.services_by_name["AssistantService"].full_name,
    "stt": stt_pb2.DESCRIPTOR.services_by_name["SttService"].full_name,
    "llm": llm_pb2.DESCRIPTOR.services_by_name["LlmService"].full_name,
    "tts": tts_pb2.DESCRIPTOR.services_by_name["TtsService"].full_name,
}
_SERVING = "SERVING"


@dataclass(frozen=True)
class Health:
    """How one service is."""

    name: str
    address: str
    state: str  # SERVING, NOT_SERVING, or what is wrong in two or three words


def status(
    context: typer.Context,
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Wait so long until all serve.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Tell which of the four services serve. Exit code 0 if all of them do."""
    client = common(context).client()
    healths = run(ask_until(tuple(Peer.of(name, client) for name in NAMES), wait))
    all_serve = _all_serve(healths)
    if as_json:
        answer = {"all_serving": all_serve, "services": [asdict(health) for health in healths]}
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
    else:
        for health in healths:
            sys.stdout.write(f"{health.name:10} {health.address:22} {_told(health.state)}\n")
    if not all_serve:
        raise typer.Exit(1)


async def ask_until(peers: tuple[Peer, ...], wait_s: float) -> list[Health]:
    """Asks again and again until all serve or the time is over."""
    ends = time.monotonic() + wait_s
    channels = [peer.open() for peer in peers]
    try:
        while True:
            healths = await asyncio.gather(*map(_ask, peers, channels))
            if _all_serve(healths) or time.monotonic() + _LOOK_EVERY_S > ends:
                return list(healths)
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


async def _ask(peer: Peer, channel: grpc.aio.Channel) -> Health:
    stub: Any = health_pb2_grpc.HealthStub(channel)  # its type stubs leave the methods out
    request = health_pb2.HealthCheckRequest(service=_SERVICES[peer.name])
    try:
        response = await stub.Check(request, **peer.call_options(_CHECK_LIMIT_S))
    except grpc.aio.AioRpcError as error:
        return Health(peer.name, peer.address, _PROBLEMS.get(error.code(), error.code().name))
    return Health(peer.name, peer.address, health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))


_PROBLEMS = {
    grpc.StatusCode.UNAVAILABLE: "no answer",
    grpc.StatusCode.DEADLINE_EXCEEDED: "no answer",
    grpc.StatusCode.NOT_FOUND: "another service answers there",
    grpc.StatusCode.UNIMPLEMENTED: "another service answers there",
    grpc.StatusCode.UNAUTHENTICATED: "wants a token",
}


def _told(state: str) -> str:
    """The state for people; programs read it as it is."""
    known = {
        _SERVING: tr("SERVING"),
        "NOT_SERVING": tr("NOT_SERVING"),
        "no answer": tr("no answer"),
        "another service answers there": tr("another service answers there"),
        "wants a token": tr("wants a token"),
    }
    return known.get(state, state)


def _all_serve(healths: Iterable[Health]) -> bool:
    return all(health.state == _SERVING for health in healths)
