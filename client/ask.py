"""`superwhisper ask`: one reply of the language model."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from client.ask_reply import JsonReply, ReplyItem, ReplyView, TextReply, reply_item
from client.ask_request import Wishes
from client.config import ClientSection
from client.errors import CommandError
from client.messages import tr
from client.options import Address, AsJson, Language, common, examples, run
from client.peers import Peer
from client.typed import typed_text
from superwhisper.llm.v1 import llm_pb2, llm_pb2_grpc

EXAMPLES = examples(
    'ask "Why is the sky blue?"',
    'ask --system "Answer in French." "Why is the sky blue?"',
    "ask - < letter.txt",
    'ask "Tell me a story." | superwhisper say -',
    'ask --schema town.json --temperature 0 "Which town is the capital of France?"',
    'ask --tools tools.json --json "Will it rain in Lyon tomorrow?"',
)


def ask(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    text: Annotated[str, typer.Argument(help="What to ask; - reads it from stdin.")],
    system: Annotated[str, typer.Option(metavar="TEXT", help="Instructions to the model.")] = "",
    language: Language = "",
    temperature: Annotated[
        float | None, typer.Option(min=0, max=2, metavar="NUMBER", help="0: always the likeliest word.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, max=2**31 - 1, metavar="NUMBER", help="Longest reply, in tokens.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, metavar="NUMBER", help="The same gives the same reply.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A JSON Schema: the reply is JSON that fulfils it.")
    ] = None,
    grammar: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A grammar in GBNF: the reply is what it allows.")
    ] = None,
    tools: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Tools that it may call, a JSON list of {name, description, parameters}."),
    ] = None,
    must_call: Annotated[bool, typer.Option("--must-call", help="Have it call a tool, whatever it would say.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell engine, tokens and times on stderr.")] = False,
    as_json: AsJson = False,
    address: Address = "",
) -> None:
    """Ask the language model something, and read its reply as it is written."""
    wishes = Wishes(temperature, max_tokens, seed, schema, grammar, tools, must_call)
    request = wishes.request()
    client, peer = common(context).peer("llm", address)
    request.language_code = language or client.language_code
    if system:
        request.messages.add(role=llm_pb2.ROLE_SYSTEM, content=system)
    try:
        run(_ask(client, peer, request, text, _view(as_json=as_json, verbose=verbose)))
    except CommandError as error:
        raise wishes.blaming_the_file(error) from error


def _view(*, as_json: bool, verbose: bool) -> ReplyView:
    return JsonReply() if as_json else TextReply(verbose=verbose)


async def _ask(client: ClientSection, peer: Peer, request: llm_pb2.GenerateRequest, text: str, view: ReplyView) -> None:
    if text == "-":
        async with aclosing(typed_text()) as pieces:
            text = "".join([piece async for piece in pieces])
    if not text.strip():
        raise CommandError(tr("there is nothing to ask"))
    request.messages.add(role=llm_pb2.ROLE_USER, content=text)
    async with aclosing(generate(peer, request, client.request_limit_s)) as reply:
        async for item in reply:
            view.show(item)


async def generate(peer: Peer, request: llm_pb2.GenerateRequest, limit_s: float) -> AsyncGenerator[ReplyItem, None]:
    """The reply as it is written, then what it cost."""
    async with peer.open() as channel:
        stub: llm_pb2_grpc.LlmServiceAsyncStub = llm_pb2_grpc.LlmServiceStub(channel)
        call = stub.Generate(request, **peer.call_options(limit_s))
        async with aclosing(peer.responses(call)) as responses:
            async for response in responses:
                item = reply_item(response)
                if item is not None:
                    yield item
