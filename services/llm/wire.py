"""Requests from the wire, checked, as the domain speaks of them; and the way back."""

from collections.abc import Sequence, Set

from services.common.errors import InvalidInputError, OutOfRangeError
from services.common.text import check_language, check_length, clean
from services.llm.config import LlmSection, SamplingSection
from services.llm.engine import (
    AtWork,
    ChatMessage,
    Finished,
    FinishReason,
    Generation,
    GrammarFormat,
    JsonFormat,
    ReplyEvent,
    ReplyFormat,
    Role,
    Sampling,
    TextDelta,
    Tool,
    ToolCall,
)
from services.llm.wire_tools import read_call, read_choice, read_tools, write_call
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
    FinishReason.TOOL_CALLS: llm_pb2.FINISH_REASON_TOOL_CALLS,
}
_MAX_CONVERSATION_ID_CHARACTERS = 128
_MAX_STOPS = 8
_MAX_STOP_CHARACTERS = 128


def read_request(request: llm_pb2.GenerateRequest, settings: LlmSection) -> Generation:
    """The request, or the error that names the field."""
    check_length(request.conversation_id, _MAX_CONVERSATION_ID_CHARACTERS, "conversation_id")
    _check_size(request, settings)
    tools = read_tools(request.tools)
    return Generation(
        conversation_id=request.conversation_id,
        messages=_read_messages(request.messages),
        sampling=_read_sampling(request.sampling, settings.sampling, settings.max_reply_tokens),
        language_code=check_language(request.language_code, "language_code") or settings.language_code,
        tools=tools,
        tool_choice=read_choice(request.tool_choice, tools),
        format=_read_format(request, tools),
    )


def write_event(event: ReplyEvent, backend: str, timings: llm_pb2.GenerationTimings) -> llm_pb2.GenerateResponse:
    """One message of a reply. AtWork has none: it is not shown."""
    match event:
        case TextDelta(text):
            return llm_pb2.GenerateResponse(text_delta=text)
        case ToolCall():
            return llm_pb2.GenerateResponse(tool_call=write_call(event))
        case Finished():
            return llm_pb2.GenerateResponse(finished=_write_finished(event, backend, timings))
        case AtWork():
            raise TypeError("what a model thinks is not sent")


def _write_finished(finished: Finished, backend: str, timings: llm_pb2.GenerationTimings) -> llm_pb2.GenerationFinished:
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


def _check_size(request: llm_pb2.GenerateRequest, settings: LlmSection) -> None:
    _check_number("messages", len(request.messages), settings.max_messages)
    _check_number("tools", len(request.tools), settings.max_tools)
    _check_number("messages", sum(len(message.tool_calls) for message in request.messages), settings.max_messages)
    characters = sum(_characters(message) for message in request.messages)
    characters += sum(len(tool.description) + len(tool.parameters_json_schema) for tool in request.tools)
    if characters > settings.max_text_characters:
        raise OutOfRangeError(
            f"messages: {characters} characters together; the limit is {settings.max_text_characters}",
            field="messages",
        )


def _characters(message: llm_pb2.Message) -> int:
    return len(message.content) + sum(len(call.arguments_json) for call in message.tool_calls)


def _check_number(field: str, number: int, limit: int) -> None:
    if number > limit:
        raise OutOfRangeError(f"{field}: {number} of them; the limit is {limit}", field=field)


def _read_messages(messages: Sequence[llm_pb2.Message]) -> tuple[ChatMessage, ...]:
    if not messages:
        raise InvalidInputError("messages", "there is nothing to reply to")
    called: set[str] = set()
    chat = []
    for index, message in enumerate(messages):
        if message.role == llm_pb2.ROLE_USER:
            called.clear()  # a result belongs to the turn of its call: turns are left out as a whole
        chat.append(_read_message(message, f"messages[{index}]", called, is_first=not index))
        called |= {call.id for call in chat[-1].tool_calls}
    if chat[-1].role not in {Role.USER, Role.TOOL}:
        raise InvalidInputError("messages", "the last one must be the person's or a tool's")
    return tuple(chat)


def _read_message(message: llm_pb2.Message, field: str, called: Set[str], *, is_first: bool) -> ChatMessage:
    """`called` are the calls of the messages before it."""
    role = _ROLES.get(message.role)
    if role is None:
        raise InvalidInputError(f"{field}.role", "it must say who wrote the message")
    if role is Role.SYSTEM and not is_first:
        raise InvalidInputError(f"{field}.role", "only the first message may be the system's")
    if message.tool_calls and role is not Role.ASSISTANT:
        raise InvalidInputError(f"{field}.tool_calls", "only the assistant calls tools")
    if role is Role.TOOL and message.tool_call_id not in called:
        raise InvalidInputError(f"{field}.tool_call_id", "no message of this turn before it has that call")
    if role is not Role.TOOL and message.tool_call_id:
        raise InvalidInputError(f"{field}.tool_call_id", "only a tool's message answers a call")
    content = clean(message.content)
    if not content.strip() and not message.tool_calls and role is not Role.TOOL:
        raise InvalidInputError(f"{field}.content", "it is empty")
    calls = tuple(read_call(call, f"{field}.tool_calls[{at}]") for at, call in enumerate(message.tool_calls))
    return ChatMessage(role, content, calls, message.tool_call_id)


def _read_format(request: llm_pb2.GenerateRequest, tools: Sequence[Tool]) -> ReplyFormat | None:
    if not request.HasField("response_format"):
        return None
    if tools:
        raise InvalidInputError("response_format", "a reply that may call tools has no other format")
    match request.response_format.WhichOneof("kind"):
        case "json_schema":
            return JsonFormat(request.response_format.json_schema)
        case "grammar":
            return GrammarFormat(request.response_format.grammar)
        case _:
            raise InvalidInputError("response_format", "it must have one kind")


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
