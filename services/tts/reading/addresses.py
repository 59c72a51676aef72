"""Addresses of mails, pages and files, hash tags and names: what is said of them, and how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.tts.reading.numbers import NumberGrammar
from services.tts.reading.rules import Begins, Rule, rule, says
from services.tts.reading.spelling import spell_out, spell_short

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL}){{0,6}}"
_PATH = r"(?:[/?#](?:[^\s<>\"«»“”]{0,2000}[\w/=&#~-])?)?"
_SCHEME = r"(?:https?|ftps?|wss?|HTTPS?)://"
# Bare names count as addresses only with these at their end: a full stop without a space after it is a common slip.
_TOP = (
    "com|org|net|edu|gov|info|io|ai|app|dev|tv|co|uk|eu|fr|be|ch|ca|de|nl|lu|au|jp|cn|br|paris|bzh|quebec|online|"
    "shop|site|tech|cloud|blog|wiki"
)
_EXTENSIONS = (
    "txt|md|pdf|docx?|xlsx?|pptx?|csv|tsv|json|ya?ml|toml|xml|html?|css|jsx?|tsx?|py|rs|go|java|cpp|sh|bat|exe|zip|"
    "tar|gz|7z|rar|iso|png|jpe?g|gif|svg|webp|mp[34]|wav|flac|ogg|opus|avi|mkv|mov|log|ini|cfg|conf|sql|db|onnx|gguf"
)
_HUMP = re.compile(r"(?<=[^\W\d_])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])|_")


@dataclass(frozen=True)
class AddressWords:
    """How a language says the signs of an address."""

    at: str
    hash_tag: str
    number_sign: str
    slash: str
    marks: Mapping[str, str]  # `.`, `-`, `_`, `+`


class Addresses:
    """The rules for addresses."""

    def __init__(self, numbers: NumberGrammar, words: AddressWords) -> None:
        self._numbers = numbers
        self._words = words

    def rules(self) -> tuple[Rule, ...]:
        """In their order."""
        words = Begins.LETTER | Begins.DIGIT
        return (
            rule(rf"(?:mailto:)?(?P<name>[\w.+%-]{{1,64}})@(?P<host>{_LABEL}(?:\.{_LABEL}){{1,6}})", self._say_mail),
            rule(rf"{_SCHEME}(?:[^\s/@]{{1,64}}@)?(?P<host>{_HOST})(?::[0-9]{{1,5}})?{_PATH}", self._say_host, words),
            rule(rf"(?P<host>www\.{_HOST})(?::[0-9]{{1,5}})?{_PATH}", self._say_host, words),
            rule(rf"(?P<host>(?:{_LABEL}\.){{1,6}}(?:{_TOP}))(?![\w@-]|\.\w){_PATH}", self._say_host, words),
            rule(rf"(?P<file>[\w-]{{1,80}}(?:\.[\w-]{{1,20}}){{0,3}}\.(?:{_EXTENSIONS}))(?!\w)", self._say_file, words),
            rule(r"(?<!\S)\.(?P<extension>[a-z]{2,12}|[A-Z]{2,5})(?!\w)", self._say_extension, Begins.SIGN),
            rule(r"(?<!\S)[~.]{0,2}(?P<path>(?:/[\w.-]{0,60}[\w-]){1,20})/?", self._say_path, Begins.SIGN),
            says(r"#(?=[0-9])", self._words.number_sign, Begins.SIGN),
            rule(r"#(?P<tag>[^\W\d_]\w{0,80})", self._say_tag, Begins.SIGN),
            rule(r"@(?P<tag>\w{1,80})", self._say_name, Begins.SIGN),
        )

    def _say_mail(self, match: re.Match[str]) -> str:
        return f"{self._spell(match['name'])} {self._words.at} {self._spell_host(match['host'])}"

    def _say_host(self, match: re.Match[str]) -> str:
        return self._spell_host(match["host"])

    def _say_file(self, match: re.Match[str]) -> str:
        stem, _, extension = match["file"].rpartition(".")
        return f"{self._spell(stem)} {self._words.marks['.']} {self._spell(extension, is_code=True)}"

    def _say_extension(self, match: re.Match[str]) -> str:
        return f"{self._words.marks['.']} {self._spell(match['extension'], is_code=True)}"

    def _say_path(self, match: re.Match[str]) -> str:
        return " ".join(f"{self._words.slash} {self._spell(part)}" for part in match["path"].split("/")[1:])

    def _say_tag(self, match: re.Match[str]) -> str:
        return f"{self._words.hash_tag} {self._spell(_HUMP.sub(' ', match['tag']))}"

    def _say_name(self, match: re.Match[str]) -> str:
        return f"{self._words.at} {self._spell(match['tag'])}"

    def _spell_host(self, host: str) -> str:
        dot = f" {self._words.marks['.']} "
        return dot.join(self._spell(label, is_code=True) for label in host.split("."))

    def _spell(self, text: str, *, is_code: bool = False) -> str:
        return spell_out(text, self._words.marks, self._numbers, spell_short if is_code else str)
