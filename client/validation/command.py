"""`superwhisper validate`: the listening protocol that only a person can do, and its report."""

import getpass
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from client.errors import CommandError
from client.messages import of_this_person, tr
from client.options import Address, Language, Voice, common, examples, run
from client.typed import typed_text, whole_lines
from client.validation import machine
from client.validation.course import Course, Wishes
from client.validation.keeping import FOLDER, check_folder
from client.validation.notes import Notes
from client.validation.paced_player import PacedPlayer
from client.validation.person import Person
from client.validation.record import Kind
from client.validation.recordings import Recordings, read_folder
from client.validation.sound import opened_sound
from client.validation.steps import FULL, LANGUAGES, Saying, Step, protocol
from client.views.console import PeopleConsole
from client.views.text_view import TextView
from services.common.text import primary_language

EXAMPLES = examples(
    "validate",
    "validate --language fr --validator Camille",
    "validate --step noise --step distance",
    "validate --wavs recordings/ --out reports/",
)
_PATIENCE_S = 30.0  # a person reads first, and clears the throat
_PartOf = Annotated[
    list[Step] | None,
    typer.Option(
        metavar="STEP",
        help="Only this part: short, long, noise, distance, conversation or interruption; repeatable.",
    ),
]


def validate(  # noqa: PLR0913  # typer: an argument an option
    context: typer.Context,
    *,
    wavs: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Speak NAME.wav, which says what NAME.txt holds; no person.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the report goes.")] = FOLDER,
    step: _PartOf = None,
    validator: Annotated[str, typer.Option(metavar="NAME", help="Who validates, so that nobody asks.")] = "",
    language: Language = "",
    voice: Voice = "",
    address: Address = "",
) -> None:
    """Validate the assistant by ear: say what is shown, listen, and judge.

    What was understood, how many words were wrong, how long it took and what you think of it goes into a dated report.

    It takes some ten minutes, a microphone and a loudspeaker. Ctrl-C keeps what was done, as incomplete.

    With --wavs, recordings are spoken instead and nobody judges: that is not a human validation.
    """
    client, peer = common(context).peer("assistant", address)
    language_code = language or client.language_code or client.interface or of_this_person()
    profile = machine.profile(common(context).config)
    wishes = Wishes(client, peer, language_code, voice or client.voice, profile, out)
    if wavs is not None:
        run(_with_recordings(wishes, validator, wavs, step))
    else:
        run(_with_a_person(wishes, validator, step))


async def _with_recordings(wishes: Wishes, validator: str, folder: Path, steps: list[Step] | None) -> None:
    spoken = {saying: one for saying, one in read_folder(folder).items() if not steps or saying.step in steps}
    if not spoken:
        raise CommandError(tr("{folder} holds no recording of this step: names begin with it", folder=folder))
    check_folder(wishes.out)
    sayings, patience_s = tuple(spoken), wishes.client.reply_wait_s
    course = Course(wishes, Kind.RECORDINGS, validator, sayings, patience_s, Notes(TextView()))
    with course.kept():
        await course.converse(Recordings(spoken), PacedPlayer())


async def _with_a_person(wishes: Wishes, validator: str, steps: list[Step] | None) -> None:
    sayings = _protocol(wishes.language_code, steps)
    notes = Notes(TextView())
    async with (
        opened_sound(wishes.client, notes) as sound,
        aclosing(typed_text()) as text,
        aclosing(whole_lines(text)) as lines,
    ):
        check_folder(wishes.out)
        person = Person(sound.microphone, lines, PeopleConsole())
        person.greet(*sound.names)
        name = validator or await person.name(_user())
        course = Course(wishes, Kind.HUMAN, name, sayings, _PATIENCE_S, notes)
        with course.kept():
            await course.converse(person, sound.player)
            course.judgement = await person.judgement()


def _protocol(language_code: str, steps: list[Step] | None) -> tuple[Saying, ...]:
    spoken = primary_language(language_code)
    if spoken not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        told = "the protocol is written in {known}, not in {code}: choose one with --language"
        raise CommandError(tr(told, known=known, code=language_code))
    sayings = protocol(spoken, steps or FULL)
    if not sayings:
        raise CommandError(tr("the step `other` is that of recordings: give --wavs FOLDER, or another step"))
    return sayings


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a system without accounts, or without this one
        return ""
