"""A server that speaks OpenAI's HTTP API, as the network shows it: asked, listened to, and left at once."""

import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from services.common.errors import EngineFailedError, UnavailableError
from services.llm.config import EndpointSection
from services.llm.openai_wire import Json
from services.llm.sse import SseReader

# Whoever waits for text sets closer limits; this one is for what waits for nothing else.
_SILENCE_LIMIT_S = 60.0
# The lists of the largest hubs come to half a megabyte.
_MOST_ANSWER_BYTES = 4 * 1024 * 1024
_MOST_STREAMS = 128


@dataclass(frozen=True)
class HttpAnswer:
    """A whole answer."""

    status: int
    content: bytes


class OpenAiServer:
    """A new connection for each request: one kept from the last may be closed just as the next is sent."""

    def __init__(self, name: str, section: EndpointSection, api_key: str) -> None:
        """`name` is that of its section in the settings."""
        self.name = name
        self.url = _address(name, section.url)
        self._client = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity", **_authorisation(name, section, api_key)},
            timeout=httpx.Timeout(_SILENCE_LIMIT_S, connect=section.connect_limit_s, pool=section.connect_limit_s),
            transport=httpx.AsyncHTTPTransport(
                verify=ssl.create_default_context(),
                limits=httpx.Limits(max_connections=_MOST_STREAMS, max_keepalive_connections=0),
                retries=section.connect_retries,  # of the connection alone, each after a longer pause
            ),
            trust_env=False,  # a proxy or a .netrc of the environment has no business with what people say
        )

    @property
    def root(self) -> str:
        """Its address without the part that is OpenAI's."""
        return self.url.removesuffix("/v1")

    async def get(self, url: str) -> HttpAnswer:
        """What it has at an address."""
        response = await self._send(self._client.build_request("GET", url))
        return await self.read(response)

    async def post(self, path: str, body: Json) -> httpx.Response:
        """What it answers, of which nothing is read yet: `read` or `events` must follow."""
        return await self._send(self._client.build_request("POST", self.url + path, json=body))

    async def read(self, response: httpx.Response) -> HttpAnswer:
        """The whole of an answer that should be short."""
        content = bytearray()
        async with aclosing(self._chunks(response, _MOST_ANSWER_BYTES)) as chunks:
            async for chunk in chunks:
                content += chunk
        return HttpAnswer(response.status_code, bytes(content))

    async def events(self, response: httpx.Response, most_bytes: int) -> AsyncGenerator[str, None]:
        """The data of each event. Closing the generator closes the connection: the server then stops."""
        reader = SseReader()
        async with aclosing(self._chunks(response, most_bytes)) as chunks:
            async for chunk in chunks:
                for data in reader.push(chunk):
                    yield data
        for data in reader.end():
            yield data

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise UnavailableError(
                f"nothing answers at {self.url} ({str(error) or type(error).__name__}): start the server "
                f"(for Ollama: `ollama serve`), or correct llm.endpoints.{self.name}.url"
            ) from error
        except httpx.HTTPError as error:
            raise _lost(error) from error

    async def _chunks(self, response: httpx.Response, most_bytes: int) -> AsyncGenerator[bytes, None]:
        """The bytes as they come, never unpacked: a small bomb could fill the memory."""
        received = 0
        try:
            async with aclosing(response.aiter_raw()) as chunks:  # type: ignore[type-var]  # httpx: a generator
                async for chunk in chunks:
                    received += len(chunk)
                    if received > most_bytes:
                        raise EngineFailedError(f"the server answers with more than {most_bytes} bytes")
                    yield chunk
        except httpx.HTTPError as error:
            raise _lost(error) from error
        finally:
            await response.aclose()


def _address(name: str, url: str) -> str:
    """Its base, which goes into logs and messages: so it must hold no secret."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise EngineFailedError(f"llm.endpoints.{name}.url is no address: {error}") from error
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise EngineFailedError(f"llm.endpoints.{name}.url must be plain; a key belongs into what api_key_env names")
    return url.rstrip("/")


def _authorisation(name: str, section: EndpointSection, api_key: str) -> dict[str, str]:
    """The key as a header. A key that is none must not get into a message of the HTTP library."""
    key = api_key.strip()
    if section.api_key_env and not key:
        raise EngineFailedError(f"the environment variable {section.api_key_env} must hold the key of {name}")
    if not (key.isascii() and key.isprintable()):
        raise EngineFailedError(f"the key in {section.api_key_env} has characters that no key can have")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _lost(error: httpx.HTTPError) -> EngineFailedError | UnavailableError:
    if isinstance(error, httpx.TimeoutException):
        return UnavailableError("the server does not answer in time")
    return EngineFailedError("the connection to the server was lost")
