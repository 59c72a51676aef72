"""The settings of the client."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from services.common.settings import PeerSettings, ProcessSettings, Section


class EchoSetting(StrEnum):
    """What is done about the loudspeaker being heard by the microphone."""

    AUTO = "auto"
    CANCEL = "cancel"
    HALF_DUPLEX = "half-duplex"
    OFF = "off"


class Listening(StrEnum):
    """When the assistant may hear the microphone."""

    CONTINUOUS = "continuous"
    PUSH_TO_TALK = "push-to-talk"
    WAKE_WORD = "wake-word"


class ClientSection(Section):
    """The section `client`."""

    assistant: PeerSettings = Field(description="The whole conversation (talk).")
    stt: PeerSettings = Field(description="The ears (transcribe).")
    llm: PeerSettings = Field(description="The mind (ask).")
    tts: PeerSettings = Field(description="The mouth (say).")
    microphone: str = Field("", description="Name, part of it or number; empty: the machine's default; none: none.")
    loudspeaker: str = Field("", description="Name, part of it or number; empty: the machine's default; none: none.")
    echo: EchoSetting = Field(
        EchoSetting.AUTO,
        description="Keeps the assistant from hearing itself. cancel: its voice is taken out of what the microphone "
        "hears; half-duplex: nothing is heard while it speaks; off: for headphones; auto: cancel, where it can run.",
    )
    listen: Listening = Field(Listening.CONTINUOUS, description="When the assistant hears the microphone.")
    wake_word: str = Field("okay_nabu", description="What opens its ears with listen: wake-word.")
    stay_open_s: float = Field(
        8, gt=0, description="How long after the wake word, or after a reply, they stay open for somebody to speak."
    )
    interface: Literal["", "en", "fr"] = Field("", description="Language of this program; empty: the terminal's.")
    language_code: str = Field("", description="Language of the person, such as fr; empty: the services' default.")
    voice: str = Field("", description="Voice of the replies; empty: the best of the language.")
    conversation_limit_s: float = Field(86_400, gt=0, description="Longest a conversation may last.")
    request_limit_s: float = Field(600, gt=0, description="Longest one reply or synthesis may take.")
    transcription_limit_s: float = Field(7200, gt=0, description="Longest the transcription of a recording may take.")
    resume_s: float = Field(
        15, ge=0, description="How long a lost connection is tried to be made again; the assistant remembers for 60 s."
    )
    reply_wait_s: float = Field(15, gt=0, description="How long `talk --wav` waits for something to be understood.")


class ClientSettings(ProcessSettings):
    """What the client reads."""

    client: ClientSection
