"""The microphone: what the assistant hears of it, message by message, while it may."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import numpy as np

from client.audio.echo import FRAME_S, FRAME_SAMPLES, EchoGuard, is_audible
from client.audio.levels import Levels
from client.audio.near_voice import NearVoice
from client.audio.pairing import Pairing
from client.audio.tap import RATE_HZ, Tap
from client.events import HearingChanged, MicrophoneAudio, Mute, What
from client.hearing import Gate
from services.common.audio import Samples, encode_pcm

MESSAGE_SAMPLES = 2 * FRAME_SAMPLES  # 20 ms; the ears look at 32 ms at once, so smaller ones gain them nothing
_QUICK_S = 0.01  # somebody speaks, or did just now: every moment counts
_CALM_S = 0.1  # nobody does: a tenth of the work
_CALM_AFTER_S = 3.0  # longer than any pause in which the assistant waits for more
_QUIET_DBFS = -50.0
_SOUNDS_ON_S = 0.3  # after its last sound: replies have pauses, and their echo rings on
_GONE_S = 0.2  # no sound card takes so long to give more
_MAX_LATENESS_S = 1.0  # after a longer hold-up silence begins anew: sent all at once, it would be refused


@dataclass(frozen=True)
class Path:
    """What the microphone's audio goes through before it leaves the machine.

    `keep` gets what was heard, silence where the gate was closed, and what was played at the same time.
    """

    guard: EchoGuard
    gate: Gate
    levels: Levels
    keep: Callable[[Samples, Samples], None] | None = None
    disturbances: Callable[[], int] = lambda: 0  # how often samples were lost, on either side


class Capture:
    """Listens at both taps. Where no microphone is, silence takes its place: the assistant's ears go on."""

    rate_hz = RATE_HZ

    def __init__(
        self,
        near: Tap,
        far: Tap,
        path: Path,
        tell: Callable[[What], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._near = near
        self._far = far
        self._path = path
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self.when_spoken_into: Callable[[], None] | None = None  # a reply that is played, as it seems
        self._near_voice = NearVoice()
        self._sounding_s = 0.0  # for how long a reply still sounds
        self._disturbances = path.disturbances()
        self._devices_begun = 0
        self._pairing = Pairing()
        self._heard = self._played = np.empty(0, np.int16)  # not yet a whole message
        self._busy_until = 0.0
        self._given_until = 0.0  # to when the near side has come, or silence in its place
        self._is_standing_in = False
        self._was_hearing: bool | None = None
        self._is_mute = False  # a conversation begins with open ears

    async def messages(self) -> AsyncGenerator[MicrophoneAudio | Mute, None]:
        """What the assistant may hear, 20 ms each, and when it may no more, or again."""
        self._near.read()  # what was said before is not meant for it
        self._far.read()
        self._devices_begun = self._near.begun + self._far.begun
        self._given_until = self._clock()
        self._busy_until = self._given_until + _CALM_AFTER_S
        while True:
            await self._sleep(_QUICK_S if self._is_busy() else _CALM_S)
            self._listen()
            for message in _joined(self._whole_messages()):
                yield message

    def _is_busy(self) -> bool:
        levels, now = self._path.levels, self._clock()
        if max(levels.loudspeaker_dbfs, levels.microphone_dbfs) > _QUIET_DBFS:
            self._busy_until = now + _CALM_AFTER_S
        return now < self._busy_until

    def _listen(self) -> None:
        near, far = self._pairing.push(self._or_silence(self._near.read()), self._far.read())
        if not near.size:
            return
        self._tell_guard()
        frames = zip(near.reshape(-1, FRAME_SAMPLES), far.reshape(-1, FRAME_SAMPLES), strict=True)
        cleaned = [self._clean(*frame) for frame in frames]
        self._heard = np.concatenate((self._heard, *cleaned))
        self._played = np.concatenate((self._played, far))

    def _tell_guard(self) -> None:
        if self._disturbances != (disturbances := self._path.disturbances()):
            self._disturbances = disturbances
            self._path.guard.doubt()
        if self._devices_begun != (begun := self._near.begun + self._far.begun):
            self._devices_begun = begun
            self._path.guard.forget()

    def _clean(self, near: Samples, far: Samples) -> Samples:
        cleaned = self._path.guard.clean(near, far)
        if is_audible(far):
            self._sounding_s = _SOUNDS_ON_S
        if self._sounding_s > 0:
            self._look_for_voice(cleaned)
        return cleaned

    def _look_for_voice(self, cleaned: Samples) -> None:
        self._sounding_s -= FRAME_S
        is_voice = self._near_voice.hears(cleaned) or self._path.guard.stands_out
        if is_voice and self._path.gate.is_hearing and self.when_spoken_into is not None:
            self.when_spoken_into()
        if self._sounding_s <= 0:
            self._near_voice = NearVoice()  # what it knows of this reply's echo says nothing about the next one's

    def _or_silence(self, near: Samples) -> Samples:
        now = self._clock()
        if near.size:
            if self._is_standing_in:
                near = near[-max(int((now - self._given_until) * RATE_HZ), 1) :]  # before that it was silence
            self._is_standing_in = False
            self._given_until = now
            return near
        if not self._is_standing_in and now - self._given_until < _GONE_S:
            return near
        self._is_standing_in = True
        self._given_until = max(self._given_until, now - _MAX_LATENESS_S)
        samples = int((now - self._given_until) * RATE_HZ)
        self._given_until += samples / RATE_HZ
        return np.zeros(samples, np.int16)

    def _whole_messages(self) -> Iterator[MicrophoneAudio | Mute]:
        while self._heard.size >= MESSAGE_SAMPLES:
            heard, self._heard = self._heard[:MESSAGE_SAMPLES], self._heard[MESSAGE_SAMPLES:]
            played, self._played = self._played[:MESSAGE_SAMPLES], self._played[MESSAGE_SAMPLES:]
            yield from self._pass(heard, played)

    def _pass(self, heard: Samples, played: Samples) -> Iterator[MicrophoneAudio | Mute]:
        path = self._path
        path.levels.observe(heard, played)
        admitted = path.gate.admit(heard)
        if path.keep is not None:
            path.keep(heard if path.gate.is_hearing else np.zeros_like(heard), played)
        if path.gate.is_hearing is not self._was_hearing:
            self._was_hearing = path.gate.is_hearing
            self._tell(HearingChanged(self._was_hearing, path.gate.reason))
        # Not the same moment: some silence follows what was heard last, and only then nothing.
        if bool(admitted.size) is self._is_mute:
            self._is_mute = not admitted.size
            yield Mute(muted=self._is_mute)
        if admitted.size:
            yield MicrophoneAudio(encode_pcm(admitted))


def _joined(messages: Iterator[MicrophoneAudio | Mute]) -> Iterator[MicrophoneAudio | Mute]:
    """What comes at once goes as one: each message costs more than what is in it."""
    audio = b""
    for message in messages:
        if isinstance(message, MicrophoneAudio):
            audio += message.audio
            continue
        if audio:
            yield MicrophoneAudio(audio)
            audio = b""
        yield message
    if audio:
        yield MicrophoneAudio(audio)
