"""What the full-screen view calls what goes on, and what it advises to do."""

from dataclasses import dataclass

from client.messages import later
from client.views.screen_model import Activity


@dataclass(frozen=True)
class Shown:
    """How an activity is shown. The words are translated when they are."""

    word: str
    colour: str
    advice: str


SHOWN = {
    Activity.LISTENING: Shown(later("LISTENING"), "cyan", later("speak, or type below")),
    Activity.HEARING: Shown(later("YOU SPEAK"), "cyan", later("go on")),
    Activity.THINKING: Shown(later("THINKING"), "magenta", later("press Esc to stop it")),
    Activity.SPEAKING: Shown(later("SPEAKING"), "green", later("speak, or press Esc, to interrupt")),
    Activity.YIELDING: Shown(later("GIVES WAY"), "cyan", later("it waits for what you say")),
    Activity.WAITING_FOR_KEY: Shown(later("WAITING"), "yellow", later("press F2 and speak, or type below")),
    Activity.WAITING_FOR_WORD: Shown(later("WAITING"), "yellow", later("say “{word}”, or type below")),
    Activity.MUTED: Shown(later("MUTED"), "red", later("press F3 to be heard again, or type below")),
    Activity.NO_MICROPHONE: Shown(later("NO MICROPHONE"), "red", later("plug the microphone in again, or type below")),
}
