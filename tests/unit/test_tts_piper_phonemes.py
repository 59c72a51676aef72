"""Which word each phoneme is of. The phonemes themselves are scripted: what espeak-ng makes of words is its affair."""

from collections.abc import Sequence

import numpy as np
import pytest

from services.tts.alignment import all_starts, voiced_part
from services.tts.engine import Word
from services.tts.piper_phonemes import Phonemizer, Sentence
from services.tts.piper_times import estimated_edges, exact_edges

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz .,?!;:ː")


class Sayings:
    """Says letters as they are, but for what is written down."""

    def __init__(self, **said: str) -> None:
        self._said = {text.replace("_", " "): phonemes for text, phonemes in said.items()}

    def __call__(self, text: str) -> list[list[str]]:
        return [list(part) for part in self._said.get(text, text).split("|")]


def _said(words: Sequence[str | Word], **said: str) -> list[Sentence]:
    listed = [Word(word, 0, len(word)) if isinstance(word, str) else word for word in words]
    return list(Phonemizer(Sayings(**said), _LETTERS).sentences(listed))


def _owned(sentences: Sequence[Sentence], words: int) -> list[str]:
    """What is said of each word, without the gaps."""
    pairs = [pair for one in sentences for pair in zip(one.phonemes, one.words, strict=True)]
    return ["".join(phoneme for phoneme, word in pairs if word == index and phoneme != " ") for index in range(words)]


@pytest.mark.parametrize(
    ("words", "said", "owned"),
    [
        (["le", "chat", "dort."], {}, ["le", "chat", "dort."]),
        (["of", "the", "world"], {"of_the_world": "ofthe world"}, ["of", "the", "world"]),
        (["c", "pl", "parce"], {"c_pl_parce": "ce plus plus parce", "pl": "plus plus"}, ["ce", "plusplus", "parce"]),
        (["les", "amis", "la"], {"les_amis_la": "le zamila", "les": "le", "amis": "ami"}, ["le", "zami", "la"]),
        (["un", "—", "deux"], {"un_—_deux": "un deux", "—": ""}, ["un", "", "deux"]),
        (["oui.", "non!"], {"oui._non!": "oui.|non!"}, ["oui.", "non!"]),
        (["—"], {"—": ""}, [""]),
        (["[[a]]", "b"], {"__a___b": "a b"}, ["a", "b"]),
        (["«x»", "y"], {}, ["x", "y"]),
        ([Word("SQL,", 0, 4, "sikwel"), "dit"], {}, ["sikwel,", "dit"]),
        (["a", Word("x", 0, 1, "ks"), "b"], {}, ["a", "ks", "b"]),
        (["dit…", "puis...", "rien…"], {}, ["dit,", "puis,", "rien."]),
        (["quoi…?", "bon…!", "eh..", "non….."], {}, ["quoi?", "bon!", "eh,", "non."]),
        ([Word("SQL…", 0, 4, "sikwel"), Word("x…", 5, 7, "iks")], {}, ["sikwel,", "iks."]),
    ],
)  # fmt: skip
def test_each_phoneme_has_its_word(words: list[str | Word], said: dict[str, str], owned: list[str]) -> None:
    assert _owned(_said(words, **said), len(words)) == owned


def test_sentences_stay_apart_and_words_in_ipa_do_not_cut_them() -> None:
    words: list[str | Word] = ["a.", "b", Word("x.", 0, 2, "ks"), "c"]
    sentences = _said(words, **{"a._b": "a.|b"})
    assert ["".join(one.phonemes).strip() for one in sentences] == ["a.", "b ks.", "c"]


def test_nothing_to_say_is_no_sentence() -> None:
    assert _said([]) == []
    assert _said(["—"], **{"—": ""}) == []


def test_long_sentences_are_cut_between_words_and_nothing_is_lost() -> None:
    words = ["abcdefgh"] * 200
    sentences = _said(words)
    assert max(len(one.phonemes) for one in sentences) <= 300
    assert all(one.phonemes[-1] == " " for one in sentences[:-1])
    assert _owned(sentences, 200) == words
    endless = _said(["a" * 1_000])
    assert [len(one.phonemes) for one in endless] == [300, 300, 300, 100]


@pytest.mark.parametrize(("length_scale", "most"), [(4.0, 75), (1.5, 200), (0.25, 300), (10_000.0, 1)])
def test_slow_ones_are_cut_sooner_so_that_none_sounds_longer(length_scale: float, most: int) -> None:
    words = [Word("a" * 1_000, 0, 1_000)]
    [*sentences] = Phonemizer(Sayings(), _LETTERS).sentences(words, length_scale)
    assert max(len(one.phonemes) for one in sentences) == most
    assert sum(len(one.phonemes) for one in sentences) == 1_000


def test_a_long_text_is_phonemized_in_portions() -> None:
    asked: list[str] = []

    def phonemize(text: str) -> list[list[str]]:
        asked.append(text)
        return [list(text)]

    words = [Word("mot", 0, 3)] * 100
    list(Phonemizer(phonemize, _LETTERS).sentences(words))
    assert [len(text.split()) for text in asked] == [40, 40, 20]


def test_edges_are_those_that_the_voice_tells() -> None:
    durations = np.array([5, 0, 3, 1, 4, 1, 2, 0, 10])  # begin and pad, two ids and pad, one and pad, …
    assert exact_edges([1, 1, 1], durations, 26) == [5, 9, 14, 16]
    assert exact_edges([2, 1], np.array([5, 0, 3, 1, 4, 1, 2, 10]), 26) == [5, 13, 16]
    assert exact_edges([1, 1, 1], durations, 27) is None
    assert exact_edges([1, 1], durations, 26) is None


def test_estimated_edges_share_what_is_not_silent() -> None:
    audio = np.concatenate([np.zeros(100), np.full(200, 0.5), np.zeros(300)]).astype(np.float32)
    assert estimated_edges(["m", "m", "."], audio) == [100, 200, 300, 300]
    edges = estimated_edges(["m", "ˈ", "a", "ː", "m"], audio)
    assert edges[1] == edges[2]
    assert edges[3] - edges[2] > edges[1] - edges[0]
    assert estimated_edges([".", ","], audio) == [100, 100, 100]


def test_words_without_a_known_begin_share_the_time_by_their_lengths() -> None:
    words = [Word(text, 0, len(text)) for text in ("aa", "bbbb", "cc", "dd")]
    assert all_starts(words, {0: 100, 3: 900}, 1_000) == (100, 300, 700, 900)
    assert all_starts(words, {0: 0}, 1_000) == (0, 200, 600, 800)
    assert all_starts(words, {0: 500, 1: 400, 2: 2_000}, 1_000) == (500, 500, 1_000, 1_000)
    assert all_starts([], {0: 0}, 1_000) == ()


def test_silence_around_speech_is_not_speech() -> None:
    samples = np.array([0, 1, 0, 500, -1_000, 0, 300, 2, 0], np.int16)
    assert voiced_part(samples) == (3, 7)
    assert voiced_part(np.zeros(5, np.int16)) == (0, 5)
    assert voiced_part(np.zeros(0, np.int16)) == (0, 0)
