"""`superwhisper ask`: one reply of the language model."""

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import typer

from client.config import ClientSection
from client.errors import CommandError
from client.options import Address, Language, common, examples, run
from client.peers import Peer
from client.text_view import printable
from client.typed import typed_text
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc

EXAMPLES = examples(
    'ask "Why is the sky blue?"',
    'ask --system "Answer in French." "Why is the sky blue?"',
    "ask - < letter.txt",
    'ask "Tell me a story." | superwhisper say -',
)


@dataclass(frozen=True)
class ReplyEnd:
    """What the reply cost."""

    backend: str
    prompt_tokens: int
    completion_tokens: int
    first_token_ms: float
    total_ms: float


def ask(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What to ask; - reads it from stdin.")],
    system: Annotated[str, typer.Option(metavar="TEXT", help="Instructions to the model.")] = "",
    language: Language = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell engine, tokens and times on stderr.")] = False,
    address: Address = "",
) -> None:
    """Ask the language model something, and read its reply as it is written."""
    client, peer = common(context).peer("llm", address)
    run(_ask(client, peer, text, system, language or client.language_code, verbose=verbose))


async def _ask(client: ClientSection, peer: Peer, text: str, system: str, language_code: str, *, verbose: bool) -> None:
    if text == "-":
        async with aclosing(typed_text()) as pieces:
            text = "".join([piece async for piece in pieces])
    if not text.strip():
        raise CommandError("there is nothing to ask")
    request = llm_pb2.GenerateRequest(messages=_messages(text, system), language_code=language_code)
    async with aclosing(generate(peer, request, client.request_limit_s)) as reply:
        async for item in reply:
            if isinstance(item, str):
                sys.stdout.write(printable(item))
                sys.stdout.flush()
                continue
            sys.stdout.write("\n")
            if verbose:
                sys.stderr.write(_told(item))


def _messages(text: str, system: str) -> list[llm_pb2.Message]:
    instructions = [llm_pb2.Message(role=llm_pb2.ROLE_SYSTEM, content=system)] if system else []
    return [*instructions, llm_pb2.Message(role=llm_pb2.ROLE_USER, content=text)]


async def generate(
    peer: Peer, request: llm_pb2.GenerateRequest, limit_s: float
) -> AsyncGenerator[str | ReplyEnd, None]:
    """The reply as it is written, then what it cost."""
    async with peer.open() as channel:
        stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        call = stub.Generate(request, **peer.call_options(limit_s))
        async with aclosing(peer.responses(call)) as responses:
            async for response in responses:
                kind = response.WhichOneof("event")
                if kind == "text_delta":
                    yield response.text_delta
                elif kind == "finished":
                    yield _end(response.finished)


def _end(finished: llm_pb2.GenerationFinished) -> ReplyEnd:
    return ReplyEnd(
        finished.backend,
        finished.usage.prompt_tokens,
        finished.usage.completion_tokens,
        finished.timings.first_token_ms,
        finished.timings.total_ms,
    )


def _told(end: ReplyEnd) -> str:
    return (
        f"{end.backend}: {end.completion_tokens} tokens after {end.prompt_tokens} read, "
        f"first after {end.first_token_ms:.0f} ms, all after {end.total_ms:.0f} ms\n"
    )
