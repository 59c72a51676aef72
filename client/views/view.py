"""What is shown of a conversation: lines for people (text_view.py), JSON lines for programs."""

import json
import sys
from typing import Any, Protocol, TextIO

from client.events import (
    ConnectionLost,
    Degraded,
    DeviceChanged,
    Event,
    HearingChanged,
    Interrupted,
    ReplyAudio,
    ReplyText,
    SessionOpened,
    SoundCardServed,
    StateChanged,
    Transcript,
    TurnFinished,
)
from services.common.audio import BYTES_PER_SAMPLE


class View(Protocol):
    """Shows a conversation as it happens."""

    def show(self, event: Event) -> None:
        """The assistant told something."""

    def note(self, text: str) -> None:
        """The client has something to say about itself."""

    def ask_for_text(self) -> None:
        """A line may be typed now."""

    def reply_file(self, path: str, duration_s: float) -> None:
        """The reply audio was written."""


class JsonView:
    """One JSON object a line, in ASCII. Audio and the secret that resumes a session are left out."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def show(self, event: Event) -> None:
        """The assistant told something."""
        kind, fields = _as_fields(event)
        self._write({"event": kind, "turn_id": event.turn_id, **fields})

    def note(self, text: str) -> None:
        """The client has something to say about itself."""
        self._write({"event": "note", "text": text})

    def ask_for_text(self) -> None:
        """Programs need no prompt."""

    def reply_file(self, path: str, duration_s: float) -> None:
        """The reply audio was written."""
        self._write({"event": "reply_file", "path": path, "duration_ms": round(duration_s * 1000)})

    def _write(self, fields: dict[str, Any]) -> None:
        self._out.write(json.dumps(fields) + "\n")
        self._out.flush()


KINDS: dict[type, str] = {
    SessionOpened: "session",
    StateChanged: "state",
    Transcript: "transcript",
    ReplyText: "reply_text",
    ReplyAudio: "reply_audio",
    Interrupted: "interrupted",
    Degraded: "degraded",
    TurnFinished: "turn_finished",
    ConnectionLost: "connection_lost",
    DeviceChanged: "device",
    HearingChanged: "hearing",
    SoundCardServed: "sound_card",
}
_KEPT_BACK = {"audio", "resume_token"}


def _as_fields(event: Event) -> tuple[str, dict[str, Any]]:
    fields = {name: value for name, value in vars(event.what).items() if name not in _KEPT_BACK}
    if isinstance(event.what, ReplyAudio):
        fields["samples"] = len(event.what.audio) // BYTES_PER_SAMPLE
    if isinstance(event.what, TurnFinished):
        fields["timings_ms"] = {name: round(ms, 1) for name, ms in event.what.timings_ms.items()}
    return KINDS[type(event.what)], fields
