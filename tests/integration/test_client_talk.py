"""`superwhisper talk` as a real process, over a real socket, with an assistant that follows a script."""

import asyncio
import contextlib
import json
import os
import signal
import wave
from pathlib import Path

import numpy as np
import pytest

from services.common.audio import Recording, Samples, decode_pcm, read_wav, resample, write_wav
from services.common.errors import EngineFailedError
from superwhisper.assistant.v1 import assistant_pb2 as pb
from tests.fakes.assistant import ScriptedAssistant, ScriptedTurn
from tests.support.client_command import Ended, lines_until, started, superwhisper
from tests.support.servers import free_port, loopback, serving
from tests.support.waiting import wait_until

AUDIO = np.arange(4410, dtype=np.int16).tobytes()  # 0.2 s at 22050 Hz
# Half a second, loud to its last sample.
TONE = (np.sin(np.arange(4000) / 4) * 8000).astype(np.int16)
FAILED = ScriptedTurn(
    degraded=pb.Degraded(stage=pb.STAGE_LLM, reason="ENGINE_UNAVAILABLE", message="the mind is away"),
    outcome=pb.TURN_OUTCOME_FAILED,
)


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    path.write_bytes(write_wav(Recording(TONE, 8000)))
    return path


async def test_a_recording_is_spoken_and_its_reply_written(question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(partials=("what", "what is"), audio=(AUDIO[:1000], AUDIO[1000:]))
    assistant = ScriptedAssistant([turn])
    async with serving(assistant.service()) as address:
        ended = await superwhisper(
            *("talk", "--wav", question, "--out", tmp_path / "reply.wav", "--address", address),
            *("--language", "en-GB", "--voice", "anna", "--system", "Be brief."),
        )
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[:5] == [
        "  … what",
        "  … what is",
        "you: what is your name",
        "assistant: I am an assistant.",
        "times: transcript 120 ms, first token 150 ms, first audio 180 ms, voice to voice 240 ms, total 900 ms",
    ]
    reply = read_wav((tmp_path / "reply.wav").read_bytes(), "reply")
    assert reply.sample_rate_hz == 22_050
    assert reply.samples.tobytes() == AUDIO
    [config] = assistant.configs
    assert (config.language_code, config.voice, config.system_prompt) == ("en-GB", "anna", "Be brief.")
    assert config.input_format.sample_rate_hz == 8000
    assert assistant.commands == ["end"]


async def test_the_recording_comes_as_it_is_and_then_silence(question: Path, tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn()])
    async with serving(assistant.service()) as address:
        ended = await superwhisper("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
    assert ended.code == 0
    assert {len(message) for message in assistant.audio} == {320}  # 20 ms at 8 kHz
    samples = decode_pcm(b"".join(assistant.audio), "audio")
    assert np.array_equal(samples[:4000], TONE)
    assert samples.size > 4000
    assert not samples[4000:].any()


async def test_all_that_came_counts_as_played_where_there_is_no_loudspeaker(question: Path, tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=(AUDIO, AUDIO))])
    async with serving(assistant.service()) as address:
        await superwhisper("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
    assert assistant.playback[-1] == ("turn-1", 8820)


async def test_json_tells_everything_but_the_audio_and_the_secret(question: Path, tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(partials=("what",))])
    async with serving(assistant.service()) as address:
        out = tmp_path / "a.wav"
        ended = await superwhisper("talk", "--json", "--wav", question, "--out", out, "--address", address)
    assert ended.code == 0
    assert "secret" not in ended.out
    [partial, final] = ended.events("transcript")
    assert (partial["text"], partial["is_final"]) == ("what", False)
    assert (final["text"], final["is_final"], final["turn_id"]) == ("what is your name", True, "turn-1")
    assert "".join(event["delta"] for event in ended.events("reply_text")) == "I am an assistant."
    [finished] = ended.events("turn_finished")
    assert finished["timings_ms"] == {
        "transcript": 120,
        "first_token": 150,
        "first_audio": 180,
        "first_heard": 240,
        "total": 900,
    }
    assert finished["outcome"] == "completed"
    [file] = ended.events("reply_file")
    assert file["path"] == str(out)


async def test_a_failed_turn_is_told_and_ends_with_1(question: Path, tmp_path: Path) -> None:
    async with serving(ScriptedAssistant([FAILED]).service()) as address:
        ended = await superwhisper("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
    assert ended.code == 1
    assert "llm has a problem: the mind is away" in ended.out
    assert ended.err == "error: a turn failed (llm: the mind is away)\n"


async def test_nothing_understood_ends_with_1(tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    silence.write_bytes(write_wav(Recording(np.zeros(800, np.int16), 8000)))
    settings = {"SUPERWHISPER_CLIENT__REPLY_WAIT_S": "0.3"}
    async with serving(ScriptedAssistant([]).service()) as address:
        out = tmp_path / "a.wav"
        ended = await superwhisper("talk", "--wav", silence, "--out", out, "--address", address, environment=settings)
    assert ended.code == 1
    assert ended.err == "error: nothing was understood of the recording within 0.3 s after its end\n"
    assert not out.exists()


async def test_without_a_microphone_the_question_then_each_typed_line(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=(AUDIO,)), ScriptedTurn(audio=(AUDIO,)), ScriptedTurn(audio=())])
    async with serving(assistant.service()) as address:
        typed = "  Et maintenant ? é\n\n \nlast, without a line break"
        ended = await superwhisper("talk", "--address", address, stdin=typed, folder=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "no microphone here" in ended.out.splitlines()[0]
    assert assistant.texts == ["Et maintenant ? é", "last, without a line break"]
    assert assistant.commands == ["mute", "end"]
    assert assistant.configs[0].language_code == "en"
    assert read_wav((tmp_path / "reply.wav").read_bytes(), "reply").samples.tobytes() == AUDIO * 2


async def test_without_anybody_it_ends_by_itself(tmp_path: Path) -> None:
    async with serving(ScriptedAssistant([ScriptedTurn()]).service()) as address:
        ended = await superwhisper("talk", "--json", "--address", address, folder=tmp_path)
    assert ended.code == 0
    assert len(ended.events("turn_finished")) == 1


async def test_an_interrupted_turn_is_no_failure(question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(interrupted="I am", outcome=pb.TURN_OUTCOME_INTERRUPTED)
    async with serving(ScriptedAssistant([turn]).service()) as address:
        ended = await superwhisper("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
    assert ended.code == 0
    assert "(interrupted)" in ended.out


async def test_a_conversation_that_the_assistant_breaks_off(question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(breaks=EngineFailedError("the engine broke"))
    async with serving(ScriptedAssistant([turn]).service()) as address:
        ended = await superwhisper("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
    assert (ended.code, ended.err) == (1, f"error: the assistant at {address}: the engine broke\n")


async def test_a_conversation_that_the_assistant_ends_by_itself(tmp_path: Path) -> None:
    service = ScriptedAssistant([ScriptedTurn()], leaves=True).service()
    async with serving(service) as address, started("talk", "--address", address, folder=tmp_path) as process:
        assert process.stderr is not None
        error = await process.stderr.read()
        code = await process.wait()
    assert (code, error) == (1, b"error: the assistant ended the conversation; start anew to go on\n")


async def test_a_conversation_that_nobody_remembers_after_a_lost_connection(tmp_path: Path) -> None:
    settings = loopback(drain_s=0)
    assistant = ScriptedAssistant([ScriptedTurn(hangs=True)])
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            process = await stack.enter_async_context(started("talk", "--address", address, folder=tmp_path))
            await lines_until(process, "you: ")
        async with serving(ScriptedAssistant([]).service(), settings):
            out, error = await process.communicate()
    assert b"(connection lost; trying for 15 s)" in out
    assert process.returncode == 1
    assert error.decode() == (
        f"error: the connection to the assistant at {address} was lost, "
        "and it does not remember the conversation; start anew to go on\n"
    )


async def test_a_reply_goes_on_after_a_lost_connection(question: Path, tmp_path: Path) -> None:
    settings = loopback(drain_s=0)
    # It yields, so it is not over before the connection is lost.
    assistant = ScriptedAssistant([ScriptedTurn(audio=(AUDIO, AUDIO[::-1]), yields=pb.HOLD_MODE_PAUSE)])
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            command = ("talk", "--json", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
            process = await stack.enter_async_context(started(*command))
            before = await lines_until(process, "yielding")
        assert assistant.reply is not None
        assistant.reply.go_on()
        async with serving(assistant.service(), settings):
            out, error = await process.communicate()
    ended = Ended(process.returncode or 0, "".join(before) + out.decode(), error.decode())
    assert (ended.code, ended.err) == (0, "")
    assert len(ended.events("connection_lost")) == 1
    assert [session["resumed"] for session in ended.events("session")] == [False, True]
    assert "".join(event["delta"] for event in ended.events("reply_text")) == "I am an assistant."
    assert read_wav((tmp_path / "a.wav").read_bytes(), "reply").samples.tobytes() == AUDIO + AUDIO[::-1]


async def test_a_typed_line_that_is_lost_with_the_connection_is_told(tmp_path: Path) -> None:
    settings, assistant = loopback(drain_s=0), ScriptedAssistant([ScriptedTurn()])
    async with contextlib.AsyncExitStack() as stack:
        async with serving(assistant.service(), settings) as address:
            process = await stack.enter_async_context(started("talk", "--address", address, folder=tmp_path))
            await wait_until(lambda: assistant.commands == ["mute"], "the end of the recorded question")
            assistant.is_deaf = True
            assert process.stdin is not None
            process.stdin.write(b"hello\n")
            await wait_until(lambda: assistant.unheard == ["text"], "what was typed")
        assistant.is_deaf = False
        async with serving(assistant.service(), settings):
            await lines_until(process, "not answered: the connection was lost; type it again")
            _, error = await process.communicate(b"")
    assert (process.returncode, error) == (1, b"error: a typed line was lost with the connection\n")


@pytest.mark.parametrize("hold", ["pause", "duck"])
async def test_a_reply_that_yields_and_goes_on_is_whole(hold: str, question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(audio=[AUDIO] * 20, yields=pb.HoldMode.Value(f"HOLD_MODE_{hold.upper()}"))
    assistant = ScriptedAssistant([turn])
    async with serving(assistant.service()) as address:
        command = ("talk", "--json", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
        async with started(*command) as process:
            yielding = json.loads((await lines_until(process, "yielding"))[-1])
            assert assistant.reply is not None
            assistant.reply.go_on()
            rest, error = await process.communicate()
    assert (yielding["state"], yielding["hold"]) == ("yielding", hold)
    assert (process.returncode, error) == (0, b"")
    assert json.loads(rest.splitlines()[-1])["event"] == "reply_file"
    assert read_wav((tmp_path / "a.wav").read_bytes(), "reply").samples.tobytes() == AUDIO * 20
    assert assistant.playback[-1] == ("turn-1", 20 * 4410)


async def test_a_turn_that_is_interrupted_while_it_yields_ends(question: Path, tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=[AUDIO] * 20, yields=pb.HOLD_MODE_PAUSE)])
    async with serving(assistant.service()) as address:
        command = ("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
        async with started(*command) as process:
            await lines_until(process, "(listens)")
            assert assistant.reply is not None
            assistant.reply.cut("I am")
            lines = await lines_until(process, "engines: ")
            await process.communicate()
    assert process.returncode == 0
    assert "(interrupted)\n" in lines
    assert "(goes on)\n" not in lines


async def test_nobody_there_is_one_sentence(question: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    ended = await superwhisper("talk", "--wav", question, "--address", address)
    assert ended.code == 1
    assert ended.err == (
        f"error: the assistant does not answer at {address}: is it running? start it with `make run`\n"
    )


@pytest.mark.parametrize(("number", "ends_with"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
async def test_ctrl_c_and_its_kin_end_it_quietly_and_complete_the_file(
    number: signal.Signals, ends_with: int, tmp_path: Path
) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(audio=(AUDIO,))])
    async with serving(assistant.service()) as address:
        async with started("talk", "--json", "--address", address, folder=tmp_path) as process:
            await lines_until(process, "turn_finished")  # now it waits for a line that never comes
            process.send_signal(number)
            assert process.stderr is not None
            error = await process.stderr.read()
            code = await process.wait()
        await wait_until(lambda: assistant.ended == 1, "the end of the conversation")
    assert (code, error) == (ends_with, b"")
    assert read_wav((tmp_path / "reply.wav").read_bytes(), "reply").samples.tobytes() == AUDIO


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "not a WAV file"), (b"no audio", "not a WAV file"), (None, "No such file"), ("empty", "holds no audio")],
)
async def test_a_recording_that_is_none(tmp_path: Path, content: bytes | str | None, complaint: str) -> None:
    path = tmp_path / "question.wav"
    if content is not None:
        empty = write_wav(Recording(np.zeros(0, np.int16), 8000))
        path.write_bytes(content if isinstance(content, bytes) else empty)
    ended = await superwhisper("talk", "--wav", path)
    assert ended.code == 1
    assert complaint in ended.err
    assert "Traceback" not in ended.err
    assert ended.err.count("\n") == 1


async def test_a_file_that_cannot_be_written_is_told_before_anything_is_said(question: Path, tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn()])
    async with serving(assistant.service()) as address:
        out = tmp_path / "nowhere" / "a.wav"
        ended = await superwhisper("talk", "--wav", question, "--out", out, "--address", address)
    assert (ended.code, ended.err) == (1, f"error: {out} cannot be written: No such file or directory\n")


async def test_every_line_of_json_is_json(question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(reply=("\x1b[2J", "“é”\n", "🙂"))
    async with serving(ScriptedAssistant([turn]).service()) as address:
        ended = await superwhisper("talk", "--json", "--wav", question, "--address", address, folder=tmp_path)
    assert "".join(event["delta"] for event in ended.events("reply_text")) == "\x1b[2J“é”\n🙂"
    assert all(json.loads(line) for line in ended.out.splitlines())


async def test_json_is_json_in_a_pipe_of_any_encoding(question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(reply=("“Bonjour” ＂x＂ ＼n",))
    latin = {"PYTHONIOENCODING": "latin-1"}
    async with serving(ScriptedAssistant([turn]).service()) as address:
        command = ("talk", "--json", "--wav", question, "--address", address)
        ended = await superwhisper(*command, folder=tmp_path, environment=latin)
    assert "".join(event["delta"] for event in ended.events("reply_text")) == "“Bonjour” ＂x＂ ＼n"


# What may stand on a line of stdin; each is told, and the conversation goes on.
BAD_LINES = ('{"text": ""}', "\x01\x02", "\u202e", '{"a":' * 10_000, '{"text": ' + "1" * 5000 + "}", "x" * 4001)


async def test_a_bad_line_ends_no_conversation(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn()] * 3)
    typed = "\n".join([*BAD_LINES, '{"text": "a\\ud800"}', "hello"])
    async with serving(assistant.service()) as address:
        ended = await superwhisper("talk", "--json", "--address", address, stdin=typed, folder=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert assistant.texts == ["a", "hello"]
    notes = [event["text"] for event in ended.events("note") if event["text"].startswith("not ")]
    assert len(notes) == len(BAD_LINES)


async def test_commands_are_obeyed_without_a_microphone_as_well(tmp_path: Path) -> None:
    assistant = ScriptedAssistant([ScriptedTurn(), ScriptedTurn(yields=pb.HOLD_MODE_PAUSE), ScriptedTurn()])
    async with (
        serving(assistant.service()) as address,
        started("talk", "--json", "--address", address, folder=tmp_path) as process,
    ):
        assert process.stdin is not None
        process.stdin.write(b'{"text": "{a story}"}\nand then\n')
        await lines_until(process, "yielding")
        process.stdin.write(b'{"command": "interrupt"}\n')
        await lines_until(process, "interrupted")
        _, error = await process.communicate(b"")
    assert (process.returncode, error) == (0, b"")
    assert assistant.texts == ["{a story}", "and then"]  # the second waited for the end of the first
    assert assistant.commands == ["mute", "interrupt", "end"]


def recorded_in(folder: Path) -> tuple[Samples, Samples]:
    """Both channels."""
    [file] = folder.glob("*/conversation.wav")
    with wave.open(str(file)) as audio:
        sound = np.frombuffer(audio.readframes(audio.getnframes()), "<i2").reshape(-1, 2)
    return sound[:, 0], sound[:, 1]


async def test_what_is_spoken_and_what_is_replied_is_recorded(question: Path, tmp_path: Path) -> None:
    reply = np.full(22_050, 5000, np.int16).tobytes()
    async with serving(ScriptedAssistant([ScriptedTurn(audio=(reply,))]).service()) as address:
        command = ("talk", "--wav", question, "--record", tmp_path, "--out", tmp_path / "a.wav", "--address", address)
        ended = await superwhisper(*command)
    assert (ended.code, ended.err) == (0, "")
    spoken, replied = recorded_in(tmp_path)
    assert np.array_equal(spoken[:8000], resample(Recording(TONE, 8000), 16_000).samples)
    assert not spoken[8000:].any()
    assert np.count_nonzero(replied > 4000) == pytest.approx(16_000, abs=200)
    assert not replied[:8000].any()  # it was an answer


async def test_a_file_that_nobody_asked_for_takes_the_place_of_none(tmp_path: Path) -> None:
    (tmp_path / "reply.wav").write_text("mine")
    async with serving(ScriptedAssistant([ScriptedTurn(audio=(AUDIO,))]).service()) as address:
        await superwhisper("talk", "--address", address, folder=tmp_path)
    assert (tmp_path / "reply.wav").read_text() == "mine"
    assert read_wav((tmp_path / "reply-2.wav").read_bytes(), "reply").samples.tobytes() == AUDIO


@pytest.mark.skipif(not Path("/proc").exists(), reason="no folder here in which nobody can write")
async def test_a_conversation_needs_no_file_that_nobody_asked_for() -> None:
    async with serving(ScriptedAssistant([ScriptedTurn(audio=(AUDIO,))]).service()) as address:
        ended = await superwhisper("talk", "--address", address, folder=Path("/proc"))
    assert (ended.code, ended.err) == (0, "")
    assert "the reply audio is not kept: reply.wav: " in ended.out


async def test_no_wake_word_is_needed_where_nobody_is_heard(tmp_path: Path) -> None:
    wake = {"SUPERWHISPER_CLIENT__LISTEN": "wake-word", "SUPERWHISPER_CLIENT__WAKE_WORD": "none_such"}
    async with serving(ScriptedAssistant([ScriptedTurn()]).service()) as address:
        ended = await superwhisper("talk", "--address", address, folder=tmp_path, environment=wake)
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
async def test_a_reader_that_left_is_nothing_to_tell(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ours, out = os.pipe()
    async with (
        serving(ScriptedAssistant([ScriptedTurn()]).service()) as address,
        started("talk", *arguments, "--address", address, folder=tmp_path, out=out) as process,
    ):
        os.close(out)
        await asyncio.to_thread(os.read, ours, 1)
        os.close(ours)
        assert process.stderr is not None
        assert await process.stderr.read() == b""
        assert await process.wait() == 1


async def test_text_that_would_move_the_cursor_is_harmless(question: Path, tmp_path: Path) -> None:
    turn = ScriptedTurn(heard="[bold]a\x1b[2Jb", reply=("c\rd\x07",))
    async with serving(ScriptedAssistant([turn]).service()) as address:
        ended = await superwhisper("talk", "--wav", question, "--out", tmp_path / "a.wav", "--address", address)
    assert "you: [bold]a [2Jb\n" in ended.out
    assert "assistant: c d \n" in ended.out
