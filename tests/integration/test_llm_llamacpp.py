"""The llama.cpp engine on a real model of 1 MB: what it reads again, where it stops, and what it writes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from services.common.errors import InvalidInputError, ModelError, UnavailableError, UnusableAnswerError
from services.llm.engine import (
    AtWork,
    ChatMessage,
    Finished,
    FinishReason,
    Generation,
    GrammarFormat,
    Role,
    Sampling,
    TextDelta,
    Usage,
)
from services.llm.llama_model import LlamaModel
from services.llm.llamacpp import LlamaCppEngine, default_threads
from tests.support.llm import GREEDY, TINY, collect, generation, llama_engine, tiny_model

WILD = Sampling(temperature=2, top_p=1, top_k=0, min_p=0, repeat_penalty=1, max_tokens=40)


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[LlamaCppEngine]:
    async with llama_engine() as loaded:
        yield loaded


@pytest.fixture
def model() -> LlamaModel:
    return LlamaModel(tiny_model(), TINY)


async def test_the_reply_ends_at_max_tokens(engine: LlamaCppEngine) -> None:
    _, finished = await collect(engine.generate(generation("Once", sampling=replace(GREEDY, max_tokens=7))))
    assert (finished.reason, finished.usage.completion_tokens) == (FinishReason.LENGTH, 7)


async def test_the_reply_ends_where_the_context_does(engine: LlamaCppEngine) -> None:
    _, finished = await collect(engine.generate(generation("Once", sampling=replace(WILD, max_tokens=1000, seed=5))))
    total = finished.usage.prompt_tokens + finished.usage.completion_tokens
    assert (finished.reason, total) == (FinishReason.LENGTH, engine.context_tokens)
    assert (await collect(engine.generate(generation("Once"))))[0]  # and it lives


async def test_a_stop_sequence_is_not_shown(engine: LlamaCppEngine) -> None:
    whole, _ = await collect(engine.generate(generation("Once", sampling=replace(GREEDY, seed=1))))
    stop = whole[10:13]
    cut, finished = await collect(engine.generate(generation("Once", sampling=replace(GREEDY, seed=1, stop=(stop,)))))
    assert cut == whole[: whole.index(stop)]
    assert finished.reason is FinishReason.STOP


@pytest.mark.parametrize("words", [120, 5000])
async def test_a_conversation_too_long_for_the_context_is_refused_before_it_is_read(
    engine: LlamaCppEngine, words: int
) -> None:
    with pytest.raises(InvalidInputError, match="the last turn is too long") as caught:
        await collect(engine.generate(generation("little dog " * words)))
    assert caught.value.field == "messages"
    assert (await collect(engine.generate(generation("Once"))))[0]


async def test_the_longest_conversation_that_fits_is_answered(model: LlamaModel, engine: LlamaCppEngine) -> None:
    content = "a"
    while len(_prompt(model, content + " a")) <= TINY.context_tokens - 1:
        content += " a"
    _, finished = await collect(engine.generate(generation(content, sampling=replace(GREEDY, max_tokens=1))))
    assert finished.usage.completion_tokens == 1
    model.close()


async def test_what_was_read_in_an_earlier_turn_is_not_read_again(engine: LlamaCppEngine) -> None:
    first, finished = await collect(engine.generate(generation("Once upon a time there was")))
    earlier = finished.usage.prompt_tokens
    _, finished = await collect(engine.generate(generation("Once upon a time there was", first, "And then?")))
    assert finished.usage.cached_prompt_tokens >= earlier - 8  # the template writes the end of a prompt another way
    _, finished = await collect(engine.generate(generation("Something else")))
    assert finished.usage.cached_prompt_tokens < earlier - 8


async def test_a_prompt_that_is_all_known_is_answered_as_before(engine: LlamaCppEngine) -> None:
    replies = [await collect(engine.generate(generation("Once upon a time"))) for _ in range(3)]
    assert len({text for text, _ in replies}) == 1
    assert replies[2][1].usage.cached_prompt_tokens == replies[2][1].usage.prompt_tokens - 1


async def test_the_same_seed_gives_the_same_reply_and_another_seed_another(engine: LlamaCppEngine) -> None:
    async def reply(seed: int) -> str:
        request = generation("Once upon a time", sampling=replace(WILD, seed=seed))
        return (await collect(engine.generate(request)))[0]

    first = await reply(7)
    await collect(engine.generate(generation("Once upon another time")))
    assert await reply(7) == first
    assert await reply(8) != first
    assert await reply(-1) == await reply(-1)


async def test_without_a_seed_replies_differ(engine: LlamaCppEngine) -> None:
    request = generation("Once upon a time", sampling=WILD)
    assert len({(await collect(engine.generate(request)))[0] for _ in range(4)}) > 1


async def test_no_character_is_ever_cut(engine: LlamaCppEngine) -> None:
    """Wild sampling over a vocabulary of single bytes writes a lot of what is no text."""
    for seed in range(12):
        request = generation("é🎉 où ça ?", sampling=replace(WILD, seed=seed))
        text, _ = await collect(engine.generate(request))
        assert "\ufffd" not in text
        assert text == text.encode().decode()


async def test_many_callers_share_it(engine: LlamaCppEngine) -> None:
    alone = [await collect(engine.generate(_seeded(number))) for number in range(4)]
    together = await asyncio.gather(*(collect(engine.generate(_seeded(number))) for number in range(4)))
    assert [text for text, _ in together] == [text for text, _ in alone]


def _seeded(number: int) -> Generation:
    return generation(f"Tell me of {number} dogs", sampling=replace(WILD, seed=number))


async def test_a_cancelled_caller_leaves_it_free_at_any_moment(engine: LlamaCppEngine) -> None:
    expected, _ = await collect(engine.generate(_seeded(1)))
    for deltas in range(4):
        # Long enough to be read in several slices, and cancelled before, at or after the first words.
        events = engine.generate(generation("once upon " * 10, sampling=replace(GREEDY, max_tokens=90)))
        for _ in range(deltas):
            assert isinstance(await anext(events), TextDelta)
        task = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await events.aclose()
        assert (await collect(engine.generate(_seeded(1))))[0] == expected


def _prompt(model: LlamaModel, content: str) -> list[int]:
    return model.tokenize(model.prompt([ChatMessage(Role.USER, content)], (), thinking=False))


def test_nobodys_words_are_control_tokens(model: LlamaModel) -> None:
    end = _prompt(model, "x").count(2)  # </s>, which ends a text for this model
    assert _prompt(model, "x </s></s> <s>").count(2) == end
    model.close()


async def test_what_it_thinks_is_not_shown(tmp_path: Path) -> None:
    """The template begins the reasoning, and this model never ends it."""
    template = tmp_path / "thinking.jinja"
    template.write_text("{% for message in messages %}{{ message.content }}{% endfor %}<think>", encoding="utf-8")
    request = generation("Once upon a time", sampling=replace(GREEDY, max_tokens=10))
    async with llama_engine(options=replace(TINY, chat_template=template)) as engine:
        *events, end = [event async for event in engine.generate(request)]
        assert events == [AtWork()] * len(events)
        assert len(events) > 5
        assert isinstance(end, Finished)
        assert end == Finished(FinishReason.LENGTH, Usage(end.usage.prompt_tokens, 0, 10))
        # A reply that must have a form has no time to think.
        form = GrammarFormat('root ::= "yes"')
        assert (await collect(engine.generate(replace(request, format=form))))[0] == "yes"


async def test_next_to_no_temperature_is_none(engine: LlamaCppEngine) -> None:
    """Else the logits are infinite, and the coldest temperature babbles."""
    greedy, _ = await collect(engine.generate(generation("Once upon a time")))
    for form in (None, GrammarFormat("root ::= [^x]+")):
        cold = generation("Once upon a time", sampling=replace(GREEDY, temperature=1e-45))
        assert (await collect(engine.generate(replace(cold, format=form))))[0] == greedy


async def test_a_grammar_that_leads_nowhere_fails_its_reply_alone(engine: LlamaCppEngine) -> None:
    nowhere = replace(generation("Once"), format=GrammarFormat('root ::= "a" [z-a] "b"'))
    other = asyncio.create_task(collect(engine.generate(generation("Once upon a time"))))
    with pytest.raises((UnusableAnswerError, InvalidInputError)):
        await collect(engine.generate(nowhere))
    assert (await other)[0]


async def test_closed_while_it_writes_it_ends_every_reply() -> None:
    async with llama_engine() as engine:
        writing = engine.generate(generation("Once", sampling=replace(GREEDY, max_tokens=200)))
        assert isinstance(await anext(writing), TextDelta)
        preparing = asyncio.create_task(collect(engine.generate(generation("dogs " * 40))))
        await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        async for _ in writing:
            pass
    with pytest.raises(UnavailableError):
        await preparing


async def test_a_chat_template_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        async with llama_engine(options=replace(TINY, chat_template=tmp_path / "nothing.jinja")):
            pass


def test_threads_are_at_most_one_a_core() -> None:
    assert default_threads() >= 1
