"""What the client says, in French. A sentence is found by its English; `{…}` stay as they are.

The modules here are written with the keys of a keyboard; what French typography asks for beyond them is added here.
"""

import re
from importlib import import_module
from pkgutil import iter_modules

# No line ends before ? ! : ; » % nor behind «. Not the narrow space (U+202F), which some terminals' fonts do not have.
_NEVER_BROKEN = re.compile(r" (?=[?!:;»%])|(?<=«) ")
_NO_BREAK_SPACE = "\u00a0"
_ELISION = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_]|[«{`])")


def typeset(sentence: str) -> str:
    """The sentence as it is printed in books."""
    return _ELISION.sub("’", _NEVER_BROKEN.sub(_NO_BREAK_SPACE, sentence))


CATALOGUE: dict[str, str] = {
    english: typeset(french)
    for module in iter_modules(__path__)
    for english, french in import_module(f"{__name__}.{module.name}").SENTENCES.items()
}
