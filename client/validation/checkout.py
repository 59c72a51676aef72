"""Which code this is: the commit, where the program runs from a checkout."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CODE = ("services", "client", "protos", "config")  # what a change of makes older figures doubtful
_COMMIT = re.compile(r"[0-9a-f]{7,40}")  # with "-dirty", nobody knows what was changed
_LIMIT_S = 20.0


@dataclass(frozen=True)
class Checkout:
    """A folder under git; elsewhere all answers are "unknown"."""

    root: Path = _ROOT

    @cached_property
    def commit(self) -> str:
        """The commit in short, with "-dirty" where the code was changed since; empty where it is unknown."""
        head = self._git("rev-parse", "--short=12", "HEAD")
        return f"{head}-dirty" if head and self._git("status", "--porcelain", "--", *_CODE) else head

    @cached_property
    def changed_at(self) -> datetime | None:
        """When the code was last changed: committed, or written since."""
        committed = self._git("log", "-1", "--format=%cI", "--", *_CODE)
        if not committed:
            return None
        written = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in self._uncommitted() if path.is_file()]
        return max([datetime.fromisoformat(committed), *written])

    def has_changed_since(self, commit: str) -> bool | None:
        """Whether the code that lies here is another than in that commit; None where that cannot be told."""
        if not _COMMIT.fullmatch(commit):  # it comes out of a file: it must not be an option of git's
            return None
        names = self._run("diff", "--name-only", commit, "--", *_CODE)
        return None if names is None else bool(names or self._uncommitted())

    def _uncommitted(self) -> list[Path]:
        changed = self._git("ls-files", "--modified", "--others", "--exclude-standard", "-z", "--", *_CODE)
        return [self.root / name for name in changed.split("\0") if name]

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments) or ""

    def _run(self, *arguments: str) -> str | None:
        """What git says; None where it refuses, is missing, or would speak of another folder."""
        git = shutil.which("git")
        if git is None or not (self.root / ".git").exists():
            return None
        command = (git, "-C", str(self.root), *arguments)
        ended = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)  # noqa: S603  # git's own
        return ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else None
