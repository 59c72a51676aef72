"""client/subtitles.py and client/transcript_file.py."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import CommandError
from client.subtitles import Cue, Segment, Word, cues, srt, vtt
from client.transcript_file import Format, format_for, jobs_for, rendered, write
from superwhisper.stt.v1 import stt_pb2

LONG = (
    "Good morning, everybody. Today we talk about the history of the railway in the north of the country, "
    "which is longer than most people believe. It began in 1832, with a horse; and it has not ended yet."
)
HOUR_MS = 3_600_000


def lines(segments: list[Segment]) -> list[tuple[str, ...]]:
    return [cue.lines for cue in cues(segments)]


# --- times


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "times"),
    [
        (0, 2000, "00:00:00,000 --> 00:00:02,000"),
        (999.4, 2000.6, "00:00:00,999 --> 00:00:02,001"),
        (999.6, 59_999.6, "00:00:01,000 --> 00:00:08,000"),
        (3_599_999.6, 3_601_500, "01:00:00,000 --> 01:00:01,500"),
        (100 * HOUR_MS, 100 * HOUR_MS + 1500, "100:00:00,000 --> 100:00:01,500"),
        (-300, 1500, "00:00:00,000 --> 00:00:01,500"),
    ],
)
def test_times(start_ms: float, end_ms: float, times: str) -> None:
    assert srt([Segment("Oui.", start_ms, end_ms)]) == f"1\n{times}\nOui.\n"
    assert vtt([Segment("Oui.", start_ms, end_ms)]) == f"WEBVTT\n\n{times.replace(',', '.')}\nOui.\n"


def test_cues_are_numbered_and_apart() -> None:
    assert srt([Segment("One.", 0, 1000), Segment("Two.", 5000, 6500)]) == (
        "1\n00:00:00,000 --> 00:00:01,000\nOne.\n\n2\n00:00:05,000 --> 00:00:06,500\nTwo.\n"
    )


@pytest.mark.parametrize("segments", [[], [Segment("", 0, 1000)], [Segment(" \r\n ", 0, 1000)]])
def test_nothing_said(segments: list[Segment]) -> None:
    assert srt(segments) == ""
    assert vtt(segments) == "WEBVTT\n"


def test_a_short_cue_stays_as_long_as_there_is_room() -> None:
    timed = [(cue.start_ms, cue.end_ms) for cue in cues([Segment("A", 0, 100), Segment("B", 500, 600)])]
    assert timed == [(0, 420), (500, 1500)]


def test_segments_that_overlap_follow_one_another() -> None:
    segments = [Segment("Two", 1000, 4000), Segment("One", 0, 3000), Segment("At once", 1000, 2000)]
    timed = cues(segments)
    assert [cue.lines for cue in timed] == [("One",), ("Two",), ("At once",)]
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(timed))
    assert all(cue.start_ms < cue.end_ms for cue in timed)


# --- text


def test_the_text_cannot_break_the_format() -> None:
    segment = Segment("a --> b & <i>c</i>\r\n\r\n2\r\n00:00", 0, 2000)
    assert srt([segment]).splitlines()[2:] == ["a → b & <i>c</i> 2 00:00"]
    assert vtt([segment]).splitlines()[3:] == ["a --&gt; b &amp; &lt;i&gt;c&lt;/i&gt; 2 00:00"]


def test_long_speech_is_cut_between_sentences_and_clauses() -> None:
    assert lines([Segment(LONG, 0, 14_000)]) == [
        ("Good morning, everybody.",),
        ("Today we talk about the history of the", "railway in the north of the country,"),
        ("which is longer than most people believe.",),
        ("It began in 1832, with a horse;", "and it has not ended yet."),
    ]


def test_text_from_right_to_left_is_kept_in_its_order() -> None:
    hebrew = "בוקר טוב לכולם. היום נדבר על ההיסטוריה של הרכבת בצפון הארץ, והיא ארוכה משחושבים."
    [cue] = cues([Segment(hebrew, 0, 6000)])
    assert len(cue.lines) == 2
    assert " ".join(cue.lines) == hebrew


def test_text_without_spaces_is_cut_anywhere_and_takes_two_columns_a_character() -> None:
    chinese = "我们今天来谈谈这个国家北部铁路的历史它比大多数人想象的要长得多而且还没有结束"
    timed = cues([Segment(chinese, 0, 6000)])
    assert "".join("".join(cue.lines) for cue in timed) == chinese
    assert max(len(line) for cue in timed for line in cue.lines) <= 21


def test_a_word_longer_than_a_line_is_broken() -> None:
    address = "https://example.org/" + "a" * 200
    broken = lines([Segment(f"See {address} now", 0, 6000)])
    assert "".join("".join(cue) for cue in broken).replace(" ", "") == f"See{address}now"


@given(st.text(st.sampled_from("ab cd. ,é字\u0301"), max_size=400), st.integers(0, 10**6), st.integers(0, 60_000))
def test_every_cue_can_be_read_and_nothing_is_lost(text: str, start_ms: int, length_ms: int) -> None:
    found = cues([Segment(text, start_ms, start_ms + length_ms)])
    shown = "".join(line for cue in found for line in cue.lines)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)
    for cue in found:
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= 42 + line.count("\u0301") for line in cue.lines)
        assert 0 < cue.end_ms - cue.start_ms <= 7000
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(found))


# --- words


def spoken(text: str, starts_ms: list[float], each_ms: float = 200) -> tuple[Word, ...]:
    said = text.split()
    return tuple(Word(word, start, start + each_ms) for word, start in zip(said, starts_ms, strict=True))


def test_words_give_exact_times() -> None:
    words = spoken("Good morning to you", [1000, 1200, 6000, 6200])
    assert cues([Segment("Good morning to you", 900, 6500, words)]) == [
        Cue(("Good morning",), 1000, 2000),
        Cue(("to you",), 6000, 7000),
    ]


def test_words_that_differ_from_the_text_do_no_harm() -> None:
    words = (Word("Good", 1000, 1200), Word("evening", 1200, 1400), Word("", 0, 0), Word("you", 2000, 2200))
    assert cues([Segment("Good morning to you", 900, 2300, words)]) == [Cue(("Good morning to you",), 1000, 2200)]


def test_words_whose_times_go_back_do_no_harm() -> None:
    [cue] = cues([Segment("Good morning you", 0, 3000, spoken("Good morning you", [1000, 500, 2000]))])
    assert (cue.start_ms, cue.end_ms) == (1000, 2200)


# --- a whole transcript

RESULT = stt_pb2.RecognizeResponse(
    text="Un. Deux.",
    language_code="fr",
    duration_ms=4000,
    backend="small",
    processing_ms=12.345,
    segments=[
        stt_pb2.Segment(
            text="Un.",
            end_ms=1500,
            confidence=0.98765,
            words=[stt_pb2.Word(text="Un.", start_ms=100, end_ms=1400, confidence=0.5)],
        ),
        stt_pb2.Segment(text="Deux.\x1b[2J", start_ms=2000, end_ms=3500),
    ],
)


def test_each_format() -> None:
    assert rendered(RESULT, Format.TXT) == "Un.\nDeux. [2J\n"
    assert rendered(RESULT, Format.SRT) == (
        "1\n00:00:00,100 --> 00:00:01,400\nUn.\n\n2\n00:00:02,000 --> 00:00:03,500\nDeux. [2J\n"
    )
    assert rendered(RESULT, Format.VTT).startswith("WEBVTT\n\n00:00:00.100 --> 00:00:01.400\nUn.\n")
    read = json.loads(rendered(RESULT, Format.JSON))
    assert read["segments"][0]["words"] == [{"text": "Un.", "start_ms": 100, "end_ms": 1400, "confidence": 0.5}]
    assert "words" not in read["segments"][1]
    assert (read["language_code"], read["processing_ms"], read["segments"][0]["confidence"]) == ("fr", 12.3, 0.988)


# --- what is written where


@pytest.mark.parametrize(
    ("asked", "out", "expected"),
    [
        (None, None, Format.TXT),
        (Format.VTT, None, Format.VTT),
        (None, "a.srt", Format.SRT),
        (None, "a.JSON", Format.JSON),
        (Format.TXT, "a.srt", Format.TXT),
        (None, ".", Format.TXT),
    ],
)
def test_which_format(asked: Format | None, out: str | None, expected: Format) -> None:
    assert format_for(asked, [Path("a.wav")], Path(out) if out else None) is expected


@pytest.mark.parametrize("out", ["a.doc", "a", "a."])
def test_an_ending_that_names_no_format(out: str) -> None:
    with pytest.raises(CommandError, match=r"--format"):
        format_for(None, [Path("a.wav")], Path(out))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.mp3", "b.ogg", "old.txt"):
        (tmp_path / name).write_bytes(b"bytes")
    return tmp_path


def test_several_go_into_a_folder_by_their_names(folder: Path) -> None:
    jobs = jobs_for([folder / "a.wav", folder / "b.mp3"], folder / "new", Format.SRT, force=False)
    assert [job.target for job in jobs] == [folder / "new/a.srt", folder / "new/b.srt"]
    [job] = jobs_for([folder / "a.wav"], folder, Format.TXT, force=False)
    assert job.target == folder / "a.txt"


@pytest.mark.parametrize(
    ("names", "out", "force", "complaint"),
    [
        (["a.wav", "missing.wav"], "x", False, "missing.wav cannot be read"),
        (["a.wav", "b.mp3"], None, False, "give --out FOLDER"),
        (["a.wav", "b.mp3"], "old.txt", True, "is a file: several recordings need a folder"),
        (["b.mp3", "b.ogg"], "x", True, "would both become"),
        (["a.wav"], "old.txt", False, "is there already"),
        (["a.wav"], "a.wav", True, "is the recording itself"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_sent(
    folder: Path, names: list[str], out: str | None, force: bool, complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        jobs_for([folder / name for name in names], folder / out if out else None, Format.TXT, force=force)


def test_a_file_is_written_whole_or_not_at_all(folder: Path) -> None:
    target = folder / "new/é.txt"
    write(target, "Été\n", force=False)
    assert target.read_bytes() == "Été\n".encode()
    with pytest.raises(CommandError, match="there already"):
        write(target, "another\n", force=False)
    assert target.read_text(encoding="utf-8") == "Été\n"
    write(target, "another\n", force=True)
    assert target.read_text(encoding="utf-8") == "another\n"
    assert [path.name for path in target.parent.iterdir()] == ["é.txt"]


def test_a_place_where_nothing_can_be_written(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot be written"):
        write(folder / "a.wav/x.txt", "text", force=True)
