"""Validations as they may have gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from client.validation.record import Interruption, Judgement, Kind, Ratings, Record, Setting, Take, TurnNote, Verdict
from client.validation.steps import FULL, Step
from client.validation.word_errors import WordErrors
from services.common.audio import Recording, Samples, write_wav

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
SETTING = Setting(
    kind=Kind.HUMAN,
    validator="Camille",
    began_at=YESTERDAY,
    language_code="fr",
    system="Linux",
    gpus="",
    profile="cpu",
    address="127.0.0.1:50050",
    version="0.1.0",
    commit="",
)
TURN = TurnNote("quel est ton nom", "completed", {"first_audio": 300.0, "first_heard": 340.0}, {"stt": "whisper"})
TAKE = Take("short-1", Step.SHORT, "Quel est ton nom ?", "quel est ton nom", WordErrors(0, 4), (TURN,))
JUDGEMENT = Judgement(Ratings(5, 4, 3), Verdict.VALIDATED, "Bien.", ("baisser le son",))
INTERRUPTION = Interruption(came=True, stopped_ms=90.0, heard_text="Une fois")
ALL_TAKES = (*(replace(TAKE, step=step) for step in FULL), replace(TAKE, step=FULL[-1], interruption=INTERRUPTION))
HUMAN = Record(SETTING, FULL, ALL_TAKES, JUDGEMENT)
# Half a second, loud to its last sample.
TONE = (np.sin(np.arange(8000) / 4) * 8000).astype(np.int16)


def spoken(folder: Path, name: str, text: str | None = "Bonjour.", samples: Samples = TONE) -> None:
    """A recording at 16 kHz, and what is said in it."""
    (folder / f"{name}.wav").write_bytes(write_wav(Recording(samples, 16_000)))
    if text is not None:
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
