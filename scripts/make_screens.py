"""Makes the pictures of the terminal view in docs/screens: the real view, told made-up conversations."""

import asyncio
import re
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from client.audio.levels import Levels
from client.config import Listening
from client.events import (
    Degraded,
    Event,
    Interrupted,
    Outcome,
    ReplyText,
    SessionOpened,
    State,
    StateChanged,
    Transcript,
    TurnFinished,
    What,
)
from client.messages import ENGLISH, FRENCH, speak
from client.views.orders import Orders
from client.views.terminal import TerminalView

FOLDER = Path(__file__).parent.parent / "docs" / "screens"
_SIZE = (84, 24)
_OPENED = SessionOpened("s1", "", resumed=False, output_rate_hz=16_000)
_TIMES = {"endpoint": 214, "transcript": 228, "first_token": 171, "first_clause": 262, "first_audio": 289}


@dataclass(frozen=True)
class Scene:
    """What is told, and how loud it is meanwhile."""

    told: tuple[tuple[str, What], ...]
    language: str = ENGLISH
    listening: Listening = Listening.CONTINUOUS
    microphone_dbfs: float = -60.0
    loudspeaker_dbfs: float = -60.0


@dataclass
class _StillControls:
    """A person who touches nothing."""

    levels: Levels = field(default_factory=Levels)
    is_muted: bool = False

    async def type(self, text: str) -> None:
        """Never."""

    async def interrupt(self) -> None:
        """Never."""

    async def mute(self, *, muted: bool) -> None:
        """Never."""

    async def press(self) -> None:
        """Never."""


def _turn(turn_id: str, said: str, reply: str, heard_ms: float) -> tuple[tuple[str, What], ...]:
    return (
        (turn_id, Transcript(said, is_final=True)),
        (turn_id, ReplyText(reply)),
        (turn_id, TurnFinished(Outcome.COMPLETED, {**_TIMES, "first_heard": heard_ms}, {})),
        ("", StateChanged(State.LISTENING)),
    )


_TALK = _turn("t1", "What is the tallest tree?", "A coast redwood in California: about 116 metres.", 318)
_SCENES = {
    "idle": Scene((("", _OPENED), ("", StateChanged(State.LISTENING)))),
    "listening": Scene(
        (
            ("", _OPENED),
            *_TALK,
            ("t2", Transcript("And how old can such a tree", is_final=False)),
        ),
        microphone_dbfs=-17.0,
    ),
    "speaking": Scene(
        (
            ("", _OPENED),
            *_TALK,
            ("t2", Transcript("And how old can such a tree become?", is_final=True)),
            ("t2", ReplyText("Over two thousand years. The oldest one known was counted ring by ring, and")),
            ("t2", Interrupted("Over two thousand years. The oldest one")),
            ("t2", TurnFinished(Outcome.INTERRUPTED, {**_TIMES, "first_heard": 327}, {})),
            ("t3", Transcript("Do they need much water?", is_final=True)),
            ("t3", StateChanged(State.SPEAKING)),
            ("t3", ReplyText("Yes, and they drink part of it from the fog: in summer up to a third of what ")),
            ("t3", ReplyText("they need comes")),
        ),
        microphone_dbfs=-52.0,
        loudspeaker_dbfs=-14.0,
    ),
    "degraded": Scene(
        (
            ("", _OPENED),
            *_TALK,
            ("t2", Transcript("Tell me more about the fog.", is_final=True)),
            ("t2", Degraded("llm", "DEADLINE_EXCEEDED", "no word within 5 s; a fixed reply stands in")),
            ("t2", StateChanged(State.SPEAKING)),
            ("t2", ReplyText("I understood “Tell me more about the fog”, but I cannot think right now.")),
            ("t2", TurnFinished(Outcome.COMPLETED, {**_TIMES, "first_clause": 5230, "first_heard": 5291}, {})),
            ("", StateChanged(State.LISTENING)),
        ),
        loudspeaker_dbfs=-31.0,
    ),
    "speaking-fr": Scene(
        (
            ("", _OPENED),
            *_turn("t1", "Quel est l’arbre le plus haut ?", "Un séquoia de Californie : environ 116 mètres.", 318),
            ("t2", Transcript("Et quel âge peut-il atteindre ?", is_final=True)),
            ("t2", StateChanged(State.SPEAKING)),
            ("t2", ReplyText("Plus de deux mille ans. On a compté les cernes du plus vieux que l’on connaisse")),
        ),
        language=FRENCH,
        microphone_dbfs=-54.0,
        loudspeaker_dbfs=-16.0,
    ),
}


async def picture(scene: Scene) -> str:
    """The screen of this scene as SVG."""
    speak(scene.language)
    view = TerminalView(scene.listening)
    controls = _StillControls()
    controls.levels.microphone_dbfs, controls.levels.loudspeaker_dbfs = scene.microphone_dbfs, scene.loudspeaker_dbfs
    for turn_id, what in scene.told:
        view.show(Event(turn_id, what))
    app = view.application(controls, Orders())
    async with app.run_test(size=_SIZE) as pilot:
        app.measure()
        app.redraw()
        await pilot.pause()
        return _self_contained(app.export_screenshot(title="superwhisper talk"))


def made_by() -> str:
    """What draws the pictures: with other versions they differ."""
    return f"made by scripts/make_screens.py with textual {version('textual')} and rich {version('rich')}"


async def pictures() -> dict[str, str]:
    """All of them, by file name."""
    try:
        return {f"{name}.svg": await picture(scene) for name, scene in _SCENES.items()}
    finally:
        speak(ENGLISH)


def _self_contained(svg: str) -> str:
    """Without fonts from elsewhere: a picture must not make whoever looks at it call another host."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("font-family: Fira Code, monospace", "font-family: monospace")
    svg = re.sub(r"<!--.*?-->", f"<!-- {made_by()} -->", svg, count=1, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some programs would drop the spaces that begin a text
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> None:
    """Writes them, into docs/screens or the folder that is named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in asyncio.run(pictures()).items():
        (folder / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
