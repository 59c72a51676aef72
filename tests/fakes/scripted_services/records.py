"""What a scripted service did and when: a line of JSON for each utterance or call, written when it is over.

Moments are on the clock of the machine (time.monotonic), which all its processes share.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """One of them. `number` is the sentence that it was about."""

    stage: str
    number: int
    outcome: str  # finished or cancelled
    moments: Mapping[str, float]

    def at(self, name: str) -> float | None:
        """When that happened, if it did."""
        return self.moments.get(name)


class Recorder:
    """Collects what happens to one utterance or call."""

    def __init__(self, stage: str) -> None:
        self.number = 0
        self._stage = stage
        self._moments: dict[str, float] = {}

    def note(self, name: str) -> None:
        """It happens now; what happened before under this name is kept."""
        self._moments.setdefault(name, time.monotonic())

    def note_again(self, name: str) -> None:
        """It happens now, and only the last time counts."""
        self._moments[name] = time.monotonic()

    def write(self, outcome: str = "finished") -> None:
        """It is over."""
        self.note("ended")
        record = Record(self._stage, self.number, outcome, self._moments)
        sys.stdout.write(json.dumps(vars(record)) + "\n")
        sys.stdout.flush()


def records_in(output: str) -> Iterator[Record]:
    """Those in the output of a service, among whatever else stands there."""
    for line in output.splitlines():
        if line.startswith("{"):
            fields: dict[str, Any] = json.loads(line)
            yield Record(**fields)
