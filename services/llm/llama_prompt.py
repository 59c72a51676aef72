"""From a request to a reply that llama.cpp can begin: a history that fits, a prompt in tokens, a sampler. Blocking."""

from collections.abc import Sequence
from functools import cache, partial

from services.common.errors import InvalidInputError, UnsupportedError
from services.llm.batching import Job
from services.llm.engine import ChatMessage, Generation, Tool, ToolChoice
from services.llm.formats import call_grammar, to_gbnf
from services.llm.llama_model import LlamaModel
from services.llm.llama_reply import LlamaReply
from services.llm.llama_sampler import LlamaSampler
from services.llm.reply_reader import ReplyReader
from services.llm.think import opens_thinking
from services.llm.turns import fit

# A prompt that leaves less than this would have its reply cut inside the first sentence.
_LEAST_ROOM_TOKENS = 64


class LlamaPrompts:
    """Prepares replies for one model."""

    def __init__(self, model: LlamaModel, max_turns: int, *, thinking: bool) -> None:
        self._model = model
        self._max_turns = max_turns
        self._thinking = thinking

    def prepare(self, request: Generation) -> LlamaReply:
        """The reply, not begun. InvalidInputError or UnsupportedError where the request cannot be one here."""
        if request.uses_tools and not self._model.template.supports_tools:
            raise UnsupportedError("the model's chat template knows no tools", field="tools")
        tools = request.tools if request.tool_choice is not ToolChoice.NONE else ()
        grammar = self._grammar(request, tools)
        # Where a form is prescribed there is no room for thinking: the whole reply must have it.
        text, tokens = self._fitting(request, tools, thinking=self._thinking and not grammar)
        sampling = request.sampling
        sampler = LlamaSampler(self._model, sampling, grammar)
        reader = ReplyReader(
            sampling.stop,
            thinking=opens_thinking(text) and not grammar,
            filters_thinking=not grammar,
            dialect=self._model.template.dialect if request.uses_tools else None,
            tools=tools,
        )
        limit = min(sampling.max_tokens, self._model.context_tokens - len(tokens))
        return LlamaReply(Job(request.conversation_id, tokens), sampler, reader, limit)

    def _grammar(self, request: Generation, tools: Sequence[Tool]) -> str:
        dialect = self._model.template.dialect
        if tools and dialect and request.tool_choice is ToolChoice.REQUIRED:
            return call_grammar(dialect, tools)
        return to_gbnf(request.format) if request.format is not None else ""

    def _fitting(self, request: Generation, tools: Sequence[Tool], *, thinking: bool) -> tuple[str, list[int]]:
        """The prompt with as many turns as leave the reply its room; that is less where the last turn alone is long."""

        @cache  # each number of turns is asked for more than once
        def read(messages: tuple[ChatMessage, ...]) -> tuple[str, list[int]]:
            text = self._model.prompt(messages, tools, thinking=thinking)
            return text, self._model.tokenize(text)

        def fits(room_tokens: int, messages: Sequence[ChatMessage]) -> bool:
            return len(read(tuple(messages))[1]) + room_tokens <= most_tokens

        most_tokens = self._model.context_tokens
        wanted = min(request.sampling.max_tokens, most_tokens // 2)
        for room in (wanted, min(wanted, _LEAST_ROOM_TOKENS)):
            messages = fit(request.messages, partial(fits, room), self._max_turns)
            if messages is not None:
                return read(messages)
        raise InvalidInputError(
            "messages",
            f"the last turn is too long: a prompt and its reply have {most_tokens} tokens together",
            reason="CONTEXT_TOO_LONG",
        )
