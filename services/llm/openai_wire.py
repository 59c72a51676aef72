"""What OpenAI's HTTP API says, and the servers that follow it: requests, lists of models, refusals. No I/O."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeGuard

from services.common.errors import InvalidInputError, UnsupportedError
from services.llm.engine import (
    ChatMessage,
    Generation,
    GrammarFormat,
    JsonFormat,
    ReplyFormat,
    Sampling,
    Tool,
    ToolCall,
    ToolChoice,
)
from services.llm.json_text import read_object

Json = dict[str, Any]
# Measured on French: 2.7 to 3.1 bytes a token with vocabularies of 50,000; larger ones make more of a token.
_BYTES_A_TOKEN = 2.5
_TOKENS_AROUND_A_MESSAGE = 8  # what a chat template writes around it
_MOST_POSITIVE_SEED = 0x7FFFFFFF
_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error"}
_CONTEXT_WORDS = re.compile(
    r"context[ _-](length|size|window)|maximum model length|max_model_len|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[A-Za-z][\w.-]{0,63}")


class Dialect(Enum):
    """How much of a request a server takes. Strict ones refuse what they do not know."""

    EXTENDED = "extended"  # with the sampling of llama-server and vLLM, which Ollama and most others pass over
    STANDARD = "standard"  # what OpenAI documents
    PLAIN = "plain"  # without what came late to it


DIALECTS: tuple[Dialect, ...] = (Dialect.EXTENDED, Dialect.STANDARD, Dialect.PLAIN)


def write_request(request: Generation, messages: Sequence[ChatMessage], model: str, dialect: Dialect) -> Json:
    """The body of a streamed chat completion of these messages."""
    body: Json = {"model": model, "messages": [_write_message(message) for message in messages], "stream": True}
    body |= _write_sampling(request.sampling, dialect)
    if dialect is not Dialect.PLAIN:
        body["stream_options"] = {"include_usage": True}
    if request.format is not None:
        body["response_format"] = _write_format(request.format)
    # A server that knows no tool_choice (Ollama) would call them all the same, so there must be none.
    if request.tools and request.tool_choice is not ToolChoice.NONE:
        body["tools"] = [_write_tool(tool, index) for index, tool in enumerate(request.tools)]
        body["tool_choice"] = request.tool_choice.value
    return body


def estimate_tokens(messages: Sequence[ChatMessage], tools: Sequence[Tool] = ()) -> int:
    """About how many tokens the prompt has. Whoever has no tokenizer had better be above the truth than below."""
    texts = [_texts_of(message) for message in messages]
    texts += [tool.name + tool.description + tool.parameters_json_schema for tool in tools]
    sizes = (len(text.encode(errors="replace")) for text in texts)
    return sum(_TOKENS_AROUND_A_MESSAGE + math.ceil(size / _BYTES_A_TOKEN) for size in sizes)


def read_names(content: bytes) -> list[str] | None:
    """The models of a list, or None where it is no list of models."""
    parsed = _parse(content)
    models = parsed.get("data") if isinstance(parsed, dict) else None
    if not isinstance(models, list):
        return None
    names = [model.get("id") for model in models if isinstance(model, dict)]
    return [name for name in names if isinstance(name, str) and name.isprintable()]


@dataclass(frozen=True)
class Refusal:
    """Why a server does not do what it was asked to. `message` may repeat what people said."""

    status: int
    message: str = ""
    codes: tuple[str, ...] = ()

    @property
    def is_about_context(self) -> bool:
        """Whether the prompt and its reply are too long for the model."""
        in_words = _CONTEXT_WORDS.search(self.message) is not None
        return self.status in {400, 413, 422} and (in_words or not _CONTEXT_CODES.isdisjoint(self.codes))

    @property
    def may_be_about_fields(self) -> bool:
        """Whether a request of fewer fields might be taken."""
        return self.status in {400, 422} and not self.is_about_context

    def mentions(self, *words: str) -> bool:
        """Whether one of the words is in the message."""
        return any(word in self.message.lower() for word in words)


def read_refusal(status: int, content: bytes) -> Refusal:
    """What servers write beside a status other than 200, in the shapes that there are."""
    parsed = _parse(content)
    body = parsed if isinstance(parsed, dict) else {}
    error = body.get("error", body)
    if not isinstance(error, dict):
        return Refusal(status, str(error))
    codes = (error.get(key) for key in ("type", "code", "param"))
    message = error.get("message") or error.get("detail") or ""
    return Refusal(status, str(message), tuple(code for code in codes if _is_identifier(code)))


def _is_identifier(code: object) -> TypeGuard[str]:
    """A word of the server's own, and nobody's sentence."""
    return isinstance(code, str) and _IDENTIFIER.fullmatch(code) is not None


def _parse(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _texts_of(message: ChatMessage) -> str:
    return message.content + "".join(call.name + call.arguments_json for call in message.tool_calls)


def _write_message(message: ChatMessage) -> Json:
    written: Json = {"role": message.role.value, "content": message.content}
    if message.tool_calls:
        written["content"] = message.content or None
        written["tool_calls"] = [_write_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        written["tool_call_id"] = message.tool_call_id
    return written


def _write_call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}


def _write_sampling(sampling: Sampling, dialect: Dialect) -> Json:
    written: Json = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }
    if sampling.stop:
        written["stop"] = list(sampling.stop)
    if sampling.seed is not None and dialect is not Dialect.PLAIN:
        # llama-server takes -1 (and 2^32 - 1) for "any": the same seed must give the same reply.
        written["seed"] = sampling.seed & _MOST_POSITIVE_SEED
    if dialect is Dialect.EXTENDED:
        written |= {
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repeat_penalty,  # llama-server, LocalAI
            "repetition_penalty": sampling.repeat_penalty,  # vLLM, SGLang
        }
    return written


def _write_tool(tool: Tool, index: int) -> Json:
    parameters = _read_schema(tool.parameters_json_schema, f"tools[{index}].parameters_json_schema")
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _write_format(wanted: ReplyFormat) -> Json:
    match wanted:
        case GrammarFormat():
            raise UnsupportedError("replies cannot be held to a grammar over OpenAI's API", field="response_format")
        case JsonFormat(schema):
            named = {"name": "reply", "schema": _read_schema(schema, "response_format"), "strict": True}
            return {"type": "json_schema", "json_schema": named}


def _read_schema(text: str, field: str) -> Json:
    try:
        return read_object(text)
    except ValueError as error:
        raise InvalidInputError(field, f"the schema cannot be read: {error}") from error
