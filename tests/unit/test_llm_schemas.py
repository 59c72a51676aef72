"""services/llm/schema_check.py, patterns.py and schema_converter.py: replies that fulfil a schema, and refusals."""

import json
from collections.abc import Iterator

import pytest

from services.common.errors import InvalidInputError
from services.llm.engine import JsonFormat
from services.llm.formats import to_gbnf
from tests.support.grammar_judge import Judge

NAME = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
LIST = {"type": "array", "items": {"type": "string"}}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    of = Judge()
    yield of
    of.close()


def grammar(schema: object) -> str:
    return to_gbnf(JsonFormat(json.dumps(schema)))


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "integer", "minimum": 3}, "minimum is not honoured here"),
        ({"type": "number", "exclusiveMaximum": 3}, "exclusiveMaximum is not honoured here"),
        ({"type": "integer", "multipleOf": 5}, "multipleOf is not honoured here"),
        (LIST | {"uniqueItems": True}, "uniqueItems is not honoured here beside items"),
        (LIST | {"contains": {"const": "x"}}, "contains is not honoured here"),
        (LIST | {"prefixItems": [{}]}, "prefixItems is not honoured here"),
        ({"type": "array", "minItems": 2}, "minItems is not honoured here"),
        ({"type": "array", "items": {}}, "items must say what they are"),
        ({"prefixItems": [{"type": "null"}], "minItems": 2}, "minItems is not honoured here beside prefixItems"),
        (LIST | {"minItems": 2, "maxItems": 1}, "maxItems is below minItems"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, "maxLength is below minLength"),
        (NAME | {"minProperties": 3}, "minProperties is not honoured here beside properties"),
        (NAME | {"maxProperties": 3}, "maxProperties is not honoured here"),
        (NAME | {"patternProperties": {"^x": {}}}, "patternProperties is not honoured here"),
        (NAME | {"propertyNames": {"maxLength": 2}}, "propertyNames is not honoured here"),
        (NAME | {"dependentRequired": {"a": ["b"]}}, "dependentRequired is not honoured here"),
        (NAME | {"not": {"required": ["a"]}}, "not is not honoured here"),
        (NAME | {"if": {"const": 1}}, "if is not honoured here"),
        (NAME | {"anyOf": [{"required": ["a"]}]}, "is not honoured here beside anyOf"),
        (NAME | {"allOf": [NAME]}, "allOf is not honoured here beside properties"),
        (NAME | {"additionalProperties": {"type": "null"}}, "additionalProperties is not honoured beside properties"),
        (NAME | {"required": ["b"]}, "required names 'b'"),
        ({"type": "object", "required": ["b"]}, "required is not honoured here"),
        ({"allOf": [{"type": "string"}]}, "allOf is honoured for objects"),
        ({"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {"enum": ["a"]}}}, "allOf is honoured for objects"),
        ({"allOf": [NAME, NAME]}, "allOf has a property twice"),
        ({"type": ["string", "null"], "maxLength": 5}, "maxLength is not honoured here"),
        ({"type": "string", "enum": ["a", 1]}, "not of type string"),
        ({"type": "integer", "const": True}, "not of type integer"),
        ({"type": "value"}, "there is no type 'value'"),
        ({"type": "string", "pattern": "^a+$", "maxLength": 3}, "maxLength is not honoured here beside pattern"),
        ({"type": "string", "format": "email"}, "format is not honoured here"),
        ({"$ref": "#/$defs/x", "minLength": 1, "$defs": {"x": {"type": "string"}}}, "beside \\$ref"),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer", "minimum": 1}}}, "minimum is not honoured here"),
        ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 1}]}, "minimum is not honoured here"),
    ],
)
def test_what_a_reply_would_not_fulfil_is_refused(schema: object, why: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^response_format: the schema cannot be used: .*{why}"):
        grammar(schema)
    with pytest.raises(InvalidInputError, match=why):
        grammar({"type": "object", "properties": {"deep": {"type": "array", "items": schema}}} | _definitions(schema))


def _definitions(schema: object) -> dict[str, object]:
    return {"$defs": schema["$defs"]} if isinstance(schema, dict) and "$defs" in schema else {}


@pytest.mark.parametrize(
    ("schema", "good"),
    [
        (NAME | {"title": "A", "default": {"a": 1}, "examples": [{"minItems": -1}], "$comment": "c"}, '{"a":"b"}'),
        (
            NAME | {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "deprecated": True},
            '{"a":""}',
        ),
        (NAME | {"additionalProperties": False, "minProperties": 0}, '{"a":"b"}'),
        (LIST | {"uniqueItems": False, "minItems": 0, "readOnly": True}, '["a"]'),
        ({"const": {"minItems": -1, "pattern": "x" * 600, "$comment": 1}}, None),
        ({"enum": [{"maxLength": 5000, "minimum": 1}]}, '{"maxLength": 5000, "minimum": 1}'),
        ({"type": "string", "default": {"maxLength": 5000}}, '"a"'),
        ({"type": ["string", "null"], "description": "a"}, "null"),
        ({"type": "null", "const": None}, "null"),
        ({"prefixItems": [{"type": "null"}], "items": False}, "[null]"),
        ({"allOf": [NAME, {"properties": {"b": {"type": "null"}}}]}, '{"a":"","b":null}'),
        ({"oneOf": [NAME, {"type": "null"}], "discriminator": {"propertyName": "a"}}, "null"),
        ({"properties": {"minimum": {"type": "integer"}, "$defs": {"type": "null"}}}, '{"minimum":7,"$defs":null}'),
    ],
)
def test_what_demands_nothing_is_welcome(judge: Judge, schema: dict[str, object], good: str | None) -> None:
    assert judge.lets_through(grammar(schema), good if good is not None else json.dumps(schema["const"]))


@pytest.mark.parametrize(
    ("schema", "bad"),
    [
        ({"type": "string"}, '"a\nb"'),
        ({"type": "string"}, '"a\x7fb"'),
        ({"type": "string", "maxLength": 9}, '"a\tb"'),
        (NAME, '{"a":"\x01"}'),
        ({"type": "object", "additionalProperties": {"type": "null"}}, '{"a\n":null}'),
        (NAME | {"additionalProperties": True}, '{"a":"b","a":{}}'),
    ],
)
def test_a_reply_is_json_of_the_schema(judge: Judge, schema: object, bad: str) -> None:
    assert not judge.lets_through(grammar(schema), bad)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\d+\.\d{2}$", ["3.14", "10.00"], ["3,14", "a.00", "3.1"]),
        (r"^\w\s\S$", ["_ é", "a b"], ["é a", "a\tb", "a  "]),
        (r"^\D\W$", ["a!", "é-"], ["1!", "ab"]),
        ("^.+$", ["a]é🎉"], ['a"', "a\\", "a\n", ""]),
        (r"^[^\d,]*$", ["", "a-é"], ["1", ",", '"', "\\"]),
        (r"^[ -~]$", ["a", "~", "]"], ['"', "\\", "é"]),
        (r"^[\w.-]+$", ["a.b-c"], ["a b"]),
        (r"^[a\-c]+$", ["a-c"], ["b"]),
        (r"^[\d-x]+$", ["1-x"], ["a"]),
        ("^a|b$", ["a", "b"], ["ab", "a|b"]),
        ("^(?:ab)?(c|d){2}$", ["abcd", "cc"], ["abc", "ab"]),
        (r"^\(\[\+\/\]\)$", ["([+/])"], ["(+)"]),
    ],
)
def test_patterns(judge: Judge, pattern: str, good: list[str], bad: list[str]) -> None:
    written = grammar({"type": "string", "pattern": pattern})
    assert [text for text in good if not judge.lets_through(written, f'"{text}"')] == []
    assert [text for text in bad if judge.lets_through(written, f'"{text}"')] == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[a-z]", "must start with"),
        (r"^\bword$", r"a pattern has \\b, which is not honoured"),
        (r"^(a)\1$", r"a pattern has \\1, which is not honoured"),
        (r"^\p{L}$", r"a pattern has \\p"),
        (r'^"$', "where it cannot be written"),
        (r"^\"$", "JSON has no plain character for"),
        (r"^\n$", "JSON has no plain character for"),
        (r'^["\\]$', "JSON has no plain character for"),
        ("^a$|^b$", "where it cannot be written"),
        ("^a\\$", "where it cannot be written"),
        ("^[]$", "JSON has no plain character for"),
        ("^[z-a]$", "a range is turned"),
        ("^(?=a)a$", "Unsupported pattern"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^response_format: the schema cannot be used: .*{why}"):
        grammar({"type": "string", "pattern": pattern})
