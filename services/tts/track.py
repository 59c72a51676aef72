"""Phrases one after the other, with their pauses, in the little chunks that go out."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.common.audio import BYTES_PER_SAMPLE, Samples, encode_pcm
from services.tts import chunks
from services.tts.pauses import Pause
from services.tts.phrases import Phrase
from services.tts.spans import Span, Timeline
from services.tts.tally import Tally
from services.tts.trimming import TrimmedSpeech


@dataclass(frozen=True)
class Origin:
    """Who speaks: the engine's name in the chain, and the voice's."""

    backend: str
    voice: str


@dataclass(frozen=True)
class Utterance:
    """A phrase, spoken."""

    phrase: Phrase
    speech: TrimmedSpeech
    origin: Origin
    pause: Pause  # between the one before and this one, at least


@dataclass(frozen=True)
class SpokenChunk:
    """A little audio, and what it says."""

    audio: bytes
    first_sample: int
    sample_rate_hz: int
    span: Span
    piece_number: int
    backend: str
    voice: str

    @property
    def offset_ms(self) -> float:
        """When it begins, since the first sample of all."""
        return self.first_sample * 1000 / self.sample_rate_hz

    @property
    def duration_s(self) -> float:
        """Its length."""
        return len(self.audio) / BYTES_PER_SAMPLE / self.sample_rate_hz


class Track:
    """What one caller hears."""

    def __init__(self, rate_hz: int, origin: Origin, tally: Tally) -> None:
        """`origin` is that of the first utterance."""
        self._rate_hz = rate_hz
        self._origin = origin
        self._tally = tally
        self._span: Span | None = None  # of the last word
        self._silence_ms = 0.0  # at the end

    def pause(self, pause: Pause) -> Iterator[SpokenChunk]:
        """The silence that is missing; it belongs to what was said last, if anything was."""
        missing_ms = pause.ms - self._silence_ms
        if missing_ms > 0:
            for samples in chunks.silence(missing_ms, self._rate_hz):
                yield self._chunk(samples, self._span or pause.span)

    def say(self, utterance: Utterance) -> Iterator[SpokenChunk]:
        """The utterance."""
        speech = utterance.speech
        timeline = Timeline.of(utterance.phrase, speech.word_starts, self._rate_hz / speech.sample_rate_hz)
        self._tally.pieces += 1
        self._span, self._origin, self._silence_ms = timeline.last, utterance.origin, speech.silence_ms
        sample = 0
        for samples in chunks.cut(speech.samples, speech.sample_rate_hz, self._rate_hz):
            yield self._chunk(samples, timeline.span(sample, sample + samples.size))
            sample += samples.size

    def _chunk(self, samples: Samples, span: Span) -> SpokenChunk:
        tally, origin = self._tally, self._origin
        number = max(0, tally.pieces - 1)  # silence before the first piece belongs to it
        audio = encode_pcm(samples)
        chunk = SpokenChunk(audio, tally.samples, self._rate_hz, span, number, origin.backend, origin.voice)
        tally.samples += samples.size
        return chunk
