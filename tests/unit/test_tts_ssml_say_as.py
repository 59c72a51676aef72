"""services/tts/reading/ssml_say_as.py: what `say-as` asks for, as our own rules read it."""

import pytest

from services.tts.reading.ssml_say_as import said_as
from services.tts.reading.traced import Traced
from services.tts.reading.words import to_words


@pytest.mark.parametrize(
    ("text", "kind", "layout", "language", "written"),
    [
        ("a b1", "characters", "", "fr", "A, B, 1"),
        ("AZ-12é", "characters", "", "fr", "A, Z, tiret, 1, 2, É"),
        ("a_b@c.d", "characters", "", "en", "A, underscore, B, at, C, dot, D"),
        ("a-b", "characters", "", "de", "A, -, B"),
        ("1984", "cardinal", "", "en", "1,984"),
        ("007", "cardinal", "", "fr", "7"),
        ("3.5", "cardinal", "", "en", "3.5"),
        ("7817717777", "telephone", "", "en", "7 8 1, 7 7 1, 7 7 7 7"),
        ("1800-202-1212", "telephone", "", "en", "1 8 0 0, 2 0 2, 1 2 1 2"),
        ("(781) 771-7777", "telephone", "1", "en", "7 8 1, 7 7 1, 7 7 7 7"),
        ("+44 20 79", "telephone", "", "en", "+4 4, 2 0, 7 9"),
        ("0142345678", "telephone", "", "fr", "0142345678"),
        ("3615", "telephone", "", "fr", "3 6 1 5"),
        ("1", "ordinal", "", "fr", "1er"),
        ("111", "ordinal", "", "en-GB", "111th"),
        ("1002", "ordinal", "", "en", "1002nd"),
        ("12", "ordinal", "", "de", "12"),
        ("douze", "ordinal", "", "fr", "douze"),
        ("12.6.2025", "date", "dmy", "fr", "2025-06-12"),
        ("2025/6/1", "date", "ymd", "fr", "2025-06-01"),
        ("12/06/25", "date", "dmy", "fr", "2025-06-12"),
        ("9/10/60", "date", "mdy", "en", "1960-09-10"),
        ("1960-09-10", "date", "yyyymmdd", "en", "1960-09-10"),
        ("20170901", "date", "", "fr", "2017-09-01"),
        ("01092017", "date", "ddmmyyyy", "fr", "2017-09-01"),
        ("12/06", "date", "", "fr", "12/06"),
        ("12/06/25", "date", "", "fr", "12/06/25"),
        ("06/2025", "date", "my", "fr", "juin 2025"),
        ("2025-06", "date", "ym", "en", "June 2025"),
        ("9-10", "date", "md", "en", "September 10"),
        ("1/6", "date", "dm", "fr", "1 juin"),
        ("1/6", "date", "dm", "de", "1/6"),
        ("10/2025", "date", "dy", "fr", "10/2025"),
        ("13/13/2025", "date", "dmy", "fr", "13/13/2025"),
        ("32/12/2025", "date", "dmy", "fr", "32/12/2025"),
        ("12/06", "date", "dm", "fr", "12 juin"),
        ("1/2/2025", "date", "abc", "fr", "1/2/2025"),
    ],
)
def test_a_kind_of_text_is_written_so_that_it_is_read_as_one(
    text: str, kind: str, layout: str, language: str, written: str
) -> None:
    assert said_as(text, kind, layout, language) == written


@pytest.mark.parametrize(
    ("text", "kind", "layout", "language", "said"),
    [
        ("1984", "cardinal", "", "en", "one thousand nine hundred and eighty-four"),
        ("+44 20", "telephone", "", "en", "plus four four, two zero"),
        ("0142345660", "telephone", "", "fr", "zéro un, quarante-deux, trente-quatre, cinquante-six, soixante"),
        ("1/6", "date", "dm", "fr", "premier juin"),
        ("9-10", "date", "md", "en", "September tenth"),
        ("06/2025", "date", "my", "fr", "juin deux mille vingt-cinq"),
        ("é@1", "characters", "", "fr", "É, arobase, un"),
    ],
)
def test_what_is_written_so_is_said_so(text: str, kind: str, layout: str, language: str, said: str) -> None:
    words = to_words(Traced.of(said_as(text, kind, layout, language)), language)
    assert " ".join(word.text for word in words) == said
