"""What the mouth says is heard: machines that never saw the text write down what they hear of it.

espeak-ng never says anything twice alike, and a recogniser errs here and there: so words are counted over a whole list.
Both figures are printed: `pytest -s` shows them.
"""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.common.audio import Recording, decode_pcm
from services.common.exchange import exchange
from superwhisper.common.v1 import audio_pb2
from superwhisper.tts.v1 import tts_pb2, tts_pb2_grpc
from tests.support.closed_whisper import SENTENCES, closed_whisper
from tests.support.ears import ears, recognised, whisper
from tests.support.scripted import LIMIT_S, channel_to, stub_for
from tests.support.servers import child_service

RATE_HZ = 16_000
LEAST_SHARE = 0.8
_WORD = re.compile(r"[^\W_]+")
# Words that carry no content: a recogniser guesses them from their neighbours.
_FUNCTION_WORDS = frozenset(
    _WORD.findall(
        """
        a an and are as at be but by do for from have he her his i in is it its me my not of on or our please she so
        than that the their them they this to very was we were what where who will with you your
        à a au aux ce ces cette d de des du elle en est et il ils je l la le les m ma mes moi mon ne nous on ou pas que
        quel quelle quelles qu s sa se ses son sont sur t ta te tu un une vous y
        """
    )
)
# Chosen among three dozen by what pocketsphinx hears where espeak-ng says them without the mouth. Of the others it
# hears too little (of all 71 % of the content words, and as much through the mouth): they would tell nothing of it.
ENGLISH = (
    "What is the best way to learn a new language?",
    "The president of the United States lives in Washington.",
    "This is the first day of the year.",
    "The government will change the law next year.",
    "The company has about five hundred people.",
    "You can see the mountains from here.",
    "It will take a long time.",
    "My father was born in the north of the country.",
    "He was the best player of the team.",
    "The war lasted for four years.",
    "The doctor told me to drink more water.",
    "Who wrote this book?",
)


@dataclass
class Score:
    """How many content words of a list were heard."""

    heard: int = 0
    said: int = 0
    missed: list[str] = field(default_factory=list)

    def note(self, said: str, heard: str) -> None:
        wanted, found = _content_words(said), _content_words(heard)
        self.said += wanted.total()
        self.heard += (wanted & found).total()
        if wanted - found:
            self.missed.append(f"{said!r}, heard as {heard!r}")

    @property
    def share(self) -> float:
        return self.heard / self.said

    def __str__(self) -> str:
        return f"{self.heard} of {self.said} content words ({self.share:.0%}); missed in: " + "; ".join(self.missed)


def _content_words(text: str) -> Counter[str]:
    return Counter(word for word in _WORD.findall(text.lower()) if word not in _FUNCTION_WORDS)


@asynccontextmanager
async def _mouth() -> "AsyncGenerator[tts_pb2_grpc.TtsServiceAsyncStub, None]":
    async with child_service("tts", "--tts.engines", '["espeak-ng"]') as child, channel_to(child.address) as channel:
        yield stub_for(channel)


async def _spoken(mouth: "tts_pb2_grpc.TtsServiceAsyncStub", text: str, language_code: str) -> Recording:
    """The text as it is poured in, word by word."""

    async def requests() -> AsyncGenerator[tts_pb2.StreamingSynthesizeRequest, None]:
        config = tts_pb2.StreamingSynthesizeConfig(
            voice=tts_pb2.VoiceConfig(language_code=language_code),
            audio_format=audio_pb2.AudioFormat(sample_rate_hz=RATE_HZ),
        )
        yield tts_pb2.StreamingSynthesizeRequest(config=config)
        for word in re.split(r"(?<=\s)", text):
            yield tts_pb2.StreamingSynthesizeRequest(text_delta=word)

    audio = b""
    async for response in exchange(mouth.StreamingSynthesize(timeout=LIMIT_S), requests()):
        audio += response.audio.audio
    return Recording(decode_pcm(audio, "audio"), RATE_HZ)


async def _score(flags: Sequence[str], sentences: Sequence[tuple[str, str]]) -> Score:
    score = Score()
    async with _mouth() as mouth, ears(*flags) as (_, listener):
        for text, language in sentences:
            recording = await _spoken(mouth, text, language)
            score.note(text, (await recognised(listener, recording, language_code=language)).text)
    return score


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_closed_set_is_heard_by_the_whisper_that_knows_it(language: str) -> None:
    sentences = [(text, code) for text, code in SENTENCES if code == language]
    score = await _score(whisper(closed_whisper()), sentences)
    print(f"\nthe made Whisper heard {score}")
    assert score.share >= LEAST_SHARE, score


async def test_plain_english_is_heard_by_pocketsphinx() -> None:
    score = await _score((), [(text, "en") for text in ENGLISH])
    print(f"\npocketsphinx heard {score}")
    assert score.share >= LEAST_SHARE, score


def test_words_that_were_not_heard_are_missed() -> None:
    score = Score()
    score.note("Turn on the light, the red light.", "turn on a light the blue night")
    assert (score.heard, score.said) == (2, 4)
