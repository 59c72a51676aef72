"""What the client says, in French. A sentence is found by its English; `{…}` stay as they are."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

CATALOGUE: dict[str, str] = {}
for _module in iter_modules([str(Path(__file__).parent)]):
    CATALOGUE.update(import_module(f"{__name__}.{_module.name}").SENTENCES)
