"""What `make run` changes where nobody can speak: a demonstration in French, with ears made for it.

The embedded profile's ears know English alone, and no package carries the weights of a real Whisper. The made model of
scripts/closed_whisper hears some sixty French and English sentences, the recorded questions among them. It would
mishear a person, so nobody with a microphone or a recording gets it, and no profile names it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from client.audio import sound
from client.config import ClientSettings
from scripts.closed_whisper.build import digest, ensure
from services.common.settings import load
from services.stt.config import POCKETSPHINX, SttSettings

_NAME = "whisper-closed-set"
_LANGUAGE = "fr"


def environment(arguments: Sequence[str], models: Path) -> dict[str, str]:
    """Variables for the services and the conversation; none where somebody speaks, or chose ears or a language."""
    client, settings = load(ClientSettings).client, load(SttSettings)
    chosen = arguments or client.language_code or settings.stt.engines != (POCKETSPHINX,)
    if chosen or settings.profile != "embedded" or sound.find("input", client.microphone):
        return {}
    folder = ensure(models / f"closed-whisper-{digest()[:12]}")  # one of its own: it is emptied before it is filled
    model = {_NAME: {"model": str(folder), "beam_size": 1}}
    return {
        "SUPERWHISPER_STT__ENGINES": json.dumps([_NAME, POCKETSPHINX]),
        "SUPERWHISPER_STT__WHISPER": json.dumps(model),
        "SUPERWHISPER_ORCHESTRATOR__LANGUAGE_CODE": _LANGUAGE,
        "SUPERWHISPER_CLIENT__LANGUAGE_CODE": _LANGUAGE,
    }
