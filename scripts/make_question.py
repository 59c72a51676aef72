"""Makes client/assets/question-*.wav, what `superwhisper talk` speaks where there is no microphone.

Run it from the repository's root: .venv/bin/python -m scripts.make_question
It writes those that are missing: some voices of espeak-ng breathe by chance, so no two recordings are quite alike.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.common.audio import Recording, resample, write_wav
from services.tts.engine import VoiceChoice
from services.tts.espeak import EspeakEngine
from services.tts.reading.plain import PlainReader, ReadingOptions
from services.tts.reading.traced import Traced

# Of speeds from 0.8 to 1 the embedded ears understood 0.95 in English word for word whatever the silence around it, the
# level and the rate; the made Whisper so understands the French question, which is one of its sentences.
_QUESTIONS = {
    "question-en.wav": (
        "What is the best way to learn a new language?",
        VoiceChoice(language_code="en", voice="en-us+f2", speed=0.95),
    ),
    "question-fr.wav": (
        "Quelle est la meilleure façon d'apprendre une nouvelle langue ?",
        VoiceChoice(language_code="fr", speed=0.95),
    ),
}
_RATE_HZ = 16_000
_SILENCE_BEFORE_S = 0.3  # speech that begins with the first sample loses its first sound in any voice detector
_FOLDER = Path(__file__).parents[1] / "client" / "assets"


async def _speak(names: Sequence[str]) -> dict[str, Recording]:
    engine = await EspeakEngine.load({})
    try:
        return {name: await _say(engine, *_QUESTIONS[name]) for name in names}
    finally:
        await engine.close()


async def _say(engine: EspeakEngine, text: str, choice: VoiceChoice) -> Recording:
    words = PlainReader(choice.language_code, ReadingOptions()).read(Traced.of(text))
    return (await engine.synthesize(words, choice)).recording


def main() -> None:
    """Writes the files that are not there."""
    silence = np.zeros(int(_RATE_HZ * _SILENCE_BEFORE_S), np.int16)
    missing = [name for name in _QUESTIONS if not (_FOLDER / name).exists()]
    for name, spoken in asyncio.run(_speak(missing)).items():
        speech = resample(spoken, _RATE_HZ)
        (_FOLDER / name).write_bytes(write_wav(Recording(np.concatenate([silence, speech.samples]), _RATE_HZ)))


if __name__ == "__main__":
    main()
