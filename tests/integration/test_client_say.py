"""`superwhisper say` as a real process, with the real mouth; with a scripted one where something must go wrong."""

import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from services.common.audio import Recording, read_wav
from services.common.errors import EngineFailedError
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2
from tests.support.client_command import Ended, files_in, started, superwhisper
from tests.support.scripted import Many, for_ever, scripted_service
from tests.support.servers import Child, child_service, serving
from tests.support.waiting import wait_until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE_HZ = 8_000
SECOND = b"\1\0" * RATE_HZ
PAUSE_S = 0.4
LIMIT = 2_000  # of the mouth, in characters
BOOK_IN_PARTS = ("Word " * 998 + "end.\n\n") * 2 + "The end."  # two of nearly 5,000 characters, and a short one
BOOK = "\n\n".join(f"Chapter {number}. It was a dark night. Nobody slept, and the wind blew." for number in range(60))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tts() -> AsyncIterator[Child]:
    async with child_service("tts", "--tts.max_text_characters", str(LIMIT)) as child:
        yield child


async def say(tts: Child | str, *arguments: str | Path, stdin: str = "") -> Ended:
    address = tts if isinstance(tts, str) else tts.address
    return await superwhisper("say", *arguments, "--address", address, stdin=stdin)


async def said(tts: Child | str, out: Path, *arguments: str | Path, stdin: str = "") -> Recording:
    """What is in the file that it wrote, and told of."""
    ended = await say(tts, *arguments, "--out", out, stdin=stdin)
    assert (ended.code, ended.err) == (0, "")
    assert files_in(out.parent).count(out.name) == 1
    recording = recorded(out)
    assert ended.out == f"{out} ({recording.duration_ms / 1000:.1f} s)\n"
    return recording


def recorded(path: Path) -> Recording:
    return read_wav(path.read_bytes(), "said")


def loudness(recording: Recording) -> float:
    return float(np.sqrt(np.mean(recording.samples.astype(float) ** 2)))


# --- a short text


async def test_it_writes_what_is_said(tts: Child, tmp_path: Path) -> None:
    recording = await said(tts, tmp_path / "a.wav", "Good morning to you.", "--language", "en")
    assert recording.duration_ms > 500
    assert loudness(recording) > 500


async def test_slower_takes_longer_and_softer_is_softer(tts: Child, tmp_path: Path) -> None:
    plain, slow, soft = [
        await said(tts, tmp_path / f"{number}.wav", "Good morning.", *how)
        for number, how in enumerate([(), ("--speed", "0.5"), ("--volume", "0.3")])
    ]
    assert slow.duration_ms > 1.5 * plain.duration_ms
    assert loudness(soft) < 0.6 * loudness(plain)


async def test_at_another_rate(tts: Child, tmp_path: Path) -> None:
    assert (await said(tts, tmp_path / "a.wav", "Good morning.", "--rate", "8000")).sample_rate_hz == 8000


async def test_it_reads_stdin(tts: Child, tmp_path: Path) -> None:
    recording = await said(tts, tmp_path / "a.wav", "-", stdin="Bonjour. C'est l'été !\n")
    assert recording.duration_ms > 500


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("Hello", "--voice", "nobody"), "nobody has the voice 'nobody'"),
        (("Hello", "--language", "français"), "'français' is not a language code"),
        (("Hello", "--voices"), "say what: give a TEXT, - for stdin, --file FILE, or --voices"),
        ((), "say what: give a TEXT, - for stdin, --file FILE, or --voices"),
        (("--file", "no.txt"), "no.txt cannot be read: No such file or directory"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence_and_no_file(
    tts: Child, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    ended = await say(tts, *arguments, "--out", tmp_path / "a.wav")
    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert complaint in ended.err
    assert ended.err.count("\n") == 1
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("text", ["", " \n"])
async def test_nothing_to_say(tts: Child, tmp_path: Path, text: str) -> None:
    ended = await say(tts, text, "--out", tmp_path / "a.wav")
    assert (ended.code, ended.err) == (1, "error: there is nothing to say\n")
    ended = await say(tts, "-", "--out", tmp_path / "a.wav", stdin=text)
    assert (ended.code, ended.err) == (1, "error: there was nothing to say\n")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.opus", "a.raw"])
async def test_nothing_that_could_be_said(tts: Child, tmp_path: Path, name: str) -> None:
    ended = await say(tts, "…", "--out", tmp_path / name)
    assert (ended.code, ended.err) == (1, "error: there was nothing to say\n")
    assert files_in(tmp_path) == []


async def test_without_a_loudspeaker_it_tells_what_to_do(tts: Child) -> None:
    ended = await say(tts, "Hello")
    assert (ended.code, ended.err) == (1, "error: there is no loudspeaker here: give --out FILE to write a WAV file\n")


async def test_a_stream_beyond_the_limit_is_refused_by_it(tts: Child, tmp_path: Path) -> None:
    ended = await say(tts, "-", "--out", tmp_path / "a.wav", stdin="Far too much to say. " * 20_000)
    assert ended.code == 1
    assert f"text_delta: more than {LIMIT} characters" in ended.err
    assert ended.err.endswith("; --file says texts of any length\n")


# --- kinds of files


@pytest.mark.parametrize(("name", "begins"), [("a.flac", b"fLaC"), ("a.ogg", b"OggS"), ("a.OPUS", b"OggS")])
async def test_files_that_the_mouth_packs(tts: Child, tmp_path: Path, name: str, begins: bytes) -> None:
    ended = await say(tts, "Good morning to you.", "--out", tmp_path / name)
    assert (ended.code, ended.err) == (0, "")
    content = (tmp_path / name).read_bytes()
    assert content.startswith(begins)
    assert len(content) > 2_000
    ended = await say(tts, "-", "--out", tmp_path / name, stdin="Good morning to you.")
    assert (ended.code, ended.err) == (0, "")


async def test_raw_samples(tts: Child, tmp_path: Path) -> None:
    ended = await say(tts, "Good morning to you.", "--rate", "8000", "--out", tmp_path / "a.raw")
    assert ended.out == f"{tmp_path / 'a.raw'} ({(tmp_path / 'a.raw').stat().st_size / 16_000:.1f} s)\n"


async def test_an_ending_that_names_no_kind(tts: Child, tmp_path: Path) -> None:
    ended = await say(tts, "Good morning.", "--out", tmp_path / "a.mp3")
    assert ended.code == 1
    assert "give it one of .wav, .raw, .flac, .ogg, .opus" in ended.err


# --- voices


async def test_voices_of_a_language(tts: Child) -> None:
    ended = await say(tts, "--voices", "--language", "fr")
    heading, *lines = ended.out.splitlines()
    assert heading.split() == ["name", "languages", "engine", "rate", "speakers"]
    assert any(line.split()[:4] == ["fr-fr", "fr-fr,", "fr", "espeak-ng"] for line in lines)
    assert len(lines) < 10
    assert len((await say(tts, "--voices")).out.splitlines()) > 50


async def test_a_language_that_nobody_speaks(tts: Child) -> None:
    ended = await say(tts, "--voices", "--language", "xx")
    assert (ended.code, ended.err) == (1, "error: nobody has a voice that speaks 'xx'\n")


@pytest.mark.parametrize("name", ["a.wav", "a.opus"])
async def test_tones_in_place_of_words_are_a_failure_and_kept(tts: Child, tmp_path: Path, name: str) -> None:
    ended = await say(tts, "Good morning.", "--language", "xx", "--out", tmp_path / name)
    assert (ended.code, ended.out) == (1, f"{tmp_path / name} (0.2 s)\n")
    assert ended.err == (
        f"error: nobody speaks 'xx': in {tmp_path / name} there are tones in place of words; "
        "`superwhisper say --voices` tells who speaks what\n"
    )
    assert files_in(tmp_path) == [name]


async def test_who_wants_the_tone_gets_it(tts: Child, tmp_path: Path) -> None:
    await said(tts, tmp_path / "a.wav", "Good morning.", "--voice", "tone")


# --- a long text


async def test_a_book_is_said_in_parts(tts: Child, tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    (tmp_path / "chapter.txt").write_text(BOOK[: BOOK.index("Chapter 1.")], encoding="utf-8")
    assert len(BOOK) > 2 * LIMIT
    book = await said(tts, tmp_path / "book.wav", "--file", tmp_path / "book.txt", "--language", "en")
    chapter = await said(tts, tmp_path / "chapter.wav", "--file", tmp_path / "chapter.txt", "--language", "en")
    assert 45 * chapter.duration_ms < book.duration_ms < 80 * chapter.duration_ms
    assert book.sample_rate_hz == chapter.sample_rate_hz


@pytest.mark.parametrize("lines", [60, 80])  # a request of its own, and too long for one
async def test_code_between_two_parts_is_not_said(tts: Child, tmp_path: Path, lines: int) -> None:
    code = "```\n" + "Nobody hears this line of code.\n\n" * lines + "```\n\n"
    texts = {"one": "One here.\n\n", "two": "And so it went on and on. " * 8}
    texts |= {"all": texts["one"] + code + texts["two"], "code": code}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    one_ms, two_ms, all_ms = [
        (await said(tts, tmp_path / f"{name}.wav", "--file", tmp_path / name, "--language", "en")).duration_ms
        for name in ("one", "two", "all")
    ]
    assert all_ms == pytest.approx(one_ms + PAUSE_S * 1000 + two_ms, abs=1)
    ended = await say(tts, "--file", tmp_path / "code", "--out", tmp_path / "code.wav")
    assert (ended.code, ended.err) == (1, "error: there was nothing to say\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(("--out", "a.flac"), "only .wav and .raw files"), (("--ssml", "--out", "a.wav"), "SSML cannot be cut")],
)
async def test_what_must_go_in_one_request_may_be_too_long(
    tts: Child, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    ended = await say(tts, "--file", tmp_path / "book.txt", *arguments)
    assert ended.code == 1
    assert f"these are {len(BOOK)} characters, and one request takes {LIMIT}: " in ended.err
    assert complaint in ended.err


async def test_ssml_is_read_as_such(tts: Child, tmp_path: Path) -> None:
    document = '<speak>One<break time="2s"/>two.</speak>'
    recording = await said(tts, tmp_path / "a.wav", "--ssml", document, "--language", "en")
    assert 2_000 < recording.duration_ms < 4_500
    ended = await say(tts, "--ssml", "<speak>One", "--out", tmp_path / "b.wav")
    assert ended.code == 1
    assert "text" in ended.err


# --- what goes wrong in the middle


class Scripted:
    """A mouth that says two seconds of audio for each request; the requests that it was made are kept."""

    def __init__(self, then: Many | None = None, after: int = 10**9) -> None:
        self.requests: list[tts_pb2.SynthesizeRequest] = []
        self._then = then
        self._after = after

    async def _speak(
        self, request: tts_pb2.SynthesizeRequest, context: Any
    ) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
        self.requests.append(request)
        audio_format = audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ)
        yield tts_pb2.SynthesizeResponse(started=tts_pb2.SynthesisStarted(audio_format=audio_format))
        half = len(request.text) // 2
        span = audio_pb2.TextSpan(start=0, end=half)
        yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=SECOND, span=span))
        if len(self.requests) > self._after and self._then is not None:
            async for response in self._then(request, context):
                yield response
        span = audio_pb2.TextSpan(start=half, end=len(request.text))
        yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=SECOND, span=span))
        yield tts_pb2.SynthesizeResponse(finished=tts_pb2.SynthesisFinished(duration_ms=2000))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with serving(scripted_service(many=self._speak)) as address:
            yield address


async def test_a_voice_that_fails_in_the_middle_is_told_of(tmp_path: Path, book: Path) -> None:
    async with Scripted(_tone, after=1).serving() as address:
        ended = await say(address, "--file", book, "--out", tmp_path / "a.wav")
    assert ended.code == 1
    assert ended.err == (
        f"error: in {tmp_path / 'a.wav'} there are tones in place of words, for no voice could say them; "
        "the log of the speech synthesis tells why\n"
    )


async def _tone(request: Any, context: Any) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
    yield tts_pb2.SynthesizeResponse(audio=tts_pb2.AudioChunk(audio=SECOND, backend="tone"))


async def _break(request: Any, context: Any) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
    if request.text:
        raise EngineFailedError("the engine broke")
    yield tts_pb2.SynthesizeResponse()


async def _hang(request: Any, context: Any) -> AsyncGenerator[tts_pb2.SynthesizeResponse, None]:
    await for_ever()
    yield tts_pb2.SynthesizeResponse()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    folder.mkdir()
    path = folder / "book.txt"
    path.write_text(BOOK_IN_PARTS, encoding="utf-8")
    return path


async def test_the_parts_joined_are_the_text_with_a_pause_between_them(tmp_path: Path, book: Path) -> None:
    mouth = Scripted()
    async with mouth.serving() as address:
        recording = await said(address, tmp_path / "a.wav", "--file", book)
    assert recording.duration_ms == pytest.approx(6_000 + 2 * PAUSE_S * 1000)
    pause = recording.samples[2 * RATE_HZ : round(RATE_HZ * (2 + PAUSE_S))]
    assert not pause.any()
    assert "".join(request.text for request in mouth.requests) == BOOK_IN_PARTS
    # A voice's own rate may change with the engine: what comes first decides for the whole file.
    rates = [request.audio_format.sample_rate_hz for request in mouth.requests]
    assert rates == [0, RATE_HZ, RATE_HZ]


async def test_a_failure_in_the_middle_leaves_a_whole_file_and_tells_how_far_it_came(
    tmp_path: Path, book: Path
) -> None:
    out = tmp_path / "a.wav"
    async with Scripted(_break, after=1).serving() as address:
        ended = await say(address, "--file", book, "--out", out)
    assert ended.code == 1
    stopped, error = ended.err.splitlines()
    assert stopped == f"stopped after 7494 of 10000 characters; {out} holds what was spoken until then"
    assert "the engine broke" in error
    assert recorded(out).duration_ms == pytest.approx(3_000 + PAUSE_S * 1000)
    assert files_in(tmp_path) == ["a.wav", "books"]


async def test_so_does_ctrl_c(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "a.wav"
    mouth = Scripted(_hang, after=2)
    async with (
        mouth.serving() as address,
        started("say", "--file", book, "--out", out, "--address", address) as process,
    ):
        await _until_written(out, least_bytes=round(RATE_HZ * (5 + 2 * PAUSE_S)) * 2)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode().startswith("stopped after 9996 of 10000 characters; ")
    assert recorded(out).duration_ms == pytest.approx(5_000 + 2 * PAUSE_S * 1000)


async def test_ctrl_c_while_it_waits_for_stdin_keeps_what_was_said(tts: Child, tmp_path: Path) -> None:
    out = tmp_path / "a.wav"
    async with started("say", "-", "--out", out, "--address", tts.address) as process:
        assert process.stdin is not None
        process.stdin.write(b"Good morning, everybody. And ")
        await _until_written(out, least_bytes=1)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert err.decode().startswith("stopped after ")
    assert recorded(out).duration_ms > 100


async def _until_written(out: Path, least_bytes: int) -> None:
    """So much audio was written for this file, but for the end of it, which may lie in a buffer of 8 KiB."""
    least_bytes = max(1, least_bytes - 8192)

    def is_written() -> bool:
        return any(path.stat().st_size >= least_bytes for path in out.parent.glob(f"{out.name}.*.part"))

    await wait_until(is_written, "the audio in the file")
