"""The services that the client talks to, and calls whose failures are sentences."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc

from client.config import ClientSection
from client.errors import as_sentence
from client.messages import tr
from services.common.channels import CallOptions, Connection
from services.common.exchange import exchange
from services.common.settings import PeerSettings

NAMES = ("assistant", "stt", "llm", "tts")


@dataclass(frozen=True)
class Peer:
    """One service."""

    name: str
    connection: Connection

    @classmethod
    def of(cls, name: str, client: ClientSection) -> "Peer":
        """The service of this name, where the settings say that it is."""
        settings: PeerSettings = getattr(client, name)
        return cls(name, Connection(settings.address, settings.credentials))

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        titles = {
            "assistant": tr("the assistant"),
            "stt": tr("the speech recognition (stt)"),
            "llm": tr("the language model (llm)"),
            "tts": tr("the speech synthesis (tts)"),
        }
        return titles[self.name]

    @property
    def address(self) -> str:
        """host:port."""
        return self.connection.address

    def open(self) -> grpc.aio.Channel:
        """A channel; the caller closes it."""
        return self.connection.open()

    def call_options(self, limit_s: float) -> CallOptions:
        """What a call to it is made with."""
        return self.connection.call_options(limit_s)

    async def responses(
        self, call: Any, requests: AsyncGenerator[Any, None] | None = None
    ) -> AsyncGenerator[Any, None]:
        """The messages of a streaming call, its failure as a sentence; the call ends when nobody reads on."""
        had_answered = False
        try:
            async with aclosing(exchange(call, requests)) as responses:
                async for response in responses:
                    had_answered = True
                    yield response
        except grpc.aio.AioRpcError as error:
            raise as_sentence(error, self.title, self.address, had_answered=had_answered) from error
