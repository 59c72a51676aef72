"""A reply that was measured."""

from dataclasses import dataclass, field

from services.llm.engine import Sampling, Usage

# The service's defaults. Chosen by chance, because a model of this size soon repeats itself where it is not.
SAMPLING = Sampling(temperature=0.7, top_p=0.9, top_k=40, min_p=0.05, repeat_penalty=1.1, max_tokens=1)


@dataclass(frozen=True)
class Written:
    """A reply, and when each piece of it came, by the clock of the process that wrote it."""

    text: str
    began_s: float
    at_s: tuple[float, ...]
    usage: Usage = field(default_factory=Usage)  # of the mind's replies alone

    @property
    def first_ms(self) -> float:
        """From the request to the first piece; NaN where there was none."""
        return (self.at_s[0] - self.began_s) * 1000 if self.at_s else float("nan")
