"""An SSML document: what it says, how, and where it pauses. Whatever is wrong with it is told with line and column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from services.common.errors import InvalidInputError
from services.common.text import primary_language
from services.tts.reading import ssml_values
from services.tts.reading.plain import PARAGRAPH_PAUSE_MS, SENTENCE_PAUSE_MS
from services.tts.reading.ssml_say_as import said_as
from services.tts.reading.traced import Traced

_MAX_DEPTH = 32
_PAUSES_MS = {"p": PARAGRAPH_PAUSE_MS, "s": SENTENCE_PAUSE_MS}
_REWRITTEN = frozenset({"say-as", "sub", "phoneme"})
_SILENT = frozenset({"break", "mark", "desc", "lexicon", "meta", "metadata"})  # what stands in them is not said
_KNOWN = frozenset({"speak", "prosody", "emphasis", *_PAUSES_MS, *_REWRITTEN, *_SILENT})
_SPACES = str.maketrans("\t\r\n", "   ")  # line breaks of a document say nothing: `p` and `s` do


@dataclass(frozen=True)
class Style:
    """How fast and loud, as factors on top of the caller's."""

    speed: float = 1.0
    volume: float = 1.0

    def times(self, speed: float, volume: float) -> "Style":
        """With these on top."""
        return Style(self.speed * speed, self.volume * volume)


@dataclass(frozen=True)
class Said:
    """Text in one style; with `ipa`, a word that sounds like that."""

    text: Traced
    style: Style
    ipa: str = ""


@dataclass(frozen=True)
class Break:
    """Silence that was asked for, or what the border of a sentence or paragraph needs at least."""

    at: int
    ms: int
    is_asked_for: bool = False


@dataclass
class _Element:
    """One that is open: how what is in it is said, and what there is of it."""

    name: str
    start: int
    attributes: Mapping[str, str]
    style: Style
    is_silent: bool
    parts: list[Traced] = field(default_factory=list)


def parse_ssml(document: str, language: str) -> Sequence[Said | Break]:
    """What the document says. InvalidInputError where it is broken or asks for what cannot be done.

    Its length is the caller's to limit. Document types are refused, and with them all that entities could blow up.
    Pitch and contour are passed over: no engine here has them.
    """
    return _Parser(document, language).parse()


class _Parser:
    """Reads one document."""

    def __init__(self, document: str, language: str) -> None:
        self._document = document
        self._language = language
        self._bytes = document.encode(errors="replace")  # a lone surrogate is no character of any document
        self._counted = (0, 0)  # bytes, and the characters that they are
        self._open: list[_Element] = []
        self._items: list[Said | Break] = []
        self._parser = expat.ParserCreate("utf-8")  # whatever the document says of itself: it came as characters
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._take_text
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def parse(self) -> Sequence[Said | Break]:
        """All of it."""
        try:
            self._parser.Parse(self._bytes, True)
        except expat.ExpatError as error:
            raise _error(error.lineno, error.offset, f"no well-formed XML: {expat.ErrorString(error.code)}") from error
        return self._items

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        outer = self._open[-1] if self._open else None
        is_passed_over = outer is not None and outer.is_silent
        if not is_passed_over:
            self._check_place(name, outer)
        style = outer.style if outer else Style()
        element = _Element(name, self._here(), attributes, style, is_passed_over or name in _SILENT)
        self._open.append(element)
        if len(self._open) > _MAX_DEPTH:
            self._refuse(f"elements are nested more than {_MAX_DEPTH} deep")
        if not is_passed_over:
            self._begin(element)

    def _check_place(self, name: str, outer: _Element | None) -> None:
        if (name == "speak") != (outer is None):
            self._refuse("the document must be one element <speak>")
        if name not in _KNOWN:
            self._refuse(f"<{name[:40]}> is not supported; {', '.join(sorted(_KNOWN))} are")
        if outer and outer.name in _REWRITTEN and name != "mark":
            self._refuse(f"<{outer.name}> can hold nothing but text")

    def _begin(self, element: _Element) -> None:
        language = element.attributes.get("xml:lang", self._language)
        if self._language and primary_language(language) != primary_language(self._language):
            self._refuse(f"xml:lang={language[:40]!r} differs from the request's language, {self._language!r}")
        try:
            if element.name == "break":
                self._items.append(Break(element.start, ssml_values.break_ms(element.attributes), is_asked_for=True))
            else:
                element.style = _style(element)
        except ValueError as error:
            self._refuse(f"<{element.name}>: {error}")
        self._break_at_border(element)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        if not element.is_silent:
            if name in _REWRITTEN:
                self._rewrite(element)
            self._break_at_border(element)

    def _break_at_border(self, element: _Element) -> None:
        if element.name in _PAUSES_MS:
            self._items.append(Break(self._here(), _PAUSES_MS[element.name]))

    def _take_text(self, data: str) -> None:
        element = self._open[-1]
        if element.is_silent:
            return
        # One character for each that is written, but for the last, which may be an entity: it stands where that begins.
        text = Traced.of(data.translate(_SPACES), self._here())
        if element.name in _REWRITTEN:
            element.parts.append(text)
        else:
            self._items.append(Said(text, element.style))

    def _rewrite(self, element: _Element) -> None:
        """Says what an element that tells how it is said stands for."""
        written, attributes, ipa = Traced.join(element.parts), element.attributes, ""
        if element.name == "sub":
            said = self._attribute(element, "alias").translate(_SPACES)
        elif element.name == "say-as":
            kind = self._attribute(element, "interpret-as")
            said = said_as(written.text, kind, attributes.get("format", ""), self._language)
        else:
            said, ipa = " ".join(written.text.split()), self._attribute(element, "ph").strip()
            if attributes.get("alphabet", "ipa") != "ipa" or not (said and ipa):
                self._refuse("<phoneme> needs text, and in ph how it sounds in the alphabet ipa")
        sources = written.sources or (element.start,)
        self._items.append(Said(Traced(said, _spread(sources, len(said))), element.style, ipa))

    def _attribute(self, element: _Element, name: str) -> str:
        if name not in element.attributes:
            self._refuse(f"<{element.name}> needs {name}")
        return element.attributes[name]

    def _here(self) -> int:
        """The character of the document that the parser is at. It only goes on, so this is linear in all."""
        counted, characters = self._counted
        index = self._parser.CurrentByteIndex
        self._counted = index, characters + len(self._bytes[counted:index].decode())
        return self._counted[1]

    def _refuse_doctype(self, *_: object) -> None:
        self._refuse("a DOCTYPE is not allowed")

    def _refuse(self, sentence: str) -> NoReturn:
        raise _error(self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber, sentence)


def _error(line: int, column: int, sentence: str) -> InvalidInputError:
    return InvalidInputError("text", f"SSML, line {line}, column {column + 1}: {sentence}", reason="INVALID_SSML")


def _style(element: _Element) -> Style:
    attributes = element.attributes
    if element.name == "prosody":
        speed = ssml_values.rate(attributes.get("rate", "medium").strip())
        return element.style.times(speed, ssml_values.volume(attributes.get("volume", "medium").strip()))
    if element.name == "emphasis":
        return element.style.times(*ssml_values.emphasis(attributes.get("level", "moderate")))
    return element.style


def _spread(sources: Sequence[int], length: int) -> tuple[int, ...]:
    """As many places, from the first to the last of these."""
    return tuple(sources[index * (len(sources) - 1) // max(length - 1, 1)] for index in range(length))
