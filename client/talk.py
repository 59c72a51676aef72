"""`superwhisper talk`: a conversation with the assistant."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from client import scenarios
from client.audio import sound
from client.audio.microphone import Microphone
from client.audio.playback import NoLoudspeaker
from client.audio.speaker import opened_speaker
from client.audio.wav_source import WavSource, read_recording
from client.config import ClientSection, EchoSetting
from client.conversation import Conversation, ConversationOptions
from client.errors import CommandError
from client.options import Address, AsJson, Language, Voice, common, examples, run
from client.peers import Peer
from client.reply_file import audio_file
from client.session import AudioSource, Session
from client.views.text_view import TextView
from client.views.view import JsonView, View
from services.common.text import primary_language

EXAMPLES = examples(
    "talk",
    "talk --wav question.wav --out answer.wav",
    "talk --language fr --json",
    "talk < questions.txt",
)
_QUESTIONS = {"en": "question-en.wav", "fr": "question-fr.wav"}
_REPLY_FILE = Path("reply.wav")


@dataclass(frozen=True)
class _Wishes:
    """What the command line asks for."""

    wav: Path | None
    out: Path | None
    language_code: str
    voice: str
    system_prompt: str


@dataclass(frozen=True)
class _Plan:
    """Where the person's voice comes from, in which language, and what the person does."""

    source: AudioSource
    drive: Callable[[Session], Awaitable[None]]
    language_code: str
    may_fail: bool  # a failed turn is told, but the command did what it was there for


def talk(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    wav: Annotated[Path | None, typer.Option(metavar="FILE", help="Speak this WAV file instead.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the reply audio to this WAV file.")] = None,
    language: Language = "",
    voice: Voice = "",
    system: Annotated[str, typer.Option(metavar="TEXT", help="Instructions to the assistant.")] = "",
    as_json: AsJson = False,
    address: Address = "",
) -> None:
    """Talk with the assistant.

    With a microphone: until Ctrl-C. With --wav: one recording and its reply.

    With neither: a recorded question and its reply, then each line that you type.

    Where there is no loudspeaker, the reply audio goes to reply.wav.
    """
    client, peer = common(context).peer("assistant", address)
    wishes = _Wishes(wav, out, language or client.language_code, voice or client.voice, system)
    run(_talk(client, peer, wishes, JsonView() if as_json else TextView()))


async def _talk(client: ClientSection, peer: Peer, wishes: _Wishes, view: View) -> None:
    plan = _plan(client, wishes, view)
    with opened_speaker(client.loudspeaker) as speaker:
        player = speaker or NoLoudspeaker()
        options = ConversationOptions(
            input_rate_hz=plan.source.rate_hz,
            output_rate_hz=player.rate_hz,
            language_code=plan.language_code,
            voice=wishes.voice,
            system_prompt=wishes.system_prompt,
        )
        out = wishes.out or (None if speaker else _REPLY_FILE)
        with audio_file(out, keep_unfinished=True) as file:
            session = Session(Conversation(peer, options, client.conversation_limit_s), view, player, file)
            await session.run(plan.drive)
    if file is not None and file.duration_s:
        view.reply_file(str(file.path), file.duration_s)
    if session.problems and not plan.may_fail:
        raise CommandError("; ".join(dict.fromkeys(session.problems)))


def _plan(client: ClientSection, wishes: _Wishes, view: View) -> _Plan:
    if wishes.wav is not None:
        source = WavSource(read_recording(wishes.wav))
        drive = partial(scenarios.speak, source=source, patience_s=client.reply_wait_s)
        return _Plan(source, drive, wishes.language_code, may_fail=False)
    device = sound.find("input", client.microphone)
    if device is not None:
        view.note(f"listening on {device.name}; Ctrl-C ends")
        microphone = Microphone(device)
        drive_talk = partial(scenarios.talk, microphone=microphone, half_duplex=client.echo is not EchoSetting.OFF)
        return _Plan(microphone, drive_talk, wishes.language_code, may_fail=True)
    view.note("no microphone here: a recorded question is spoken, then each line that you type (Ctrl-D ends)")
    language_code = wishes.language_code or "en"
    name = _QUESTIONS.get(primary_language(language_code), _QUESTIONS["en"])
    with resources.as_file(resources.files("client") / "assets" / name) as path:
        question = WavSource(read_recording(path))
    drive_type = partial(scenarios.speak_then_type, question=question, patience_s=client.reply_wait_s)
    return _Plan(question, drive_type, language_code, may_fail=False)
