"""Which tokens the next step reads: continuous batching over the sequences of one context. Pure: nothing blocks here.

A context keeps several sequences of tokens apart, each with its memory of what it read (the KV cache). A reply under
way (`Job`) has a sequence to itself. A step reads the last token of every reply that is being written and, in the room
that is left, slices of the prompts. What a sequence holds stays there when its reply has ended, until another
conversation needs the place: so a conversation's next turn reads only what is new, and one that begins like another
copies that.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

# Below this many tokens a copy, which moves a whole sequence, costs more than reading them.
_COPY_WORTH_TOKENS = 16


@dataclass(eq=False)
class Job:
    """A reply under way: its prompt, and after it what was written."""

    conversation_id: str
    tokens: list[int]
    prompt_tokens: int = field(init=False)
    known_tokens: int = field(default=0, init=False)  # of the prompt, when its reading began

    def __post_init__(self) -> None:
        self.prompt_tokens = len(self.tokens)


@dataclass(frozen=True)
class Feed:
    """Tokens that one sequence reads in a step. With the last one of a job's tokens, it is asked what comes next."""

    job: Job
    sequence: int
    position: int
    tokens: tuple[int, ...]
    asks: bool


@dataclass(frozen=True)
class Copy:
    """All that one sequence holds, to another, in place of what that held."""

    source: int
    target: int


@dataclass(frozen=True)
class Cut:
    """A sequence forgets all but its first tokens."""

    sequence: int
    length: int


@dataclass(frozen=True)
class Step:
    """What to do with the context, in this order."""

    changes: tuple[Copy | Cut, ...]
    feeds: tuple[Feed, ...]


@dataclass
class _Place:
    """One sequence of the context."""

    sequence: int
    tokens: list[int] = field(default_factory=list)
    conversation_id: str = ""
    used_at: int = 0
    job: Job | None = None


class Batching:
    """Replies and sequences of one context. Between `plan` and `took` or `lost` nothing but `add` and `leave`."""

    def __init__(self, sequences: int, batch_tokens: int, *, can_cut: bool = True) -> None:
        """`can_cut`: whether the memory can forget its last tokens; that of recurrent models cannot."""
        self._places = [_Place(number) for number in range(sequences)]
        self._batch_tokens = batch_tokens
        self._can_cut = can_cut
        self._waiting: deque[Job] = deque()
        self._changes: list[Copy | Cut] = []
        self._clock = count(1)

    @property
    def waiting(self) -> int:
        """Jobs that have no sequence yet."""
        return len(self._waiting)

    @property
    def live(self) -> int:
        """Jobs that have one."""
        return sum(place.job is not None for place in self._places)

    @property
    def kept_tokens(self) -> int:
        """Tokens that all sequences hold together."""
        return sum(len(place.tokens) for place in self._places)

    def add(self, job: Job) -> None:
        """It gets the next sequence that is free."""
        self._waiting.append(job)

    def leave(self, job: Job) -> None:
        """It is done, or nobody wants it any more: its sequence is free for the next step's jobs."""
        if job in self._waiting:
            self._waiting.remove(job)
        for place in self._places:
            if place.job is job:
                place.job = None
                # What has no name is nobody's next turn: it goes first when a place is needed.
                place.used_at = next(self._clock) if place.conversation_id else 0

    def plan(self) -> Step | None:
        """The next step; None while there is nothing to do."""
        for job in list(self._waiting):
            place = self._place_for(job)
            if place is not None:
                self._waiting.remove(job)
                self._seat(job, place)
        changes, self._changes = tuple(self._changes), []
        feeds = self._feeds()
        return Step(changes, feeds) if feeds else None

    def took(self, step: Step) -> None:
        """The step was done: its sequences hold what they read."""
        for feed in step.feeds:
            self._places[feed.sequence].tokens.extend(feed.tokens)

    def lost(self, step: Step) -> list[Job]:
        """The step failed, and what its sequences hold is unknown: their jobs are over."""
        jobs = [feed.job for feed in step.feeds]
        touched = {feed.sequence for feed in step.feeds}
        touched |= {change.sequence if isinstance(change, Cut) else change.target for change in step.changes}
        for sequence in sorted(touched):
            self._places[sequence].tokens.clear()
            self._changes.append(Cut(sequence, 0))
        for job in jobs:
            self.leave(job)
        return jobs

    def _feeds(self) -> tuple[Feed, ...]:
        """One token for each reply that is being written; then prompts, the one that is done soonest first."""
        left = self._batch_tokens
        feeds = []
        live = [(place, place.job) for place in self._places if place.job is not None]
        for place, job in sorted(live, key=lambda pair: len(pair[1].tokens) - len(pair[0].tokens)):
            at = len(place.tokens)
            tokens = tuple(job.tokens[at : at + left])
            if tokens:
                left -= len(tokens)
                feeds.append(Feed(job, place.sequence, at, tokens, asks=at + len(tokens) == len(job.tokens)))
        # Neighbours in memory are computed together where they are neighbours in the batch.
        return tuple(sorted(feeds, key=lambda feed: feed.sequence))

    def _place_for(self, job: Job) -> _Place | None:
        free = [place for place in self._places if place.job is None]
        if not free or self._is_being_read(job):
            return None
        own = [place for place in free if job.conversation_id and place.conversation_id == job.conversation_id]
        return own[0] if own else min(free, key=lambda place: (bool(place.tokens), place.used_at))

    def _is_being_read(self, job: Job) -> bool:
        """Whether another prompt that is being read begins alike: then it is worth the wait for a copy of that."""
        return self._can_cut and any(self._is_worth_the_wait(place, job) for place in self._places)

    def _is_worth_the_wait(self, place: _Place, job: Job) -> bool:
        if place.job is None:
            return False
        known = max((self._shared(other, job) for other in self._places if other is not place), default=0)
        prompt = place.job.tokens[: place.job.prompt_tokens]
        shared = min(_common(prompt, job.tokens), len(job.tokens) - 1)
        return shared >= known + _COPY_WORTH_TOKENS and len(place.tokens) < shared

    def _seat(self, job: Job, place: _Place) -> None:
        known = self._shared(place, job)
        source = max(self._places, key=lambda other: self._shared(other, job))
        if self._shared(source, job) >= known + _COPY_WORTH_TOKENS:
            known = self._shared(source, job)
            self._changes.append(Copy(source.sequence, place.sequence))
            place.tokens = list(source.tokens)
        self._changes.append(Cut(place.sequence, known))
        del place.tokens[known:]
        for other in self._places:
            if other.conversation_id == job.conversation_id:
                other.conversation_id, other.used_at = "", 0  # an older branch of this conversation
        place.job, place.conversation_id = job, job.conversation_id
        job.known_tokens = known

    def _shared(self, place: _Place, job: Job) -> int:
        """How much of the prompt the sequence knows. The last token is read in any case, for what comes after it."""
        common = min(_common(place.tokens, job.tokens), len(job.tokens) - 1)
        return common if self._can_cut or common == len(place.tokens) else 0


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of their common beginning."""
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)
