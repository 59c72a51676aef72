"""Runs a module where others cannot be imported, as if they were not installed.

    python -m tests.support.closed_imports '["torch", "services.stt"]' client talk --wav question.wav

At the end it writes the names of all modules that were imported to the file that IMPORTED_FILE names, if it is set.
"""

import json
import os
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType


class Refusal(MetaPathFinder):
    """Finds nothing, and forbids to look further for these modules and what is in them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._inside = tuple(f"{name}." for name in names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None: others may know it."""
        if fullname in self._names or fullname.startswith(self._inside):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def main() -> None:
    """Runs the module as `python -m` does."""
    names, module, *arguments = sys.argv[1:]
    sys.meta_path.insert(0, Refusal(json.loads(names)))
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        if file := os.environ.get("IMPORTED_FILE"):
            Path(file).write_text("\n".join(sys.modules), encoding="utf-8")


if __name__ == "__main__":
    main()
