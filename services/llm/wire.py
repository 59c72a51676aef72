"""Requests from the wire, checked, as the domain speaks of them; and the way back."""

from collections.abc import Sequence

from services.common.errors import InvalidInputError, OutOfRangeError
from services.common.text import check_language, check_length, clean
from services.llm.config import LlmSection, SamplingSection
from services.llm.engine import ChatMessage, Finished, FinishReason, Generation, Role, Sampling
from superwhisper.llm.v1 import llm_pb2

_ROLES = {
    llm_pb2.ROLE_SYSTEM: Role.SYSTEM,
    llm_pb2.ROLE_USER: Role.USER,
    llm_pb2.ROLE_ASSISTANT: Role.ASSISTANT,
    llm_pb2.ROLE_TOOL: Role.TOOL,
}
_REASONS = {
    FinishReason.STOP: llm_pb2.FINISH_REASON_STOP,
    FinishReason.LENGTH: llm_pb2.FINISH_REASON_LENGTH,
}
_MAX_CONVERSATION_ID_CHARACTERS = 128
_MAX_STOPS = 8
_MAX_STOP_CHARACTERS = 128
_NO_TOOLS = "the model has no notion of tools here"


def read_request(request: llm_pb2.GenerateRequest, settings: LlmSection) -> Generation:
    """The request, or the error that names the field."""
    check_length(request.conversation_id, _MAX_CONVERSATION_ID_CHARACTERS, "conversation_id")
    if request.tools:
        raise InvalidInputError("tools", _NO_TOOLS)
    if request.HasField("response_format"):
        raise InvalidInputError("response_format", "replies cannot be given a format here")
    return Generation(
        conversation_id=request.conversation_id,
        messages=_read_messages(request.messages, settings),
        sampling=_read_sampling(request.sampling, settings.sampling, settings.max_reply_tokens),
        language_code=check_language(request.language_code, "language_code") or settings.language_code,
    )


def write_finished(finished: Finished, backend: str, timings: llm_pb2.GenerationTimings) -> llm_pb2.GenerationFinished:
    """The last message of a reply."""
    return llm_pb2.GenerationFinished(
        finish_reason=_REASONS[finished.reason],
        usage=llm_pb2.Usage(
            prompt_tokens=finished.usage.prompt_tokens,
            cached_prompt_tokens=finished.usage.cached_prompt_tokens,
            completion_tokens=finished.usage.completion_tokens,
        ),
        backend=backend,
        timings=timings,
    )


def _read_messages(messages: Sequence[llm_pb2.Message], settings: LlmSection) -> tuple[ChatMessage, ...]:
    if not messages:
        raise InvalidInputError("messages", "there is nothing to reply to")
    if len(messages) > settings.max_messages:
        raise OutOfRangeError(
            f"messages: {len(messages)} of them; the limit is {settings.max_messages}", field="messages"
        )
    characters = sum(len(message.content) for message in messages)
    if characters > settings.max_text_characters:
        raise OutOfRangeError(
            f"messages: {characters} characters together; the limit is {settings.max_text_characters}",
            field="messages",
        )
    chat = tuple(_read_message(message, index) for index, message in enumerate(messages))
    if chat[-1].role not in {Role.USER, Role.TOOL}:
        raise InvalidInputError("messages", "the last one must be the person's or a tool's")
    for index, message in enumerate(messages):
        if message.tool_calls or message.tool_call_id or chat[index].role is Role.TOOL:
            raise InvalidInputError(f"messages[{index}]", _NO_TOOLS)
    return chat


def _read_message(message: llm_pb2.Message, index: int) -> ChatMessage:
    field = f"messages[{index}]"
    role = _ROLES.get(message.role)
    if role is None:
        raise InvalidInputError(f"{field}.role", "it must say who wrote the message")
    if role is Role.SYSTEM and index:
        raise InvalidInputError(f"{field}.role", "only the first message may be the system's")
    content = clean(message.content)
    if not content.strip() and not message.tool_calls:
        raise InvalidInputError(f"{field}.content", "it is empty")
    return ChatMessage(role, content)


def _read_sampling(given: llm_pb2.SamplingConfig, default: SamplingSection, max_reply_tokens: int) -> Sampling:
    max_tokens = given.max_tokens if given.HasField("max_tokens") else default.max_tokens
    if max_tokens > max_reply_tokens:
        raise OutOfRangeError(
            f"sampling.max_tokens: {max_tokens} tokens; the limit is {max_reply_tokens}", field="sampling.max_tokens"
        )
    top_p = _within("top_p", given.top_p if given.HasField("top_p") else default.top_p, 0, 1)
    if not top_p:
        raise InvalidInputError("sampling.top_p", "it must be above 0")
    return Sampling(
        temperature=_within(
            "temperature", given.temperature if given.HasField("temperature") else default.temperature, 0, 2
        ),
        top_p=top_p,
        top_k=int(_within("top_k", given.top_k if given.HasField("top_k") else default.top_k, 0, 2**31 - 1)),
        min_p=_within("min_p", given.min_p if given.HasField("min_p") else default.min_p, 0, 1),
        repeat_penalty=_within(
            "repeat_penalty",
            given.repeat_penalty if given.HasField("repeat_penalty") else default.repeat_penalty,
            0.5,
            2,
        ),
        max_tokens=int(_within("max_tokens", max_tokens, 1, max_reply_tokens)),
        seed=given.seed if given.HasField("seed") else None,
        stop=_read_stops(given.stop),
    )


def _within(name: str, value: float, least: float, most: float) -> float:
    """The value if it lies between the two; NaN fails the comparison too."""
    if not least <= value <= most:
        raise InvalidInputError(f"sampling.{name}", f"{value:g} is not between {least:g} and {most:g}")
    return value


def _read_stops(stops: Sequence[str]) -> tuple[str, ...]:
    if len(stops) > _MAX_STOPS:
        raise InvalidInputError("sampling.stop", f"{len(stops)} of them; at most {_MAX_STOPS} are taken")
    for index, stop in enumerate(stops):
        if not stop:
            raise InvalidInputError(f"sampling.stop[{index}]", "it is empty")
        check_length(stop, _MAX_STOP_CHARACTERS, f"sampling.stop[{index}]")
    return tuple(stops)
