"""Speaks phrases through the chain of engines, as far ahead of whoever listens as is useful."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import takewhile

from services.common.chain import EngineChain
from services.common.tasks import read_ahead
from services.tts.backlog import Backlog
from services.tts.engine import Speech, TtsEngine, VoiceChoice
from services.tts.metrics import TtsMetrics
from services.tts.pauses import Pauses
from services.tts.phrases import Phrase
from services.tts.splitting import in_breaths
from services.tts.tally import Tally
from services.tts.track import Origin, SpokenChunk, Track, Utterance
from services.tts.trimming import trimmed
from services.tts.voices import choice_for

# What a caller may ask for; a phrase's own factor comes on top and must not lead beyond.
_SPEEDS, _VOLUMES = (0.25, 4.0), (0.0, 2.0)
_UTTERANCES_AHEAD = 1024  # of hardly any length each: else the backlog is full before
SILENT_RATE_HZ = 22_050  # of a text in which nothing is said, where no rate was asked for


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
        backlog, pauses = Backlog(self._ahead_s), Pauses()
        utterances = read_ahead(self._utterances(phrases, choice, backlog, pauses, tally), _UTTERANCES_AHEAD)
        track: Track | None = None
        async with aclosing(utterances):
            async for utterance in utterances:
                track = track or self._begin(rate_hz or utterance.speech.sample_rate_hz, utterance.origin, tally)
                for chunk in track.pause(utterance.pause):
                    yield chunk
                waiting_s = utterance.speech.duration_s
                for chunk in track.say(utterance):
                    backlog.add(-min(waiting_s, chunk.duration_s))
                    waiting_s -= min(waiting_s, chunk.duration_s)
                    yield chunk
                backlog.add(-waiting_s)  # what rounding left
        rest = pauses.at_end()
        if rest.ms and track is None:
            nobody = Origin(self._chain.best().backend, choice.voice)
            track = self._begin(rate_hz or SILENT_RATE_HZ, nobody, tally)
        for chunk in track.pause(rest) if track else ():
            yield chunk

    async def _utterances(
        self, phrases: AsyncGenerator[Phrase, None], choice: VoiceChoice, backlog: Backlog, pauses: Pauses, tally: Tally
    ) -> AsyncGenerator[Utterance, None]:
        async with aclosing(phrases):
            while True:
                await backlog.room()
                whole = await anext(phrases, None)
                if whole is None:
                    return
                how = _adapted(choice, whole)
                for phrase in in_breaths(whole, how.speed):
                    await backlog.room()
                    utterance = await self._utter(phrase, how, pauses, tally)
                    pauses.add(phrase, is_heard=utterance is not None)
                    if utterance is not None:
                        backlog.add(utterance.speech.duration_s)
                        yield utterance
                    # Others first, and above all whoever sends this one: phrases may be there without any waiting.
                    await asyncio.sleep(0)

    async def _utter(self, phrase: Phrase, how: VoiceChoice, pauses: Pauses, tally: Tally) -> Utterance | None:
        """The phrase, spoken; None where there is nothing to hear."""
        if not phrase.words:
            return None
        began_s = time.monotonic()

        async def synthesize(engine: TtsEngine) -> Speech:
            adapted = choice_for(engine, how, takewhile(lambda one: one is not engine, self._engines()))
            return await engine.synthesize(phrase.words, adapted, urgent=not pauses.has_begun)

        answer = await self._chain.call(synthesize, self._limit_s)
        speech, took_s = answer.value, time.monotonic() - began_s
        tally.processing_ms += took_s * 1000
        self._metrics.note(answer.backend, phrase.end - phrase.start, took_s, speech.recording.duration_ms / 1000)
        if not speech.recording.samples.size:
            return None
        origin = Origin(answer.backend, speech.voice)
        return Utterance(phrase, trimmed(speech, phrase.words), origin, pauses.between())

    def _engines(self) -> Iterator[TtsEngine]:
        return (status.engine for status in self._chain.status() if status.engine is not None)

    def _begin(self, rate_hz: int, origin: Origin, tally: Tally) -> Track:
        tally.first_audio_ms = tally.elapsed_ms()
        self._metrics.first_audio_seconds.observe(tally.first_audio_ms / 1000)
        return Track(rate_hz, origin, tally)


def _adapted(choice: VoiceChoice, phrase: Phrase) -> VoiceChoice:
    return replace(
        choice,
        speed=_bounded(choice.speed * phrase.speed, *_SPEEDS),
        volume=_bounded(choice.volume * phrase.volume, *_VOLUMES),
    )


def _bounded(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)
