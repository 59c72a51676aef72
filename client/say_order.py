"""What `say` was told to say, said: in as many requests as it takes, and as far as it goes."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from client.errors import CommandError
from client.messages import tr
from client.options import run
from client.say_output import Course, Output, opened_output
from client.say_speech import TONE, Mouth, Speech, SpeechFinished, SpeechStarted, Wishes
from client.say_text import parts
from client.typed import typed_text
from superwhisper.common.v1 import audio_pb2

_PART_CHARACTERS = 5000  # about five minutes of speech: far from the limit of a request, and few seams
# About a minute. The service gives a caller up who reads nothing for seconds, and a loudspeaker does that once it has
# two minutes to play; so it gets no more at a time, and less where that is spoken slowly.
_AUDIBLE_PART_CHARACTERS = 1000


@dataclass(frozen=True)
class Order:
    """What is to be said, and where it goes."""

    text: str | None  # None: what comes in on stdin
    wishes: Wishes
    out: Path | None  # None: the loudspeaker
    loudspeaker: str

    @property
    def is_packed(self) -> bool:
        """Whether the service makes the file."""
        return self.wishes.container != audio_pb2.AUDIO_CONTAINER_RAW

    @property
    def is_single(self) -> bool:
        """Whether it must go in one request: neither files nor SSML can be put together of parts."""
        return self.is_packed or self.wishes.ssml

    @property
    def part_characters(self) -> int:
        """What goes in one request of several."""
        if self.out is not None:
            return _PART_CHARACTERS
        return max(1, round(_AUDIBLE_PART_CHARACTERS * min(1.0, self.wishes.voice.speed or 1.0)))


def fulfil(order: Order, mouth: Mouth) -> None:
    """Says it, and tells where it went. What was said before a failure or Ctrl-C is kept, and told of."""
    course = Course(total=len(order.text or ""))
    run(_put_out(order, mouth, course))
    if order.out is not None:
        typer.echo(tr("{path} ({duration_s:.1f} s)", path=order.out, duration_s=course.duration_s))
    if course.has_tones and order.wishes.voice.voice != TONE:
        raise run(_tones(order, mouth))


async def _put_out(order: Order, mouth: Mouth, course: Course) -> None:
    output: Output | None = None
    try:
        with course.shown(order.out is not None):
            async with opened_output(order.loudspeaker, order.out) as output:
                await _say(order, mouth, output, course)
    except (CommandError, asyncio.CancelledError):
        if output is not None and output.is_kept:
            told = tr("stopped after {course}; {path} holds what was spoken until then", course=course, path=order.out)
            sys.stderr.write(f"{told}\n")
        raise


async def _say(order: Order, mouth: Mouth, output: Output, course: Course) -> None:
    text = order.text
    if text is None and order.is_single:
        text = "".join([piece async for piece in typed_text()])
    if text is None:
        await _say_along(order, mouth, output, course)
    else:
        await _say_whole(text, order, mouth, output, course)
    if not course.duration_s:
        output.discard()
        raise CommandError(tr("there was nothing to say"))
    await output.drained()


async def _say_along(order: Order, mouth: Mouth, output: Output, course: Course) -> None:
    try:
        await _put(mouth.speak_along(typed_text(), order.wishes), output, course)
    except CommandError as error:
        if error.field != "text_delta":
            raise
        raise CommandError(tr("{problem}; --file says texts of any length", problem=error), error.field) from error


async def _say_whole(text: str, order: Order, mouth: Mouth, output: Output, course: Course) -> None:
    most = await mouth.most_characters() or len(text)
    if order.is_single and len(text) > most:
        raise _too_long(len(text), most, order)
    for part in parts(text, most if order.is_single else min(most, order.part_characters)):
        if part.strip() and len(part) <= most:  # what is longer is code, of which nothing is said
            await output.drained()
            wishes = replace(order.wishes, rate_hz=output.rate_hz or order.wishes.rate_hz)
            await _put(mouth.speak(part, wishes), output, course)
        course.part_done(len(part))


async def _put(speech: AsyncGenerator[Speech, None], output: Output, course: Course) -> None:
    async with aclosing(speech):
        async for item in speech:
            if isinstance(item, SpeechStarted):
                course.duration_s += await output.begin_part(item.rate_hz)
            elif isinstance(item, SpeechFinished):
                course.duration_s += item.duration_s
            else:
                await output.write(item.audio)
                course.reached(item.characters)
                course.has_tones |= item.is_tone


async def _tones(order: Order, mouth: Mouth) -> CommandError:
    told = tr("you heard tones in place of words")
    if order.out:
        told = tr("in {path} there are tones in place of words", path=order.out)
    language = order.wishes.voice.language_code
    if language and not await mouth.voices(language):
        look = tr("`superwhisper say --voices` tells who speaks what")
        return CommandError(tr("nobody speaks {language!r}: {told}; {look}", language=language, told=told, look=look))
    return CommandError(tr("{told}, for no voice could say them; the log of the speech synthesis tells why", told=told))


def _too_long(characters: int, most: int, order: Order) -> CommandError:
    told = tr("these are {characters} characters, and one request takes {most}", characters=characters, most=most)
    if order.wishes.ssml:
        return CommandError(tr("{told}: SSML cannot be cut, so make several documents of it", told=told))
    return CommandError(
        tr("{told}: only .wav and .raw files are put together of several, so give --out one of those", told=told)
    )
