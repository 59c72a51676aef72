"""`superwhisper say`: text as speech, into a file or from the loudspeaker."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from client.errors import CommandError
from client.messages import tr
from client.options import Address, Language, Voice, common, examples, run
from client.say_order import Order, fulfil
from client.say_output import container_for
from client.say_speech import Mouth, Wishes
from client.say_text import read_text
from client.views.text_view import printable
from services.common.audio import MAX_RATE_HZ, MIN_RATE_HZ
from superwhisper.tts.v1 import tts_pb2

EXAMPLES = examples(
    'say "Bonjour tout le monde." --out bonjour.wav',
    'say --language en --voice en-us+f2 --speed 0.9 "Good morning."',
    "say --file book.txt --out book.wav",
    "say --ssml --file greeting.ssml --out greeting.opus",
    "say - --out letter.wav < letter.txt",
    "say --voices --language fr",
)
_PIPE_WIDTH = 200  # columns for a log or a pipe, which have none of their own

_Text = Annotated[
    str | None,
    typer.Argument(
        help="What to say, behind -- if it begins with a dash; - reads stdin, and speaks while it still comes."
    ),
]
_File = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="Say what this file holds, of any length; UTF-8 or UTF-16."),
]
_Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a .wav, .flac, .ogg, .opus or .raw file; else the loudspeaker."),
]
_Speaker = Annotated[str, typer.Option(metavar="NAME", help="A speaker of a voice that has several.")]
_Rate = Annotated[
    int | None, typer.Option(min=MIN_RATE_HZ, max=MAX_RATE_HZ, metavar="HZ", help="Samples a second; else the voice's.")
]
_Factor = float | None


def say(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    text: _Text = None,
    file: _File = None,
    out: _Out = None,
    ssml: Annotated[bool, typer.Option("--ssml", help="The text is SSML.")] = False,
    voice: Voice = "",
    speaker: _Speaker = "",
    language: Language = "",
    speed: Annotated[_Factor, typer.Option(min=0.25, max=4, help="1 is the voice's own.")] = None,
    volume: Annotated[_Factor, typer.Option(min=0, max=2, help="1 is the voice's own.")] = None,
    noise_scale: Annotated[_Factor, typer.Option(min=0, max=2, help="Variation of the sound.")] = None,
    noise_width: Annotated[_Factor, typer.Option(min=0, max=2, help="Variation of the rhythm.")] = None,
    rate: _Rate = None,
    voices: Annotated[bool, typer.Option("--voices", help="List the voices, of one language with --language.")] = False,
    address: Address = "",
) -> None:
    """Say a text."""
    if voices + (text is not None) + (file is not None) != 1:
        raise CommandError(tr("say what: give a TEXT, - for stdin, --file FILE, or --voices for a list of voices"))
    client, peer = common(context).peer("tts", address)
    mouth = Mouth(peer, client.request_limit_s)
    if voices:
        _show(run(mouth.voices(language)), language)
        return
    choice = tts_pb2.VoiceConfig(
        language_code=language or client.language_code,
        voice=voice or client.voice,
        speaker=speaker,
        speed=speed,
        volume=volume,
        noise_scale=noise_scale,
        noise_width=noise_width,
    )
    wishes = Wishes(choice, rate, ssml, container_for(out))
    fulfil(Order(_whole(text, file), wishes, out, client.loudspeaker), mouth)


def _whole(text: str | None, file: Path | None) -> str | None:
    if file is not None:
        return read_text(file)
    if text is None or text == "-":
        return None
    if not text.strip():
        raise CommandError(tr("there is nothing to say"))
    return text


def _show(voices: Sequence[tts_pb2.Voice], language: str) -> None:
    if not voices:
        if language:
            raise CommandError(tr("nobody has a voice that speaks {language!r}", language=language))
        raise CommandError(tr("nobody has a voice"))
    table = Table(box=None, pad_edge=False)
    for heading in (tr("name"), tr("languages"), tr("engine")):
        table.add_column(heading, no_wrap=True)
    table.add_column(tr("rate"), justify="right", no_wrap=True)
    table.add_column(tr("speakers"))
    for voice in voices:
        cells = (voice.name, ", ".join(voice.language_codes), voice.backend, f"{voice.sample_rate_hz} Hz")
        table.add_row(*(Text(printable(cell)) for cell in (*cells, ", ".join(voice.speakers))))
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)
