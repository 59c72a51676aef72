"""What people say into a reply: whether it interrupts, as a table. The backchannels are config/default.yaml's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.settings import load
from services.orchestrator.barge_in import Backchannels, Evidence, Verdict, judge
from services.orchestrator.config import OrchestratorSettings

PHRASES = [
    phrase for phrases in load(OrchestratorSettings).orchestrator.barge_in.backchannels.values() for phrase in phrases
]
DEFAULT = Backchannels(PHRASES)

INTERRUPTS, NOTHING, OPEN = Verdict.INTERRUPTION, Verdict.FALSE_ALARM, Verdict.UNDECIDED

# What was heard; what that is while speech goes on; and when it is over.
CASES = [
    # Nothing, and what recognisers write for noise
    ("", OPEN, NOTHING),
    ("   ", OPEN, NOTHING),
    ("...", OPEN, NOTHING),
    ("…", OPEN, NOTHING),
    ("♪", OPEN, NOTHING),
    ("♪ la la la ♪", OPEN, NOTHING),
    ("[Musique]", OPEN, NOTHING),
    ("[BLANK_AUDIO]", OPEN, NOTHING),
    ("(rires)", OPEN, NOTHING),
    ("(coughs) (laughs)", OPEN, NOTHING),
    ("*tousse*", OPEN, NOTHING),
    ("[Mus", OPEN, NOTHING),
    ("(rires) oui", OPEN, NOTHING),
    ("[Musique] arrête", INTERRUPTS, INTERRUPTS),
    ("*tousse* non", INTERRUPTS, INTERRUPTS),
    # French backchannels
    ("Oui.", OPEN, NOTHING),
    ("oui oui", OPEN, NOTHING),
    ("oui, oui, oui, oui, oui !", OPEN, NOTHING),
    ("Oui-oui", OPEN, NOTHING),
    ("ouais", OPEN, NOTHING),
    ("D'accord.", OPEN, NOTHING),
    ("D’ACCORD", OPEN, NOTHING),
    ("ok d'accord", OPEN, NOTHING),
    ("OK. D'accord. Oui.", OPEN, NOTHING),
    ("O.K.", OPEN, NOTHING),
    ("c'est ça", OPEN, NOTHING),
    ("ah oui, c'est vrai", OPEN, NOTHING),
    ("bien sûr", OPEN, NOTHING),
    ("très bien", OPEN, NOTHING),
    ("ah bon", OPEN, NOTHING),
    ("je vois", OPEN, NOTHING),
    ("voilà, exactement", OPEN, NOTHING),
    ("tout à fait", OPEN, NOTHING),
    ("euh", OPEN, NOTHING),
    ("Mmh.", OPEN, NOTHING),
    ("continue", OPEN, NOTHING),
    ("Vas-y, continue", OPEN, NOTHING),
    # English ones
    ("Mm-hm.", OPEN, NOTHING),
    ("mm hm", OPEN, NOTHING),
    ("Mmhm", OPEN, NOTHING),
    ("Uh-huh.", OPEN, NOTHING),
    ("Yeah, yeah.", OPEN, NOTHING),
    ("yes", OPEN, NOTHING),
    ("Okay, I see", OPEN, NOTHING),
    ("oh really", OPEN, NOTHING),
    ("All right, got it.", OPEN, NOTHING),
    ("That makes sense", OPEN, NOTHING),
    ("sure, go on", OPEN, NOTHING),
    # Of both at once
    ("yes, d'accord", OPEN, NOTHING),
    # Drawn out
    ("mmmm", OPEN, NOTHING),
    ("Hmmmm…", OPEN, NOTHING),
    ("ouiii", OPEN, NOTHING),
    ("ahhh oooh", OPEN, NOTHING),
    ("Mmm-hmm", OPEN, NOTHING),
    ("okaaay", OPEN, NOTHING),
    ("yeahhh", OPEN, NOTHING),
    ("euuuh", OPEN, NOTHING),
    ("noooon", INTERRUPTS, INTERRUPTS),
    ("nooo", INTERRUPTS, INTERRUPTS),
    ("God!", INTERRUPTS, INTERRUPTS),  # no way to say "good"
    # The beginning of one
    ("d'", OPEN, INTERRUPTS),
    ("d'acc", OPEN, INTERRUPTS),
    ("c'", OPEN, INTERRUPTS),
    ("c'est", OPEN, INTERRUPTS),
    ("oui c'est", OPEN, INTERRUPTS),
    ("ok d'ac", OPEN, INTERRUPTS),
    ("bien", OPEN, NOTHING),
    ("très", OPEN, INTERRUPTS),
    ("tout à", OPEN, INTERRUPTS),
    ("je", OPEN, INTERRUPTS),
    ("I", OPEN, INTERRUPTS),
    ("oui mais", INTERRUPTS, INTERRUPTS),
    # Real words
    ("non", INTERRUPTS, INTERRUPTS),
    ("Non non.", INTERRUPTS, INTERRUPTS),
    ("No.", INTERRUPTS, INTERRUPTS),
    ("stop", INTERRUPTS, INTERRUPTS),
    ("Stop !", INTERRUPTS, INTERRUPTS),
    ("attends", INTERRUPTS, INTERRUPTS),
    ("wait", INTERRUPTS, INTERRUPTS),
    ("pause", INTERRUPTS, INTERRUPTS),
    ("chut", INTERRUPTS, INTERRUPTS),
    ("merci", INTERRUPTS, INTERRUPTS),
    ("thanks", INTERRUPTS, INTERRUPTS),
    ("pardon", INTERRUPTS, INTERRUPTS),
    ("hein ?", INTERRUPTS, INTERRUPTS),
    ("quoi", INTERRUPTS, INTERRUPTS),
    ("pourquoi ?", INTERRUPTS, INTERRUPTS),
    ("c'est bon", INTERRUPTS, INTERRUPTS),  # as often as not: that is enough
    ("c'est quoi", INTERRUPTS, INTERRUPTS),
    ("d'abord", INTERRUPTS, INTERRUPTS),
    ("bien sûr que non", INTERRUPTS, INTERRUPTS),
    ("oui, mais attends", INTERRUPTS, INTERRUPTS),
    ("ok stop", INTERRUPTS, INTERRUPTS),
    ("mm-hm, and then?", INTERRUPTS, INTERRUPTS),
    ("euh, et à Lyon ?", INTERRUPTS, INTERRUPTS),
    ("je voudrais autre chose", INTERRUPTS, INTERRUPTS),
    ("I want something else", INTERRUPTS, INTERRUPTS),
    ("right now", INTERRUPTS, INTERRUPTS),
    ("okay Google", INTERRUPTS, INTERRUPTS),
    ("continue à chercher", INTERRUPTS, INTERRUPTS),
    ("go back", INTERRUPTS, INTERRUPTS),
    ("ouistiti", INTERRUPTS, INTERRUPTS),
    ("Paris", INTERRUPTS, INTERRUPTS),
    ("deux", INTERRUPTS, INTERRUPTS),
    ("2", INTERRUPTS, INTERRUPTS),
    ("42 %", INTERRUPTS, INTERRUPTS),
    ("5 * 3", INTERRUPTS, INTERRUPTS),
    ("你好", INTERRUPTS, INTERRUPTS),
]


@pytest.mark.parametrize(("text", "meanwhile", "over"), CASES)
def test_what_is_said_into_a_reply(text: str, meanwhile: Verdict, over: Verdict) -> None:
    assert judge(Evidence(text, is_over=False), DEFAULT) is meanwhile
    assert judge(Evidence(text, is_over=True), DEFAULT) is over


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_backchannel_is_one_from_its_first_letter_on(phrase: str) -> None:
    assert judge(Evidence(phrase, is_over=True), DEFAULT) is NOTHING
    for end in range(len(phrase) + 1):
        assert judge(Evidence(phrase[:end], is_over=False), DEFAULT) is OPEN, phrase[:end]


@given(st.lists(st.sampled_from(PHRASES), max_size=30), st.booleans(), st.integers(0, 30))
def test_backchannels_in_a_row_are_none_less_and_one_real_word_is_enough(
    row: list[str], is_over: bool, place: int
) -> None:
    assert judge(Evidence(" ".join(row), is_over), DEFAULT) is (NOTHING if is_over else OPEN)
    row.insert(place, "stop")
    assert judge(Evidence(" ".join(row), is_over), DEFAULT) is INTERRUPTS


def test_without_any_backchannels_every_word_interrupts() -> None:
    assert judge(Evidence("oui", is_over=False), Backchannels([])) is INTERRUPTS
    assert judge(Evidence("", is_over=True), Backchannels([])) is NOTHING


def test_a_setting_without_words_covers_nothing() -> None:
    assert judge(Evidence("stop", is_over=True), Backchannels(["", "…", "oui"])) is INTERRUPTS
