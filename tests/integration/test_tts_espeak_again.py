"""espeak-ng's library, used by one engine after the other in the same process, as after an engine was given up."""

import os
import subprocess
import sys

_AGAIN_AND_AGAIN = """
import asyncio
from services.tts.engine import VoiceChoice, Word
from services.tts.espeak import EspeakEngine

async def main():
    for _ in range(25):
        engine = await EspeakEngine.load({})
        for language in ("fr", "en"):
            speech = await engine.synthesize([Word("table", 0, 5)], VoiceChoice(language))
            assert abs(speech.recording.samples).max() > 1000
        await engine.close()

asyncio.run(main())
"""


def test_it_may_be_loaded_again_and_again() -> None:
    """In a process of its own, whose C library spoils what is freed: who reads it dies sooner or later."""
    spoiling = {**os.environ, "MALLOC_PERTURB_": "165"}
    command = [sys.executable, "-c", _AGAIN_AND_AGAIN]
    run = subprocess.run(command, env=spoiling, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")
