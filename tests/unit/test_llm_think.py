"""services/llm/think.py: reasoning, left out of replies that come in any portions."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.llm.think import THINK_MARKS, Filtered, ThinkFilter, opens_thinking


def shown(*portions: str, inside: bool = False) -> str:
    reasoning = ThinkFilter(inside)
    return "".join(reasoning.push(portion).text for portion in portions) + reasoning.end()


@pytest.mark.parametrize(
    ("reply", "heard"),
    [
        ("<think>Hm.</think>Yes.", "Yes."),
        ("<think>\nHm.\n</think>\n\nYes.", "Yes."),
        ("<think></think>Yes.", "Yes."),
        ("<thinking>Hm.</thinking> Yes.", "Yes."),
        ("[THINK]Hm.[/THINK]Yes.", "Yes."),
        ("Well, <think>hm</think> yes.", "Well, yes."),
        ("Well,<think>hm</think> yes.", "Well, yes."),
        ("<think>a</think> <think>b</think>\nYes.", "Yes."),
        ("<think>a <think> b</think>Yes.", "Yes."),
        ("<think>This never ends. </thin", ""),
        ("Yes. <think>This never ends.", "Yes. "),
        ("Yes.</think> No.", "Yes. No."),
        ("3 < 4 <thin air> <thinker>", "3 < 4 <thin air> <thinker>"),
        ("It ends in <thi", "It ends in <thi"),
    ],
)
def test_what_is_heard_of_a_reply(reply: str, heard: str) -> None:
    assert shown(reply) == heard
    assert shown(*reply) == heard


def test_a_section_that_the_prompt_began_is_left_out_too() -> None:
    assert shown("Hm.\n</think>\n\nYes.", inside=True) == "Yes."
    assert shown(*"Hm. It never ends.", inside=True) == ""


def test_it_tells_when_there_was_reasoning() -> None:
    reasoning = ThinkFilter()
    portions = ["Oh <", "think>", "hm", "m</thi", "nk>\n", "yes", "</think>."]
    assert [reasoning.push(portion) for portion in portions] == [
        Filtered("Oh ", thought=False),
        Filtered("", thought=True),
        Filtered("", thought=True),
        Filtered("", thought=True),
        Filtered("", thought=True),
        Filtered("yes", thought=False),
        Filtered(".", thought=False),
    ]


def test_what_cannot_begin_a_section_is_given_at_once() -> None:
    reasoning = ThinkFilter()
    assert [reasoning.push(portion).text for portion in ("a <", "b", " <th", "e", "[", "1]")] == [
        "a ",
        "<b",
        " ",
        "<the",
        "",
        "[1]",
    ]


def test_a_prompt_that_ends_in_an_open_section_is_known() -> None:
    assert opens_thinking("<|im_start|>assistant\n<think>\n")
    assert opens_thinking("[THINK]")
    assert not opens_thinking("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not opens_thinking("user: what does <think> mean?\nassistant:")


_PARTS = st.sampled_from([*THINK_MARKS, "<", "</", "<th", "ink>", "[", " ", "\n", "yes", "é"])


@given(st.lists(_PARTS, max_size=20).map("".join), st.lists(st.integers(0, 200), max_size=20), st.booleans())
@example("a<think>b</think>  c", [18, 19], False)
def test_however_it_is_cut_the_same_is_shown(reply: str, cuts: list[int], inside: bool) -> None:
    places = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]
    portions = [reply[start:end] for start, end in pairwise(places)]
    assert shown(*portions, inside=inside) == shown(reply, inside=inside) == shown(*reply, inside=inside)


@given(st.lists(st.tuples(st.sampled_from(["one ", "two ", ""]), st.sampled_from(["secret", "<", ""])), max_size=9))
def test_nothing_of_a_section_is_ever_shown(parts: list[tuple[str, str]]) -> None:
    reply = "".join(f"{said}<think>{thought}</think>" for said, thought in parts)
    assert shown(*reply) == "".join(said for said, _ in parts)
