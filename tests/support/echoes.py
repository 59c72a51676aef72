"""A loudspeaker that a microphone hears, in a room: what an echo canceller has to do with."""

from pathlib import Path

import numpy as np

from client.audio.echo import FRAME_SAMPLES, EchoGuard
from services.common.audio import Samples
from services.stt.endpointing import Endpointer, Endpointing, Started
from services.stt.engine import ENGINE_RATE_HZ, FRAME_MS
from services.stt.engine import FRAME_SAMPLES as EARS_FRAME
from services.stt.vad import SileroDetector
from tests.support.rooms import LEVEL, Clip, Wave, in_room, pcm, read, rms, room_response
from tests.support.rooms import clip as as_clip

_NOISE = 5.0  # RMS: a very quiet room, in which the faintest residue of an echo can be heard


def replies(shared: Path) -> Wave:
    """Somebody reading aloud in French, as loud as a reply is, with pauses between the sentences."""
    parts = [np.zeros(ENGINE_RATE_HZ // 2)]
    for file in sorted((shared / "speech" / "fleurs-fr").glob("*.ogg")):
        sentence = as_clip(file.stem, read(file))
        speech = sentence.wave[sentence.onset : sentence.end]
        parts += [speech * 2 * LEVEL / sentence.rms, np.zeros(2 * ENGINE_RATE_HZ)]
    return np.concatenate(parts)


def echo(far: Wave, room: Path | None, delay_ms: int, level_db: float) -> Wave:
    """What of it comes to the microphone, and the noise of the room."""
    wave = far if room is None else in_room(Clip("", far, 0, far.size), room_response(room)).wave
    wave = wave * rms(far) / rms(wave) * 10 ** (level_db / 20)
    late = np.concatenate([np.zeros(delay_ms * ENGINE_RATE_HZ // 1000), wave])[: far.size]
    return np.asarray(late + np.random.default_rng(1).standard_normal(far.size) * _NOISE, np.float64)


def cleaned(guard: EchoGuard, near: Wave, far: Wave) -> Samples:
    """All that the guard leaves."""
    size = near.size // FRAME_SAMPLES * FRAME_SAMPLES
    frames = zip(pcm(near[:size]).reshape(-1, FRAME_SAMPLES), pcm(far[:size]).reshape(-1, FRAME_SAMPLES), strict=True)
    return np.concatenate([guard.clean(*frame) for frame in frames])


def starts_s(heard: Samples) -> list[float]:
    """Where the assistant's ears believe that somebody begins to speak."""
    size = heard.size // EARS_FRAME * EARS_FRAME
    endpointer = Endpointer(Endpointing(), FRAME_MS)
    probabilities = SileroDetector().probabilities(list(heard[:size].reshape(-1, EARS_FRAME)))
    events = [event for probability in probabilities for event in endpointer.push(probability)]
    return [event.start_ms / 1000 for event in events if isinstance(event, Started)]
