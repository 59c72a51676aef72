"""Whisper's vocabulary layout, and a tokenizer of our own that keeps to it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

END_OF_TEXT, START_OF_TRANSCRIPT, FIRST_LANGUAGE = 50257, 50258, 50259
# In Whisper's order, which gives each its number.
_IN_ORDER = """
    en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml
    cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am
    yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su
"""
LANGUAGES = tuple(_IN_ORDER.split())
TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
TIMESTAMP_STEP_S, TIMESTAMPS = 0.02, 1501
_SPACE = "Ġ"  # how byte-level BPE writes a space

Merge = tuple[str, str]


@dataclass(frozen=True)
class Shape:
    """The measures of a Whisper. `languages` is 100 in the large ones since v3, which know Cantonese."""

    width: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    mels: int = 80
    languages: int = 99
    encoder_positions: int = 1500
    decoder_positions: int = 448

    @property
    def vocabulary_size(self) -> int:
        """51865 with 99 languages."""
        return FIRST_LANGUAGE + self.languages + len(TASKS) + TIMESTAMPS

    def language(self, code: str) -> int:
        """The number of a language's token."""
        return FIRST_LANGUAGE + (*LANGUAGES, "yue").index(code)

    def task(self, name: str) -> int:
        """The number of <|transcribe|> and its like."""
        return FIRST_LANGUAGE + self.languages + TASKS.index(name)

    def timestamp(self, time_s: float) -> int:
        """The number of the token for a time within the window."""
        return FIRST_LANGUAGE + self.languages + len(TASKS) + round(time_s / TIMESTAMP_STEP_S)

    def special_tokens(self) -> list[str]:
        """All that are no text, from <|endoftext|> on."""
        names = ["endoftext", "startoftranscript", *(*LANGUAGES, "yue")[: self.languages], *TASKS]
        times = (f"{index * TIMESTAMP_STEP_S:.2f}" for index in range(TIMESTAMPS))
        return [f"<|{name}|>" for name in (*names, *times)]


def learn_merges(texts: Iterable[str], count: int) -> list[Merge]:
    """A byte-level BPE of the texts. No word begins with a lone space token: Whisper's decoding suppresses that one."""
    words = Counter(piece for text in texts for piece in _pieces(text))
    merges = sorted({(word[0], word[1]) for word in words if word[0] == _SPACE})
    split = {word: [word[:2], *word[2:]] if word[0] == _SPACE else [*word] for word in words}
    for _ in range(count):
        pairs = Counter[Merge]()
        for word, times in words.items():
            for pair in pairwise(split[word]):
                pairs[pair] += times
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = {word: _merged(parts, best) for word, parts in split.items()}
    return merges


def make_tokenizer(merges: Sequence[Merge], shape: Shape) -> Tokenizer:
    """A tokenizer of these merges with every token where Whisper has it; the places left over are never said."""
    texts = [*_byte_letters(), *("".join(merge) for merge in merges)]
    texts += [f"<|unused {index}|>" for index in range(len(texts), END_OF_TEXT)]
    numbers = {text: number for number, text in enumerate(texts)}
    tokenizer = Tokenizer(BPE(vocab=numbers, merges=list(merges)))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    tokenizer.add_special_tokens(shape.special_tokens())
    return tokenizer


def text_tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    """What the model says for a text: each word with the space before it."""
    numbers: list[int] = tokenizer.encode(" " + text, add_special_tokens=False).ids
    return numbers


def _pieces(text: str) -> list[str]:
    """What BPE may merge: words with the space before, bytes written as letters."""
    return [piece for piece, _ in ByteLevel(add_prefix_space=False).pre_tokenize_str(" " + text)]


def _merged(parts: Sequence[str], pair: Merge) -> list[str]:
    merged: list[str] = []
    joined = False  # a part just joined is not joined again
    for part in parts:
        joined = bool(merged) and not joined and (merged[-1], part) == pair
        if joined:
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _byte_letters() -> list[str]:
    """The letter for each byte, in the order that numbers them: first those that can be printed as they are."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return [chr(code) for code in (*printable, *range(256, 256 + others))]
