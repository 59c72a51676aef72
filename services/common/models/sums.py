"""Checksums: what each file must be, and which files were found to be that."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from services.common.errors import ModelError
from services.common.models.locks import locked
from services.common.models.registry import Model, ModelFile


def sha256_of(path: Path) -> str:
    """The file's sum, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Sums:
    """The pinned and the verified sums of one models folder."""

    def __init__(self, models_dir: Path) -> None:
        self._pins = models_dir / "pins.json"
        self._verified = models_dir / "verified.json"
        self._lock = models_dir / ".locks" / ".sums"  # no model's name starts with a dot

    def expected(self, model: Model, file: ModelFile) -> str | None:
        """The sum that the registry names, else the one pinned at the first download from the same source."""
        if file.sha256 is not None:
            return file.sha256
        try:
            pin = _read(self._pins).get(_key(model, file))
        except ValueError as error:
            raise ModelError(f"{self._pins} is broken ({error}): mend it, or delete it to pin anew") from error
        if not isinstance(pin, dict) or pin.get("source") != str(file.source):
            return None
        return str(pin["sha256"])

    def pin(self, model: Model, file: ModelFile, sha256: str) -> None:
        """Every later copy of this file must have this sum."""
        if file.sha256 is None:
            self._put(self._pins, _key(model, file), {"source": str(file.source), "sha256": sha256})

    def is_verified(self, model: Model, file: ModelFile, path: Path, sha256: str) -> bool:
        """Whether the file was hashed before, found to have this sum, and not touched since."""
        try:
            seen = _read(self._verified).get(_key(model, file))
        except (ValueError, OSError):
            return False  # a cache: what cannot be read is computed again
        return seen == _fingerprint(path.stat(), sha256)

    def verify(self, model: Model, file: ModelFile, path: Path, sha256: str) -> str:
        """Hashes the file and returns its sum; remembers it where it is the right one."""
        stat = path.stat()  # before hashing: a change meanwhile must show as one
        found = sha256_of(path)
        if found == sha256:
            self.remember(model, file, stat, sha256)
        return found

    def remember(self, model: Model, file: ModelFile, stat: os.stat_result, sha256: str) -> None:
        """The file that looked like this when it was hashed has this sum."""
        with suppress(OSError):  # a read-only models folder costs the next start a second hash, no more
            self._put(self._verified, _key(model, file), _fingerprint(stat, sha256))

    def _put(self, path: Path, key: str, value: dict[str, Any]) -> None:
        with locked(self._lock):
            try:
                content = _read(path)
            except ValueError:
                content = {}
            content[key] = value
            _write(path, content)


def _key(model: Model, file: ModelFile) -> str:
    return f"{model.name}/{file.name}"


def _fingerprint(stat: os.stat_result, sha256: str) -> dict[str, Any]:
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    if not isinstance(content, dict):
        raise ValueError("it holds no keys and values")  # noqa: TRY004  # json's own error for bad content
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all. The caller holds the lock, so the name of the new file is ours."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
