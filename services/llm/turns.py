"""A history that fits: whole turns are left out, the oldest first.

What a model has read of a conversation is known as long as the prompt begins as before. If each request lost just the
one turn that is too much, every prompt would begin anew and be read in full. So half of what could stay may go: among
those turns the start is the one whose words have the lowest checksum. It stays the lowest while the conversation
grows, until it is too old itself or a lower one comes within reach, and no numbering is needed, which whoever trims the
history before us would shift.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Sequence

from services.llm.engine import ChatMessage, Role


def fit(
    messages: Sequence[ChatMessage], fits: Callable[[Sequence[ChatMessage]], bool], max_turns: int
) -> tuple[ChatMessage, ...] | None:
    """The messages without the turns that are too many; None where not even the last turn fits.

    A turn is a message of the person with all that follows it. The system's message stays. `fits` is asked few times,
    and must hold for less where it holds for more.
    """
    head = tuple(messages[:1]) if messages and messages[0].role is Role.SYSTEM else ()
    starts = _starts_of_turns(messages, len(head))

    def without(dropped: int) -> tuple[ChatMessage, ...]:
        return (*head, *messages[starts[dropped] :])

    fewest = max(0, len(starts) - max_turns)
    if not fits(without(fewest)):  # mostly it does, and asking costs more than all the rest
        fewest = bisect_left(range(len(starts)), True, lo=fewest + 1, key=lambda dropped: fits(without(dropped)))
    if fewest == len(starts):
        return None
    return without(_stable_start(messages, starts, fewest))


def _starts_of_turns(messages: Sequence[ChatMessage], first: int) -> list[int]:
    """Where each turn begins. What comes before the person's first words belongs to the oldest one."""
    starts = [index for index, message in enumerate(messages) if message.role is Role.USER]
    return [first, *starts[1:]]


def _stable_start(messages: Sequence[ChatMessage], starts: Sequence[int], fewest: int) -> int:
    """How many turns to drop, if it must be `fewest` at least."""
    if not fewest:
        return 0
    most = fewest + (len(starts) - fewest) // 2

    def checksum(dropped: int) -> int:
        return zlib.crc32(messages[starts[dropped]].content.encode(errors="replace"))

    return min(range(fewest, most + 1), key=checksum)  # the first of equals, which stays the first
