"""From a written text to what is said of it, piece by piece."""

from services.tts.phrases import Phrase
from services.tts.pieces import Piece
from services.tts.reading.markdown import Markdown
from services.tts.reading.plain import PlainReader, ReadingOptions, pause_after
from services.tts.reading.traced import Traced


class Reader:
    """Reads one text, which may have Markdown in it; it knows where in it the next piece begins."""

    def __init__(self, language: str, options: ReadingOptions) -> None:
        self._markdown = Markdown()
        self._plain = PlainReader(language, options)

    def read(self, piece: Piece) -> list[Phrase]:
        """What is said of the next piece; a phrase without words where nothing is."""
        text = self._markdown.strip(Traced.of(piece.text, piece.start))
        words = self._plain.read(text)
        return [Phrase(words, piece.start, piece.end, pause_after(text.text) if words else 0)]
