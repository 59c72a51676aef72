"""When each word of a decoding was said: the decoder's attention laid over the audio by CTranslate2's `align`."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from faster_whisper.tokenizer import Tokenizer

from services.stt.engine import HeardWord

_STEP_MS = 20  # one position of the encoder


def words_of(
    model: Any, encoded: Any, tokenizer: Tokenizer, tokens: Sequence[int], frames: int
) -> tuple[HeardWord, ...]:
    """The words of the one passage in `encoded`, whose speech is `frames` feature frames long."""
    text_tokens = [token for token in tokens if token < tokenizer.eot]
    words, word_tokens = _whole_words(*tokenizer.split_to_word_tokens([*text_tokens, tokenizer.eot]))
    if len(words) < 2:  # nothing but the end
        return ()
    [alignment] = model.align(encoded, tokenizer.sot_sequence, [text_tokens], frames)
    token_index, time_index = np.array(alignment.alignments).T
    first_of_token = np.pad(np.diff(token_index), (1, 0), constant_values=1).astype(bool)
    begins_ms = time_index[first_of_token] * _STEP_MS
    edges = [0, *accumulate(len(part) for part in word_tokens[:-1])]
    return tuple(
        HeardWord(
            word.strip(),
            float(begins_ms[begin]),
            float(begins_ms[min(end, begins_ms.size - 1)]),
            float(np.mean(alignment.text_token_probs[begin:end])),
        )
        for word, (begin, end) in zip(words, pairwise(edges), strict=False)
    )


def _whole_words(parts: list[str], part_tokens: list[list[int]]) -> tuple[list[str], list[list[int]]]:
    """`est`, `-il` and `?` as one word, in languages that put spaces between words. The last part is the end."""
    if not any(part.startswith(" ") for part in parts[1:-1]):
        return parts, part_tokens
    words, word_tokens = parts[:1], part_tokens[:1]
    for part, tokens in zip(parts[1:-1], part_tokens[1:-1], strict=True):
        if part.startswith(" "):
            words.append(part)
            word_tokens.append(tokens)
        else:
            words[-1] += part
            word_tokens[-1] = [*word_tokens[-1], *tokens]
    return [*words, parts[-1]], [*word_tokens, part_tokens[-1]]
