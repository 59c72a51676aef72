"""`superwhisper talk`: a conversation with the assistant."""

from pathlib import Path
from typing import Annotated

import typer

from client.config import EchoSetting, Listening
from client.options import Address, AsJson, Language, Voice, common, examples, run

EXAMPLES = examples(
    "talk",
    "talk --listen wake-word",
    "talk --wav question.wav --out answer.wav",
    "talk --language fr --json",
    "talk < questions.txt",
)


def talk(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    wav: Annotated[Path | None, typer.Option(metavar="FILE", help="Speak this WAV file instead.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the reply audio to this WAV file.")] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep the conversation there, as audio and as text.")
    ] = None,
    language: Language = "",
    voice: Voice = "",
    system: Annotated[str, typer.Option(metavar="TEXT", help="Instructions to the assistant.")] = "",
    listen: Annotated[Listening | None, typer.Option(help="When it hears you, if not as set.")] = None,
    echo: Annotated[EchoSetting | None, typer.Option(help="What keeps it from hearing itself, if not as set.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines instead of the full screen.")] = False,
    as_json: AsJson = False,
    address: Address = "",
) -> None:
    """Talk with the assistant.

    With a microphone: speak, or type, until Ctrl-C. Speak into a reply to interrupt it.

    With --wav: one recording and its reply. With neither: a recorded question, then each line that you type.

    Where there is no loudspeaker, the reply audio goes to a new file, reply.wav.
    """
    from client.talking import Manner, Wishes, converse  # noqa: PLC0415  # `--help` must not wait for them

    given = {"listen": listen, "echo": echo}
    flags = [f"--client.{name}={value.value}" for name, value in given.items() if value is not None]
    client, peer = common(context).peer("assistant", address, *flags)
    manner = Manner.JSON if as_json else Manner.PLAIN if plain or wav is not None else Manner.BEST
    wishes = Wishes(wav, out, record, language or client.language_code, voice or client.voice, system, manner)
    run(converse(client, peer, wishes))
