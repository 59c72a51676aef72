"""Word errors, the protocol, the record and the report of a validation."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import CommandError
from client.events import (
    Degraded,
    DeviceChanged,
    Event,
    Interrupted,
    Outcome,
    Played,
    ReplyAudio,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.typed import whole_lines
from client.validation.keeping import check_folder, keep
from client.validation.notes import Notes, joined
from client.validation.paced_player import PacedPlayer
from client.validation.record import (
    Interruption,
    Kind,
    Record,
    TurnNote,
    UnreadableRecordError,
    from_json,
    to_json,
)
from client.validation.recordings import read_folder
from client.validation.report import markdown
from client.validation.steps import FULL, LANGUAGES, Saying, Step, protocol
from client.validation.word_errors import WordErrors, total, word_errors, words
from client.views.view import JsonView
from tests.fakes.clock import FakeClock
from tests.support.validations import HUMAN, SETTING, TAKE, TONE, TURN, spoken

RECORD = replace(HUMAN, takes=(TAKE,))


@pytest.mark.parametrize(
    ("said", "understood", "language", "errors"),
    [
        ("Bonjour, ça va ?", "bonjour ça va", "fr", 0),
        ("L'eau d’Évian", "l' eau d' évian", "fr", 0),
        ("Un cœur", "un coeur", "fr-CA", 0),
        ("E\u0301cole", "école", "fr", 0),
        ("Dis-moi", "dis moi", "fr", 0),
        ("I don't know", "i dont know", "en-GB", 0),
        ("l'eau", "leau", "fr", 2),
        ("où est le pain", "ou est pain là", "fr", 3),
        ("un deux trois", "", "fr", 3),
        ("un", "un deux trois", "fr", 2),
    ],
)
def test_words_that_were_misunderstood(said: str, understood: str, language: str, errors: int) -> None:
    assert word_errors(said, understood, language).errors == errors


SENTENCES = st.lists(st.sampled_from(["un", "deux", "trois", "le", "la"]), max_size=12)


@given(SENTENCES.filter(bool), SENTENCES)
def test_the_rate_is_that_of_others(said: list[str], understood: list[str]) -> None:
    found = word_errors(" ".join(said), " ".join(understood), "fr")
    assert found.rate == pytest.approx(jiwer.wer(" ".join(said), " ".join(understood)))


def test_a_long_sentence_counts_for_more() -> None:
    assert total([WordErrors(1, 1), WordErrors(0, 9)]).rate == pytest.approx(0.1)


def test_a_sentence_without_words_cannot_be_misunderstood() -> None:
    with pytest.raises(ValueError, match="no word"):
        word_errors(" … !", "bonjour", "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_protocol_has_all_steps_in_order_and_no_figures(language: str) -> None:
    sayings = protocol(language)
    assert list(dict.fromkeys(saying.step for saying in sayings)) == list(FULL)
    assert len({saying.name for saying in sayings}) == len(sayings)
    assert not any(character.isdigit() for saying in sayings for character in saying.sentence)
    assert all(words(saying.sentence, language) for saying in sayings)
    assert [saying.name for saying in sayings if saying.interrupts] == ["interruption-2"]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (("le ciel", "est bleu"), "le ciel est bleu"),
        (("Le ciel.", "le ciel est bleu"), "le ciel est bleu"),
        (("", "le ciel"), "le ciel"),
        ((), ""),
    ],
)
def test_a_sentence_that_became_several_turns(parts: tuple[str, ...], whole: str) -> None:
    assert joined(tuple(replace(TURN, understood=part) for part in parts)) == whole


def test_a_record_comes_back_as_it_was() -> None:
    assert from_json(to_json(RECORD).encode()) == RECORD


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (to_json(RECORD).encode()[:-40], "JSON"),
        (b"[]", "JSON"),
        (b"{}", "format None"),
        (to_json(RECORD).replace('"format": 1', '"format": 2').encode(), "format 2"),
        (to_json(RECORD).replace('"validated"', '"superb"').encode(), "verdict"),
        (to_json(RECORD).replace('"transcription": 5', '"transcription": 6').encode(), "transcription"),
        (to_json(RECORD).replace("12:00:00Z", "12:00:00").encode(), "began_at"),
    ],
)
def test_a_file_that_is_no_record(content: bytes, complaint: str) -> None:
    with pytest.raises(UnreadableRecordError, match=complaint):
        from_json(content)


def test_the_report_of_a_person() -> None:
    cut_off = replace(TAKE, name="interruption-2", interruption=Interruption(True, 87.4, "une histoire"), attempts=2)
    text = markdown(replace(RECORD, takes=(TAKE, cut_off)))
    assert text.startswith("# VALIDATION HUMAINE AUDIO\n")
    assert "NOT A HUMAN VALIDATION" not in text
    assert "INCOMPLETE" not in text
    assert "- **Validator**: Camille" in text
    assert "- **Engines**: stt whisper" in text
    assert "- [x] A short sentence" in text
    assert "- [ ] With noise" in text
    assert "| short-1 | Quel est ton nom ? | quel est ton nom | 0% | 340 ms | – |" in text
    assert "| voice to voice | 2 | 340 | 340 |" in text
    assert "- interrupted; silent after 87 ms" in text
    assert "said 2 times" in text
    assert "- **Fluidity**: 4 / 5" in text
    assert "- [x] validated\n- [ ] with reservations\n- [ ] to correct" in text
    assert "- [ ] baisser le son" in text


def test_the_report_of_recordings_says_that_nobody_listened() -> None:
    recordings = replace(SETTING, kind=Kind.RECORDINGS)
    text = markdown(Record(recordings, (Step.SHORT,), (TAKE,), incomplete_because="it was broken off"))
    assert "> **NOT A HUMAN VALIDATION**" in text
    assert "> **INCOMPLETE** — it was broken off." in text
    assert text.count("not rated") == 3
    assert "[x] validated" not in text


def test_what_was_understood_cannot_change_the_report() -> None:
    text = markdown(replace(RECORD, takes=(replace(TAKE, understood="a | b\n# <b>c</b>"),)))
    assert "| a \\| b \\# \\<b\\>c\\</b\\> |" in text


def test_both_files_are_kept_under_a_name_with_the_date(tmp_path: Path) -> None:
    report = keep(RECORD, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-05-19-120000-human.json", report.name]
    assert from_json(report.with_suffix(".json").read_bytes()) == RECORD


def test_two_validations_that_begin_at_once_are_both_kept(tmp_path: Path) -> None:
    assert keep(RECORD, tmp_path) != keep(RECORD, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_an_interruption_that_nobody_could_say_is_not_done() -> None:
    question = replace(TAKE, step=Step.INTERRUPTION, problems=("no reply was to be heard",))
    record = replace(RECORD, takes=(TAKE, question))
    assert record.done == {Step.SHORT}
    assert "- [ ] An interruption" in markdown(record)


def test_a_folder_that_cannot_be_written_to_is_told_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="name another with --out"):
        check_folder(tmp_path / "file" / "reports")


def test_recordings_come_in_the_order_of_the_protocol(tmp_path: Path) -> None:
    for name in ("interruption-1", "interruption-2", "kennedy", "long", "short-2", "short-1"):
        spoken(tmp_path, name, f"{name}\n says this.")
    found = read_folder(tmp_path)
    assert [saying.name for saying in found] == [
        *("short-1", "short-2", "long", "interruption-1", "interruption-2", "kennedy")
    ]
    assert list(found)[3:] == [
        Saying("interruption-1", Step.INTERRUPTION, "interruption-1 says this."),
        Saying("interruption-2", Step.INTERRUPTION, "interruption-2 says this.", interrupts=True),
        Saying("kennedy", Step.OTHER, "kennedy says this."),
    ]
    assert {(one.sample_rate_hz, one.samples.size) for one in found.values()} == {(16_000, TONE.size)}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (None, None, "holds no WAV file"),
        ("short", None, r"short\.txt, which tells what is said in short\.wav, cannot be read: No such file"),
        ("short", " … ", "holds no words"),
        ("interruption-1", "Bonjour", r"interruption-1\.wav is alone"),
    ],
)
def test_a_folder_that_cannot_be_spoken(tmp_path: Path, name: str | None, text: str | None, complaint: str) -> None:
    if name is not None:
        spoken(tmp_path, name, text)
    with pytest.raises(CommandError, match=complaint):
        read_folder(tmp_path)


async def test_a_player_without_a_loudspeaker_takes_as_long_as_one() -> None:
    clock = FakeClock()
    player = PacedPlayer(clock)
    player.open(1000)
    await player.play("a", ReplyAudio(bytes(2 * 500), 0, 0))
    await player.play("a", ReplyAudio(bytes(2 * 500), 1, 500))
    clock.advance(0.7)
    assert (player.played(), player.is_playing()) == (Played("a", 700), True)
    player.pause()
    clock.advance(5)
    assert (player.played(), player.is_playing()) == (Played("a", 700), False)
    player.go_on()
    clock.advance(0.2)
    await player.play("a", ReplyAudio(bytes(2 * 500), 0, 0))  # it comes again: nothing is played twice
    assert player.played() == Played("a", 900)
    clock.advance(0.2)
    assert player.played() == Played("a", 1000)
    await player.play("a", ReplyAudio(bytes(2 * 500), 2, 1000))
    clock.advance(0.1)
    player.flush()
    clock.advance(1)
    assert (player.played(), player.is_playing()) == (Played("a", 1100), False)
    await player.play("b", ReplyAudio(bytes(2 * 100), 0, 0))
    clock.advance(0.1)
    await player.drained()
    assert player.played() == Played("b", 100)


async def test_enter_alone_is_an_answer() -> None:
    async def typed() -> AsyncIterator[str]:
        for piece in ("yes\n\nn", "o\nlast"):
            yield piece

    assert [answer async for answer in whole_lines(typed())] == ["yes", "", "no", "last"]


def test_notes_of_a_turn_that_was_interrupted() -> None:
    notes = Notes(JsonView(io.StringIO()))
    notes.begin()
    told: list[tuple[str, What]] = [
        ("a", StateChanged(State.THINKING)),
        ("a", Transcript("tell me", is_final=False)),
        ("a", Transcript("tell me a story", is_final=True)),
        ("a", ReplyAudio(b"", 0, 0)),
    ]
    for turn_id, what in told:
        notes.show(Event(turn_id, what))
    was_replying = notes.is_replying
    notes.show(Event("a", Interrupted("Once")))
    notes.show(Event("a", TurnFinished(Outcome.INTERRUPTED, {"first_audio": 90.04, "barge_in_stop": 87.0}, {})))
    notes.show(Event("b", Degraded("tts", "ENGINE_FAILED", "no voice")))
    notes.show(Event("", DeviceChanged("input", "Yeti", is_there=False)))
    assert (was_replying, notes.is_replying) == (True, False)
    assert notes.turns(("a",)) == (
        TurnNote("tell me a story", "interrupted", {"first_audio": 90.0, "barge_in_stop": 87.0}, {}),
    )
    assert notes.interruption() == Interruption(came=True, stopped_ms=87.0, heard_text="Once")
    assert notes.problems == ("tts: no voice", "Yeti was gone")
    notes.begin()
    assert [*notes.turn_ids, *notes.problems] == []
    assert not notes.was_interrupted
