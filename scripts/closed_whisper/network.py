"""The network: a small Whisper, and a layer that helps its training and is not exported."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.whisper_layout import Shape

_FAR_FRAMES = 8  # stand for all the empty frames between the sound's end and the window's
_NEVER = -1e4


class Attention(nn.Module):
    """Whisper's attention with its norm before and its residual after."""

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None, causal: bool = False
    ) -> tuple[Tensor, Tensor]:
        """The sum, and the scores before the softmax where there is a memory."""
        normal = self.norm(x)
        keys, values = self.key_value(normal if memory is None else memory).chunk(2, -1)
        query, keys, values = (self._split(part) for part in (self.query(normal), keys, values))
        if memory is None:
            mixed = functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask, is_causal=causal)
            scores = mixed
        else:
            scores = query @ keys.transpose(-1, -2) / query.shape[-1] ** 0.5 + mask
            mixed = scores.softmax(-1) @ values
        return x + self.dropout(self.out(mixed.transpose(1, 2).reshape(x.shape))), scores

    def _split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """Whisper's feed-forward with its norm before and its residual after."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm, self.inner, self.outer = (
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return x + self.dropout(self.outer(functional.gelu(self.inner(self.norm(x)))))


class EncoderLayer(nn.Module):
    """One of the encoder."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention, self.feed_forward = Attention(shape.width, shape.heads), FeedForward(shape.width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Its output."""
        return self.feed_forward(self.attention(x, mask=mask)[0])


class DecoderLayer(nn.Module):
    """One of the decoder."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = Attention(shape.width, shape.heads, 0.1)
        self.cross_attention = Attention(shape.width, shape.heads, 0.1)
        self.feed_forward = FeedForward(shape.width, 0.1)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Its output, and the scores of its attention to the sound."""
        x, _ = self.attention(x, causal=True)
        x, scores = self.cross_attention(x, memory, mask)
        return self.feed_forward(x), scores


@dataclass(frozen=True, eq=False)
class Memory:
    """What the encoder made of the sound: the frames of the sound itself, then the few that stand for the rest."""

    states: Tensor
    mask: Tensor
    near_frames: int


class Network(nn.Module):
    """The whole. `tokens` counts those that are taught; no other has an embedding."""

    def __init__(self, shape: Shape, tokens: int, sounds: int) -> None:
        super().__init__()
        width = shape.width
        self.conv1 = nn.Conv1d(shape.mels, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("encoder_positions", _sinusoids(shape.encoder_positions, width), persistent=False)
        self.encoder = nn.ModuleList([EncoderLayer(shape) for _ in range(shape.encoder_layers)])
        self.encoder_norm = nn.LayerNorm(width)
        self.sound_of_frame = nn.Linear(width, sounds + 1)  # a help for the training
        self.embedding = nn.Embedding(tokens, width)
        self.decoder_positions = nn.Parameter(torch.randn(shape.decoder_positions, width) * 0.02)
        self.decoder = nn.ModuleList([DecoderLayer(shape) for _ in range(shape.decoder_layers)])
        self.decoder_norm = nn.LayerNorm(width)
        nn.init.normal_(self.embedding.weight, std=0.05)

    def encode(self, features: Tensor, window: Tensor) -> Memory:
        """Features [clip, mel, frame], zero past each clip's sound; `window` counts the encoder's frames for each.

        The empty frames past the longest sound differ by their positions alone. A few of them, drawn by chance, stand
        for all; their attention is raised by what each stands for. So a window of 30 s costs no more than a short one.
        """
        positions = self.encoder_positions
        sound = self._convolved(features)
        clips, near, width = sound.shape
        empty = self._convolved(features.new_zeros(1, features.shape[1], 16))[:, 4:5].expand(clips, _FAR_FRAMES, width)
        rest = (window - near).clamp(min=0)
        steps = (torch.arange(_FAR_FRAMES) + torch.rand(clips, _FAR_FRAMES)) / _FAR_FRAMES
        places = (near + (steps * rest[:, None]).long()).clamp(max=len(positions) - 1)
        x = torch.cat([sound + positions[:near], empty + positions[places]], 1)
        inside = torch.where(torch.arange(near)[None] < window[:, None], 0.0, _NEVER)
        raised = torch.where(rest > 0, torch.log(rest.clamp(min=1) / _FAR_FRAMES), _NEVER)
        mask = torch.cat([inside, raised[:, None].expand(-1, _FAR_FRAMES)], 1)[:, None, None]
        for layer in self.encoder:
            x = layer(x, mask)
        return Memory(self.encoder_norm(x), mask, near)

    def decode(self, tokens: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Logits of the next token at each position, and the last layer's attention scores to the sound."""
        x = self.embedding(tokens) + self.decoder_positions[: tokens.shape[1]]
        scores = x
        for layer in self.decoder:
            x, scores = layer(x, memory.states, memory.mask)
        return self.decoder_norm(x) @ self.embedding.weight.T, scores

    def _convolved(self, features: Tensor) -> Tensor:
        inner = functional.gelu(self.conv1(features))
        return functional.gelu(self.conv2(inner)).transpose(1, 2)


def _sinusoids(length: int, width: int) -> Tensor:
    """Whisper's fixed positions."""
    scale = torch.exp(-torch.arange(width // 2) * (torch.log(torch.tensor(10_000.0)) / (width // 2 - 1)))
    angles = torch.arange(length)[:, None] * scale[None]
    return torch.cat([angles.sin(), angles.cos()], 1)
