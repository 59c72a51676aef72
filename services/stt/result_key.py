"""By what a transcript is found again that was made before."""

import hashlib
import json
from dataclasses import asdict

from services.common.audio import Recording
from services.stt.endpointing import Endpointing
from services.stt.engine import RecognitionOptions

_LAYOUT = 2  # of what is kept; another number makes everything kept before unknown


def result_key(recording: Recording, engine: str, options: RecognitionOptions, endpointing: Endpointing) -> str:
    """The same for the same sound, engine and wishes alone. An hour of audio takes a tenth of a second: in a thread."""
    wishes = {
        "layout": _LAYOUT,
        "rate": recording.sample_rate_hz,
        "engine": engine,
        "options": asdict(options),
        "endpointing": asdict(endpointing),
    }
    digest = hashlib.sha256(json.dumps(wishes, sort_keys=True).encode())
    digest.update(recording.samples.data)
    return digest.hexdigest()
