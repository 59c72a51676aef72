"""What the language model is asked beyond words: how to choose its own, the form of the reply, tools.

Forms and tools come out of files. One that is no good is a sentence that names it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.errors import CommandError, reason_of
from client.messages import tr
from superwhisper.llm.v1 import llm_pb2

_MOST_BYTES = 1_000_000  # far beyond what a model can read: such a file was named by mistake
_NO_ARGUMENTS = {"type": "object", "properties": {}}


@dataclass(frozen=True)
class Wishes:
    """How the reply is to be; None leaves it to the service."""

    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    schema: Path | None = None
    grammar: Path | None = None
    tools: Path | None = None
    must_call: bool = False

    def request(self) -> llm_pb2.GenerateRequest:
        """A request for such a reply, without messages yet."""
        given = [f"--{name}" for name in ("schema", "grammar", "tools") if getattr(self, name) is not None]
        if len(given) > 1:
            both = tr(" and ").join(given)
            raise CommandError(tr("{options} ask for replies of different forms: give one of them", options=both))
        if self.must_call and self.tools is None:
            raise CommandError(tr("--must-call needs --tools FILE: what is there to call?"))
        return llm_pb2.GenerateRequest(
            sampling=llm_pb2.SamplingConfig(temperature=self.temperature, max_tokens=self.max_tokens, seed=self.seed),
            response_format=self._form(),
            tools=_read_tools(self.tools) if self.tools else (),
            tool_choice=llm_pb2.TOOL_CHOICE_REQUIRED if self.must_call else llm_pb2.TOOL_CHOICE_UNSPECIFIED,
        )

    def blaming_the_file(self, error: CommandError) -> CommandError:
        """The error, with the file's name where the service found fault with what came out of a file."""
        form, _, _ = error.field.partition("[")
        path = {"response_format": self.schema or self.grammar, "tools": self.tools}.get(form)
        return CommandError(f"{path}: {error}", error.field) if path else error

    def _form(self) -> llm_pb2.ResponseFormat | None:
        if self.schema:
            return llm_pb2.ResponseFormat(json_schema=json.dumps(_read_json(self.schema)))
        if self.grammar:
            return llm_pb2.ResponseFormat(grammar=_read_text(self.grammar))
        return None


def _read_text(path: Path) -> str:
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(tr("{path} cannot be read: {reason}", path=path, reason=reason_of(error))) from error
    except UnicodeDecodeError as error:
        raise CommandError(tr("{path} is no text in UTF-8", path=path)) from error
    if len(content) > _MOST_BYTES:
        raise CommandError(tr("{path} is too long: more than {most} bytes", path=path, most=_MOST_BYTES))
    if not text.strip():
        raise CommandError(tr("{path} is empty", path=path))
    return text


def _read_json(path: Path) -> Any:
    try:
        return json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise CommandError(
            tr(
                "{path} is no JSON: {reason} in line {line}, column {column}",
                path=path,
                reason=error.msg,
                line=error.lineno,
                column=error.colno,
            )
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        raise CommandError(tr("{path} is no JSON that can be read: {reason}", path=path, reason=error)) from error


def _read_tools(path: Path) -> Iterator[llm_pb2.Tool]:
    """A list of {name, description, parameters}, each alone or as OpenAI's {"type": "function", "function": …}."""
    tools = _read_json(path)
    if not isinstance(tools, list) or not tools:
        raise CommandError(tr("{path} must be a list of tools: [{{name, description, parameters}}, …]", path=path))
    for number, tool in enumerate(tools, start=1):
        yield _read_tool(tool, tr("{path}: tool {number}", path=path, number=number))


def _read_tool(tool: Any, where: str) -> llm_pb2.Tool:
    function = tool.get("function", tool) if isinstance(tool, dict) else tool
    if not isinstance(function, dict):
        raise CommandError(tr("{tool} must be an object: {{name, description, parameters}}", tool=where))
    for key in ("name", "description"):
        if not isinstance(function.get(key), str) or not function[key].strip():
            raise CommandError(tr("{tool} has no {key}", tool=where, key=key))
    parameters = function.get("parameters", _NO_ARGUMENTS)
    if not isinstance(parameters, dict):
        raise CommandError(tr("{tool}: its parameters must be a JSON Schema, an object", tool=where))
    return llm_pb2.Tool(
        name=function["name"],
        description=function["description"],
        parameters_json_schema=json.dumps(parameters),
    )
