"""The assistant follows the user's language, but not every guess at it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.language import following

KNOWN = ("fr", "en")


@pytest.mark.parametrize(
    ("current", "heard", "text", "replied"),
    [
        ("fr", "en", "What time is it?", "en"),
        ("fr", "en-US", "What time is it?", "en"),
        ("fr", "EN", "What time is it?", "en"),
        ("en", "fr", "Quelle heure est-il ?", "fr"),
        ("en", "fr-CA", "Quelle heure est-il ?", "fr"),
        ("fr", "en", "Yes I do", "en"),
        # Too little to be sure of
        ("fr", "en", "OK", "fr"),
        ("fr", "en", "Paris.", "fr"),
        ("fr", "en", "Stop it!", "fr"),
        ("en", "fr", "Oui, merci.", "en"),
        ("en", "fr", "… ! ?", "en"),
        ("en", "fr", "", "en"),
        # As it is
        ("fr", "fr", "Oui", "fr"),
        ("fr", "fr", "Quelle heure est-il ?", "fr"),
        ("fr-CA", "fr", "Quelle heure est-il ?", "fr-CA"),
        ("fr-CA", "fr-FR", "Quelle heure est-il ?", "fr-CA"),
        ("en-GB", "fr", "Quelle heure est-il ?", "fr"),
        # It does not speak that
        ("fr", "de", "Wie spät ist es jetzt?", "fr"),
        ("fr", "ja", "今 何時 です か", "fr"),
        ("de", "ja", "今 何時 です か", "de"),
        ("de", "fr", "Quelle heure est-il ?", "fr"),
        # Nobody knows
        ("fr", "", "Quelle heure est-il ?", "fr"),
        ("fr", "-", "Quelle heure est-il ?", "fr"),
        ("fr", "und", "Quelle heure est-il ?", "fr"),
    ],
)
def test_the_language_of_a_reply(current: str, heard: str, text: str, replied: str) -> None:
    assert following(current, heard, text, KNOWN) == replied


@given(st.sampled_from(["fr", "en-GB", "de"]), st.text(max_size=10), st.text(max_size=30), st.sets(st.text(max_size=3)))
def test_there_always_is_one_that_it_speaks_or_spoke(current: str, heard: str, text: str, known: set[str]) -> None:
    replied = following(current, heard, text, known)
    assert replied
    assert replied == current or replied in known
