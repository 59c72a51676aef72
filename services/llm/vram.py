"""What a model will take of the graphics card, as its settings or its file say."""

from services.common.card import Card
from services.common.errors import EngineFailedError, ModelError
from services.common.gpu import GB
from services.common.models.store import ModelStore
from services.llm.config import LlamaSection
from services.llm.gguf import read_header, vram_bytes


class VramNeed:
    """Of one model. Its file is read again when it has changed, so that one pulled later counts as well."""

    def __init__(self, section: LlamaSection, store: ModelStore) -> None:
        self._section = section
        self._store = store
        self._read: tuple[tuple[str, int, int], int] | None = None  # of which file, and what it said

    def bytes(self) -> int:
        """Of a model that is not there, or is none, nothing: its load will tell."""
        if self._section.vram_gb:
            return int(self._section.vram_gb * GB)
        try:
            path = self._store.path(self._section.model)
            stat = path.stat()
            file = (str(path), stat.st_size, stat.st_mtime_ns)
            if self._read is None or self._read[0] != file:
                self._read = (file, vram_bytes(read_header(path), self._section.options(default_threads=1)))
        except (ModelError, EngineFailedError, OSError):
            return 0
        return self._read[1]

    def obstacle(self, card: Card, *, loaded: bool) -> str | None:
        """What keeps the model from the card, if anything."""
        return card.obstacle(self.bytes())(loaded)
