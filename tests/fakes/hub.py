"""A model hub on a loopback port that answers as told: well, cut off, silent, wrong, elsewhere or not at all.

with FakeHub() as hub:
    hub.put("/tiny.bin", Answer(b"weights", cut_after=3))
    ... hub.url("/tiny.bin"), hub.requests
"""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from services.common.models.download import HttpFetcher
from services.common.models.pull import Puller, PullObserver
from services.common.models.registry import Model, ModelFile, Registry
from services.common.models.sources import parse_source
from services.common.models.store import ModelStore
from tests.support.waiting import BOUND_S


@dataclass(frozen=True)
class Answer:
    """How the hub answers for one path."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = '"one"'
    takes_ranges: bool = True
    # Otherwise in chunks, or `unframed`: the end of the connection is the end of the file, and a cut looks the same.
    says_length: bool = True
    unframed: bool = False
    # At most so many bytes of content in each answer; then the line is cut, or stays open in silence.
    cut_after: int | None = None
    then_silent: bool = False
    # Nothing is answered before this is set.
    gate: threading.Event | None = None


@dataclass(frozen=True)
class Request:
    """What the hub was asked for; `range` is empty where all was asked for."""

    path: str
    range: str


class FakeHub:
    """Serves from its own threads while entered."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self.asked = threading.Semaphore(0)
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def url(self, path: str) -> str:
        return self.endpoint + path

    def put(self, path: str, answer: Answer) -> None:
        self.answers[path] = answer

    def wait_until_asked(self) -> None:
        """Returns when the next request is here; each call waits for one."""
        assert self.asked.acquire(timeout=BOUND_S), "nobody asked the hub"

    def model(self, name: str, *, pinned_by_registry: bool = True, **contents: bytes) -> Model:
        """A model whose files this hub serves; each keyword is a file's name without `.bin`."""
        files = []
        for stem, content in contents.items():
            path = f"/{name}/{stem}.bin"
            self.put(path, Answer(content))
            sums = (len(content), hashlib.sha256(content).hexdigest()) if pinned_by_registry else (None, None)
            files.append(ModelFile(f"{stem}.bin", parse_source(self.url(path)), *sums))
        return Model(name, "for tests", "CC0-1.0", (), tuple(files))


class Seen(PullObserver):
    """Remembers what a pull told."""

    def __init__(self) -> None:
        self.kept_files: list[str] = []
        self.sizes: list[tuple[int, int | None]] = []
        self.pins: list[str] = []
        self.waits = 0

    def waiting(self, model: Model) -> None:
        self.waits += 1

    def kept(self, model: Model, file: ModelFile) -> None:
        self.kept_files.append(file.name)

    def advanced(self, model: Model, file: ModelFile, done_bytes: int, total_bytes: int | None) -> None:
        self.sizes.append((done_bytes, total_bytes))

    def pinned(self, model: Model, file: ModelFile, sha256: str) -> None:
        self.pins.append(sha256)


# Only for who never answers: a busy machine must not turn an answer into silence.
IMPATIENT = HttpFetcher(connect_timeout_s=0.3, read_timeout_s=0.3)


def puller_for(
    models_dir: Path,
    model: Model,
    seen: Seen,
    endpoint: str = "https://hub.invalid",
    http: HttpFetcher | None = None,
) -> Puller:
    """A pull of one model, that tells `seen`; the hub of `hf:` is nowhere unless given."""
    return Puller(ModelStore(models_dir, Registry([model])), seen, endpoint=endpoint, http=http)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing the hub waits for its threads, so that no test leaves one behind


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, hub: FakeHub, *connection: object) -> None:
        self._hub = hub
        super().__init__(*connection)  # type: ignore[arg-type]  # socketserver's three, passed through

    def do_GET(self) -> None:
        self.close_connection = True
        self._hub.requests.append(Request(self.path, self.headers.get("Range", "")))
        self._hub.asked.release()
        answer = self._hub.answers.get(self.path, Answer(status=404))
        if answer.gate is not None:
            assert answer.gate.wait(BOUND_S)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked may have gone
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        start = self._start(answer)
        if start > len(answer.content) or (start and start == len(answer.content)):
            self._head(416, {"Content-Range": f"bytes */{len(answer.content)}", "Content-Length": "0"})
            return
        body = answer.content[start:]
        headers = {"ETag": answer.etag} | answer.headers
        chunked = not (answer.says_length or answer.unframed)
        if answer.says_length:
            headers["Content-Length"] = str(len(body))
        elif chunked:
            headers["Transfer-Encoding"] = "chunked"
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(answer.content) - 1}/{len(answer.content)}"
        self._head(206 if start else answer.status, headers)
        for piece in self._pieces(body[: answer.cut_after]):
            self.wfile.write(piece if not chunked else b"%x\r\n%s\r\n" % (len(piece), piece))
        if answer.then_silent:
            self._hub.closing.wait(BOUND_S)
        elif chunked and answer.cut_after is None:
            self.wfile.write(b"0\r\n\r\n")

    def _start(self, answer: Answer) -> int:
        asked = self.headers.get("Range", "")
        same = self.headers.get("If-Range", answer.etag) == answer.etag
        if not (asked and same and answer.takes_ranges):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Connection": "close"} | headers).items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    @staticmethod
    def _pieces(body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 4096):
            yield body[start : start + 4096]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Tests look at `requests` instead."""
