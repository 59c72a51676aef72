"""What the assistant says by itself, and is told about itself, in the language of the conversation."""

from dataclasses import dataclass

from services.common.text import primary_language
from services.orchestrator.config import OrchestratorSection, TextsByLanguage

_QUOTED_CHARACTERS = 200  # more of what was understood is not repeated


@dataclass(frozen=True)
class Texts:
    """All of them, by language."""

    settings: OrchestratorSection

    @property
    def languages(self) -> frozenset[str]:
        """Those in which the assistant knows what it is."""
        return frozenset(self.settings.system_prompts)

    def system_prompt(self, language_code: str) -> str:
        """Instructions to the assistant."""
        return _in_language(self.settings.system_prompts, language_code)

    def interruption_note(self, language_code: str) -> str:
        """Tells the model that it was interrupted."""
        return _in_language(self.settings.interruption_notes, language_code)

    def apology(self, language_code: str, understood: str) -> str:
        """What is said when there is nothing to think with."""
        shown = understood if len(understood) <= _QUOTED_CHARACTERS else f"{understood[:_QUOTED_CHARACTERS]}…"
        return _in_language(self.settings.apologies, language_code).replace("{text}", shown)

    def not_heard(self, language_code: str) -> str:
        """What is said when there is nothing to hear with."""
        return _in_language(self.settings.not_heard, language_code)

    def filler(self, language_code: str) -> str:
        """What is said when a reply is late."""
        return _in_language(self.settings.fillers, language_code)


def _in_language(texts: TextsByLanguage, language_code: str) -> str:
    """The text in this language, or in English, or the first there is."""
    return texts.get(primary_language(language_code)) or texts.get("en") or next(iter(texts.values()))
