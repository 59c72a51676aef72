"""IPA as espeak-ng's own phonemes. They differ between voices, so a voice itself is asked what each of them is."""

from collections.abc import Callable

# What voices may have, the usual ones first; https://github.com/espeak-ng/espeak-ng/blob/master/docs/phonemes.md.
_VOWELS = (
    'a e i o u y a# E I O U V Y W A A~ E~ O~ W~ @ 3 0 & I2 O2 u" '
    "a: e: i: o: u: y: A: E: O: 3: Y: W: A~: aI eI oU aU OI @r e@ i@ U@"
)
_CONSONANTS = "p b t d k g f v T D s z S Z h m n N n^ l l^ L r R j w x C Q X B J ? tS dZ ts"
_VOWEL = "@"  # a consonant alone may lose its voice; before this one it is itself
_VOWEL_IPA = "ə"
_STRESS = {"ˈ": "'", "ˌ": ","}
# Marks that say nothing to espeak-ng, and letters that are one sound to it: a language has one r.
_FOLDED = str.maketrans({"͡": "", "‿": "", ".": "", " ": "", ":": "ː", "g": "ɡ", "ɥ": "y"} | dict.fromkeys("ɹɾʁʀɻ", "r"))

ToIpa = Callable[[str], str]


class IpaReader:
    """Writes IPA in the way of one voice."""

    def __init__(self, to_ipa: ToIpa) -> None:
        """`to_ipa` tells how the voice says phonemes that are written in espeak-ng's way."""
        self._to_ipa = to_ipa
        self._mnemonics: dict[str, str] = {}
        for mnemonic in f"{_VOWELS} {_CONSONANTS}".split():
            before_vowel = _sounds(to_ipa(mnemonic + _VOWEL))
            for sounds in (_sounds(to_ipa(mnemonic)), before_vowel.removesuffix(_VOWEL_IPA)):
                if sounds:
                    self._mnemonics.setdefault(sounds, mnemonic)
        self._longest = max(map(len, self._mnemonics), default=0)

    def read(self, ipa: str) -> str | None:
        """The phonemes, or None where this voice would say something else."""
        written = ""
        rest = ipa.translate(_FOLDED)
        while rest:
            if rest[0] in _STRESS:
                written, rest = written + _STRESS[rest[0]], rest[1:]
                continue
            lengths = range(min(self._longest, len(rest)), 0, -1)
            length = next((length for length in lengths if rest[:length] in self._mnemonics), 0)
            if not length:
                return None
            written, rest = written + self._mnemonics[rest[:length]], rest[length:]
        return written if (wanted := _sounds(ipa)) and _sounds(self._to_ipa(written)) == wanted else None


def _sounds(ipa: str) -> str:
    """Its sounds alone, each written in one way."""
    return "".join(character for character in ipa.translate(_FOLDED) if character not in _STRESS)
