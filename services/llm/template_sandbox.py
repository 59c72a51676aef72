"""Jinja as chat templates expect it, which is as Hugging Face's libraries run them, in a sandbox.

A template comes with its model, so it is trusted as much: the sandbox keeps it from the process's objects, `range` and
the length of what it writes are bounded, but nothing here can end a loop. That is what the trial of a model in another
process is for.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

# The longest template in wide use is about 20,000 characters long.
_MAX_SOURCE_CHARACTERS = 200_000
# Ten times the longest text of a request, as the settings have it.
_MAX_PROMPT_CHARACTERS = 1_000_000


def local_time() -> datetime:
    """Now, where this machine stands."""
    return datetime.now(UTC).astimezone()


class CompiledTemplate:
    """A template, ready to be rendered any number of times, by any thread."""

    def __init__(self, source: str, now: Callable[[], datetime] = local_time) -> None:
        """TemplateError, or whatever Python says to the code made from it, where it does not compile."""
        if len(source) > _MAX_SOURCE_CHARACTERS:
            raise TemplateError(f"it is longer than {_MAX_SOURCE_CHARACTERS} characters")
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda form: now().strftime(form)
        self._template: Template = environment.from_string(source)
        self._now = now

    def render(self, variables: dict[str, Any]) -> str:
        """What it makes of the variables. It can raise anything: it is a program."""
        parts: list[str] = []
        length = 0
        for part in self._template.generate(variables, date_string=self._now().strftime("%d %b %Y")):
            length += len(part)
            if length > _MAX_PROMPT_CHARACTERS:
                raise TemplateError(f"more than {_MAX_PROMPT_CHARACTERS} characters would be written")
            parts.append(part)
        # Halves of surrogate pairs, which JSON can smuggle in, are no text that could be tokenized.
        return "".join(parts).encode(errors="replace").decode()


class _Generation(Extension):
    """`{% generation %}` marks what is trained on; it changes nothing of what is written."""

    tags = {"generation"}  # noqa: RUF012  # that is how Jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """What the tag encloses."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _to_json(  # the parameters are those that templates give
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own escapes for HTML, which no model was trained on."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
