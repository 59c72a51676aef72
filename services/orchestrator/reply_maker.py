"""What a reply is made with: the language, the voice, the prompt and the limits that hold for it."""

from collections.abc import Callable
from dataclasses import dataclass

from services.orchestrator.config import OrchestratorSection
from services.orchestrator.history import History
from services.orchestrator.language import following
from services.orchestrator.marks import Marks
from services.orchestrator.playback import Playback
from services.orchestrator.ports import Stages, Voice
from services.orchestrator.reply import Reply, ReplyOrder
from services.orchestrator.speech import ReplySpeech, SpeechLimits
from services.orchestrator.texts import Texts
from services.orchestrator.turn_events import Said


@dataclass(frozen=True)
class ConversationOptions:
    """What one client wants. An empty language is the one that is heard, an empty prompt the service's own."""

    input_rate_hz: int | None = None
    output_rate_hz: int | None = None
    language_code: str = ""
    voice: str = ""
    system_prompt: str = ""
    interim_results: bool = False


class ReplyMaker:
    """Makes the replies of one conversation."""

    def __init__(
        self,
        stages: Stages,
        settings: OrchestratorSection,
        options: ConversationOptions,
        conversation_id: str,
        clock: Callable[[], float],
    ) -> None:
        self.options = options
        self.language = options.language_code or settings.language_code
        self.is_playback_reported = False
        self._stages = stages
        self._settings = settings
        self._texts = Texts(settings)
        self._conversation_id = conversation_id
        self._clock = clock

    def use(self, options: ConversationOptions) -> None:
        """The client has come back, and may want something else."""
        self.options = options
        self.language = options.language_code or self.language

    def make(self, said: Said, history: History) -> Reply:
        """A reply to what was said, not begun yet."""
        language = self.language_of(said)
        marks = Marks()
        filler_after_s = self._settings.budget.filler_after_ms / 1000
        order = ReplyOrder(
            conversation_id=self._conversation_id,
            lines=history.prompt(said.text, self.options.system_prompt or self._texts.system_prompt(language)),
            language_code=language,
            apology=self._texts.apology(language, said.text),
            script=self._texts.not_heard(language) if said.was_lost else "",
            filler=self._texts.filler(language) if filler_after_s else "",
            filler_at=(self._clock() if said.typed else said.said_at) + filler_after_s,  # typed text may have waited
        )
        return Reply(self._stages.mind, self._speech(language, marks), order, marks, self._clock)

    def language_of(self, said: Said) -> str:
        """The language in which this is replied to."""
        if self.options.language_code or not self._settings.follow_language:
            return self.language
        return following(self.language, said.language_code, said.text, self._texts.languages)

    def now(self) -> float:
        """The moment, on the conversation's clock."""
        return self._clock()

    def interruption_note(self) -> str:
        """Tells the model that its last reply was cut off."""
        return self._texts.interruption_note(self.language)

    def _speech(self, language: str, marks: Marks) -> ReplySpeech | None:
        rate_hz = self.options.output_rate_hz
        if not rate_hz:
            return None
        settings = self._settings
        limits = SpeechLimits(settings.ahead_s, settings.budget.playback_stall_s, settings.barge_in.hold)
        playback = Playback(rate_hz, is_reported=self.is_playback_reported)
        voice = Voice(self.options.voice, language, rate_hz)
        return ReplySpeech(self._stages.mouth, voice, playback, limits, marks, self._clock)
