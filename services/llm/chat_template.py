"""A model's own chat template: writes a conversation as the model was trained to read it.

Templates are programs, and each takes a little less than all. What one takes is found out by trying it, once: words in
its source prove nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product, takewhile

from services.common.errors import EngineFailedError, InvalidInputError, UnsupportedError
from services.llm.engine import ChatMessage, Role, Tool, ToolCall
from services.llm.template_sandbox import CompiledTemplate, local_time
from services.llm.template_shape import Quote, Shape, shape_tools
from services.llm.tool_calls import dialect_of
from services.llm.tool_dialects import ToolDialect

_LONGEST_COMPLAINT = 200
_USER = ChatMessage(Role.USER, "probe-user")
_SYSTEM = ChatMessage(Role.SYSTEM, "probe-system")
_SECOND_USER = ChatMessage(Role.USER, "probe-second-user")
_REPLY = ChatMessage(Role.ASSISTANT, "probe-reply")
_TOOL = Tool("probe_tool", "probe-description", '{"type": "object", "properties": {}}')
_CALL = ChatMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("call_0123456789ab", "probe_call", '{"probe_key": 1}'),))
_RESULT = ChatMessage(Role.TOOL, "probe-result", tool_call_id="call_0123456789ab")


class ChatTemplate:
    """One template, with what it takes."""

    def __init__(
        self, source: str, bos: str, eos: str, *, now: Callable[[], datetime] = local_time, quote: Quote = str
    ) -> None:
        """`bos` and `eos` are the texts of the tokens that begin and end a text; either may be empty.

        `quote` is done to every text of a request, so that none is read as the template's own.
        """
        try:
            self._template = CompiledTemplate(source, now)
        except Exception as error:  # Jinja and Python's compiler each have their own
            raise EngineFailedError(f"the model's chat template is broken: {_sentence(error)}") from error
        self._quote = quote
        self._tokens = {"bos_token": bos, "eos_token": eos}
        try:
            written = self._write(Shape(), [_USER])
        except Exception as error:
            raise EngineFailedError(f"the model's chat template fails: {_sentence(error)}") from error
        if _USER.content not in written:
            raise EngineFailedError("the model's chat template does not write what the person says")
        self._shape, self.dialect = self._try_out()

    @property
    def supports_tools(self) -> bool:
        """Whether it writes tools, calls and results, and the calls in a dialect that can be read back."""
        return self.dialect is not None

    @property
    def supports_system(self) -> bool:
        """Whether it takes a system message. Where not, the person's first message begins with its text."""
        return self._shape.system

    def render(self, messages: Sequence[ChatMessage], tools: Sequence[Tool] = (), *, thinking: bool = False) -> str:
        """The text of the conversation, up to where the reply begins.

        InvalidInputError where the template refuses it: it may insist on an order.
        """
        if tools and not self.supports_tools:
            raise UnsupportedError("the model's chat template knows no tools", field="tools")
        try:
            return self._write(self._shape, messages, tools, thinking=thinking)
        except InvalidInputError:
            raise
        except Exception as error:
            raise InvalidInputError(
                "messages", f"the model's chat template refuses them ({_sentence(error)})"
            ) from error

    def _write(
        self, shape: Shape, messages: Sequence[ChatMessage], tools: Sequence[Tool] = (), *, thinking: bool = False
    ) -> str:
        return self._template.render(
            {
                **self._tokens,
                "messages": shape.shape(messages, self._quote),
                "tools": shape_tools(tools, self._quote),
                "add_generation_prompt": True,
                "enable_thinking": thinking,  # Qwen's word, and most others'
                "thinking": thinking,  # DeepSeek's and Granite's
            }
        )

    def _try_out(self) -> tuple[Shape, ToolDialect | None]:
        """Its shape, and the dialect of its calls if it takes tools, calls and results."""
        most = Shape()
        plain = Shape(
            system=self._writes(most, [_SYSTEM, _USER], _SYSTEM.content, _USER.content),
            neighbours=self._writes(most, [_USER, _SECOND_USER], _USER.content, _SECOND_USER.content),
        )
        if not self._writes(plain, [_USER], _TOOL.name, tools=[_TOOL]):
            return plain, None
        for no_content, arguments_as_text, short_ids in product((False, True), repeat=3):
            shape = replace(plain, no_content=no_content, arguments_as_text=arguments_as_text, short_ids=short_ids)
            if self._writes(shape, [_USER, _CALL, _RESULT], _RESULT.content, tools=[_TOOL]):
                dialect = dialect_of(self._written_call(shape), _CALL.tool_calls[0])
                if dialect is not None:
                    return shape, dialect
        return plain, None

    def _written_call(self, shape: Shape) -> str:
        """A call as it stands in a prompt: what differs from a prompt that has a reply in its place."""
        try:
            reply, call = (self._write(shape, [_USER, message], [_TOOL]) for message in (_REPLY, _CALL))
        except Exception:  # noqa: BLE001  # as in `_writes`
            return ""
        same = takewhile(lambda pair: pair[0] == pair[1], zip(reply, call, strict=False))
        return call[len(list(same)) :]

    def _writes(self, shape: Shape, messages: Sequence[ChatMessage], *texts: str, tools: Sequence[Tool] = ()) -> bool:
        """Whether it takes the messages, and all of these texts come out."""
        try:
            written = self._write(shape, messages, tools)
        except Exception:  # noqa: BLE001  # refusing is what is being tried out
            return False
        return all(text in written for text in texts)


def _sentence(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_LONGEST_COMPLAINT]
