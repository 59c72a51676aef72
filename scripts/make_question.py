"""Makes client/assets/question-en.wav, the question that `superwhisper talk` speaks where there is no microphone.

Run it from the repository's root: .venv/bin/python -m scripts.make_question
"""

import asyncio
from pathlib import Path

import numpy as np

from services.common.audio import Recording, resample, write_wav
from services.tts.engine import VoiceChoice
from services.tts.espeak import EspeakEngine

_TEXT = "What is the best way to learn a new language?"
# Of speeds from 0.8 to 1 the embedded ears understood this one word for word whatever the silence around it, the level
# and the rate.
_VOICE = VoiceChoice(language_code="en", voice="en-us+f2", speed=0.95)
_RATE_HZ = 16_000
_SILENCE_BEFORE_S = 0.3  # speech that begins with the first sample loses its first sound in any voice detector
_TARGET = Path(__file__).parents[1] / "client" / "assets" / "question-en.wav"


async def _speak() -> Recording:
    engine = await EspeakEngine.load({})
    try:
        return await engine.synthesize(_TEXT, _VOICE)
    finally:
        await engine.close()


def main() -> None:
    """Writes the file."""
    speech = resample(asyncio.run(_speak()), _RATE_HZ)
    silence = np.zeros(int(_RATE_HZ * _SILENCE_BEFORE_S), np.int16)
    _TARGET.write_bytes(write_wav(Recording(np.concatenate([silence, speech.samples]), _RATE_HZ)))


if __name__ == "__main__":
    main()
