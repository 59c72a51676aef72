"""Trains the model on clips: python -m scripts.closed_whisper.train FOLDER [--steps 5500] [--rate 0.002] [--resume].

The folder holds what `clips` wrote; the checkpoint is written beside it. It needs torch, which the project does not.
Where others work on the machine too, OMP_WAIT_POLICY=passive makes it several times as fast.
"""

import argparse
import math
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from scripts.closed_whisper.batches import Batch, School
from scripts.closed_whisper.lessons import SHAPE, UNTAUGHT
from scripts.closed_whisper.network import Memory, Network

SEED = 1961
_SMOOTHING, _GUIDED_HEADS = 0.02, 2
_WEIGHTS = {"tokens": 1.0, "sounds": 0.3, "guide": 0.15}
_WARM_STEPS, _REPORT_STEPS = 200, 100
_CHECKPOINT = "checkpoint.pt"


def losses(network: Network, batch: Batch) -> dict[str, Tensor]:
    """What is to be made small."""
    memory = network.encode(batch.features, batch.window)
    logits, scores = network.decode(batch.tokens, memory)
    return {
        "tokens": functional.cross_entropy(
            logits.flatten(0, 1), batch.answers.flatten(), ignore_index=UNTAUGHT, label_smoothing=_SMOOTHING
        ),
        "sounds": functional.cross_entropy(
            network.sound_of_frame(memory.states[:, : memory.near_frames]).flatten(0, 1),
            batch.sounds.flatten(),
            ignore_index=UNTAUGHT,
        ),
        "guide": _guide(scores[:, :_GUIDED_HEADS], batch.spans, memory),
    }


def _guide(scores: Tensor, spans: Tensor, memory: Memory) -> Tensor:
    """How far some heads of the last layer are from listening where the next token is said."""
    frames = torch.arange(memory.near_frames)
    heard = (frames >= spans[..., :1].floor()) & (frames < spans[..., 1:].ceil().clamp(min=1))
    heard &= memory.mask[:, 0, :, : memory.near_frames] == 0  # the window may end before the batch's longest sound
    guided = heard.any(-1)
    share = torch.log_softmax(scores, -1)[..., : memory.near_frames]
    inside = share.masked_fill(~heard[:, None], -1e4).logsumexp(-1)
    return -(inside * guided[:, None]).sum() / (guided.sum() * scores.shape[1]).clamp(min=1)


class Training:
    """A network on its way; it goes on from a checkpoint where there is one to go on from."""

    def __init__(self, folder: Path, rate: float, *, resume: bool) -> None:
        saved = torch.load(folder / _CHECKPOINT) if resume else {"steps": 0}
        self._folder, self._rate, self.steps = folder, rate, saved["steps"]
        torch.manual_seed(SEED + self.steps)
        self._school = School(folder, SEED + self.steps)
        self._network = Network(SHAPE, len(self._school.taught), self._school.sounds)
        self._optimizer = torch.optim.AdamW(self._network.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
        if resume:
            self._network.load_state_dict(saved["network"])
            self._optimizer.load_state_dict(saved["optimizer"])

    def step(self, share_done: float) -> dict[str, float]:
        """One batch; the rate rises at first and falls to nothing at the end. Returns the losses."""
        self.steps += 1
        rate = (
            self._rate * min(1.0, self.steps / _WARM_STEPS) * (0.01 + 0.99 * (1 + math.cos(math.pi * share_done)) / 2)
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        parts = losses(self._network, self._school.batch())
        self._optimizer.zero_grad()
        torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum().backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimizer.step()
        return {name: part.item() for name, part in parts.items()}

    def save(self) -> None:
        """Writes the checkpoint, whole or not at all."""
        states = {"network": self._network.state_dict(), "optimizer": self._optimizer.state_dict()}
        vocabulary = {"taught": self._school.taught, "merges": self._school.merges}
        partial = self._folder / f"{_CHECKPOINT}.partial"
        torch.save(states | vocabulary | {"steps": self.steps}, partial)
        partial.rename(self._folder / _CHECKPOINT)


def train(folder: Path, steps: int, rate: float, *, resume: bool) -> None:
    """Trains up to that many steps."""
    torch.set_flush_denormal(True)
    training = Training(folder, rate, resume=resume)
    begun, sums = time.monotonic(), dict.fromkeys(_WEIGHTS, 0.0)
    while training.steps < steps:
        parts = training.step((training.steps + 1) / steps)
        sums = {name: total + parts[name] for name, total in sums.items()}
        if training.steps % _REPORT_STEPS == 0 or training.steps == steps:
            means = ", ".join(f"{name} {total / _REPORT_STEPS:.3f}" for name, total in sums.items())
            print(f"step {training.steps}, {time.monotonic() - begun:.0f} s: {means}", flush=True)
            sums = dict.fromkeys(sums, 0.0)
            training.save()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Trains the closed-set Whisper.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=5500)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    arguments = parser.parse_args()
    train(arguments.folder, arguments.steps, arguments.rate, resume=arguments.resume)


if __name__ == "__main__":
    main()
