"""The assistant does not hear itself, and still hears whoever speaks into a reply."""

import importlib.util
import sys

import numpy as np
import pytest

from client.audio.coupling import Coupling
from client.audio.echo import FRAME_SAMPLES, NoGuard, is_audible
from client.audio.echo_guards import echo_guard
from client.audio.half_duplex import HalfDuplex
from client.audio.near_voice import NearVoice
from client.audio.residue import ResidueGate
from client.audio.webrtc import WebRtcGuard
from client.config import EchoSetting
from client.errors import CommandError
from services.common.audio import Samples
from tests.support.echoes import cleaned, echo, replies, starts_s
from tests.support.rooms import LEVEL, commands, pcm, rms
from tests.support.shared_data import shared_data

RATE_HZ = 16_000
SILENCE = np.zeros(FRAME_SAMPLES, np.int16)
needs_livekit = pytest.mark.skipif(
    importlib.util.find_spec("livekit") is None, reason="livekit has no wheel for this machine"
)


def made_noise(frames: int, level: float, seed: int = 1) -> Samples:
    return pcm(np.random.default_rng(seed).standard_normal(frames * FRAME_SAMPLES) * level)


def frames_of(samples: Samples) -> list[Samples]:
    return list(samples.reshape(-1, FRAME_SAMPLES))


# --- which guard it is


@needs_livekit
@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        (EchoSetting.AUTO, WebRtcGuard),
        (EchoSetting.CANCEL, WebRtcGuard),
        (EchoSetting.HALF_DUPLEX, HalfDuplex),
        (EchoSetting.OFF, NoGuard),
    ],
)
def test_the_guard_is_the_one_that_is_wanted(setting: EchoSetting, kind: type) -> None:
    notes: list[str] = []
    assert type(echo_guard(setting, lambda: 0.0, notes.append)) is kind
    assert not notes


def test_half_duplex_and_the_reason_where_nothing_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)  # as where it is not installed
    notes: list[str] = []
    assert type(echo_guard(EchoSetting.AUTO, lambda: 0.0, notes.append)) is HalfDuplex
    assert len(notes) == 1
    assert "livekit" in notes[0]
    assert "nothing is heard while the assistant speaks" in notes[0]


def test_who_insists_on_cancellation_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    with pytest.raises(CommandError, match=r"install the package livekit, or .* client\.echo"):
        echo_guard(EchoSetting.CANCEL, lambda: 0.0, lambda note: None)


def test_what_nobody_can_hear_is_not_audible() -> None:
    assert [is_audible(np.full(FRAME_SAMPLES, level, np.int16)) for level in (0, 32, -32, 33, -33)] == [
        False,
        False,
        False,
        True,
        True,
    ]


# --- cancellation


@needs_livekit
def test_nothing_is_changed_while_nothing_is_played() -> None:
    guard = WebRtcGuard()
    heard = made_noise(300, 1000)
    assert np.concatenate([guard.clean(frame, SILENCE) for frame in frames_of(heard)]).tolist() == heard.tolist()


@needs_livekit
def test_it_rests_some_time_after_a_reply_and_takes_over_without_a_jump() -> None:
    guard = WebRtcGuard()
    tone = pcm(8000 * np.sin(np.arange(600 * FRAME_SAMPLES) * 2 * np.pi * 315 / RATE_HZ))
    played = [SILENCE] * 100 + frames_of(made_noise(100, 3000)) + [SILENCE] * 400
    heard = np.concatenate([guard.clean(*frames) for frames in zip(frames_of(tone), played, strict=True)])
    changed = np.flatnonzero((heard != tone).reshape(-1, FRAME_SAMPLES).any(axis=1))
    assert changed[0] == 100
    assert 330 <= changed[-1] <= 351  # a second and a half after the last sound
    assert np.abs(np.diff(heard.astype(int))).max() < 1.2 * np.abs(np.diff(tone.astype(int))).max()


@needs_livekit
@pytest.mark.parametrize("room", [None, "rir1.wav", "rir3.wav", "rir4.wav"])
@pytest.mark.parametrize(("delay_ms", "level_db"), [(20, -12), (60, -6), (250, -12)])
def test_the_ears_take_no_reply_for_a_voice(room: str | None, delay_ms: int, level_db: float) -> None:
    far = replies(shared_data("speech").parent)
    near = echo(far, shared_data("rir") / room if room else None, delay_ms, level_db)
    assert len(starts_s(pcm(near))) >= 5  # without a guard each of them is one
    assert starts_s(cleaned(WebRtcGuard(), near, far)) == []


@needs_livekit
@pytest.mark.parametrize(("room", "level_db"), [(None, -12), (None, -6), ("rir1.wav", -12), ("rir4.wav", -12)])
def test_whoever_speaks_into_a_reply_is_heard(room: str | None, level_db: float) -> None:
    shared = shared_data("speech").parent
    far = replies(shared)
    near = echo(far, shared / "rir" / room if room else None, 60, level_db)
    voices = [clip.wave[clip.onset : clip.end] * LEVEL / clip.rms for clip in commands(shared, "fr")[::6]]
    said = [(seconds * RATE_HZ, voice) for seconds, voice in zip((11, 15, 19, 32), voices, strict=False)]
    for begin, voice in said:
        near[begin : begin + voice.size] += voice
    heard = cleaned(WebRtcGuard(), near, far)
    starts = starts_s(heard)
    assert len(said) == 4
    assert all(any(-0.3 < start - begin / RATE_HZ < 1 for start in starts) for begin, _ in said)
    kept = [rms(heard[begin : begin + voice.size].astype(np.float64)) / rms(voice) for begin, voice in said]
    assert 20 * np.log10(np.median(kept)) == pytest.approx(0, abs=3.5)


@needs_livekit
@pytest.mark.parametrize(
    ("room", "another", "delay_ms", "level_db"),
    [("rir1.wav", "rir4.wav", 220, -6), (None, "rir3.wav", 250, -6), ("rir1.wav", "rir3.wav", 250, 0)],
)
def test_the_echo_of_another_loudspeaker_is_no_voice_either(
    room: str | None, another: str, delay_ms: int, level_db: float
) -> None:
    frames = replies(shared_data("speech").parent)[: 55 * RATE_HZ].reshape(-1, FRAME_SAMPLES)
    far = frames[np.abs(frames).max(axis=1) > 0].reshape(-1)[: 24 * RATE_HZ]  # it speaks on and on
    before = echo(far, shared_data("rir") / room if room else None, 60, -12)
    after = echo(far, shared_data("rir") / another, delay_ms, level_db)
    change = 20 * RATE_HZ
    guard = WebRtcGuard()
    cleaned(guard, before[:change], far[:change])
    guard.forget()
    heard = cleaned(guard, after[change:], far[change:])
    assert rms(after[change:]) > 1000
    assert max(rms(part.astype(np.float64)) for part in np.split(heard, 8)) < 10  # of half a second each


# --- what is left over


def loud_echo(gate: ResidueGate, seconds: float, left: float) -> list[bool]:
    """Whether anything passes of an echo of which the canceller leaves so much, frame by frame."""
    sound = frames_of(made_noise(int(seconds * 100), 3000))
    rest = frames_of(made_noise(int(seconds * 100), 3000 * left, seed=2))
    return [bool(gate.pass_on(near, left_over, near).any()) for near, left_over in zip(sound, rest, strict=True)]


def test_at_first_nothing_passes_however_loud() -> None:
    assert not any(loud_echo(ResidueGate(), 0.95, left=1.0)[1:])


def test_then_only_what_is_as_loud_as_the_echo() -> None:
    gate = ResidueGate()
    loud_echo(gate, 1.5, left=0.0)
    assert not any(loud_echo(gate, 1.0, left=0.3)[1:])
    assert all(loud_echo(gate, 1.0, left=1.0)[5:])


def test_what_is_much_fainter_than_the_echo_becomes_fainter_still() -> None:
    gate = ResidueGate()
    loud_echo(gate, 20.0, left=0.0)
    near = made_noise(1, 3000)
    rest = made_noise(1, 3000 * 10 ** (-30 / 20))
    for _ in range(5):
        passed = gate.pass_on(near, rest, near)
    assert rms(passed.astype(np.float64)) == pytest.approx(rms(rest.astype(np.float64)) / 10, rel=0.1)


def test_a_click_opens_nothing() -> None:
    gate = ResidueGate()
    loud_echo(gate, 20.0, left=0.0)
    near = made_noise(1, 3000)
    clicked = gate.pass_on(near, near, near)
    assert rms(clicked[-1:].astype(np.float64)) <= rms(near[-1:].astype(np.float64)) / 9


def test_what_was_learnt_of_another_room_is_forgotten() -> None:
    gate = ResidueGate()
    loud_echo(gate, 20.0, left=0.0)
    gate.forget()
    assert not any(loud_echo(gate, 0.95, left=1.0)[5:])  # what was open fades


def test_everything_passes_once_the_room_is_silent() -> None:
    gate = ResidueGate()
    loud_echo(gate, 0.5, left=1.0)
    faint = made_noise(1, 10)
    for _ in range(70):
        passed = gate.pass_on(faint, faint, SILENCE)
    assert passed.tolist() == faint.tolist()


# --- a voice, sooner than the ears can tell


def test_a_voice_is_noticed_within_a_few_frames() -> None:
    shared = shared_data("speech").parent
    noticed = []
    for clip in commands(shared, "fr"):
        speech = pcm(clip.wave[clip.onset :] * LEVEL / clip.rms)
        detector = NearVoice()
        frames = frames_of(speech[: speech.size // FRAME_SAMPLES * FRAME_SAMPLES])
        noticed.append(next((index for index, frame in enumerate(frames) if detector.hears(frame)), 1000))
    assert np.median(noticed) <= 12
    assert max(noticed) <= 60


@pytest.mark.parametrize("level", [100, 1000, 10_000])
def test_noise_is_no_voice(level: float) -> None:
    detector = NearVoice()
    assert not any(detector.hears(frame) for frame in frames_of(made_noise(500, level)))


def test_keys_and_clicks_are_no_voice() -> None:
    samples = np.zeros(500 * FRAME_SAMPLES)
    random = np.random.default_rng(3)
    decay = np.exp(-np.arange(480) / 64)
    for start in range(RATE_HZ // 10, samples.size - 480, RATE_HZ // 6):
        samples[start : start + 480] += random.standard_normal(480) * decay * 5000
    detector = NearVoice()
    assert not any(detector.hears(frame) for frame in frames_of(pcm(samples)))


def test_silence_is_no_voice() -> None:
    detector = NearVoice()
    assert not any(detector.hears(SILENCE) for _ in range(10))


# --- who stands out


def test_where_no_echo_comes_back_faint_sounds_do_not_stand_out() -> None:
    coupling = Coupling()
    heard = [0.0] * 150 + [50.0**2] * 50  # headphones in a quiet room, and somebody breathes
    assert not any(coupling.stands_out(power, 3000.0**2) for power in heard)


def test_whoever_is_louder_than_any_echo_stands_out() -> None:
    coupling, played = Coupling(), 3000.0**2
    assert not any(coupling.stands_out(played / 16, played) for _ in range(150))  # an echo of -12 dB
    assert not any(coupling.stands_out(played / 8, played) for _ in range(10))  # twice as loud: it may be an echo still
    assert [coupling.stands_out(played, played) for _ in range(6)][-1]


def test_an_echo_that_comes_up_later_is_known_as_one_after_a_while() -> None:
    coupling, played = Coupling(), 3000.0**2
    assert not any(coupling.stands_out(0.0, played) for _ in range(150))  # headphones, and then none
    stood_out = [coupling.stands_out(played / 16, played) for _ in range(800)]
    assert any(stood_out[:50])
    assert not any(stood_out[600:])
