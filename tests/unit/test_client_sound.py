"""Which device is meant, how it is opened, and what its thread does: PortAudio as the client uses it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from client.audio.device_list import DeviceList
from client.audio.devices import Device, OpenDevice
from client.audio.ring import Ring
from client.audio.sound import PortAudio
from client.errors import CommandError
from services.common.audio import Samples
from tests.fakes.clock import FakeClock
from tests.fakes.portaudio import FakeDevice, FakePortAudio, FakeStream

BUILT_IN = FakeDevice("built-in: ALC256 (hw:0,0)", inputs=2, outputs=2)
HEADSET = FakeDevice("Headset (hw:1,0)", inputs=1, outputs=2, rate_hz=16_000)
LONGER = FakeDevice("Headset (hw:1,0) monitor", inputs=2)


def sound(*devices: FakeDevice, clock: FakeClock | None = None) -> tuple[FakePortAudio, PortAudio]:
    library = FakePortAudio(list(devices))
    return library, PortAudio(library, clock or FakeClock())


def listening(device: FakeDevice, ring: Ring) -> tuple[FakeStream, OpenDevice]:
    library, port = sound(device)
    found = port.find("input", "")
    assert found is not None
    running = port.open_input(found, ring)
    return library.streams[0], running


def count_up(out: Samples) -> None:
    out[:] = np.arange(out.size)


# --- which one


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("", BUILT_IN.name),
        ("headset", LONGER.name),  # the first that has it in its name
        ("HEADSET (HW:1,0)", HEADSET.name),  # but rather the one that is called so
        ("2", HEADSET.name),
        ("alc256", BUILT_IN.name),
    ],
)
def test_a_device_by_name_part_of_it_or_number(wanted: str, name: str) -> None:
    _, port = sound(BUILT_IN, LONGER, HEADSET)
    found = port.find("input", wanted)
    assert found is not None
    assert (found.name, found.is_default) == (name, name == BUILT_IN.name)


@pytest.mark.parametrize("wanted", ["none", "gramophone", "9", "1", "²", "9" * 5000])
def test_what_is_not_there_is_not_found(wanted: str) -> None:
    _, port = sound(FakeDevice("built-in", inputs=2), FakeDevice("loudspeaker", outputs=2))
    assert port.find("input", wanted) is None


def test_a_machine_without_devices_or_without_the_library() -> None:
    for port in (PortAudio(None), PortAudio(FakePortAudio([]))):
        assert port.find("input", "") is None
        assert port.devices("output") == []
        port.look_again()


def test_windows_shows_a_device_once_and_by_its_newest_system() -> None:
    names = {"MME": "Headset (2- USB Audio De", "Windows WASAPI": "Headset (2- USB Audio Device)"}
    devices = [FakeDevice(name, inputs=1, system=system) for system, name in names.items()]
    _, port = sound(*devices)
    assert port.devices("input") == [Device(1, names["Windows WASAPI"], 48_000, is_default=True)]
    assert port.find("input", "Headset") == port.find("input", "")


def test_on_other_systems_every_device_is_shown() -> None:
    library = FakePortAudio([BUILT_IN, FakeDevice("jack", inputs=1, system="JACK Audio Connection Kit")])
    assert [row["name"] for row in DeviceList(library, "input").rows] == [BUILT_IN.name, "jack"]


# --- what a sound server puts in a device's place


@pytest.fixture
def told_by_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes up what the sound server tells."""

    def tell(script: str) -> None:
        program = tmp_path / "pactl"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return tell


@pytest.mark.skipif(os.name != "posix", reason="there are such servers on Linux alone")
@pytest.mark.parametrize(
    ("source", "sink", "found"),
    [
        ("alsa_input.usb", "alsa_output.pci", ["default", "default"]),
        ("alsa_output.pci.monitor", "alsa_output.pci", [None, "default"]),
        ("auto_null.monitor", "auto_null", [None, None]),
        ("(null)", "(null)", [None, None]),
    ],
)
def test_a_default_device_with_nothing_behind_it_is_not_there(
    told_by_server: Callable[[str], None], source: str, sink: str, found: list[str | None]
) -> None:
    told_by_server(f"echo 'Server Name: x'; echo 'Default Sink: {sink}'; echo 'Default Source: {source}'")
    _, port = sound(FakeDevice("default", inputs=32, outputs=32))
    devices = [port.find("input", ""), port.find("output", "")]
    assert [device and device.name for device in devices] == found
    assert port.find("input", "default") is not None  # by its name, it is what the person asked for


@pytest.mark.skipif(os.name != "posix", reason="there are such servers on Linux alone")
@pytest.mark.parametrize("script", ["exit 1", "echo 'Connection refused' >&2; exit 1", "exec sleep 30", "true"])
def test_a_server_that_tells_nothing_hides_nothing(told_by_server: Callable[[str], None], script: str) -> None:
    told_by_server(script)
    _, port = sound(FakeDevice("default", inputs=32))
    assert port.find("input", "") is not None


@pytest.mark.parametrize("rate_hz", [0.0, -1.0])
def test_a_device_without_a_rate_has_the_usual_one(rate_hz: float) -> None:
    _, port = sound(FakeDevice("odd", inputs=1, rate_hz=rate_hz, rates_hz=()))
    found = port.find("input", "")
    assert found is not None
    assert found.rate_hz == 48_000


# --- how it is opened


@pytest.mark.parametrize(
    ("device", "rate_hz", "channels"),
    [
        (FakeDevice("plain", inputs=2, rate_hz=44_100.0, system="Core Audio"), 44_100, 1),
        (FakeDevice("said so by ALSA", inputs=2, rate_hz=44_100.0), 48_000, 1),
        (FakeDevice("really so", inputs=2, rate_hz=44_100.0, rates_hz=(44_100,)), 44_100, 1),
        (FakeDevice("studio", inputs=2, rate_hz=192_000.0), 48_000, 1),
        (FakeDevice("stereo only", inputs=2, channels=(2,)), 48_000, 2),
        (FakeDevice("all or nothing", inputs=8, channels=(8,)), 48_000, 8),
        (FakeDevice("wrong about itself", inputs=1, rate_hz=32_000, rates_hz=(16_000,)), 16_000, 1),
    ],
)
def test_it_runs_as_the_device_accepts(device: FakeDevice, rate_hz: int, channels: int) -> None:
    stream, running = listening(device, Ring(1))
    assert running.device.rate_hz == rate_hz
    chosen = {"samplerate": rate_hz, "channels": channels, "blocksize": rate_hz // 100}
    assert chosen.items() <= stream.options.items()


def test_a_device_is_asked_once_what_it_accepts() -> None:
    library, port = sound(FakeDevice("stereo only", inputs=2, channels=(2,)))
    asked = [library.checked for _ in range(3) if port.find("input", "")]
    assert asked == [2, 2, 2]
    port.look_again()
    port.find("input", "")
    assert library.checked == 4


def test_what_does_not_start_is_closed_and_told() -> None:
    library, port = sound(FakeDevice("busy", outputs=2, starts=False))
    found = port.find("output", "")
    assert found is not None
    with pytest.raises(CommandError, match=r"the loudspeaker busy cannot be used \(Device unavailable\); name another"):
        port.open_output(found, count_up, Ring(1))
    assert library.streams[0].closed


def test_what_refuses_everything_is_told() -> None:
    _, port = sound(FakeDevice("broken", inputs=1, channels=()))
    found = port.find("input", "")
    assert found is not None
    with pytest.raises(CommandError, match="the microphone broken cannot be used"):
        port.open_input(found, Ring(1))


def test_a_library_that_does_not_start_again_shows_nothing() -> None:
    library, port = sound(BUILT_IN)
    library.fails_to_start = True
    with pytest.raises(CommandError, match="does not start again"):
        port.look_again()
    assert port.find("input", "") is None
    library.fails_to_start = False
    port.look_again()
    assert port.find("input", "") is not None


# --- what its thread does


def test_channels_are_mixed_to_one() -> None:
    ring = Ring(1000)
    stream, running = listening(FakeDevice("stereo only", inputs=2, channels=(2,)), ring)
    stream.come(np.tile(np.array([30_000, 20_000], np.int16), 480))
    stream.come(np.tile(np.array([-30_000, -20_000], np.int16), 480))
    assert (ring.read() == np.repeat([25_000, -25_000], 480)).all()
    assert running.beats == 2


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_what_is_rendered_is_played_on_all_channels_and_kept(channels: int) -> None:
    library, port = sound(FakeDevice("loudspeaker", outputs=channels, channels=(channels,)))
    found, ring = port.find("output", ""), Ring(1000)
    assert found is not None
    port.open_output(found, count_up, ring)
    played = library.streams[0].come(library.streams[0].silence)
    assert (played.reshape(-1, channels) == np.arange(480)[:, np.newaxis]).all()
    assert (ring.read() == np.arange(480)).all()


def test_who_is_late_is_counted() -> None:
    stream, running = listening(HEADSET, Ring(1000))
    stream.come(stream.silence)
    stream.come(stream.silence, is_late=True)
    assert (running.beats, running.late) == (2, 1)


def test_who_takes_longer_than_his_block_lasts_is_late() -> None:
    clock = FakeClock()
    took_s = [0.009, 0.011]
    library, port = sound(FakeDevice("loudspeaker", outputs=1), clock=clock)
    found = port.find("output", "")
    assert found is not None
    running = port.open_output(found, lambda out: clock.advance(took_s[running.beats]), Ring(1))
    late = []
    for _ in took_s:
        library.streams[0].come(library.streams[0].silence)
        late.append(running.late)
    assert late == [0, 1]


def test_latency_is_what_the_device_tells_and_does_not_jump() -> None:
    stream, running = listening(HEADSET, Ring(100_000))
    assert running.latency_s == stream.latency
    stream.come(stream.silence, took_s=0.06)
    assert stream.latency < running.latency_s < 0.03
    for _ in range(200):
        stream.come(stream.silence, took_s=0.06)
    assert running.latency_s == pytest.approx(0.06, rel=0.01)
    for nonsense in (-3.0, 0.0, 40.0):
        stream.come(stream.silence, took_s=nonsense)
    assert running.latency_s == pytest.approx(0.06, rel=0.01)


def test_it_says_itself_whether_it_runs() -> None:
    stream, running = listening(HEADSET, Ring(1))
    assert running.is_active()
    stream.active = False
    assert not running.is_active()
    running.close()
    assert stream.closed
