"""The form of a reply, as the grammar that llama.cpp holds it to: out of a JSON schema, of tools, or of a grammar."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from services.common.errors import InvalidInputError
from services.llm.engine import JsonFormat, ReplyFormat, Tool
from services.llm.gbnf import check_grammar
from services.llm.gbnf_rules import GrammarError
from services.llm.json_text import read_object
from services.llm.schema_check import check_schema, subschemas
from services.llm.tool_dialects import ToolDialect

_MAX_CHARACTERS = 65_536
_MAX_GRAMMAR_CHARACTERS = 1_000_000  # of what is made out of a schema
_MAX_DEPTH = 32
_MAX_COUNT = 1_000  # the converter writes each repetition out
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_PATTERN_COUNT = re.compile(r"\{\s*(\d+)\s*(?:,\s*(\d*)\s*)?\}")
_MAX_PATTERN_CHARACTERS = 512
_FIELD = "response_format"
_NO_OBJECT = {"$ref", "oneOf", "anyOf", "allOf", "const", "enum"}


def to_gbnf(form: ReplyFormat) -> str:
    """The grammar. InvalidInputError where it, or the schema, is broken or more than llama.cpp lives through."""
    if isinstance(form, JsonFormat):
        schema = _read_schema(form.schema, _FIELD)
        return _checked(_grammar_of(schema, _FIELD, is_strict=True), _FIELD, _MAX_GRAMMAR_CHARACTERS)
    return _checked(form.grammar, _FIELD, _MAX_CHARACTERS)


def call_grammar(dialect: ToolDialect, tools: Sequence[Tool]) -> str:
    """The grammar of exactly one call of one of the tools, in the dialect."""
    before, between, after = dialect.frame
    rules = [f"root ::= {_literal(before)} call {_literal(after)}"]
    rules.append("call ::= " + " | ".join(f"call-{index}" for index in range(len(tools))))
    for index, tool in enumerate(tools):
        field = f"tools[{index}].parameters_json_schema"
        schema = _read_schema(tool.parameters_json_schema, field)
        # Of an object's keywords alone, for the converter prefers the others. Nobody promises more than an object here.
        schema = {key: value for key, value in schema.items() if key not in _NO_OBJECT} | {"type": "object"}
        arguments = _renamed(_grammar_of(schema, field, is_strict=False), f"t{index}-")
        rules += [f"call-{index} ::= {_literal(tool.name + between)} t{index}-root", arguments]
    return _checked("\n".join(rules), "tools", _MAX_GRAMMAR_CHARACTERS)


def _checked(grammar: str, field: str, most: int) -> str:
    if len(grammar) > most:
        raise InvalidInputError(field, f"a grammar of {len(grammar)} characters; the limit is {most}")
    try:
        check_grammar(grammar)
    except GrammarError as error:
        raise InvalidInputError(field, f"the grammar cannot be used: {error}") from error
    return grammar


def _read_schema(text: str, field: str) -> dict[str, Any]:
    if len(text) > _MAX_CHARACTERS:
        raise InvalidInputError(field, f"a schema of {len(text)} characters; the limit is {_MAX_CHARACTERS}")
    if text.strip() == "true":
        return {}
    try:
        schema = read_object(text)
    except ValueError as error:
        raise InvalidInputError(field, f"the schema must be a JSON object, or true: {error}") from error
    if any(depth > _MAX_DEPTH for depth in _depths(schema)):
        raise InvalidInputError(field, f"the schema is nested more than {_MAX_DEPTH} deep")
    for part in subschemas(schema):
        _check_bounds(part, field)
    return schema


def _depths(schema: object) -> Iterator[int]:
    """Of every value of the schema."""
    waiting: list[tuple[object, int]] = [(schema, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield depth
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting += [(value, depth + 1) for value in inner]


def _check_bounds(part: dict[str, Any], field: str) -> None:
    for key in _COUNTS:
        if isinstance(value := part.get(key), int | float) and not 0 <= value <= _MAX_COUNT:
            raise InvalidInputError(field, f"{key} is {value}; it must be from 0 to {_MAX_COUNT}")
    pattern = part.get("pattern")
    if not isinstance(pattern, str):
        return
    if len(pattern) > _MAX_PATTERN_CHARACTERS:
        raise InvalidInputError(field, f"a pattern is longer than {_MAX_PATTERN_CHARACTERS} characters")
    counts = [int(number[:9]) for pair in _PATTERN_COUNT.findall(pattern) for number in pair if number]
    if any(number > _MAX_COUNT for number in counts):
        raise InvalidInputError(field, f"a pattern counts beyond {_MAX_COUNT}")


def _grammar_of(schema: dict[str, Any], field: str, *, is_strict: bool) -> str:
    """`is_strict`: what it allows fulfils the whole schema."""
    # Here, because with it comes the library, whose threads read their settings as it is loaded (llama_model.py).
    from services.llm.schema_converter import convert  # noqa: PLC0415

    try:
        if is_strict:
            check_schema(schema)
        return convert(schema)
    except (AssertionError, ValueError) as error:  # what it has sentences for
        raise InvalidInputError(field, f"the schema cannot be used: {str(error)[:200]}") from error
    except Exception as error:  # it has no error of its own: look-ups and attributes fail
        raise InvalidInputError(field, "the schema cannot be used: it is broken, or has too much in it") from error


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"' if text else ""


def _renamed(grammar: str, prefix: str) -> str:
    """The grammar with other names for its rules."""
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|\{[^}]*\}|[a-zA-Z0-9-]+|.', grammar, re.DOTALL)
    return "".join(prefix + part if re.fullmatch(r"[a-zA-Z0-9-]+", part) else part for part in parts)
