"""The terminal: whether it can show what the view draws, and French."""

import locale
import os
import sys
from collections.abc import Mapping, Sequence

from client.doctor.check import Finding, not_applicable, ok, warning
from client.messages import tr

_NARROWEST = 60  # columns


async def look_at_terminal(
    environment: Mapping[str, str] = os.environ,
    encoding: str | None = None,
    columns: int | None = None,
) -> Sequence[Finding]:
    """Its encoding, and the size it has if it is one."""
    return [_encoding(encoding or sys.stdout.encoding or locale.getpreferredencoding()), _size(environment, columns)]


def _encoding(encoding: str) -> Finding:
    if encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig"):
        return ok(tr("encoding"), encoding)
    mend = "chcp 65001" if sys.platform == "win32" else "export LC_ALL=C.UTF-8"
    return warning(tr("encoding"), tr("{encoding}: accents and symbols are left out", encoding=encoding), mend)


def _size(environment: Mapping[str, str], columns: int | None) -> Finding:
    name = tr("view")
    if columns is None and not sys.stdout.isatty():
        return not_applicable(name, tr("this output is no terminal: `talk` writes plain lines there"))
    if environment.get("TERM") == "dumb":
        return warning(
            name, tr("this terminal cannot place text: `talk` writes plain lines there"), "export TERM=xterm-256color"
        )
    width = columns or os.get_terminal_size(sys.stdout.fileno()).columns
    if width < _NARROWEST:
        found = tr("{width} columns are too few for the view", width=width)
        return warning(name, found, tr("make the window wider: {wanted} columns", wanted=_NARROWEST))
    return ok(name, tr("{width} columns", width=width))
