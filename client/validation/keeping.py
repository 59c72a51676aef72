"""Both files of a validation: the report for people, the JSON for `go-nogo`."""

from pathlib import Path

from client.errors import CommandError, reason_of
from client.messages import tr
from client.unused import unused
from client.validation.record import Record, stem, to_json
from client.validation.report import markdown

FOLDER = Path("docs") / "validation"


def check_folder(folder: Path) -> None:
    """Before an hour is spent on what could not be kept then."""
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        told = tr(
            "{folder} cannot be written to: {reason}; name another with --out", folder=folder, reason=reason_of(error)
        )
        raise CommandError(told) from error


def keep(record: Record, folder: Path) -> Path:
    """Writes both; the path of the report."""
    report = unused(folder / f"{stem(record.setting.began_at, record.setting.kind)}.md")
    try:
        _write(report.with_suffix(".json"), to_json(record))
        _write(report, markdown(record))
    except OSError as error:
        raise CommandError(tr("{path} cannot be written: {reason}", path=report, reason=reason_of(error))) from error
    return report


def _write(path: Path, text: str) -> None:
    """Nobody ever reads half of it."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)
