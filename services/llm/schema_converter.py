"""llama-cpp-python's converter of JSON schemas, with its mistakes mended. It imports the library."""

import json
import re
from typing import Any

from llama_cpp.llama_grammar import SchemaConverter

from services.llm.patterns import writable

# A character of a JSON text, which its own takes for any but two.
_CHARACTER = r'[^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])'


class _Converter(SchemaConverter):
    def __init__(self) -> None:
        # `allow_fetch`: whether it may load what a schema refers to from anywhere. It must not.
        self._names: dict[str, str] = {}
        super().__init__(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)  # type: ignore[no-untyped-call]

    def _resolve_ref(self, ref: str) -> str:
        """Its own names rules by the last part of a reference alone, which others, and its own rules, may share."""
        if ref not in self._names:
            self._names[ref] = re.sub(r"[^a-zA-Z0-9-]", "-", f"ref{ref}")  # for what refers to it from inside
            self._names[ref] = self.visit(self._refs[ref], self._names[ref])  # type: ignore[no-untyped-call]
        return self._names[ref]

    def _format_literal(self, literal: str) -> str:
        """Its own leaves backslashes as they are, so that a quotation mark inside of a value ends the literal."""
        # What comes here is JSON, with each character beyond ASCII as an escape; half a pair of these is no character.
        text = json.dumps(json.loads(literal), ensure_ascii=False)
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    def _add_rule(self, name: str, rule: str) -> str:
        return str(super()._add_rule(name, _CHARACTER if name == "char" else rule))  # type: ignore[no-untyped-call]

    def _visit_pattern(self, pattern: str, name: str) -> str:
        """Its own lets through what cannot stand in JSON."""
        return str(super()._visit_pattern(writable(pattern), name))  # type: ignore[no-untyped-call]

    def _build_object_rule(
        self, properties: list[tuple[str, Any]], required: set[str], name: str, additional_properties: object
    ) -> str:
        """Beside properties its own takes their names for additional ones too, with other values."""
        more = False if properties else additional_properties
        return str(super()._build_object_rule(properties, required, name, more))


def convert(schema: dict[str, Any]) -> str:
    """The schema as a grammar. Raises anything where it is broken, or has what the converter does not know."""
    converter = _Converter()
    # Beside a reference it does not look, and that is where definitions are if all of a schema is one.
    converter.resolve_refs({key: value for key, value in schema.items() if key != "$ref"}, "")
    converter.visit(converter.resolve_refs(schema, ""), "")  # type: ignore[no-untyped-call]
    return str(converter.format_grammar())  # type: ignore[no-untyped-call]
