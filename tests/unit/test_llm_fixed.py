"""The reply that needs no model."""

from dataclasses import replace
from typing import Any

import pytest

from services.common.errors import UnsupportedError
from services.llm.engine import JsonFormat, ToolChoice
from services.llm.fixed import FixedReplyEngine
from tests.support.llm import collect, generation


async def reply(*said: str, language_code: str = "en", own: str = "en") -> str:
    text, _ = await collect(FixedReplyEngine(own).generate(generation(*said, language_code=language_code)))
    return text


@pytest.mark.parametrize(
    ("asked", "own", "expected"),
    [
        ("fr", "en", "modèle de langage"),
        ("fr-CA", "en", "modèle de langage"),
        ("en", "fr", "language model"),
        ("en-GB", "fr", "language model"),
        ("de-AT", "fr", "Sprachmodell"),
        ("es", "fr", "modelo de lenguaje"),
        ("it", "fr", "modello linguistico"),
        ("nl", "fr", "taalmodel"),
        ("pt-BR", "fr", "modelo de linguagem"),
        ("fi", "fr", "modèle de langage"),  # the service's own language, where it does not know the person's
        ("fi", "en", "language model"),
        ("fi", "sv", "language model"),
        ("", "fr", "modèle de langage"),
    ],
)
async def test_it_speaks_the_persons_language_or_the_services(asked: str, own: str, expected: str) -> None:
    assert expected in await reply("Hallo", language_code=asked, own=own)


@pytest.mark.parametrize(
    ("wish", "field"),
    [({"format": JsonFormat("{}")}, "response_format"), ({"tool_choice": ToolChoice.REQUIRED}, "tools")],
)
async def test_it_does_not_pass_for_what_it_is_not(wish: dict[str, Any], field: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        await collect(FixedReplyEngine("en").generate(replace(generation("Hi"), **wish)))
    assert caught.value.field == field


async def test_it_repeats_what_was_said_last() -> None:
    said = await reply("first question", "an answer", "What  is\n the time?")
    assert "“What is the time?”" in said
    assert "question" not in said


async def test_it_repeats_only_the_beginning_of_a_long_story() -> None:
    said = await reply("word " * 1000)
    assert "word word…”" in said
    assert len(said) < 300


@pytest.mark.parametrize("said", ["x" * 5000, "{heard} {0} %s", "é🎉" * 200])
async def test_no_words_break_it(said: str) -> None:
    reply_text = await reply(said)
    assert said[:50] in reply_text
    assert len(reply_text) < 300
