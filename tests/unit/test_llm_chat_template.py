"""services/llm/chat_template.py: conversations as the templates of real models write them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.common.errors import EngineFailedError, InvalidInputError, UnsupportedError
from services.llm.chat_template import ChatTemplate
from services.llm.engine import ChatMessage, Role, Tool, ToolCall
from services.llm.tool_dialects import HERMES, LLAMA, MISTRAL, MISTRAL_NAMED, ToolDialect
from tests.support import chat_templates as source

SYSTEM = ChatMessage(Role.SYSTEM, "Be brief.")
QUESTION = ChatMessage(Role.USER, "What is the weather in Nîmes?")
REPLY = ChatMessage(Role.ASSISTANT, "Sunny.")
THANKS = ChatMessage(Role.USER, "Thanks!")
WEATHER = Tool(
    "weather", "The weather, là où l'on est", '{"type": "object", "properties": {"city": {"type": "string"}}}'
)
CALL = ChatMessage(Role.ASSISTANT, "", tool_calls=(ToolCall("call_0a1b2c3d4e5f", "weather", '{"city": "Nîmes"}'),))
RESULT = ChatMessage(Role.TOOL, "sunny, 30 °C", tool_call_id="call_0a1b2c3d4e5f")


# Also with what most templates leave out: whose result it is.
_WITH_IDS = {
    name: text + "{% for m in messages %}{{ m.tool_call_id ~ m.name }}{% endfor %}" for name, text in source.ALL.items()
}


def template(text: str, bos: str = "<s>", eos: str = "</s>") -> ChatTemplate:
    return ChatTemplate(text, bos, eos, now=lambda: datetime(2026, 3, 9, tzinfo=UTC))


def test_chatml() -> None:
    assert template(source.CHATML).render([SYSTEM, QUESTION, REPLY, THANKS]) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is the weather in Nîmes?<|im_end|>\n"
        "<|im_start|>assistant\nSunny.<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>\n<|im_start|>assistant\n"
    )


def test_llama_3() -> None:
    assert template(source.LLAMA_3, "<|begin_of_text|>").render([SYSTEM, THANKS]) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nThanks!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_llama_3_1_with_tools() -> None:
    text = template(source.LLAMA_3_1, "<|begin_of_text|>").render([SYSTEM, QUESTION, CALL, RESULT], [WEATHER])
    assert "Today Date: 09 Mar 2026\n" in text
    assert '    "function": {\n        "name": "weather",\n        "description": "The weather, là où' in text
    assert '\n\n{"name": "weather", "parameters": {"city": "Nîmes"}}<|eot_id|>' in text
    assert text.endswith(
        '<|start_header_id|>ipython<|end_header_id|>\n\n"sunny, 30 °C"<|eot_id|>'
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_qwen_with_tools() -> None:
    text = template(source.QWEN_2_5).render([SYSTEM, QUESTION, CALL, RESULT], [WEATHER])
    assert text.startswith("<|im_start|>system\nBe brief.\n\n# Tools\n\n<tools>\n")
    assert '\n{"type": "function", "function": {"name": "weather", "description": "The weather, là où' in text
    assert text.endswith(
        '<|im_start|>assistant\n<tool_call>\n{"name": "weather", "arguments": {"city": "Nîmes"}}\n</tool_call>'
        "<|im_end|>\n<|im_start|>user\n<tool_response>\nsunny, 30 °C\n</tool_response><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_without_tools_none_are_spoken_of() -> None:
    assert "Tools" not in template(source.QWEN_2_5).render([SYSTEM, THANKS])


@pytest.mark.parametrize(("thinking", "ending"), [(True, "assistant\n"), (False, "<think>\n\n</think>\n\n")])
def test_qwen_3_thinks_where_it_may(thinking: bool, ending: str) -> None:
    assert template(source.QWEN_3).render([THANKS], thinking=thinking).endswith(ending)


def test_mistral_with_tools() -> None:
    text = template(source.MISTRAL).render([SYSTEM, QUESTION, CALL, RESULT], [WEATHER])
    assert text.startswith('<s>[AVAILABLE_TOOLS] [{"type": "function", "function": {"name": "weather", ')
    # Nine letters and digits: the template takes no other identifiers, and the result must bear the call's.
    call_id = text.split('"call_id": "')[1].partition('"')[0]
    assert len(call_id) == 9
    assert call_id.isalnum()
    assert (
        f'[TOOL_CALLS] [{{"name": "weather", "arguments": {{"city": "Nîmes"}}, "id": "{call_id}"}}]</s>'
        f'[TOOL_RESULTS] {{"content": "sunny, 30 °C", "call_id": "{call_id}"}}[/TOOL_RESULTS]'
    ) in text


def test_gemma_reads_the_system_message_as_the_persons_own() -> None:
    gemma = template(source.GEMMA, "<bos>")
    assert not gemma.supports_system
    assert gemma.render([SYSTEM, QUESTION, REPLY, THANKS]) == (
        "<bos><start_of_turn>user\nBe brief.\n\nWhat is the weather in Nîmes?<end_of_turn>\n"
        "<start_of_turn>model\nSunny.<end_of_turn>\n<start_of_turn>user\nThanks!<end_of_turn>\n<start_of_turn>model\n"
    )


@pytest.mark.parametrize("name", ["Gemma", "Mistral"])
def test_where_roles_must_alternate_neighbours_become_one(name: str) -> None:
    """A person who interrupts before anything was heard says two things in a row."""
    text = template(source.ALL[name]).render([QUESTION, replace(THANKS, content="And in Arles?")])
    assert "What is the weather in Nîmes?\n\nAnd in Arles?" in text


def test_elsewhere_neighbours_stay_apart() -> None:
    assert template(source.CHATML).render([QUESTION, THANKS]).count("<|im_start|>user") == 2


@pytest.mark.parametrize(
    ("habit", "instead"),
    [
        ("call.function.arguments | tojson ~", "call.function.arguments +"),
        ("message.role == 'assistant'", "message.role == 'assistant' and (message.content or message.content is none)"),
    ],
)
def test_calls_without_content_or_with_arguments_as_text(habit: str, instead: str) -> None:
    assert habit in source.QWEN_2_5
    text = template(source.QWEN_2_5.replace(habit, instead)).render([QUESTION, CALL, RESULT], [WEATHER])
    assert '<tool_call>\n{"name": "weather", "arguments": {"city": "Nîmes"}}\n</tool_call>' in text


@pytest.mark.parametrize("name", source.ALL)
def test_what_each_supports(name: str) -> None:
    found = template(source.ALL[name])
    assert found.supports_tools == (name not in {"ChatML", "Llama 3", "Gemma", "DeepSeek R1"})
    assert found.supports_system == (name != "Gemma")


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("Qwen 2.5", HERMES),
        ("Qwen 3", HERMES),
        ("Llama 3.1", LLAMA),
        ("Mistral", MISTRAL),
        ("Mistral, newer", MISTRAL_NAMED),
        ("DeepSeek R1", None),
    ],
)
def test_the_dialect_is_the_one_it_writes_calls_in(name: str, dialect: ToolDialect | None) -> None:
    assert template(source.ALL[name]).dialect == dialect


@pytest.mark.parametrize("name", ["Qwen 2.5", "Llama 3.1", "Mistral", "Mistral, newer"])
def test_every_text_of_a_request_is_quoted(name: str) -> None:
    """JSON can spell a mark in ways that only show once it is read, and templates write what was read."""
    mark = "<|end|>"
    spelt = r"\u003c|end|\u003e"
    schema = f'{{"{spelt}": [{{"enum": ["{spelt}", 1, true, null]}}], "type": "object"}}'
    tool = Tool(mark, mark, schema)
    call = ToolCall(mark, mark, f'{{"{spelt}": [{{"b": "{spelt}"}}]}}')
    conversation = [
        ChatMessage(Role.SYSTEM, mark),
        ChatMessage(Role.USER, mark),
        ChatMessage(Role.ASSISTANT, "", tool_calls=(call,)),
        ChatMessage(Role.TOOL, mark, tool_call_id=mark),
    ]
    written = ChatTemplate(_WITH_IDS[name], "<s>", "</s>", quote=lambda text: text.replace("<|", "< |"))
    text = written.render(conversation, [tool])
    assert "< |end|>" in text
    assert mark not in text
    assert mark in ChatTemplate(_WITH_IDS[name], "<s>", "</s>").render(conversation, [tool])


def test_arguments_that_a_template_takes_as_text_are_quoted() -> None:
    text_only = source.QWEN_2_5.replace("call.function.arguments | tojson ~", "call.function.arguments +")
    written = ChatTemplate(text_only, "", "", quote=lambda text: text.replace("<|", "< |"))
    call = replace(CALL, tool_calls=(replace(CALL.tool_calls[0], arguments_json='{"city": "<|end|>"}'),))
    assert '{"city": "< |end|>"}' in written.render([QUESTION, call, RESULT], [WEATHER])


def test_a_word_about_tools_is_no_support() -> None:
    assert not template(source.CHATML + "{# tools, tool_calls #}").supports_tools


def test_who_writes_tools_but_no_results_does_not_support_them() -> None:
    assert not template("{{ tools }}" + source.GEMMA).supports_tools


def test_tools_for_a_template_that_knows_none_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="knows no tools") as refused:
        template(source.CHATML).render([QUESTION], [WEATHER])
    assert refused.value.field == "tools"


def test_what_a_template_refuses_is_the_callers_affair() -> None:
    with pytest.raises(InvalidInputError, match=r"messages: .* refuses them \(Conversation roles must alternate"):
        template(source.GEMMA).render([REPLY, QUESTION])
    twice = replace(CALL, tool_calls=CALL.tool_calls * 2)
    with pytest.raises(InvalidInputError, match="single tool-calls"):
        template(source.LLAMA_3_1).render([QUESTION, twice, RESULT])


@pytest.mark.parametrize("broken", ["no JSON", "[]", '{"a": ' * 100_000])
def test_arguments_and_schemas_that_are_no_objects_are_refused(broken: str) -> None:
    call = replace(CALL, tool_calls=(replace(CALL.tool_calls[0], arguments_json=broken),))
    with pytest.raises(InvalidInputError, match="messages: the arguments of a tool call must be a JSON object"):
        template(source.QWEN_2_5).render([QUESTION, call, RESULT])
    with pytest.raises(InvalidInputError, match=r"tools\[0\].parameters_json_schema: the schema must be a JSON object"):
        template(source.QWEN_2_5).render([QUESTION], [replace(WEATHER, parameters_json_schema=broken)])


def test_a_template_is_text_of_whole_characters_whatever_json_says() -> None:
    call = replace(CALL, tool_calls=(replace(CALL.tool_calls[0], arguments_json=r'{"city": "\ud800"}'),))
    assert '{"city": "?"}' in template(source.QWEN_2_5).render([QUESTION, call, RESULT])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{% for message in messages %}", "is broken"),
        ("{{ messages[0].content }" + "}" * 300_000, "longer than 200000 characters"),
        ("{% if 1 %}" * 30_000, "is broken"),
        ("{{ messages[0].content.__class__.__mro__ }}", "unsafe"),
        ("{{ raise_exception('No.') }}", "fails: No."),
        ("{% for _ in range(1000000000) %}{% endfor %}", "fails: Range too big"),
        ("{% for _ in range(90000) %}{{ messages[0].content * 100 }}{% endfor %}", "more than 1000000 characters"),
        ("Once upon a time", "does not write what the person says"),
    ],
)
def test_a_template_that_cannot_be_used_is_the_engines_failure(text: str, why: str) -> None:
    with pytest.raises(EngineFailedError, match=why):
        template(text)


def test_what_templates_expect_of_jinja() -> None:
    text = (
        "{% generation %}{% for message in messages %}{% if message.content == 'Thanks!' %}{% break %}{% endif %}"
        "{{ message.content }}{% endfor %}{% endgeneration %} {{ strftime_now('%Y') }} {{ eos_token }}"
    )
    assert template(text).render([REPLY, THANKS]) == "Sunny. 2026 </s>"
