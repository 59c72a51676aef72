"""Whether others on this machine can read tokens and keys."""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from client.errors import reason_of
from client.messages import tr
from client.validation.evidence.finding import Ageing, Finding, Status, not_measured
from services.common.config_files import CONFIG_DIR, merge, read_yaml

_CONFIG = "SUPERWHISPER_CONFIG"
_KEYS = ("token_file", "tls_key")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def from_settings(
    config: Path | None, environment: Mapping[str, str], client: Mapping[str, Any], ageing: Ageing
) -> list[Finding]:
    """A finding a file that the settings, a file of one's own or the environment name.

    `client`: what the client's own settings came to, with the flags of its command line.
    """
    settings = read_yaml(CONFIG_DIR / "default.yaml")
    own = config or next((value for name, value in environment.items() if name.upper() == _CONFIG and value), None)
    if own is not None:
        settings = merge(settings, read_yaml(Path(own)))
    paths = dict.fromkeys([*_named(settings), *_named(client), *_in_environment(environment)])
    if not paths:
        return [Finding(Status.GO, tr("no token and no key is used"), tr("the settings"), ageing.now)]
    return [_finding(Path(path).expanduser(), ageing) for path in paths]


def _named(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _named(value)
        elif key in _KEYS and value:
            yield str(value)


def _in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    """SUPERWHISPER_STT__SERVER__SECURITY__TOKEN_FILE, say."""
    for name, value in environment.items():
        if name.upper().startswith("SUPERWHISPER_") and name.lower().endswith(_KEYS) and value:
            yield value


def _finding(path: Path, ageing: Ageing) -> Finding:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return not_measured(reason_of(error), str(path))
    if os.name == "nt":
        return not_measured(tr("Windows does not tell it so: look at its security page"), str(path))
    if mode & _OTHERS:
        told = tr("others may use it ({mode}): chmod 600 {path}", mode=stat.filemode(mode), path=path)
        return Finding(Status.NO_GO, told, str(path), ageing.now)
    return Finding(Status.GO, tr("its owner alone may read it"), str(path), ageing.now)
