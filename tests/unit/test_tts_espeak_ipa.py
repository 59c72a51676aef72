"""IPA in espeak-ng's own phonemes, judged by what a voice says of them. The voice is a small made-up one."""

import pytest

from services.tts.espeak_ipa import IpaReader

_VOICE = {"p": "p", "t": "t", "S": "ʃ", "tS": "tʃ", "r": "ʁ", "a": "a", "i": "i", "i:": "iː", "A~": "ɑ̃", "@": "ə"}


def _to_ipa(mnemonics: str) -> str:
    """What the voice says; a `d` it has only before a vowel, as German has, and stress it adds by itself."""
    said, rest = "", mnemonics
    while rest:
        if rest[0] in "',":
            rest = rest[1:]
        elif rest[0] == "d":
            said, rest = said + ("d" if rest[1:] else "t"), rest[1:]
        else:
            length = next((length for length in (2, 1) if rest[:length] in _VOICE), 0)
            said, rest = said + _VOICE.get(rest[:length], ""), rest[max(length, 1) :]
    return f"ˈ{said}"


@pytest.mark.parametrize(
    ("ipa", "phonemes"),
    [
        ("pati", "pati"),
        ("tʃi", "tSi"),
        ("t͡ʃi", "tSi"),
        ("piː", "pi:"),
        ("pi:", "pi:"),
        ("paˈti", "pa'ti"),
        ("ˌpaˈti", ",pa'ti"),
        ("ʁa", "ra"),
        ("ɹa", "ra"),
        ("pɑ̃", "pA~"),
        ("da", "da"),
        ("ad", None),  # the voice would say `at`
        ("ta.pa", "tapa"),
        ("paǃ", None),
        ("", None),
        ("ˈ", None),
        ("pa'; rm", None),
    ],
)
def test_ipa_is_written_in_the_way_of_the_voice_or_not_at_all(ipa: str, phonemes: str | None) -> None:
    assert IpaReader(_to_ipa).read(ipa) == phonemes


def test_a_voice_without_sounds_reads_nothing() -> None:
    assert IpaReader(lambda mnemonics: "").read("a") is None
