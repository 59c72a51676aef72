"""`superwhisper validate` and `go-nogo` as real processes, with an assistant that follows a script; and a person."""

import asyncio
import io
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from client.config import ClientSettings
from client.errors import CommandError
from client.events import MicrophoneAudio
from client.peers import Peer
from client.session import Heard
from client.typed import whole_lines
from client.validation.checkout import Checkout
from client.validation.course import Course, Wishes
from client.validation.keeping import check_folder, keep
from client.validation.notes import Notes
from client.validation.paced_player import PacedPlayer
from client.validation.person import Person
from client.validation.record import Kind, Record, Verdict, from_json
from client.validation.steps import Step, protocol
from client.views.text_view import TextView
from services.common.audio import Recording, decode_pcm, encode_pcm
from services.common.settings import load
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.client_command import files_in, lines_until, started, superwhisper
from tests.support.room import made_room
from tests.support.servers import free_port, serving
from tests.support.shared_data import REPOSITORY
from tests.support.validations import HUMAN, SETTING, TONE, spoken
from tests.support.waiting import BOUND_S, wait_until

_PATIENCE_S = 3.0  # of somebody to whom nothing is said at first; then half a second is
_LINES = ("latency", "success", "tests", "human", "refusal", "secrets", "ports")
LONG_REPLY = [bytes(2 * 22_050)] * 60  # a minute: nobody waits for its end


def record_in(folder: Path) -> Record:
    [path] = folder.glob("*.json")
    return from_json(path.read_bytes())


def report_in(folder: Path) -> str:
    [path] = folder.glob("*.md")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def wavs(tmp_path: Path) -> Path:
    folder = tmp_path / "wavs"
    folder.mkdir()
    return folder


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


async def test_recordings_are_spoken_and_written_down(wavs: Path, reports: Path) -> None:
    spoken(wavs, "short-1", "What is your name?")
    spoken(wavs, "noise-1", "What is the time?")
    assistant = ScriptedAssistant([ScriptedTurn(), ScriptedTurn(heard="what is the dime now")])
    async with serving(assistant.service()) as address:
        ended = await superwhisper(
            *("validate", "--wavs", wavs, "--out", reports, "--language", "en", "--address", address)
        )
    assert (ended.code, ended.err) == (0, "")
    record, report = record_in(reports), report_in(reports)
    assert record.setting.kind is Kind.RECORDINGS
    assert [(take.name, take.understood) for take in record.takes] == [
        ("short-1", "what is your name"),
        ("noise-1", "what is the dime now"),
    ]
    assert (record.word_errors.errors, record.word_errors.words) == (2, 8)
    assert [turn.voice_to_voice_ms for turn in record.turns] == [240, 240]
    assert record.engines == {"stt": "scripted", "llm": "scripted", "tts": "scripted"}
    assert (record.judgement, record.incomplete_because) == (None, "")
    assert "NOT A HUMAN VALIDATION" in report
    assert "- [x] With noise" in report
    assert f"The report: {reports}" in ended.out
    assert len(assistant.configs) == 1


async def test_a_recording_is_spoken_into_a_reply(wavs: Path, reports: Path) -> None:
    spoken(wavs, "interruption-1", "Tell me a story.")
    spoken(wavs, "interruption-2", "What is your name?")
    assistant = ScriptedAssistant([ScriptedTurn(heard="tell me a story", audio=LONG_REPLY), ScriptedTurn()])
    async with (
        serving(assistant.service()) as address,
        started("validate", "--wavs", wavs, "--out", reports, "--address", address) as process,
    ):
        await wait_until(lambda: assistant.reply is not None, "the reply")
        heard = len(assistant.audio)
        await wait_until(lambda: any(map(is_loud, assistant.audio[heard:])), "the interruption")
        assert assistant.reply is not None
        assistant.reply.cut("Once")
        _, error = await process.communicate()
    assert (process.returncode, error) == (0, b"")
    question, interruption = record_in(reports).takes
    assert (question.understood, question.interruption) == ("tell me a story", None)
    assert [turn.outcome for turn in question.turns] == ["interrupted"]
    assert interruption.understood == "what is your name"
    assert interruption.interruption is not None
    assert interruption.interruption.came
    assert interruption.interruption.heard_text == "Once"


async def test_nothing_is_said_into_a_reply_without_sound(wavs: Path, reports: Path) -> None:
    spoken(wavs, "interruption-1", "Tell me a story.")
    spoken(wavs, "interruption-2", "What is your name?")
    assistant = ScriptedAssistant([ScriptedTurn(heard="tell me a story", audio=())])
    async with serving(assistant.service()) as address:
        ended = await superwhisper(
            *("validate", "--wavs", wavs, "--out", reports, "--address", address, "--validator", "Zo\udceb")
        )
    assert (ended.code, ended.err) == (0, "")
    record = record_in(reports)
    assert [(take.name, take.problems) for take in record.takes] == [
        ("interruption-1", ("no reply was to be heard, so nothing was said into it",))
    ]
    assert record.word_errors.errors == 0
    assert "- [ ] An interruption" in report_in(reports)
    assert record.setting.validator == "Zo "


async def test_a_reply_that_is_not_interrupted(wavs: Path, reports: Path) -> None:
    spoken(wavs, "interruption-1", "Tell me a story.")
    spoken(wavs, "interruption-2", "What is your name?")
    two_seconds = ScriptedTurn(heard="tell me a story", audio=LONG_REPLY[:2])
    async with serving(ScriptedAssistant([two_seconds, ScriptedTurn()]).service()) as address:
        ended = await superwhisper("validate", "--wavs", wavs, "--out", reports, "--address", address)
    assert ended.code == 0
    interruption = record_in(reports).takes[1].interruption
    assert interruption is not None
    assert not interruption.came
    assert "- the reply was not interrupted" in report_in(reports)


async def test_what_nobody_understood_is_all_wrong(wavs: Path, reports: Path) -> None:
    spoken(wavs, "short", "What is your name?", np.zeros(1600, np.int16))
    settings = {"SUPERWHISPER_CLIENT__REPLY_WAIT_S": "0.3"}
    async with serving(ScriptedAssistant([]).service()) as address:
        command = ("validate", "--wavs", wavs, "--out", reports, "--address", address)
        ended = await superwhisper(*command, environment=settings)
    assert ended.code == 0
    [take] = record_in(reports).takes
    assert (take.understood, take.word_errors.rate) == ("", 1.0)


async def test_ctrl_c_keeps_what_was_done(wavs: Path, reports: Path) -> None:
    spoken(wavs, "short", "What is your name?")
    spoken(wavs, "long", "What is your name?")
    assistant = ScriptedAssistant([ScriptedTurn(), ScriptedTurn(heard="and then", hangs=True)])
    async with (
        serving(assistant.service()) as address,
        started("validate", "--wavs", wavs, "--out", reports, "--address", address) as process,
    ):
        await lines_until(process, "you: and then")
        process.send_signal(signal.SIGINT)
        _, error = await process.communicate()
    assert (process.returncode, error) == (130, b"")
    record = record_in(reports)
    assert (len(record.takes), record.incomplete_because) == (1, "it was broken off")
    assert "> **INCOMPLETE** — it was broken off." in report_in(reports)


async def test_nobody_there_leaves_no_report(wavs: Path, reports: Path) -> None:
    spoken(wavs, "short", "What is your name?")
    address = f"127.0.0.1:{free_port()}"
    ended = await superwhisper("validate", "--wavs", wavs, "--out", reports, "--address", address)
    assert ended.code == 1
    assert ended.err.startswith(f"error: the assistant does not answer at {address}")
    assert files_in(reports) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "there is no microphone here"),
        (("--language", "de"), "the protocol is written in fr, en, not in de"),
        (("--step", "other"), "the step `other` is that of recordings"),
        (("--wavs", "none"), "none is no folder"),
    ],
)
async def test_what_cannot_begin(arguments: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
    ended = await superwhisper("validate", *arguments, folder=tmp_path)
    assert ended.code == 1
    assert complaint in ended.err
    assert files_in(tmp_path) == []


# --- a person


class Room:
    """A microphone, and a person who speaks into it for half a second as often as told to."""

    rate_hz = 16_000

    def __init__(self) -> None:
        self.waiting = b""

    def speak(self) -> None:
        self.waiting = encode_pcm(TONE)

    async def messages(self) -> AsyncGenerator[Heard, None]:
        while True:
            await asyncio.sleep(0.02)
            audio, self.waiting = self.waiting[:640], self.waiting[640:]
            yield MicrophoneAudio(audio.ljust(640, b"\0"))


async def typing(room: Room, *lines: str) -> AsyncGenerator[str, None]:
    """What the person types; who presses Enter alone speaks then."""
    for line in lines:
        if not line:
            room.speak()
        yield f"{line}\n"


def course_of(address: str, reports: Path, patience_s: float, *steps: Step) -> Course:
    check_folder(reports)
    client = load(ClientSettings, ("--client.assistant.address", address)).client
    wishes = Wishes(client, Peer.of("assistant", client), "en", "", "embedded", reports)
    silent = Notes(TextView(Console(file=io.StringIO())))
    return Course(wishes, Kind.HUMAN, "Camille", protocol("en", steps), patience_s, silent)


async def validate_as(
    lines: tuple[str, ...], script: list[ScriptedTurn], reports: Path, *steps: Step, patience_s: float = 20
) -> tuple[ScriptedAssistant, str]:
    """A person goes through these steps and judges; what the assistant heard, and what was shown."""
    room, shown = Room(), io.StringIO()
    assistant = ScriptedAssistant(script)
    async with serving(assistant.service()) as address, aclosing(whole_lines(typing(room, *lines))) as typed:
        person = Person(room, typed, Console(file=shown, width=200))
        course = course_of(address, reports, patience_s, *steps)
        with course.kept():
            await course.converse(person, PacedPlayer())
            course.judgement = await person.judgement()
    return assistant, shown.getvalue()


async def test_a_person_says_what_is_shown_and_judges(reports: Path) -> None:
    lines = ("", "", "", "6", "4", "3", "5", "maybe", "r", "a bit slow", "new fan", "")
    script = [ScriptedTurn(heard="what is the capital of france"), ScriptedTurn(heard="can you")]
    assistant, shown = await validate_as(lines[1:], script, reports, Step.NOISE)
    record = record_in(reports)
    assert [take.word_errors.errors for take in record.takes] == [0, 14]
    assert record.judgement is not None
    ratings = record.judgement.ratings
    assert (ratings.transcription, ratings.fluidity, ratings.audio_quality) == (4, 3, 5)
    assert record.judgement.verdict is Verdict.WITH_RESERVATIONS
    assert (record.judgement.comments, record.judgement.actions) == ("a bit slow", ("new fan",))
    assert (record.incomplete_because, record.steps) == ("", (Step.NOISE,))
    assert "Now make noise" in shown
    assert "What is the capital of France?" in shown
    assert "A number from 1 to 5, please." in shown
    assert assistant.commands == ["end"]


async def test_what_was_not_understood_may_be_said_again(reports: Path) -> None:
    async def typed(room: Room) -> AsyncGenerator[str, None]:
        yield "\n"  # and says nothing
        yield "\n"  # tries again
        room.speak()
        for line in ("", "5", "5", "5", "v", "", ""):
            yield f"{line}\n"

    room = Room()
    async with serving(ScriptedAssistant([ScriptedTurn()]).service()) as address, aclosing(typed(room)) as lines:
        person = Person(room, whole_lines(lines), Console(file=io.StringIO()))
        course = course_of(address, reports, _PATIENCE_S, Step.SHORT)
        with course.kept():
            await course.converse(person, PacedPlayer())
            course.judgement = await person.judgement()
    [take] = record_in(reports).takes
    assert (take.attempts, take.understood) == (2, "what is your name")


async def test_between_the_sentences_nothing_is_heard(reports: Path) -> None:
    async def typed(room: Room, assistant: ScriptedAssistant) -> AsyncGenerator[str, None]:
        room.speak()
        await wait_until(lambda: not room.waiting, "what is said too early")
        assert not any(map(is_loud, assistant.audio))
        yield "\n"
        raise AssertionError("nothing was to be asked")

    room, assistant = Room(), ScriptedAssistant([])
    async with serving(assistant.service()) as address, aclosing(typed(room, assistant)) as lines:
        course = course_of(address, reports, 0.2, Step.SHORT)
        person = Person(room, whole_lines(lines), Console(file=io.StringIO()))
        with pytest.raises(AssertionError, match="nothing was to be asked"), course.kept():
            await course.converse(person, PacedPlayer())


async def test_a_person_who_goes_away_leaves_an_unfinished_report(reports: Path) -> None:
    with pytest.raises(CommandError, match="nobody answers any more"):
        await validate_as(("", "5"), [ScriptedTurn()], reports, Step.SHORT)
    record = record_in(reports)
    assert (len(record.takes), record.judgement) == (1, None)
    assert "nobody answers any more" in record.incomplete_because


async def test_a_person_at_a_microphone(tmp_path: Path, reports: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn()])
    with made_room(tmp_path) as room:
        command = ("validate", "--step", "short", "--language", "en", "--validator", "Camille", "--out", reports)
        async with (
            serving(assistant.service()) as address,
            started(*command, "--address", address, environment=room.environment()) as process,
        ):
            await asked(process, "Press Enter, then say it: ", "")
            await room.say(Recording(np.tile(TONE, 2), 16_000))
            await asked(process, "were you understood? ", "5", "5", "5", "v", "", "")
            _, error = await process.communicate()
    assert (process.returncode, error) == (0, b"")
    record = record_in(reports)
    assert (record.setting.kind, record.setting.validator) == (Kind.HUMAN, "Camille")
    assert [take.understood for take in record.takes] == ["what is your name"]
    assert assistant.playback[-1][1] > 0
    assert "a person, part of the protocol" in report_in(reports)


async def asked(process: asyncio.subprocess.Process, question: str, *replies: str) -> None:
    """Waits for the question, and types."""
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(BOUND_S):
        await process.stdout.readuntil(question.encode())
    process.stdin.write("".join(f"{reply}\n" for reply in replies).encode())


# --- go or no go


def evidence(folder: Path) -> tuple[str | Path, ...]:
    """That all is well, as of now."""
    now = datetime.now(UTC)
    bench, tests, reports = folder / "bench.json", folder / "tests.xml", folder / "reports"
    figures: dict[str, Any] = {
        "Turns": [{"turns": 100, "failed": 0}],
        "Stages, one conversation": [{"stage": "voice to voice", "turns": 100, "p95": 500}],
    }
    bench.write_text(json.dumps(figures), encoding="utf-8")
    files = [path.relative_to(REPOSITORY).with_suffix("") for path in (REPOSITORY / "tests").rglob("test_*.py")]
    cases = "".join(f'<testcase classname="{".".join(file.parts)}" name="test_it"/>' for file in files)
    counts = f'tests="{len(files)}" failures="0" errors="0" skipped="0" timestamp="{now.isoformat()}"'
    tests.write_text(f"<testsuite {counts}>{cases}</testsuite>", encoding="utf-8")
    reports.mkdir()
    keep(
        Record(type(SETTING)(**{**vars(SETTING), "began_at": now}), HUMAN.steps, HUMAN.takes, HUMAN.judgement), reports
    )
    nobody = f"127.0.0.1:{free_port()}"
    return ("--bench", bench, "--tests", tests, "--validation", reports, "--metrics", nobody)


async def test_a_go(tmp_path: Path) -> None:
    async with serving(ScriptedAssistant([]).service()) as address:
        environment = {"SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS": address}
        ended = await superwhisper("go-nogo", "--json", *evidence(tmp_path), environment=environment)
    answer = json.loads(ended.out)
    assert {line["name"]: line["status"] for line in answer["lines"]} == dict.fromkeys(
        ("latency", "success", "tests", "human", "refusal", "secrets", "ports"), "go"
    )
    assert (answer["verdict"], answer["commit"], ended.code) == ("GO", Checkout().commit, 0)
    [refusal] = [line for line in answer["lines"] if line["name"] == "refusal"]
    assert [one["figure"] for one in refusal["evidence"]] == [
        f"{service} refuses 0.0.0.0" for service in ("stt", "llm", "tts", "orchestrator")
    ]


async def test_what_was_not_measured_is_no_go(tmp_path: Path) -> None:
    arguments = list(evidence(tmp_path))
    arguments[1] = tmp_path / "missing.json"
    async with serving(ScriptedAssistant([]).service()) as address:
        environment = {"SUPERWHISPER_CLIENT__ASSISTANT__ADDRESS": address}
        ended = await superwhisper("go-nogo", *arguments, environment=environment)
    assert (ended.code, ended.err) == (1, "")
    assert "not measured: No such file or directory" in ended.out
    assert ended.out.splitlines()[-1] == "NO-GO"


def is_loud(audio: bytes) -> bool:
    samples = decode_pcm(audio, "audio")
    return bool(samples.size) and int(np.abs(samples).max()) > 100
