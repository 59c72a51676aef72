"""The memory of a language model that forgets nothing and forgives nothing."""

from services.llm.batching import Cut, Feed, Step

VOCABULARY = 50


class StrictContext:
    """Keeps the tokens of each sequence. What comes next depends on every one of them, and on nothing else."""

    def __init__(self, sequences: int, batch_tokens: int, *, can_cut: bool = True) -> None:
        self.memory: list[list[int]] = [[] for _ in range(sequences)]
        self.read = 0
        self._batch_tokens = batch_tokens
        self._can_cut = can_cut

    def run(self, step: Step) -> dict[Feed, int]:
        for change in step.changes:
            if isinstance(change, Cut):
                memory = self.memory[change.sequence]
                assert self._can_cut or change.length in {0, len(memory)}
                assert change.length <= len(memory)
                del memory[change.length :]
            else:
                self.memory[change.target] = list(self.memory[change.source])
        fed = [feed.sequence for feed in step.feeds]
        assert sorted(set(fed)) == fed
        assert sum(len(feed.tokens) for feed in step.feeds) <= self._batch_tokens
        for feed in step.feeds:
            assert feed.position == len(self.memory[feed.sequence])
            assert feed.tokens
            self.memory[feed.sequence].extend(feed.tokens)
            self.read += len(feed.tokens)
        return {feed: next_token(self.memory[feed.sequence]) for feed in step.feeds if feed.asks}


def next_token(tokens: list[int]) -> int:
    """What the model would write after these."""
    value = 7
    for token in tokens:
        value = (value * 31 + token + 1) % 1_000_003
    return value % VOCABULARY
