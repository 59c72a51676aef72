"""The lines of the full-screen view. Colours are the terminal's own sixteen; what they say, a word or sign says too."""

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from client.config import Listening
from client.messages import tr
from client.views import sentences
from client.views.dialogue import Entry, Who
from client.views.meter import STEPS, Meter
from client.views.printable import end_of
from client.views.screen_model import Activity, Connection, ScreenModel
from client.views.screen_words import SHOWN
from client.views.stage_times import StageTime, stage_times

_LABEL_CELLS = 10  # "assistant", the longest label, and a space
_GAP = "  "
_NARROW_CELLS = 76  # below, meters and bars are half as long
_STAGES = {"stt": ("█", "cyan"), "llm": ("▓", "magenta"), "tts": ("▒", "green"), "playback": ("░", "blue")}


def header(model: ScreenModel, width: int) -> Text:
    """What goes on, how the connection is, and which stages have a problem."""
    shown = SHOWN[model.activity]
    text = Text.assemble(" ", (f" {tr(shown.word)} ", f"bold reverse {shown.colour}"), _GAP)
    match model.connection:
        case Connection.CONNECTING:
            text.append(f"○ {tr('connecting …')}", "yellow")
        case Connection.CONNECTED:
            text.append(f"● {tr('connected')}", "green")
        case Connection.LOST:
            text.append(f"○ {sentences.of_loss(model.trying_s)}", "bold red")
    for stage in model.degraded:
        text.append(f"{_GAP}▲ {sentences.of_stage(stage)}", "bold yellow")
    return _with_right(text, Text("SuperWhisper ", "bold"), width)


def live(model: ScreenModel, width: int) -> Text:
    """What is being said, as it changes; else what the person may do."""
    if model.partial:
        text = _label("…", "bold cyan")
        room = max(width - text.cell_len - 1, 1)
        return text.append(end_of(" ".join(model.partial.split()), room), "italic cyan")
    advice = tr(SHOWN[model.activity].advice, word=model.wake_word.replace("_", " "))
    if model.activity is Activity.LISTENING and model.listening is Listening.PUSH_TO_TALK:
        advice = tr("speak, then press F2 again")
    return _cut(_label("").append(advice, "dim"), width)


def meters(model: ScreenModel, width: int) -> Text:
    """How loud the microphone and the loudspeaker are."""
    cells = _gauge_cells(width)
    mine, its = _label(tr("you"), "bold cyan"), Text.assemble((tr("assistant"), "bold green"), _GAP)
    if "input" in model.missing or model.is_muted:
        mine.append((tr("gone") if "input" in model.missing else tr("muted")).ljust(cells), "red")
    else:
        mine.append_text(_meter(model.microphone, "cyan", cells))
    if "output" in model.missing:
        its.append(tr("gone"), "red")
    else:
        its.append_text(_meter(model.loudspeaker, "green", cells))
    return _cut(mine.append(_GAP * 2).append_text(its), width)


def times(model: ScreenModel, width: int) -> Text:
    """Where the time of the last turn went."""
    stages = [stage for stage in stage_times(model.timings_ms) if round(stage.ms)]
    text = _label(tr("last turn"))
    if not stages:
        return text.append("–", "dim")
    legend = _legend(stages, with_words=width >= _NARROW_CELLS)
    cells = min(max(width - text.cell_len - legend.cell_len - 1, STEPS // 4), STEPS)
    total_ms = sum(stage.ms for stage in stages)
    for stage in stages:
        glyph, colour = _STAGES[stage.stage]
        text.append(glyph * max(round(cells * stage.ms / total_ms), 1), colour)
    return _cut(text.append_text(legend), width)


def hints(model: ScreenModel, width: int) -> Text:
    """The keys, the most needed first: narrow terminals show fewer."""
    keys = [(tr("Esc"), tr("stop")), ("F3", tr("unmute") if model.is_muted else tr("mute")), ("^Q", tr("quit"))]
    if model.listening is not Listening.CONTINUOUS:
        keys.insert(0, ("F2", tr("have done") if model.is_heard else tr("talk")))
    keys += [(tr("Enter"), tr("send")), (tr("PgUp PgDn"), tr("scroll"))]
    text = Text(" ")
    for key, meaning in keys:
        hint = Text.assemble((f" {key} ", "reverse"), " ", (meaning, "dim"), _GAP)
        if text.cell_len + hint.cell_len <= width:
            text.append_text(hint)
    return text


def entry_lines(entry: Entry, width: int, console: Console) -> list[Text]:
    """What one party said, wrapped beside its label."""
    label, style, words = _look(entry)
    first, further = _label(label, style), Text(" " * (_LABEL_CELLS + len(_GAP)))
    wrapped = words.wrap(console, max(width - first.cell_len - 1, 8), tab_size=4)
    return [(further if number else first).copy().append_text(line) for number, line in enumerate(wrapped)]


def _look(entry: Entry) -> tuple[str, str, Text]:
    match entry.who:
        case Who.PERSON:
            return tr("you"), "bold cyan", Text(entry.text)
        case Who.ASSISTANT:
            words = Text(entry.text.rstrip() if entry.is_cut or entry.unheard else entry.text)
            if entry.unheard:
                words.append(" ").append(entry.unheard.strip(), "dim strike")
            if entry.is_cut:
                words.append(f" ({tr('interrupted')})", "yellow")
            return tr("assistant"), "bold green", words
        case Who.TROUBLE:
            return "▲", "bold yellow", Text(entry.text, "yellow")
        case Who.PROGRAM:
            return "·", "dim", Text(entry.text, "dim")


def _label(word: str, style: str = "dim") -> Text:
    return Text.assemble(" " * (_LABEL_CELLS - cell_len(word)), (word, style), _GAP)


def _meter(meter: Meter, colour: str, cells: int) -> Text:
    filled = round(meter.steps * cells / STEPS)
    return Text.assemble(("━" * filled, colour), ("─" * (cells - filled), "dim"))


def _gauge_cells(width: int) -> int:
    return STEPS if width >= _NARROW_CELLS else STEPS // 2


def _legend(stages: list[StageTime], *, with_words: bool) -> Text:
    text = Text.assemble((f" {sum(stage.ms for stage in stages):.0f} ms", "bold"))
    for stage in stages:
        glyph, colour = _STAGES[stage.stage]
        word = f"{sentences.of_stage(stage.stage)} " if with_words else ""
        text.append_text(Text.assemble(_GAP, (glyph, colour), (f" {word}{stage.ms:.0f}", "dim")))
    return text


def _with_right(text: Text, right: Text, width: int) -> Text:
    room = width - text.cell_len - right.cell_len
    if room < len(_GAP):
        return _cut(text, width)
    return text.append(" " * room).append_text(right)


def _cut(text: Text, width: int) -> Text:
    text.truncate(max(width, 1), overflow="ellipsis")
    return text
