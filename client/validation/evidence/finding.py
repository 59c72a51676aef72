"""What one piece of evidence says, and the line of the table that it stands in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from client.messages import tr
from client.validation.checkout import Checkout

_STALE_AFTER = timedelta(days=30)
_CLOCKS_DIFFER = timedelta(minutes=5)  # a file from another machine may be a little from the future


class Status(StrEnum):
    """Only the first of them is a go."""

    GO = "go"
    NO_GO = "no-go"
    STALE = "stale"  # it was good, too long ago or for other code
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Finding:
    """What was found, where, and how old it is."""

    status: Status
    figure: str
    source: str = ""
    at: datetime | None = None
    remark: str = ""


@dataclass(frozen=True)
class Line:
    """One condition of the release."""

    name: str
    title: str
    findings: Sequence[Finding]
    needs_all: bool = False  # else each of them alone would do; what is bad counts in any case

    @property
    def status(self) -> Status:
        """What all findings come to."""
        found = {finding.status for finding in self.findings}
        order = (Status.NO_GO, Status.NOT_MEASURED, Status.STALE) if self.needs_all else (Status.NO_GO,)
        best_first = (Status.GO, Status.STALE)
        return next((status for status in (*order, *best_first) if status in found), Status.NOT_MEASURED)


def not_measured(why: str, source: str = "") -> Finding:
    """Never a go."""
    return Finding(Status.NOT_MEASURED, why, source)


@dataclass(frozen=True)
class Ageing:
    """Judges how much an old finding is worth."""

    now: datetime
    checkout: Checkout

    def judged(self, finding: Finding, at: datetime, commit: str = "", *, same_code: bool = False) -> Finding:
        """The finding with its age; one that is too old is no go, nor with `same_code` one of other code."""
        dated = replace(finding, at=at)
        if at > self.now + _CLOCKS_DIFFER:
            why = tr("it is from the future ({date}): is the clock right?", date=f"{at:%Y-%m-%d %H:%M}")
            return not_measured(why, finding.source)
        if self.now - at > _STALE_AFTER:
            days = tr("{days} days old", days=(self.now - at).days)
            return _stale(replace(dated, remark=_both(finding.remark, days)))
        if self._is_of_other_code(at, commit):
            remarked = replace(dated, remark=_both(finding.remark, tr("the code has changed since")))
            return _stale(remarked) if same_code else remarked
        return dated

    def _is_of_other_code(self, at: datetime, commit: str) -> bool:
        if commit:
            changed = self.checkout.has_changed_since(commit)
            if changed is not None:
                return changed
        changed_at = self.checkout.changed_at
        return changed_at is not None and changed_at > at


def _stale(finding: Finding) -> Finding:
    """What was bad stays bad; what was not measured stays so."""
    return replace(finding, status=Status.STALE) if finding.status is Status.GO else finding


def _both(one: str, other: str) -> str:
    return "; ".join(filter(None, (one, other)))
