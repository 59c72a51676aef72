"""client/doctor: ports, services and sound: what is around the client, each made to fail by its real cause."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from client.audio.devices import Device, Direction
from client.config import ClientSection
from client.doctor.check import Finding, Verdict
from client.doctor.plan import LocalService
from client.doctor.port_owner import port_owner
from client.doctor.ports import look_at_ports, ranges
from client.doctor.services import look_at_services
from client.doctor.sound import look_at_devices, look_at_hearing, look_at_sound_system
from client.errors import CommandError
from client.peers import Peer
from services.common.channels import Connection
from services.common.errors import UnavailableError
from services.common.settings import ServerSettings
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.scripted import scripted_service
from tests.support.servers import free_port, loopback, serving


def named(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


# --- ports


def service(port: int, metrics_port: int = 0, host: str = "127.0.0.1") -> LocalService:
    return LocalService("tts", ServerSettings(host=host, port=port, metrics_port=metrics_port))


@contextlib.asynccontextmanager
async def stranger() -> AsyncIterator[int]:
    """A program that listens on a port, and says nothing to anybody."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def test_free_ports_are_one_line() -> None:
    port, metrics_port = free_port(), free_port()
    assert await look_at_ports([service(port, metrics_port)]) == [
        Finding("free", Verdict.OK, ranges([port, metrics_port]))
    ]


def test_ports_are_told_in_ranges() -> None:
    assert ranges([50052, 9091, 50050, 50051]) == "9091, 50050–50052"


async def test_a_port_that_a_stranger_has() -> None:
    async with stranger() as port, stranger() as metrics_port:
        findings = named(await look_at_ports([service(port, metrics_port)]))
        assert {finding.verdict for finding in findings.values()} == {Verdict.PROBLEM}
        assert f"process {os.getpid()}" in findings[str(port)].found
        assert "--tts.server.port PORT" in findings[str(port)].mend
        assert "--tts.server.metrics_port PORT" in findings[str(metrics_port)].mend
    assert await port_owner(port) == ""


async def test_a_port_that_our_service_has() -> None:
    settings = loopback(metrics_port=free_port())
    async with serving(scripted_service(), settings):
        findings = await look_at_ports([service(settings.port, settings.metrics_port)])
    numbers = ranges([settings.port, settings.metrics_port])
    assert findings == [Finding("used by our services", Verdict.OK, numbers)]


async def test_an_address_that_this_machine_has_not() -> None:
    (finding,) = await look_at_ports([service(free_port(), host="192.0.2.1")])  # of no network (RFC 5737)
    assert finding.verdict is Verdict.PROBLEM
    assert "not this machine's" in finding.found


# --- services


def peer(name: str, address: str) -> Peer:
    return Peer(name, Connection(address))


async def test_nothing_runs_is_one_line() -> None:
    peers = [peer(name, f"127.0.0.1:{free_port()}") for name in ("assistant", "stt", "llm", "tts")]
    (finding,) = await look_at_services(peers, "")
    assert finding.verdict is Verdict.WARNING
    assert "make run" in finding.mend
    assert "docker compose up" in finding.mend


async def test_a_service_elsewhere_that_does_not_answer_is_a_problem() -> None:
    findings = named(await look_at_services([peer("assistant", f"nowhere.invalid:{free_port()}")], ""))
    assert findings["assistant"].verdict is Verdict.PROBLEM
    assert findings["first reply"].verdict is Verdict.NOT_APPLICABLE


async def first_reply(assistant: ScriptedAssistant, longest_s: float = 20.0) -> Finding:
    async with serving(assistant.service()) as address:
        findings = named(await look_at_services([peer("assistant", address)], "en", longest_s))
    assert findings["assistant"].verdict is Verdict.OK
    return findings["first reply"]


async def test_the_first_reply_is_timed() -> None:
    assistant = ScriptedAssistant([ScriptedTurn()])
    finding = await first_reply(assistant)
    assert finding.verdict is Verdict.OK
    assert "first word after" in finding.found
    assert assistant.texts == ["Hello!"]
    assert not assistant.configs[0].HasField("output_format")  # nobody is there to play it


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        (
            ScriptedTurn(degraded=pb.Degraded(stage=pb.STAGE_LLM, reason="GONE", message="the mind is gone")),
            "the mind is gone",
        ),
        (ScriptedTurn(outcome=pb.TURN_OUTCOME_FAILED), "not completed"),
        (ScriptedTurn(breaks=UnavailableError("no engine")), "no engine"),
    ],
)
async def test_a_first_reply_that_fails(turn: ScriptedTurn, told: str) -> None:
    finding = await first_reply(ScriptedAssistant([turn]))
    assert finding.verdict is Verdict.PROBLEM
    assert told in finding.found


async def test_a_first_reply_that_never_comes() -> None:
    finding = await first_reply(ScriptedAssistant([ScriptedTurn(hangs=True)]), longest_s=0.5)
    assert (finding.verdict, finding.found) == (Verdict.PROBLEM, "none within 0.5 s")


async def test_some_run_and_some_do_not() -> None:
    async with (
        serving(scripted_service()) as tts,
        serving(scripted_service(ready=lambda: False), until_serving=False) as loading,
    ):
        peers = [
            peer("assistant", f"127.0.0.1:{free_port()}"),
            peer("stt", tts),
            peer("llm", "127.0.0.1:1"),
            peer("tts", tts),
        ]
        findings = named(await look_at_services(peers, ""))
        loads = named(await look_at_services([peer("tts", loading)], ""))
    assert findings["assistant"].verdict is Verdict.PROBLEM
    assert "another service answers there" in findings["stt"].found
    assert "client.stt.address" in findings["stt"].mend
    assert findings["tts"].verdict is Verdict.OK
    assert loads["tts"].verdict is Verdict.PROBLEM
    assert "status --wait" in loads["tts"].mend


# --- sound


class FakeCard:
    """A sound library with these devices."""

    def __init__(self, *devices: Device) -> None:
        self._devices = devices

    def find(self, direction: Direction, wanted: str) -> Device | None:
        found = next((device for device in self._devices if wanted in device.name), None)
        if found is None and wanted:
            raise CommandError(f"there is no device {wanted!r}")
        return found


def client(**wishes: str) -> ClientSection:
    services = {name: {"address": "127.0.0.1:1"} for name in ("assistant", "stt", "llm", "tts")}
    return ClientSection.model_validate({**services, **wishes})


async def test_devices() -> None:
    card = FakeCard(Device(0, "USB headset", 48_000))
    found = named(await look_at_devices(client(microphone="USB", loudspeaker="none"), card.find))
    assert found["microphone"] == Finding("microphone", Verdict.OK, "USB headset, 48000 Hz")
    assert found["loudspeaker"].verdict is Verdict.NOT_APPLICABLE


async def test_devices_that_are_not_there() -> None:
    assert {finding.verdict for finding in await look_at_devices(client(), FakeCard().find)} == {Verdict.WARNING}
    found = named(await look_at_devices(client(microphone="Blue Yeti"), FakeCard().find))
    assert found["microphone"].verdict is Verdict.PROBLEM
    assert "Blue Yeti" in found["microphone"].found
    assert "client.microphone" in found["microphone"].mend


async def test_the_sound_system_of_linux(tmp_path: Path) -> None:
    async def verdict(environment: dict[str, str]) -> Verdict:
        (finding,) = await look_at_sound_system(environment, tmp_path / "snd", "linux")
        return finding.verdict

    nobody = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert await verdict(nobody) is Verdict.WARNING
    (tmp_path / "snd").mkdir()
    (tmp_path / "snd" / "pcmC0D0c").touch()
    assert await verdict(nobody) is Verdict.OK
    assert await verdict({"PULSE_SERVER": "unix:/somewhere"}) is Verdict.OK
    (tmp_path / "pipewire-0").touch()
    (finding,) = await look_at_sound_system(nobody, tmp_path / "snd", "linux")
    assert "PipeWire" in finding.found


@pytest.mark.skipif(getattr(os, "getuid", lambda: 0)() == 0, reason="root may use every sound card")
async def test_a_sound_card_without_the_right_to_it(tmp_path: Path) -> None:
    (tmp_path / "pcmC0D0c").touch(mode=0o000)
    (finding,) = await look_at_sound_system({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path, "linux")
    assert finding.verdict is Verdict.PROBLEM
    assert "usermod -aG audio" in finding.mend


@pytest.mark.parametrize("platform", ["darwin", "win32"])
async def test_elsewhere_the_permission_is_told(platform: str) -> None:
    (finding,) = await look_at_sound_system({}, platform=platform)
    assert "Microphone" in finding.found


async def test_hearing_where_it_can_run() -> None:
    found = named(await look_at_hearing(client()))
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}


async def test_hearing_where_its_packages_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("livekit", "pymicro_wakeword"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('not for this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = named(await look_at_hearing(client()))
    assert found["echo cancellation"].verdict is Verdict.WARNING
    assert found["wake word"].verdict is Verdict.NOT_APPLICABLE
    wanted = named(await look_at_hearing(client(echo="cancel", listen="wake-word")))
    assert {finding.verdict for finding in wanted.values()} == {Verdict.PROBLEM}
    unwanted = named(await look_at_hearing(client(echo="off")))
    assert unwanted["echo cancellation"].verdict is Verdict.NOT_APPLICABLE


async def test_a_wake_word_that_nobody_taught() -> None:
    found = named(await look_at_hearing(client(wake_word="abracadabra", listen="wake-word")))
    assert found["wake word"].verdict is Verdict.PROBLEM
    assert "abracadabra" in found["wake word"].found
