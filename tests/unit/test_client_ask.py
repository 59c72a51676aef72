"""What `ask` makes of its flags and files, and how it shows a reply."""

import json
from pathlib import Path
from typing import Any

import pytest

from client.ask_reply import JsonReply, ReplyEnd, ReplyItem, ReplyText, ReplyView, TextReply, ToolCall, reply_item
from client.ask_request import Wishes
from client.errors import CommandError
from superwhisper.llm.v1 import llm_pb2

END = ReplyEnd("stop", "mind", 20, 5, 7, 12.5, 80.0)
CALL = ToolCall("call_0", "get_weather", {"town": "Orléans"})
WEATHER = {"name": "get_weather", "description": "Tells the weather.", "parameters": {"type": "object"}}


def written(folder: Path, content: object, name: str = "file.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def shown(view: ReplyView, *items: ReplyItem) -> None:
    for item in items:
        view.show(item)


# --- the request


def test_what_is_not_said_is_left_to_the_service() -> None:
    assert Wishes().request() == llm_pb2.GenerateRequest(sampling=llm_pb2.SamplingConfig())


def test_nothing_is_a_number_too() -> None:
    sampling = Wishes(temperature=0, max_tokens=1, seed=0).request().sampling
    assert sampling == llm_pb2.SamplingConfig(temperature=0, max_tokens=1, seed=0)
    assert sampling.HasField("temperature")
    assert sampling.HasField("seed")


def test_a_schema_and_a_grammar_come_from_files(tmp_path: Path) -> None:
    schema = {"type": "object", "description": "é"}
    form = Wishes(schema=written(tmp_path, schema)).request().response_format
    assert json.loads(form.json_schema) == schema
    form = Wishes(grammar=written(tmp_path, b'root ::= "yes" | "no"\n')).request().response_format
    assert form.grammar == 'root ::= "yes" | "no"\n'


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert Wishes(schema=written(tmp_path, b"\xef\xbb\xbf{}")).request().response_format.json_schema == "{}"


@pytest.mark.parametrize("tool", [WEATHER, {"type": "function", "function": WEATHER}])
def test_tools_in_either_shape(tmp_path: Path, tool: dict[str, Any]) -> None:
    request = Wishes(tools=written(tmp_path, [tool]), must_call=True).request()
    [read] = request.tools
    assert (read.name, read.description) == ("get_weather", "Tells the weather.")
    assert json.loads(read.parameters_json_schema) == {"type": "object"}
    assert request.tool_choice == llm_pb2.TOOL_CHOICE_REQUIRED


def test_a_tool_without_parameters_takes_none(tmp_path: Path) -> None:
    tool = {"name": "now", "description": "Tells the time."}
    [read] = Wishes(tools=written(tmp_path, [tool])).request().tools
    assert json.loads(read.parameters_json_schema) == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"caf\xe9", "is no text in UTF-8"),
        (b"{\n  type: object}", "is no JSON: Expecting property name enclosed in double quotes in line 2, column 3"),
        (b"[" * 100_000, "is no JSON that can be read"),
        (b'"' + b"x" * 1_000_000 + b'"', "is too long: more than 1000000 bytes"),
    ],
)
@pytest.mark.parametrize("flag", ["schema", "tools"])
def test_a_file_that_is_no_json(tmp_path: Path, flag: str, content: bytes, complaint: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(CommandError) as caught:
        Wishes(**{flag: path}).request()  # type: ignore[arg-type]  # a path, for either
    assert str(caught.value).startswith(f"{path} {complaint}")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({}, " must be a list of tools"),
        ([], " must be a list of tools"),
        ([WEATHER, "get_time"], ": tool 2 must be an object"),
        ([{"type": "function", "function": None}], ": tool 1 must be an object"),
        ([{**WEATHER, "name": 7}], ": tool 1 has no name"),
        ([{**WEATHER, "description": " "}], ": tool 1 has no description"),
        ([{**WEATHER, "parameters": "none"}], ": tool 1: its parameters must be a JSON Schema"),
    ],
)
def test_a_file_that_holds_no_tools(tmp_path: Path, content: object, complaint: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(CommandError) as caught:
        Wishes(tools=path).request()
    assert str(caught.value).startswith(f"{path}{complaint}")


def test_forms_that_exclude_each_other(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    with pytest.raises(CommandError, match="--schema and --tools ask for replies of different forms"):
        Wishes(schema=path, tools=path).request()
    with pytest.raises(CommandError, match="--must-call needs --tools"):
        Wishes(must_call=True).request()


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("response_format", "town.json: it is wrong"),
        ("tools[1].name", "tools.json: it is wrong"),
        ("messages", "it is wrong"),
        ("", "it is wrong"),
    ],
)
def test_what_the_service_finds_fault_with_is_laid_to_its_file(field: str, sentence: str) -> None:
    wishes = Wishes(schema=Path("town.json"), tools=Path("tools.json"))
    blamed = wishes.blaming_the_file(CommandError("it is wrong", field))
    assert (str(blamed), blamed.field) == (sentence, field)


# --- the reply


def test_every_message_of_a_reply_is_told() -> None:
    finished = llm_pb2.GenerationFinished(
        finish_reason=llm_pb2.FINISH_REASON_STOP,
        backend="mind",
        usage=llm_pb2.Usage(prompt_tokens=20, cached_prompt_tokens=5, completion_tokens=7),
        timings=llm_pb2.GenerationTimings(queued_ms=1, first_token_ms=12.5, total_ms=80),
    )
    call = llm_pb2.ToolCall(id="call_0", name="get_weather", arguments_json='{"town": "Orléans"}')
    told = [
        reply_item(llm_pb2.GenerateResponse(text_delta="Well")),
        reply_item(llm_pb2.GenerateResponse(tool_call=call)),
        reply_item(llm_pb2.GenerateResponse(finished=finished)),
        reply_item(llm_pb2.GenerateResponse()),  # something that only a newer service says
    ]
    assert told == [ReplyText("Well"), CALL, END, None]


def test_a_call_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    shown(TextReply(), ReplyText("Let me"), ReplyText(" look."), CALL, CALL, END)
    out, err = capsys.readouterr()
    text, *calls, rest = out.split("\n")
    assert (text, rest, err) == ("Let me look.", "", "")
    assert [json.loads(call) for call in calls] == 2 * [
        {"id": "call_0", "name": "get_weather", "arguments": {"town": "Orléans"}}
    ]


def test_the_last_line_ends_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown(TextReply(), ReplyText("Yes.\n"), END)
    shown(TextReply(), ReplyText("No."), END)
    assert capsys.readouterr().out == "Yes.\nNo.\n"


def test_a_reply_cannot_change_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    shown(TextReply(), ReplyText("\x1b[2J"), ToolCall("a", "b", "\x9b2J"), END)
    out, _ = capsys.readouterr()
    assert "\x1b" not in out
    assert "\x9b" not in out


def test_a_reply_that_was_cut_off_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cut = ReplyEnd("length", "mind", 20, 5, 7, 12.5, 80.0)
    shown(TextReply(verbose=True), ReplyText("Once upon"), cut)
    complaint, cost = capsys.readouterr().err.splitlines()
    assert complaint == "the reply was cut off after 7 tokens; --max-tokens says how many it may have"
    assert cost == "mind: 7 tokens after 20 read, of which 5 were known; first after 12 ms, all after 80 ms"


def test_a_program_gets_an_event_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    shown(JsonReply(), ReplyText("Let's\n"), CALL, END)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[:2] == [
        {"event": "reply_text", "delta": "Let's\n"},
        {"event": "tool_call", "id": "call_0", "name": "get_weather", "arguments": {"town": "Orléans"}},
    ]
    assert events[2]["event"] == "finished"
    assert events[2]["finish_reason"] == "stop"
    assert events[2]["cached_prompt_tokens"] == 5
