"""What it means for a request that a server of OpenAI's HTTP API refuses it."""

from dataclasses import dataclass

from services.common.errors import CallError, EngineFailedError, InvalidInputError, UnavailableError, UnsupportedError
from services.llm.config import EndpointSection
from services.llm.engine import Generation
from services.llm.openai_wire import Refusal

_ABOUT_FIELDS = {400, 422, 500, 501}  # llama-cpp-python's server says 500
_MOST_STOPS = 4  # that OpenAI's own servers take
_BUSY = {408, 425, 429, 502, 503, 504}


@dataclass(frozen=True)
class EndpointNames:
    """How the settings call a server and what belongs to it."""

    name: str
    model: str
    api_key_env: str

    @classmethod
    def of(cls, name: str, section: EndpointSection) -> "EndpointNames":
        """Those of a section."""
        return cls(name, section.model, section.api_key_env)


def error_of(refusal: Refusal, names: EndpointNames, request: Generation | None = None) -> CallError:
    """The error to raise. It has nothing of the server's own words, which may repeat what people said."""
    if refusal.is_about_context:
        return too_long()
    if request is not None and (field := _unsupported_field(refusal, request)):
        return UnsupportedError(f"this server does not take the {field} of the request", field=field)
    if refusal.status in _BUSY:
        return UnavailableError(f"the server has no time or is not ready yet (it answers {refusal.status})")
    return EngineFailedError(_what_to_do(refusal.status, names))


def too_long() -> InvalidInputError:
    """The conversation is longer than the model reads."""
    return InvalidInputError(
        "messages", "the last turn and the reply are longer than the model can read", reason="CONTEXT_TOO_LONG"
    )


def _what_to_do(status: int, names: EndpointNames) -> str:
    section = f"llm.endpoints.{names.name}"
    if status in {401, 403} and names.api_key_env:
        return f"the server refuses the key ({status}): correct the environment variable {names.api_key_env}"
    if status in {401, 403}:
        return f"the server wants a key ({status}): name its environment variable in {section}.api_key_env"
    if status == 404:
        return (
            f"the server does not know the model {names.model}, "
            f"or has no chat completions at that address: correct {section}"
        )
    if 300 <= status < 400:
        return f"the server is elsewhere ({status}): correct {section}.url"
    return f"the server refused the request with {status}"


def _unsupported_field(refusal: Refusal, request: Generation) -> str:
    """The part of the request that the server does not know, by the words that servers have for it."""
    if refusal.status not in _ABOUT_FIELDS:
        return ""
    if request.format is not None and refusal.mentions("response_format", "json_schema", "schema", "grammar"):
        return "response_format"
    if request.uses_tools and refusal.mentions("tool", "function call"):
        return "tools"
    # People say "stop", and some servers repeat what they said: so only where it is likely.
    if len(request.sampling.stop) > _MOST_STOPS and refusal.mentions("stop"):
        return "sampling.stop"
    return ""
