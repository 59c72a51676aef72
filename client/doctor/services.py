"""Each service's health, and how long a first reply takes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from client.conversation import Conversation, ConversationOptions
from client.doctor.check import Finding, not_applicable, ok, problem, warning
from client.errors import CommandError
from client.events import Degraded, Event, Outcome, TurnFinished, TypedText
from client.messages import tr
from client.peers import Peer
from client.status import Health, ask_until
from services.common.security import is_loopback

_SERVING = "SERVING"
_SILENT = "no answer"
_PROMISED_S = 5.0  # a first reply that is not complete by then is one that people do not wait for
_LONGEST_S = 30.0


async def look_at_services(
    peers: Sequence[Peer], language_code: str, longest_s: float = _LONGEST_S
) -> Sequence[Finding]:
    """How they are; and where the assistant serves, what a typed turn gets."""
    healths = await ask_until(tuple(peers), 0)
    if all(health.state == _SILENT and _is_here(health.address) for health in healths):
        found = tr("none of the services runs; they may be started now")
        return [warning(tr("services"), found, tr("make run, or: {command}", command="docker compose up"))]
    findings = [_health(health) for health in healths]
    serving = [peer for peer, health in zip(peers, healths, strict=True) if health.state == _SERVING]
    assistant = next((peer for peer in serving if peer.name == "assistant"), None)
    if assistant is None:
        return [*findings, not_applicable(tr("first reply"), tr("the assistant does not serve"))]
    return [*findings, await _first_reply(assistant, language_code, longest_s)]


def _health(health: Health) -> Finding:
    name, found = health.name, f"{tr(health.state)}, {health.address}"
    mends = {
        "NOT_SERVING": tr(
            "it loads its models, or none of its engines works: wait (superwhisper status --wait 60), then read its log"
        ),
        _SILENT: tr("make run, or: {command}", command="docker compose up")
        if _is_here(health.address)
        else tr("check the address, the network, and credentials.tls_ca of client.{name}", name=name),
        "another service answers there": tr("mend client.{name}.address in the settings", name=name),
        "wants a token": tr("name its file in client.{name}.credentials.token_file", name=name),
    }
    if health.state == _SERVING:
        return ok(name, found)
    return problem(name, found, mends.get(health.state, tr("read the log of that service")))


async def _first_reply(peer: Peer, language_code: str, longest_s: float) -> Finding:
    """A typed turn without sound, so that nothing has to be played: how long the mind takes, through the assistant."""
    name = tr("first reply")
    mend = tr("superwhisper status; the log of the mind says what keeps it")
    conversation = Conversation(peer, ConversationOptions(language_code=language_code), longest_s, try_for_s=0)
    try:
        async with asyncio.timeout(longest_s), aclosing(conversation.events()) as events:
            await conversation.give(TypedText(tr("Hello!")))
            return await _judged(name, events, mend)
    except TimeoutError:
        return problem(name, tr("none within {limit:g} s", limit=longest_s), mend)
    except CommandError as error:
        return problem(name, str(error), mend)


async def _judged(name: str, events: AsyncGenerator[Event, None], mend: str) -> Finding:
    trouble = ""
    async for event in events:
        match event.what:
            case Degraded(message=message):
                trouble = message
            case TurnFinished(outcome=outcome) as finished if outcome is not Outcome.COMPLETED or trouble:
                return problem(name, trouble or tr("the turn was not completed"), mend)
            case TurnFinished() as finished:
                return _by_time(name, finished)
    return problem(name, tr("the assistant ended the conversation"), mend)


def _by_time(name: str, finished: TurnFinished) -> Finding:
    times, engine = finished.timings_ms, finished.backends.get("llm", "?")
    complete_s = times.get("reply_complete", times["total"]) / 1000
    first_s = times.get("first_token", times["total"]) / 1000
    found = tr(
        "first word after {first:.2f} s, complete after {complete:.2f} s, by {engine}",
        first=first_s,
        complete=complete_s,
        engine=engine,
    )
    if complete_s < _PROMISED_S:
        return ok(name, found)
    return warning(name, found, tr("use a smaller model: {other}", other="--profile embedded"))


def _is_here(address: str) -> bool:
    return is_loopback(address.rpartition(":")[0])
