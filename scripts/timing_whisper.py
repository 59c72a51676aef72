"""Makes a Whisper of a real size that says one fixed sentence, whatever it hears, at the true cost of that size.

Every layer is computed in full, so it measures time and memory where no real weights are at hand. Report no accuracy
from it. Example: python -m scripts.timing_whisper small .run/models/timing-small
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from scripts.closed_whisper.sentences import closed_set
from scripts.whisper_folder import Array, named_shapes, whole_folder, write_model
from scripts.whisper_layout import (
    END_OF_TEXT,
    START_OF_TRANSCRIPT,
    Shape,
    learn_merges,
    make_tokenizer,
    text_tokens,
)

SIZES = {
    "tiny": Shape(384, 4, 4, 6),
    "base": Shape(512, 6, 6, 8),
    "small": Shape(768, 12, 12, 12),
    "medium": Shape(1024, 24, 24, 16),
    "large-v3-turbo": Shape(1280, 32, 4, 20, mels=128, languages=100),
}
SENTENCE = "rappelle-moi d'acheter du pain demain matin"  # 13 tokens, 3 s as people speak
_MERGES = range(120, 400, 20)  # with the fewest that do, a command has as many tokens as in Whisper's own vocabulary
_POOL = 1 << 24  # random numbers, of which each layer has its own stretch
# How large an embedding's numbers are, the logit of the token that follows, and the unit that finds it.
_EMBEDDING, _LOGIT = 30.0, 40.0
_SHARPNESS, _THRESHOLD, _LOUDNESS = 20.0, 0.5, 1.0


def make(size: str, folder: Path, sentence: str = SENTENCE, quantization: str = "int8", language: str = "fr") -> Path:
    """Writes the model; ValueError where a word of the sentence comes twice, for each token tells the next."""
    shape = SIZES[size]
    tokenizer, said = _sentence_in_tokens(shape, sentence)
    parameters = _Parameters(shape, _chain(shape, said, language))
    with whole_folder(folder) as made:
        write_model(made, shape, parameters, tokenizer, quantization)
    return folder


def token_count(size: str, sentence: str = SENTENCE) -> int:
    """How many tokens the model says for its sentence, without the end and the times."""
    return len(_sentence_in_tokens(SIZES[size], sentence)[1])


def _sentence_in_tokens(shape: Shape, sentence: str) -> tuple[Tokenizer, list[int]]:
    """The tokenizer, and the tokens of the sentence, no two alike."""
    texts = [known.text for known in closed_set()]
    for merges in _MERGES:
        tokenizer = make_tokenizer(learn_merges([*texts, sentence], merges), shape)
        said = text_tokens(tokenizer, sentence)
        if len(set(said)) == len(said):
            return tokenizer, said
    raise ValueError(f"each word may be said once only, unlike in {sentence!r}")


Chain = list[tuple[int, int]]


def _chain(shape: Shape, said: list[int], language: str) -> Chain:
    """Which token follows which."""
    begin = shape.timestamp(0)
    chain = [(START_OF_TRANSCRIPT, shape.language(language))]
    chain += [(shape.task(task), begin) for task in ("transcribe", "translate")]
    chain += [(token, said[0]) for token in (shape.task("notimestamps"), begin)]
    return [*chain, *zip(said, [*said[1:], END_OF_TEXT], strict=True)]


class _Parameters(Mapping[str, Array]):
    """Random numbers, save the decoder's last feed-forward, which finds the next token.

    It has a unit for each token of the chain, which answers to that token's embedding and adds the embedding of what
    follows. The embeddings are so large that what the other layers add does not matter.
    """

    def __init__(self, shape: Shape, chain: Chain) -> None:
        self._shape = shape
        self._shapes = dict(named_shapes(shape))
        random = np.random.default_rng(0)
        self._pool = np.float32(0.02) * random.standard_normal(_POOL, np.float32)
        rows = (shape.vocabulary_size, shape.width)
        self._embeddings = np.float32(_EMBEDDING) * random.standard_normal(rows, np.float32)
        self._order = {name: index for index, name in enumerate(self._shapes)}
        self._special: dict[str, Array] = self._chain_units(chain) | {
            "embedding.weight": self._embeddings,
            "decoder_norm.weight": np.full(shape.width, _LOGIT / _EMBEDDING / shape.width, np.float32),
            "decoder_positions": np.zeros(self._shapes["decoder_positions"], np.float32),
        }

    def __getitem__(self, name: str) -> Array:
        dimensions = self._shapes[name]
        if name in self._special:
            return self._special[name]
        if name.endswith("norm.weight"):
            return np.ones(dimensions, np.float32)
        if name.endswith(".bias"):
            return np.zeros(dimensions, np.float32)
        count = int(np.prod(dimensions))
        begin = self._order[name] * 7919 % (_POOL - count)  # no two layers alike: CTranslate2 would keep them once
        return self._pool[begin : begin + count].reshape(dimensions).copy()  # CTranslate2 quantizes in place

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def _chain_units(self, chain: Chain) -> dict[str, Array]:
        name = f"decoder.{self._shape.decoder_layers - 1}.feed_forward"
        inner = np.zeros(self._shapes[f"{name}.inner.weight"], np.float32)
        bias = np.zeros(self._shapes[f"{name}.inner.bias"], np.float32)
        outer = np.zeros(self._shapes[f"{name}.outer.weight"], np.float32)
        for unit, (token, following) in enumerate(chain):
            inner[unit] = _SHARPNESS / _EMBEDDING / self._shape.width * self._embeddings[token]
            bias[unit] = -_SHARPNESS * _THRESHOLD
            outer[:, unit] = _LOUDNESS * self._embeddings[following]
        return {f"{name}.inner.weight": inner, f"{name}.inner.bias": bias, f"{name}.outer.weight": outer}


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentence", default=SENTENCE, help="what it says (default: %(default)s)")
    parser.add_argument("--language", default="fr", help="what it finds the language to be (default: %(default)s)")
    parser.add_argument("--quantization", default="int8", help="int8, float16, float32 … (default: %(default)s)")
    arguments = parser.parse_args()
    make(arguments.size, arguments.folder, arguments.sentence, arguments.quantization, arguments.language)
    tokens = token_count(arguments.size, arguments.sentence)
    size_mb = sum(file.stat().st_size for file in arguments.folder.iterdir()) / 1e6
    print(f"{arguments.folder}: {size_mb:.0f} MB, says {tokens} tokens in {len(arguments.sentence.split())} words")


if __name__ == "__main__":
    main()
