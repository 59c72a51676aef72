"""Speaks phrases through the chain of engines, as far ahead of whoever listens as is useful."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from services.common.chain import EngineChain
from services.common.tasks import read_ahead
from services.tts.backlog import Backlog
from services.tts.engine import Speech, TtsEngine, VoiceChoice
from services.tts.metrics import TtsMetrics
from services.tts.phrases import Phrase
from services.tts.tally import Tally
from services.tts.track import SpokenChunk, Track, Utterance
from services.tts.trimming import trimmed
from services.tts.voices import require_voice

# What a caller may ask for; a phrase's own factor comes on top and must not lead beyond.
_SPEEDS, _VOLUMES = (0.25, 4.0), (0.0, 2.0)
_UTTERANCES_AHEAD = 1024  # of hardly any length each: else the backlog is full before


class Speaker:
    """One for the process: it holds no state of any caller."""

    def __init__(self, chain: EngineChain[TtsEngine], metrics: TtsMetrics, limit_s: float, ahead_s: float) -> None:
        """Engines may take `limit_s` for a phrase, and speak `ahead_s` of audio before it is taken, and one phrase."""
        self._chain = chain
        self._metrics = metrics
        self._limit_s = limit_s
        self._ahead_s = ahead_s

    async def speak(
        self, phrases: AsyncGenerator[Phrase, None], choice: VoiceChoice, rate_hz: int | None, tally: Tally
    ) -> AsyncGenerator[SpokenChunk, None]:
        """The audio of the phrases, at the rate asked for or at that of the first one's voice. It owns the phrases.

        What engines and phrases fail of is raised behind the audio that was made before.
        """
        backlog = Backlog(self._ahead_s)
        utterances = read_ahead(self._utterances(phrases, choice, backlog, tally), _UTTERANCES_AHEAD)
        track: Track | None = None
        async with aclosing(utterances):
            async for utterance in utterances:
                track = track or Track(rate_hz or utterance.speech.sample_rate_hz, tally)
                for chunk in track.pause(utterance):
                    yield chunk
                waiting_s = utterance.speech.duration_s
                for chunk in track.say(utterance):
                    self._note_first(chunk, tally)
                    backlog.add(-min(waiting_s, chunk.duration_s))
                    waiting_s -= min(waiting_s, chunk.duration_s)
                    yield chunk
                backlog.add(-waiting_s)  # what rounding left

    async def _utterances(
        self, phrases: AsyncGenerator[Phrase, None], choice: VoiceChoice, backlog: Backlog, tally: Tally
    ) -> AsyncGenerator[Utterance, None]:
        pause_ms = silent_ms = 0
        async with aclosing(phrases):
            while True:
                await backlog.room()
                phrase = await anext(phrases, None)
                if phrase is None:
                    return
                utterance = await self._utter(phrase, choice, max(pause_ms, silent_ms), tally)
                if utterance is None:
                    silent_ms += phrase.pause_ms
                else:
                    pause_ms, silent_ms = phrase.pause_ms, 0
                    backlog.add(utterance.speech.duration_s)
                    yield utterance
                # Others first, and above all whoever sends this one: phrases may be there without any waiting.
                await asyncio.sleep(0)

    async def _utter(self, phrase: Phrase, choice: VoiceChoice, pause_ms: int, tally: Tally) -> Utterance | None:
        """The phrase, spoken; None where there is nothing to hear."""
        if not phrase.words:
            return None
        began_s = time.monotonic()
        how = _adapted(choice, phrase)

        async def synthesize(engine: TtsEngine) -> Speech:
            require_voice(engine, how.voice)
            return await engine.synthesize(phrase.words, how)

        answer = await self._chain.call(synthesize, self._limit_s)
        took_s = time.monotonic() - began_s
        tally.processing_ms += took_s * 1000
        self._metrics.note(answer.backend, phrase.end - phrase.start, took_s, answer.value.recording.duration_ms / 1000)
        if not answer.value.recording.samples.size:
            return None
        return Utterance(phrase, trimmed(answer.value, phrase.words), answer.backend, pause_ms)

    def _note_first(self, chunk: SpokenChunk, tally: Tally) -> None:
        if not chunk.first_sample:
            tally.first_audio_ms = tally.elapsed_ms()
            self._metrics.first_audio_seconds.observe(tally.first_audio_ms / 1000)


def _adapted(choice: VoiceChoice, phrase: Phrase) -> VoiceChoice:
    return replace(
        choice,
        speed=_bounded(choice.speed * phrase.speed, *_SPEEDS),
        volume=_bounded(choice.volume * phrase.volume, *_VOLUMES),
    )


def _bounded(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
