"""services/tts/reading/ssml.py: SSML, honoured or refused, never read aloud."""

import itertools
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidInputError
from services.tts.phrases import Phrase
from services.tts.reading.plain import ReadingOptions
from services.tts.reading.ssml import read_ssml
from tests.support.effort import count_calls

_bits = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<s>",
            "</s>",
            "<break/>",
            "<break time='1s'/>",
            "<prosody rate='fast'>",
            "</prosody>",
            "<emphasis>",
        ),
        *(
            "</emphasis>",
            "<sub alias='train rapide'>",
            "</sub>",
            "<say-as interpret-as='characters'>",
            "</say-as>",
            "<mark/>",
        ),
        *(
            "<phoneme ph='lidz'>",
            "</phoneme>",
            "&amp;",
            "&#233;",
            "<![CDATA[<b>]]>",
            "<!-- -->",
            "été. ",
            "14h30",
            "👍🏽",
            "\n",
        ),
        *("un mot, ", "\x00", "\ud800", "<", "&", " "),
    ]
)


def _read(inner: str, language: str = "fr") -> list[Phrase]:
    phrases = read_ssml(f"<speak>{inner}</speak>", language, ReadingOptions())
    return [phrase for phrase in phrases if phrase.words]


def _said(inner: str, language: str = "fr") -> str:
    return " ".join(word.text for phrase in _read(inner, language) for word in phrase.words)


def _error(document: str, language: str = "fr") -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        read_ssml(document, language, ReadingOptions())
    assert caught.value.field == "text"
    assert caught.value.detailed_reason == "INVALID_SSML"
    return caught.value


def test_a_document_is_read_and_its_tags_are_not() -> None:
    document = """<?xml version="1.0" encoding="ISO-8859-1"?>
        <!-- rien -->
        <speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="fr-FR">
            <metadata><rien>du tout</rien></metadata>
            <p><s>L'été &amp; l'hiver.</s> <s>C'est <mark name="ici"/>tout&#32;!</s></p>
        </speak>"""
    phrases = list(read_ssml(document, "fr", ReadingOptions()))
    assert " ".join(word.text for phrase in phrases for word in phrase.words) == "L'été et l'hiver. C'est tout!"


def test_words_stand_for_characters_of_the_document() -> None:
    document = "<speak>Été 👍🏽 &amp; <![CDATA[hiver]]> <s>noir</s> <sub alias='train rapide'>TGV</sub> là.</speak>"
    phrases = read_ssml(document, "de", ReadingOptions())
    written = [(word.text, document[word.start : word.end]) for phrase in phrases for word in phrase.words]
    assert ("Été", "Été") in written
    assert ("hiver", "hiver") in written
    assert ("noir", "noir") in written
    assert [source for said, source in written if said in {"train", "rapide"}] == ["T", "GV"]
    assert written[-1] == ("là.", "là.")


def test_a_sentence_goes_on_over_elements_that_do_not_change_how_it_sounds() -> None:
    assert len(_read("Le <sub alias='train'>TGV</sub> de <say-as interpret-as='date'>demain</say-as> part.")) == 1


def test_the_lines_of_a_document_say_nothing() -> None:
    assert len(_read("\nUn mot\net\r\nencore\tun autre.\n")) == 1


def test_long_texts_are_cut_into_sentences() -> None:
    assert len(_read("Une phrase est assez longue. " * 20)) == 20


def test_a_document_is_cut_and_read_as_far_as_it_is_asked_for() -> None:
    document = f"<speak>{'Une phrase est assez longue. ' * 300}</speak>"

    def read() -> Iterator[Phrase]:
        return read_ssml(document, "fr", ReadingOptions())

    assert count_calls(lambda: next(read())) * 5 < count_calls(lambda: list(read()))


def test_where_nothing_is_said_there_are_phrases_too_so_that_others_have_a_turn() -> None:
    assert len(list(read_ssml(f"<speak>{'… ' * 1000}</speak>", "fr", ReadingOptions()))) > 5


@pytest.mark.parametrize(
    ("attributes", "speed", "volume"),
    [
        ("rate='slow'", 0.75, 1),
        ("rate='x-fast'", 1.7, 1),
        ("rate='80%'", 0.8, 1),
        ("rate='-20%'", 0.8, 1),
        ("rate='+50%'", 1.5, 1),
        ("rate='1.5'", 1.5, 1),
        ("volume='loud'", 1, 1.4),
        ("volume='silent'", 1, 0),
        ("volume='-6dB'", 1, 0.501),
        ("pitch='high' rate='default' volume='medium'", 1, 1),
    ],
)
def test_prosody_is_a_factor(attributes: str, speed: float, volume: float) -> None:
    (phrase,) = _read(f"<prosody {attributes}>bonjour</prosody>")
    assert phrase.speed == pytest.approx(speed)
    assert phrase.volume == pytest.approx(volume, abs=0.001)


def test_nested_factors_multiply_and_end_with_their_element() -> None:
    phrases = _read(
        "<prosody rate='50%' volume='soft'>un <prosody rate='120%' volume='soft'>deux</prosody> trois</prosody> quatre"
    )
    assert [phrase.volume for phrase in phrases] == [0.6, pytest.approx(0.36), 0.6, 1.0]
    assert [phrase.speed for phrase in phrases] == [0.5, pytest.approx(0.6), 0.5, 1.0]


def test_emphasis_is_slower_and_louder() -> None:
    plain, strong, reduced = _read(
        "un <emphasis level='strong'>deux</emphasis><emphasis level='reduced'>trois</emphasis>"
    )
    assert strong.speed < plain.speed < reduced.speed
    assert strong.volume > plain.volume > reduced.volume


@pytest.mark.parametrize(
    ("inner", "language", "said"),
    [
        ("<say-as interpret-as='characters'>OTAN</say-as>", "fr", "O, T, A, N"),
        ("<say-as interpret-as='characters'>5 a</say-as>", "fr", "cinq, A"),
        ("<say-as interpret-as='digits'>42</say-as>", "en", "four, two"),
        ("<say-as interpret-as='cardinal'>42</say-as>", "en", "forty-two"),
        ("<say-as interpret-as='ordinal'>1</say-as>", "fr", "premier"),
        ("<say-as interpret-as='ordinal'>3</say-as>", "fr", "troisième"),
        ("<say-as interpret-as='ordinal'>22</say-as>", "en", "twenty-second"),
        ("<say-as interpret-as='ordinal'>13</say-as>", "en", "thirteenth"),
        ("<say-as interpret-as='date' format='mdy'>06/12/2025</say-as>", "fr", "douze juin deux mille vingt-cinq"),
        ("<say-as interpret-as='date' format='dmy'>06/12/2025</say-as>", "fr", "six décembre deux mille vingt-cinq"),
        ("<say-as interpret-as='time'>14h30</say-as>", "fr", "quatorze heures trente"),
        ("<say-as interpret-as='nothing known'>bonjour</say-as>", "fr", "bonjour"),
        ("le <sub alias='train à grande vitesse'>TGV</sub>, oui", "fr", "le train à grande vitesse, oui"),
        ("le <sub alias='train'>T<mark/>G</sub> part", "fr", "le train part"),
        ("rien <sub alias='du tout'/>", "fr", "rien du tout"),
    ],
)
def test_something_else_is_said_than_is_written(inner: str, language: str, said: str) -> None:
    assert _said(inner, language).replace("-", " ").lower() == said.replace("-", " ").lower()


def test_phonemes_are_words_in_ipa_with_the_marks_after_them() -> None:
    phrase = _read("À <phoneme alphabet='ipa' ph='lidz'>Leeds</phoneme> ! et l'<phoneme ph='o'>eau</phoneme>.")
    words = [word for said in phrase for word in said.words]
    assert [(word.text, word.ipa) for word in words] == [
        ("À", ""),
        ("Leeds!", "lidz"),
        ("et", ""),
        ("l'", ""),
        ("eau.", "o"),
    ]


def test_a_phoneme_is_said_once_however_its_text_is_cut() -> None:
    words = [word for phrase in _read(f"<phoneme ph='a'>{'Un mot. ' * 60}</phoneme>") for word in phrase.words]
    assert [word.ipa for word in words] == ["a"]


@pytest.mark.parametrize(
    ("document", "place", "sentence"),
    [
        ("", "line 1, column 1", "no element found"),
        ("bonjour", "line 1, column 1", "syntax error"),
        ("<speak>bonjour", "line 1, column 15", "no element found"),
        ("<speak>\nété <p></s></speak>", "line 2, column 10", "mismatched tag"),
        ("<speak>\nété <b>x</b></speak>", "line 2, column 5", "<b> is not supported; break,"),
        ("<speak><voice name='x'>x</voice></speak>", "line 1, column 8", "<voice> is not supported"),
        ("<p>x</p>", "line 1, column 1", "one element <speak>"),
        ("<speak><speak>x</speak></speak>", "line 1, column 8", "one element <speak>"),
        ("<speak>&nbsp;</speak>", "line 1, column 8", "undefined entity"),
        ("<speak>\x00</speak>", "line 1, column 8", "not well-formed"),
        ("<speak>" + "<p>" * 40, "line 1, column 101", "more than 32 deep"),
        ("<speak><break time='11s'/></speak>", "line 1, column 8", "time='11s' is no time from 0ms to 10s"),
        ("<speak><break time='soon'/></speak>", "line 1, column 8", "time='soon' is no time"),
        ("<speak><break strength='big'/></speak>", "line 1, column 8", "strength='big' is none of none, x-weak"),
        ("<speak><prosody rate='no'>x</prosody></speak>", "line 1, column 8", "rate='no' is none of"),
        ("<speak><prosody rate='600%'>x</prosody></speak>", "line 1, column 8", "from 20% to 500%"),
        ("<speak><prosody volume='+99dB'>x</prosody></speak>", "line 1, column 8", "up to +12dB"),
        ("<speak><emphasis level='big'>x</emphasis></speak>", "line 1, column 8", "level='big' is none of"),
        ("<speak><sub>x</sub></speak>", "line 1, column 14", "<sub> needs alias"),
        ("<speak><say-as>x</say-as></speak>", "line 1, column 17", "<say-as> needs interpret-as"),
        ("<speak><phoneme>x</phoneme></speak>", "line 1, column 18", "<phoneme> needs ph"),
        ("<speak><phoneme ph='a'/></speak>", "line 1, column 25", "<phoneme> needs text"),
        ("<speak><phoneme alphabet='x-sampa' ph='a'>x</phoneme></speak>", "line 1, column 44", "alphabet ipa"),
        ("<speak><sub alias='a'><p>x</p></sub></speak>", "line 1, column 23", "<sub> can hold nothing but text"),
        ("<speak xml:lang='en-US'>x</speak>", "line 1, column 1", "xml:lang='en-US' differs"),
        ("<speak><s xml:lang='de'>x</s></speak>", "line 1, column 8", "xml:lang='de' differs"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(document: str, place: str, sentence: str) -> None:
    message = _error(document).message
    assert place in message
    assert sentence in message


def test_entities_that_blow_up_are_refused_before_they_are_read() -> None:
    bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><speak>&b;</speak>"
    assert "a DOCTYPE is not allowed" in _error(bomb).message
    assert "a DOCTYPE is not allowed" in _error("<!DOCTYPE x SYSTEM 'file:///etc/passwd'><speak>x</speak>").message


def test_without_a_language_the_document_may_be_in_any() -> None:
    assert list(read_ssml("<speak xml:lang='de'>ja</speak>", "", ReadingOptions()))


@given(st.lists(_bits, max_size=30).map("".join))
def test_any_document_is_read_or_refused(inner: str) -> None:
    document = f"<speak>{inner}</speak>"
    try:
        phrases = list(read_ssml(document, "fr", ReadingOptions(names_emoji=True)))
    except InvalidInputError:
        return
    for phrase in phrases:
        assert 0 <= phrase.start <= phrase.end <= len(document)
        assert 0 <= max(phrase.pause_ms, phrase.asked_ms) <= 10_000
        assert all(phrase.start <= word.start < word.end <= phrase.end for word in phrase.words)
    for before, after in itertools.pairwise(phrases):
        assert before.start <= after.start
    starts = [word.start for phrase in phrases for word in phrase.words]
    assert starts == sorted(starts)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInputError):
        list(read_ssml(text, "en", ReadingOptions()))
