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
class ChatMessage:
    """One message of a conversation."""

    role: Role
    content: str


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


class FinishReason(Enum):
    """Why a reply ended."""

    STOP = "stop"  # the model was done, or met a stop sequence
    LENGTH = "length"  # `max_tokens` or the context was full


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
class Finished:
    """The reply is complete. Comes once, last."""

    reason: FinishReason
    usage: Usage = Usage()


ReplyEvent = TextDelta | Finished


class LlmEngine(Protocol):
    """Writes replies; any number of callers share it."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together; 0 where that is no limit."""

    def generate(self, request: Generation) -> AsyncGenerator[ReplyEvent, None]:
        """The next message, as it is written. Closing the generator ends the work within a token.

        InvalidInputError where the conversation cannot be read: too long, or not in an order the model knows.
        """

    async def close(self) -> None:
        """Gives back all that it holds."""
