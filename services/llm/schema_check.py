"""Which JSON schemas a reply can be held to.

The converter (schema_converter.py) looks at some keywords of each schema and passes over the others, so that a reply
would not fulfil them. Those are refused here. Keywords that demand nothing, such as titles and examples, are welcome.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}
# fmt: off
_DEMANDS = frozenset({
    "$ref", "$dynamicRef", "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "format", "items", "prefixItems", "additionalItems",
    "unevaluatedItems", "maxItems", "minItems", "uniqueItems", "contains", "minContains", "maxContains",
    "maxProperties", "minProperties", "required", "properties", "patternProperties", "additionalProperties",
    "unevaluatedProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies", "allOf", "anyOf",
    "oneOf", "not", "if", "then", "else",
})
# fmt: on
# Values that demand nothing.
_IDLE = {"uniqueItems": False, "minItems": 0, "minLength": 0, "minProperties": 0, "required": []} | dict.fromkeys(
    ("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems"), True
)
_FORMATS = re.compile(r"date|time|date-time|uuid[1-5]?")
# By type: which schemas are read in one way, and what is honoured then.
_SHAPES: tuple[tuple[str, Callable[[Schema], bool], tuple[str, ...]], ...] = (
    (
        "object",
        lambda part: "properties" in part or part.get("additionalProperties", True) is not True,
        ("properties", "required", "additionalProperties"),
    ),
    ("object", lambda part: "allOf" in part, ("allOf",)),
    ("array", lambda part: isinstance(part.get("items"), dict), ("items", "minItems", "maxItems")),
    ("array", lambda part: bool(part.get("items")) or "prefixItems" in part, ("items", "prefixItems")),
    ("string", lambda part: "pattern" in part, ("pattern",)),
    ("string", lambda part: _FORMATS.fullmatch(str(part.get("format"))) is not None, ("format",)),
    ("string", lambda _: True, ("minLength", "maxLength")),
)
_BOUNDS = (("minItems", "maxItems"), ("minLength", "maxLength"))


class SchemaError(ValueError):
    """Says why no reply can be held to a schema."""


def subschemas(schema: Schema) -> Iterator[Schema]:
    """The schema and all that it applies; not what stands in it as data, such as the values of an `enum`."""
    seen: set[int] = set()
    waiting: list[object] = [schema]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting += _applied(part)
        waiting.append(_referred(part.get("$ref"), schema))


def check_schema(schema: Schema) -> None:
    """SchemaError where a reply that the converter's grammar allows might not fulfil it."""
    for part in subschemas(schema):
        honoured = _honoured(part)
        for key in sorted(_DEMANDS.intersection(part) - honoured):
            if key not in _IDLE or part[key] != _IDLE[key]:
                raise SchemaError(f"{key} is not honoured here{_beside(part, honoured)}")
        _check_values(part)
        _check_bounds(part)
        _check_properties(part)
        _check_all_of(part, schema)


def _applied(part: Schema) -> Iterator[object]:
    yield part.get("additionalProperties")
    yield part.get("items")
    if isinstance(properties := part.get("properties"), dict):
        yield from properties.values()
    for key in ("items", "prefixItems", "anyOf", "oneOf", "allOf"):
        yield from part[key] if isinstance(part.get(key), list) else ()


def _referred(reference: object, schema: Schema) -> object:
    """What it refers to, as the converter reads it, which refuses all else."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    target: object = schema
    for step in reference.split("/")[1:]:
        target = target.get(step) if isinstance(target, dict) else None
    return target


def _honoured(part: Schema) -> set[str]:
    """In the order in which the converter decides."""
    kind = part.get("type")
    for key in ("$ref", "oneOf", "anyOf"):
        if part.get(key):
            return {key}
    if isinstance(kind, list):
        return {"type"}
    for key in ("const", "enum"):
        if key in part:
            return {"type", key}
    found = (honoured for of, is_one, honoured in _SHAPES if kind in {None, of} and is_one(part))
    return {"type", *next(found, ())}


def _beside(part: Schema, honoured: set[str]) -> str:
    others = sorted((honoured & part.keys()) - {"type", "required"})
    return f" beside {others[0]}" if others else ""


def _check_values(part: Schema) -> None:
    kind = part.get("type")
    for name in kind if isinstance(kind, list) else [kind] if kind is not None else []:
        if name not in _TYPES:
            raise SchemaError(f"there is no type {str(name)[:80]!r}")
    values = part["enum"] if isinstance(part.get("enum"), list) else [part["const"]] if "const" in part else []
    if not isinstance(kind, str):
        return
    for value in values:
        is_truth = isinstance(value, bool)  # which Python takes for a number
        if not isinstance(value, _TYPES[kind]) or is_truth != (kind == "boolean"):
            raise SchemaError(f"enum or const has a value that is not of type {kind}")


def _check_bounds(part: Schema) -> None:
    if part.get("items") in ({}, True):
        raise SchemaError("items must say what they are")
    for least, most in _BOUNDS:
        if part.get(most) is not None and part[most] < part.get(least, 0):
            raise SchemaError(f"{most} is below {least}")


def _check_properties(part: Schema) -> None:
    if "properties" not in part and "required" not in part:
        return
    properties, more = part.get("properties", {}), part.get("additionalProperties", True)
    for name in part.get("required", []):
        if name not in properties:
            raise SchemaError(f"required names {str(name)[:80]!r}, which is not among the properties")
    if properties and not isinstance(more, bool):
        raise SchemaError("additionalProperties is not honoured beside properties, unless it is true or false")


def _check_all_of(part: Schema, schema: Schema) -> None:
    """The converter puts the properties together, and passes over all else."""
    names: set[str] = set()
    for one in part.get("allOf", []):
        target = _referred(one.get("$ref"), schema) if "$ref" in one else one
        demands = _DEMANDS.intersection(target) if isinstance(target, dict) else set()
        if not isinstance(target, dict) or "properties" not in demands or demands - {"type", "properties", "required"}:
            raise SchemaError("allOf is honoured for objects that have properties, and for nothing else")
        if not names.isdisjoint(target["properties"]):
            raise SchemaError("allOf has a property twice")
        names.update(target["properties"])
