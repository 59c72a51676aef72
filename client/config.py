"""The settings of the client."""

from pydantic import Field

from services.common.settings import PeerSettings, ProcessSettings, Section


class ClientSection(Section):
    """The section `client`."""

    assistant: PeerSettings = Field(description="The whole conversation (talk).")
    stt: PeerSettings = Field(description="The ears (transcribe).")
    llm: PeerSettings = Field(description="The mind (ask).")
    tts: PeerSettings = Field(description="The mouth (say).")
    microphone: str = Field("", description="Name, part of it or number; empty: the machine's default; none: none.")
    loudspeaker: str = Field("", description="Name, part of it or number; empty: the machine's default; none: none.")
    half_duplex: bool = Field(
        True, description="Hear nothing while the loudspeaker speaks, so that the assistant never hears itself."
    )
    language_code: str = Field("", description="Language of the person, such as fr; empty: the services' default.")
    voice: str = Field("", description="Voice of the replies; empty: the best of the language.")
    conversation_limit_s: float = Field(86_400, gt=0, description="Longest a conversation may last.")
    request_limit_s: float = Field(600, gt=0, description="Longest one reply or synthesis may take.")
    transcription_limit_s: float = Field(7200, gt=0, description="Longest the transcription of a recording may take.")
    reply_wait_s: float = Field(15, gt=0, description="How long `talk --wav` waits for something to be understood.")


class ClientSettings(ProcessSettings):
    """What the client reads."""

    client: ClientSection
