"""Reasoning, which is never shown: found in the text of a reply, however that comes in portions."""

from dataclasses import dataclass

from services.llm.marks import first_mark, unsure

# What the models in use write: Qwen 3, DeepSeek R1 and most others; some fine-tunes; Mistral's Magistral.
_OPENING = ("<think>", "<thinking>", "[THINK]")
_CLOSING = ("</think>", "</thinking>", "[/THINK]")
# A model may have control tokens of these texts; whoever renders its tokens must render them.
THINK_MARKS = (*_OPENING, *_CLOSING)


def opens_thinking(prompt: str) -> bool:
    """Whether a prompt ends with the beginning of a section, so that the reply begins inside of it."""
    return prompt.rstrip().endswith(_OPENING)


@dataclass(frozen=True)
class Filtered:
    """What may be shown of a portion, and whether there was reasoning in it."""

    text: str
    thought: bool


class ThinkFilter:
    """Takes a reply in any portions and leaves its sections of reasoning out. One that never ends is left out too.

    Any closing mark ends a section, for that is all that is seen of one which the prompt began. A closing mark without
    a section is left out alone: what came before it has been spoken.
    """

    def __init__(self, inside: bool = False) -> None:
        """`inside`: the prompt has begun a section (see `opens_thinking`)."""
        self._inside = inside
        self._held = ""  # may be the start of a mark
        self._last_shown = "\n"
        self._skips_space = False  # which parts a section from the reply

    def push(self, text: str) -> Filtered:
        """What is certain with this text."""
        thought = self._inside and bool(text)
        shown = ""
        text = self._held + text
        while found := first_mark(text, _CLOSING if self._inside else THINK_MARKS):
            shown += self._shown(text[: found.start])
            text = text[found.end :]
            self._inside = found.mark in _OPENING
            thought = thought or self._inside
            self._skips_space = True
        certain = len(text) - unsure(text, _CLOSING if self._inside else THINK_MARKS)
        self._held = text[certain:]
        return Filtered(shown + self._shown(text[:certain]), thought)

    def end(self) -> str:
        """What was held back, as the reply has ended."""
        held, self._held = self._held, ""
        return self._shown(held)

    def _shown(self, text: str) -> str:
        if self._inside:
            return ""
        if self._skips_space and self._last_shown.isspace():
            text = text.lstrip()
        if text:
            self._skips_space = False
            self._last_shown = text[-1]
        return text
