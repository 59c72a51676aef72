"""What a validation found, and its JSON: what `go-nogo` reads, beside the report that people read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from client.messages import tr
from client.validation.steps import Step
from client.validation.word_errors import WordErrors, total

FORMAT = 1  # of the JSON; another number is another version's
_Rating = Annotated[int, Field(ge=1, le=5)]


class Kind(StrEnum):
    """Who listened."""

    HUMAN = "human"
    RECORDINGS = "recordings"  # nobody: not a human validation


class Verdict(StrEnum):
    """What the person decided."""

    VALIDATED = "validated"
    WITH_RESERVATIONS = "with_reservations"
    TO_CORRECT = "to_correct"


@dataclass(frozen=True)
class TurnNote:
    """One turn as the assistant told it. Times in milliseconds since the last word."""

    understood: str
    outcome: str
    timings_ms: Mapping[str, float]
    backends: Mapping[str, str]

    @property
    def voice_to_voice_ms(self) -> float | None:
        """Until the loudspeaker began, or else until there was something to play."""
        return self.timings_ms.get("first_heard", self.timings_ms.get("first_audio"))


@dataclass(frozen=True)
class Interruption:
    """What came of speaking into a reply."""

    came: bool
    stopped_ms: float | None  # from the first sound of who interrupts to the last sample sent
    heard_text: str


@dataclass(frozen=True)
class Take:
    """A sentence that was said, and what became of it."""

    name: str
    step: Step
    sentence: str
    understood: str
    word_errors: WordErrors
    turns: tuple[TurnNote, ...]
    attempts: int = 1
    interruption: Interruption | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ratings:
    """1 (unusable) to 5 (perfect)."""

    transcription: _Rating
    fluidity: _Rating
    audio_quality: _Rating


@dataclass(frozen=True)
class Judgement:
    """What only a person can say."""

    ratings: Ratings
    verdict: Verdict
    comments: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """Where, when and with what."""

    kind: Kind
    validator: str
    began_at: AwareDatetime
    language_code: str
    system: str
    gpus: str
    profile: str
    address: str
    version: str
    commit: str  # empty outside of a checkout


@dataclass(frozen=True)
class Record:
    """All of a validation."""

    setting: Setting
    steps: tuple[Step, ...]  # that were to be done
    takes: tuple[Take, ...] = ()
    judgement: Judgement | None = None
    incomplete_because: str = ""
    format: int = FORMAT

    @property
    def done(self) -> frozenset[Step]:
        """The steps that were gone through; an interruption only where there was a reply to speak into."""
        return frozenset(
            take.step for take in self.takes if take.step is not Step.INTERRUPTION or take.interruption is not None
        )

    @property
    def word_errors(self) -> WordErrors:
        """Of all sentences."""
        return total(take.word_errors for take in self.takes)

    @property
    def turns(self) -> Iterator[TurnNote]:
        """All of them, in order."""
        return (turn for take in self.takes for turn in take.turns)

    @property
    def engines(self) -> dict[str, str]:
        """What heard, thought and spoke; several where the assistant fell back."""
        found: dict[str, dict[str, None]] = {}
        for turn in self.turns:
            for stage, backend in turn.backends.items():
                found.setdefault(stage, {})[backend] = None
        return {stage: ", ".join(backends) for stage, backends in found.items()}


class UnreadableRecordError(ValueError):
    """The file is not a record of this version; the message says why."""


_RECORD = TypeAdapter(Record)
_VERSION = TypeAdapter(dict[str, object])


def to_json(record: Record) -> str:
    """As `go-nogo` reads it."""
    return _RECORD.dump_json(record, indent=2).decode() + "\n"


def from_json(content: bytes) -> Record:
    """Reads it back; whatever else it may be is an UnreadableRecordError."""
    try:
        version = _VERSION.validate_json(content).get("format")
        if version != FORMAT:
            raise UnreadableRecordError(tr("format {found!r}, where {known} is known", found=version, known=FORMAT))
        return _RECORD.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "JSON"
        raise UnreadableRecordError(f"{where}: {first['msg']}") from error


def stem(began_at: datetime, kind: Kind) -> str:
    """The name of both files: they sort by date."""
    return f"{began_at:%Y-%m-%d-%H%M%S}-{kind}"
