"""`superwhisper ask` as a real process that asks the real mind for more than words."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.chat_templates import QWEN_2_5
from tests.support.client_command import superwhisper
from tests.support.llm import small_model
from tests.support.servers import Child, child_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOWN = {
    "type": "object",
    "properties": {"town": {"type": "string", "maxLength": 20}},
    "required": ["town"],
    "additionalProperties": False,
}
WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of a town.",
    "parameters": {"type": "object", "properties": {"town": {"enum": ["Paris", "Lyon"]}}, "required": ["town"]},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mind(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    """The embedded model, with a chat template that knows tools."""
    template = tmp_path_factory.mktemp("templates") / "tools.jinja"
    template.write_text(QWEN_2_5, encoding="utf-8")
    models = {"small": {"model": small_model(), "chat_template": str(template)}}
    async with child_service("llm", "--llm.engines", '["small"]', "--llm.llama_cpp", json.dumps(models)) as child:
        yield child


def written(folder: Path, content: object) -> Path:
    path = folder / "file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


async def test_a_seed_gives_the_same_reply_and_its_length_is_kept(mind: Child) -> None:
    arguments = ("ask", "Tell me a story.", "--temperature", "1.5", "--seed", "7", "--max-tokens", "8", "--json")
    first = await superwhisper(*arguments, "--address", mind.address)
    again = await superwhisper(*arguments, "--address", mind.address)
    assert (first.code, first.err) == (0, "")
    assert first.events("reply_text") == again.events("reply_text")
    [finished] = first.events("finished")
    assert (finished["finish_reason"], finished["completion_tokens"]) == ("length", 8)
    assert finished["backend"] == "small"


async def test_a_reply_that_is_cut_off_says_what_allows_more(mind: Child) -> None:
    ended = await superwhisper("ask", "Tell me a story.", "--max-tokens", "4", "--address", mind.address)
    assert ended.code == 0
    assert ended.err == "the reply was cut off after 4 tokens; --max-tokens says how many it may have\n"


async def test_a_reply_fulfils_the_schema(mind: Child, tmp_path: Path) -> None:
    arguments = ("--schema", written(tmp_path, TOWN), "--temperature", "0")
    ended = await superwhisper("ask", "Where is the Louvre?", *arguments, "--address", mind.address)
    assert (ended.code, ended.err) == (0, "")
    assert list(json.loads(ended.out)) == ["town"]


async def test_a_reply_is_what_the_grammar_allows(mind: Child, tmp_path: Path) -> None:
    grammar = written(tmp_path, 'root ::= "perhaps" | "never"')
    ended = await superwhisper("ask", "Is the sky blue?", "--grammar", grammar, "--address", mind.address)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out in {"perhaps\n", "never\n"}


async def test_a_call_is_a_line_of_json(mind: Child, tmp_path: Path) -> None:
    arguments = ("--tools", written(tmp_path, [WEATHER]), "--must-call", "--temperature", "0")
    ended = await superwhisper("ask", "Will it rain in Lyon?", *arguments, "--address", mind.address)
    assert (ended.code, ended.err) == (0, "")
    call = json.loads(ended.out)
    assert call["name"] == "get_weather"
    assert call["arguments"]["town"] in {"Paris", "Lyon"}
    assert call["id"]


async def test_a_program_is_told_why_the_reply_ended(mind: Child, tmp_path: Path) -> None:
    tools = written(tmp_path, [{"type": "function", "function": WEATHER}])
    arguments = ("--tools", tools, "--must-call", "--temperature", "0", "--json")
    ended = await superwhisper("ask", "Will it rain in Lyon?", *arguments, "--address", mind.address)
    [call], [finished] = ended.events("tool_call"), ended.events("finished")
    assert call["name"] == "get_weather"
    assert finished["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("flag", "content", "complaint"),
    [
        ("--grammar", "root := 1", "response_format"),
        ("--schema", {"type": "no such type"}, "response_format"),
        ("--tools", [{**WEATHER, "name": "get weather"}], "tools[0].name"),
    ],
)
async def test_a_file_that_the_mind_cannot_use_is_named(
    mind: Child, tmp_path: Path, flag: str, content: object, complaint: str
) -> None:
    path = written(tmp_path, content)
    ended = await superwhisper("ask", "Hello", flag, path, "--address", mind.address)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"error: {path}: the language model (llm) at {mind.address}: {complaint}: ")
    assert ended.err.count("\n") == 1


async def test_a_file_that_is_not_there_asks_nobody(tmp_path: Path) -> None:
    ended = await superwhisper("ask", "Hello", "--tools", tmp_path / "tools.json", "--address", "127.0.0.1:1")
    assert (ended.code, ended.err) == (1, f"error: {tmp_path}/tools.json cannot be read: No such file or directory\n")


async def test_a_length_that_nobody_writes_is_refused_by_its_limit(mind: Child) -> None:
    ended = await superwhisper("ask", "Hello", "--max-tokens", "100000", "--address", mind.address)
    assert ended.code == 1
    assert "sampling.max_tokens: 100000 tokens; the limit is 1024" in ended.err
