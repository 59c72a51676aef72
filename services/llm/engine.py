"""What a language model is to this service. No gRPC here, and no model library."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol


class Role(StrEnum):
    """Who wrote a message, in the word that chat templates use."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True)
class ToolCall:
    """The assistant wants a tool to be called. `arguments_json` is a JSON object."""

    id: str
    name: str
    arguments_json: str


@dataclass(frozen=True)
class ChatMessage:
    """One message of a conversation; a tool's answers the call of that id."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True)
class Tool:
    """What the assistant may call. `parameters_json_schema` describes an object."""

    name: str
    description: str
    parameters_json_schema: str


class ToolChoice(Enum):
    """Whether tools are called."""

    AUTO = "auto"  # as the assistant sees fit
    NONE = "none"
    REQUIRED = "required"  # one of them, whatever it would say


@dataclass(frozen=True)
class JsonFormat:
    """The reply is JSON that fulfils the schema."""

    schema: str


@dataclass(frozen=True)
class GrammarFormat:
    """The reply is what the grammar, in GBNF, allows."""

    grammar: str


ReplyFormat = JsonFormat | GrammarFormat


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen, and when to end. Without a seed every reply is another one."""

    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repeat_penalty: float
    max_tokens: int
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Generation:
    """A request for the next message of a conversation, oldest message first."""

    conversation_id: str
    messages: tuple[ChatMessage, ...]
    sampling: Sampling
    language_code: str
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = ToolChoice.AUTO
    format: ReplyFormat | None = None

    @property
    def uses_tools(self) -> bool:
        """Whether it declares tools, or was answered with calls of them before."""
        return bool(self.tools) or any(message.tool_calls or message.tool_call_id for message in self.messages)


class FinishReason(Enum):
    """Why a reply ended."""

    STOP = "stop"  # the model was done, or met a stop sequence
    LENGTH = "length"  # `max_tokens` or the context was full
    TOOL_CALLS = "tool_calls"  # the assistant waits for the results of tools


@dataclass(frozen=True)
class Usage:
    """Tokens read and written; the cached ones are those of the prompt that were known already."""

    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class TextDelta:
    """More text: whole characters, never empty."""

    text: str


@dataclass(frozen=True)
class AtWork:
    """The model reasons, or writes what cannot be shown yet, such as the beginning of a call: a sign of life."""


@dataclass(frozen=True)
class Finished:
    """The reply is complete. Comes once, last."""

    reason: FinishReason
    usage: Usage = Usage()


ReplyEvent = TextDelta | AtWork | ToolCall | Finished


class LlmEngine(Protocol):
    """Writes replies; any number of callers share it."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together; 0 where that is no limit."""

    @property
    def supports_tools(self) -> bool:
        """Whether a request may have tools."""

    @property
    def supports_formats(self) -> bool:
        """Whether a request may have a format."""

    def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        """The next message, as it is written. Closing the generator ends the work within a token.

        InvalidInputError where the conversation cannot be read: too long, or not in an order the model knows.
        UnsupportedError, with its field, where the request has what this engine does not support.
        """

    async def close(self) -> None:
        """Gives back all that it holds."""
