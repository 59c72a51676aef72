"""What the last person said who validated by ear."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from client.errors import reason_of
from client.messages import tr
from client.validation.evidence.finding import Ageing, Finding, Status, not_measured
from client.validation.record import Kind, Record, UnreadableRecordError, Verdict, from_json
from client.validation.steps import FULL

_MAX_FILE_BYTES = 10_000_000


@dataclass(frozen=True)
class _Found:
    path: Path
    record: Record


def from_reports(folder: Path, ageing: Ageing) -> Finding:
    """The newest human report decides; an older one never stands in for one that is unfinished or unreadable."""
    try:
        paths = sorted(folder.glob("*.json"))
        folder.stat()
    except OSError as error:
        return not_measured(reason_of(error), str(folder))
    humans: list[_Found] = []
    unreadable: list[tuple[Path, str]] = []
    for path in paths:
        try:
            record = _read(path)
        except (OSError, UnreadableRecordError) as error:
            unreadable.append((path, reason_of(error) if isinstance(error, OSError) else str(error)))
            continue
        if record.setting.kind is Kind.HUMAN:
            humans.append(_Found(path, record))
    newest = max(humans, key=lambda found: found.record.setting.began_at, default=None)
    if doubt := next(_newer(unreadable, newest), None):
        return doubt
    if newest is None:
        return not_measured(tr("no person has validated: `superwhisper validate`"), str(folder))
    setting = newest.record.setting
    return ageing.judged(_finding(newest), setting.began_at, setting.commit)


def _read(path: Path) -> Record:
    with path.open("rb") as file:
        return from_json(file.read(_MAX_FILE_BYTES))


def _newer(unreadable: list[tuple[Path, str]], newest: _Found | None) -> Iterator[Finding]:
    """Reports that may be newer, by their names, which begin with the date; nobody knows what they say."""
    for path, why in unreadable:
        if newest is None or _date(path) is None or path.name > newest.path.name:
            yield not_measured(tr("it cannot be read ({problem})", problem=why), str(path))


def _date(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name[:17], "%Y-%m-%d-%H%M%S")  # noqa: DTZ007  # only whether it is one
    except ValueError:
        return None


def _finding(found: _Found) -> Finding:
    record, source = found.record, str(found.path)
    if record.incomplete_because:
        return not_measured(tr("it was not finished: {why}", why=record.incomplete_because), source)
    if record.judgement is None:
        return not_measured(tr("it holds no verdict"), source)
    missing = [step for step in FULL if step not in record.done]
    verdict, ratings = record.judgement.verdict, record.judgement.ratings
    if verdict is Verdict.VALIDATED and missing:
        return not_measured(tr("only a part was validated; missing: {steps}", steps=", ".join(missing)), source)
    names = {
        Verdict.VALIDATED: tr("validated"),
        Verdict.WITH_RESERVATIONS: tr("with reservations"),
        Verdict.TO_CORRECT: tr("to correct"),
    }
    figure = tr(
        "{verdict} by {validator}; {transcription}, {fluidity} and {audio} of 5",
        verdict=names[verdict],
        validator=record.setting.validator or "?",
        transcription=ratings.transcription,
        fluidity=ratings.fluidity,
        audio=ratings.audio_quality,
    )
    return Finding(Status.GO if verdict is Verdict.VALIDATED else Status.NO_GO, figure, source)
