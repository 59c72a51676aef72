"""The made models, asked by CTranslate2 itself: they must be honest, or the tests that lean on them prove nothing."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.tokenizer import Tokenizer
from tokenizers import Tokenizer as TokenizerFile

from scripts import timing_whisper
from scripts.closed_whisper.build import build, ensure
from scripts.closed_whisper.listener import FULL_FRAMES, Heard, Listener
from scripts.closed_whisper.sound import Wave
from scripts.whisper_folder import whole_folder
from scripts.whisper_layout import Shape
from services.common.audio import Samples, read_wav, resample
from tests.support.closed_whisper import RATE_HZ, SENTENCES, closed_whisper, said, say
from tests.support.shared_data import REPOSITORY

QUESTION = "quelle heure est-il"
LONG = "quelle est la meilleure façon d'apprendre une nouvelle langue"


class Ears(Listener):
    """Takes samples as the services have them."""

    def heard(self, samples: Samples, language: str = "fr", **how: Any) -> Heard:
        return self.hear(_wave(samples), language, **how)


@pytest.fixture(scope="module")
def ears() -> Ears:
    return Ears(closed_whisper())


def _wave(samples: Samples) -> Wave:
    return np.asarray(samples / 32768, np.float32)


def _pause(seconds: float) -> Samples:
    return np.zeros(int(RATE_HZ * seconds), np.int16)


def _joined(*parts: Samples) -> Samples:
    return np.concatenate(parts)


@pytest.mark.parametrize(("text", "language"), SENTENCES[::4], ids=str)
def test_a_sentence_is_heard_word_for_word_and_its_language_found(ears: Ears, text: str, language: str) -> None:
    heard = ears.heard(say(text, language).samples, language)
    assert (heard.text, heard.language) == (text, language)
    assert heard.no_speech < 0.1


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_recorded_question_is_heard_word_for_word(ears: Ears, language: str) -> None:
    question = read_wav((REPOSITORY / "client" / "assets" / f"question-{language}.wav").read_bytes(), "question")
    expected = {"fr": LONG, "en": "what is the best way to learn a new language"}[language]
    assert ears.heard(question.samples, language).text == expected


def test_the_window_of_30_s_hears_the_same(ears: Ears) -> None:
    assert ears.heard(say(LONG, "fr").samples, frames=FULL_FRAMES).text == LONG


def test_times_asked_for_do_not_change_the_words(ears: Ears) -> None:
    assert ears.heard(say(LONG, "fr").samples, times=True).text == LONG


def test_french_is_translated(ears: Ears) -> None:
    assert ears.heard(say("baisse le volume", "fr").samples, task="translate").text == "turn down the volume"


def test_of_a_sentence_heard_halfway_only_the_words_said_are_there(ears: Ears) -> None:
    spoken = said(QUESTION, "fr")
    assert ears.heard(spoken.recording.samples[: spoken.words[1][1]]).text == "quelle heure"


@pytest.mark.parametrize("text", ["allume la lumière du salon", "baisse le volume", "ferme les volets"])
def test_a_lost_first_word_is_missing(ears: Ears, text: str) -> None:
    spoken = said(text, "fr")
    heard = ears.heard(spoken.recording.samples[spoken.words[1][0] :])
    assert heard.text == " ".join(text.split()[1:])


def test_words_are_found_where_they_are(ears: Ears) -> None:
    errors_s: list[float] = []
    for text, language in SENTENCES[::6]:
        spoken = said(text, language)
        begins_s = ears.word_begins_s(_wave(spoken.recording.samples), text, language)
        errors_s += [abs(found - begin / RATE_HZ) for found, (begin, _) in zip(begins_s, spoken.words, strict=True)]
    assert np.median(errors_s) < 0.04
    assert np.quantile(errors_s, 0.8) < 0.15


def test_two_commands_in_one_window_are_both_heard(ears: Ears) -> None:
    first, second = "allume la lumière du salon", "baisse le volume"
    both = _joined(say(first, "fr").samples, _pause(0.5), say(second, "fr").samples)
    assert ears.heard(both).text == f"{first} {second}"


@pytest.mark.parametrize("rate_hz", [8_000, 32_000])
def test_a_wrong_rate_is_not_understood(ears: Ears, rate_hz: int) -> None:
    lie = resample(say(LONG, "fr"), rate_hz)
    assert ears.heard(lie.samples).text != LONG


def test_a_telephones_band_is_enough(ears: Ears) -> None:
    narrow = resample(resample(say(LONG, "fr"), 8_000), RATE_HZ)
    assert ears.heard(narrow.samples).text == LONG


@pytest.mark.parametrize("loudness", [0, 30, 1_000])
def test_nobody_speaks_and_nothing_is_heard(ears: Ears, loudness: int) -> None:
    noise = (np.random.default_rng(loudness).standard_normal(2 * RATE_HZ) * loudness).astype(np.int16)
    heard = ears.heard(noise)
    assert heard.text == ""
    assert heard.no_speech > 0.6


def test_the_same_weights_make_the_same_files(tmp_path: Path) -> None:
    folder = ensure(tmp_path / "model")
    built = _contents(folder)
    assert {"model.bin", "config.json", "vocabulary.json", "tokenizer.json", "preprocessor_config.json"} <= set(built)
    build(folder)
    assert _contents(folder) == built


def test_a_model_that_is_there_is_left_alone_and_one_of_other_weights_is_made_anew(tmp_path: Path) -> None:
    folder = ensure(tmp_path / "model")
    before = (folder / "model.bin").stat().st_ino
    assert (ensure(folder) / "model.bin").stat().st_ino == before
    (folder / "made-from.txt").write_text("other weights", encoding="utf-8")
    assert (ensure(folder) / "model.bin").stat().st_ino != before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_several_may_make_it_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(build, [tmp_path / "model"] * 4))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert _contents(tmp_path / "model") == _contents(closed_whisper())


def test_a_folder_that_could_not_be_written_is_not_there(tmp_path: Path) -> None:
    def fill_the_disk() -> None:
        with whole_folder(tmp_path / "model") as made:
            (made / "half").write_text("of it", encoding="utf-8")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        fill_the_disk()
    assert list(tmp_path.iterdir()) == []


def test_the_layout_is_that_of_whisper() -> None:
    shape, large = Shape(128, 3, 2, 4), Shape(1280, 32, 4, 20, mels=128, languages=100)
    assert (shape.vocabulary_size, large.vocabulary_size) == (51865, 51866)
    assert (shape.language("en"), shape.language("fr"), shape.task("translate")) == (50259, 50265, 50358)
    assert (shape.task("notimestamps"), shape.timestamp(0), shape.timestamp(30)) == (50363, 50364, 51864)
    assert len(shape.special_tokens()) == 51865 - 50257


def test_no_sentence_needs_a_token_that_whisper_suppresses() -> None:
    file = TokenizerFile.from_file(str(closed_whisper() / "tokenizer.json"))
    suppressed = set(Tokenizer(file, True, task="transcribe", language="fr").non_speech_tokens)
    assert file.token_to_id("<|fr|>") == 50265
    for text, _ in SENTENCES:
        tokens: Sequence[int] = file.encode(f" {text}", add_special_tokens=False).ids
        assert not suppressed & set(tokens), text
        assert file.decode(tokens) == f" {text}"


@pytest.mark.parametrize("times", [True, False])
def test_the_timing_model_says_its_sentence_whatever_it_hears(tmp_path: Path, times: bool) -> None:
    sentence = "ferme les volets du salon"
    model = Ears(timing_whisper.make("tiny", tmp_path / "tiny", sentence))
    for samples in (say(LONG, "fr").samples, _pause(1.0)):
        heard = model.heard(samples, "en", times=times)
        assert (heard.text, heard.language) == (sentence, "fr")
        assert heard.no_speech < 0.1


def test_the_timing_model_refuses_what_it_could_not_say(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="once"):
        timing_whisper.make("tiny", tmp_path / "tiny", "la lumière de la cuisine")
    assert list(tmp_path.iterdir()) == []


def test_the_timing_model_says_as_many_tokens_as_real_ones_for_3_s() -> None:
    assert 10 <= timing_whisper.token_count("tiny") <= 14


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
