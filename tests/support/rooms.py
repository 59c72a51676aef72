"""People's speech as a microphone may get it: in a room, with noise, at a level. And when exactly they speak."""

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from services.common.audio import Samples, read_wav, resample
from services.stt.container_kinds import Container
from services.stt.containers import read_recording
from services.stt.engine import ENGINE_RATE_HZ

Wave = NDArray[np.float64]
LEVEL = 1640.0  # of the speech, RMS: 26 dB below full scale
_FADE_SAMPLES = ENGINE_RATE_HZ // 4
_HOP_SAMPLES = ENGINE_RATE_HZ // 200
# The English commands begin with the click of the button that began the recording: it is cut off.
_CLICK_SAMPLES = {"en": int(0.4 * ENGINE_RATE_HZ), "fr": 0}


@dataclass(frozen=True)
class Clip:
    """A recording, and the samples between which somebody speaks."""

    name: str
    wave: Wave
    onset: int
    end: int

    @property
    def rms(self) -> float:
        """Its level while somebody speaks."""
        return rms(self.wave[self.onset : self.end])


def rms(wave: Wave) -> float:
    """The level of all of it."""
    return float(np.sqrt(np.mean(wave**2)))


def commands(shared: Path, language: str) -> list[Clip]:
    """People saying home commands."""
    files = sorted((shared / "speech" / f"{language}-commands").glob("*.wav"))
    return [clip(f"{language}/{file.stem}", read(file)[_CLICK_SAMPLES[language] :]) for file in files]


def sentences(shared: Path) -> list[Clip]:
    """People reading aloud."""
    files = sorted((shared / "speech").glob("fleurs-*/*.ogg"))
    return [clip(file.stem, read(file)) for file in [*files, shared / "speech" / "jfk.wav"]]


def read(file: Path) -> Wave:
    """A recording at ENGINE_RATE_HZ."""
    content = file.read_bytes()
    if file.suffix == ".ogg":
        return read_recording(content, Container.OGG, 3600, Event()).samples.astype(np.float64)
    return resample(read_wav(content, file.name), ENGINE_RATE_HZ).samples.astype(np.float64)


def clip(name: str, wave: Wave) -> Clip:
    """The recording, with what its loudness tells of its speech."""
    return Clip(name, wave, *_span(wave))


def _span(wave: Wave) -> tuple[int, int]:
    """From the first to the last sound that is within 30 dB of the loudest, joined to loud speech by 30 ms gaps."""
    decibels = _loudness(_speech_band(wave))
    floor = np.percentile(decibels, 15)
    loud = np.flatnonzero(decibels >= decibels.max() - 18)
    stretches = [part for part in np.split(loud, np.flatnonzero(np.diff(loud) > 20) + 1) if part.size >= 12]
    audible = decibels >= max(floor + 8, decibels.max() - 30)
    first, last = _edge(audible, stretches[0][0], -1), _edge(audible, stretches[-1][-1], 1)
    return first * _HOP_SAMPLES, (last + 1) * _HOP_SAMPLES


def _speech_band(wave: Wave) -> Wave:
    """Without hum and rumble."""
    hertz = np.fft.rfftfreq(wave.size, 1 / ENGINE_RATE_HZ)
    return np.fft.irfft(np.fft.rfft(wave) * hertz**4 / (hertz**4 + 200.0**4), wave.size)


def _loudness(wave: Wave) -> Wave:
    """In decibels, every 5 ms, over 20 ms."""
    hops = wave[: wave.size // _HOP_SAMPLES * _HOP_SAMPLES].reshape(-1, _HOP_SAMPLES)
    power = np.convolve((hops**2).mean(axis=1), np.full(4, 0.25), "same")
    return np.asarray(10 * np.log10(power + 1), np.float64)


def _edge(audible: NDArray[np.bool_], begin: int, step: int) -> int:
    edge, at = begin, begin
    while 0 <= at < audible.size and abs(at - edge) <= 6:
        if audible[at]:
            edge = at
        at += step
    return int(edge)


def with_silence(speech: Clip, before_s: float, after_s: float) -> Clip:
    """More time around it, as quiet as its own quietest moments, and fading into what is around its speech."""
    before, after = (int(seconds * ENGINE_RATE_HZ) for seconds in (before_s, after_s))
    size = speech.wave.size
    floor = 10 ** (np.percentile(_loudness(speech.wave), 5) / 20)
    quiet = np.random.default_rng(1).standard_normal(before + size + after) * floor
    fade_in, fade_out = min(speech.onset, _FADE_SAMPLES), min(size - speech.end, _FADE_SAMPLES)
    full = np.ones(size - fade_in - fade_out)
    share = np.concatenate([np.linspace(0, 1, fade_in), full, np.linspace(1, 0, fade_out)])
    quiet[before : before + size] = quiet[before : before + size] * (1 - share) + speech.wave * share
    return replace(speech, wave=quiet, onset=speech.onset + before, end=speech.end + before)


def room_response(file: Path) -> Wave:
    """What a room makes of a clap, from the direct sound on."""
    response = read(file)
    direct = int(np.argmax(np.abs(response) >= 0.3 * np.abs(response).max()))
    return response[max(0, direct - 16) :]


def in_room(speech: Clip, response: Wave) -> Clip:
    """Spoken in that room. Its speech ends when it does; what follows is the room."""
    size = 1 << (speech.wave.size + response.size).bit_length()
    wave = np.fft.irfft(np.fft.rfft(speech.wave, size) * np.fft.rfft(response, size), size)
    return replace(speech, wave=wave[: speech.wave.size])


def levelled(speech: Clip) -> Clip:
    """At LEVEL."""
    return replace(speech, wave=speech.wave * LEVEL / speech.rms)


def noisy(speech: Clip, noise: Wave, snr_db: float, seed: int) -> Clip:
    """With noise, looped, so far below the speech."""
    offset = int(np.random.default_rng(seed).integers(noise.size))
    around = np.take(noise, np.arange(offset, offset + speech.wave.size), mode="wrap")
    return replace(speech, wave=speech.wave + around * speech.rms / rms(noise) / 10 ** (snr_db / 20))


def pcm(wave: Wave) -> Samples:
    """As a microphone gives it."""
    return np.clip(wave, -32768, 32767).astype(np.int16)
