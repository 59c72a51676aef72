"""Files over HTTP: resumed after a cut, given up after seconds of silence, never more than was announced."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.common.models.sources import FetchError, check_address

Advance = Callable[[int, int | None], None]
"""Called with the bytes there so far, and all that there will be where known."""

_RESUMES = 4  # a flaky line gets its file; a broken one does not keep anybody waiting
_NO_PROXY = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}  # a server here needs no proxy


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of a file before it is here."""

    size_bytes: int | None = None
    sha256: str | None = None


class PartFile:
    """A download in progress, and beside it from where it comes: only the very same file may be continued."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._origin = path.with_name(f"{path.name}.json")

    def size(self) -> int:
        """Bytes there so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def tag(self, url: str) -> str | None:
        """The server's mark of the version that was begun: empty where it gave none, None where nothing was begun."""
        try:
            origin = json.loads(self._origin.read_bytes())
            return str(origin["tag"]) if origin["url"] == url else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def begin(self, url: str, tag: str) -> None:
        """Starts over."""
        self.path.unlink(missing_ok=True)
        self._origin.write_text(json.dumps({"url": url, "tag": tag}), encoding="utf-8")

    def discard(self) -> None:
        """Leaves nothing."""
        self.path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Takes its final place; there is always a whole file there, the old one or the new one."""
        self.path.replace(target)
        self._origin.unlink(missing_ok=True)


class _CutError(Exception):
    """The answer ended early, or cannot be continued from here; another request may help."""


class HttpFetcher:
    """Fetches one file after the other."""

    def __init__(self, *, connect_timeout_s: float = 5, read_timeout_s: float = 15) -> None:
        self._timeout = httpx.Timeout(read_timeout_s, connect=connect_timeout_s)

    def fetch(self, url: str, part: PartFile, wanted: Wanted, advance: Advance) -> None:
        """Completes `part` with the file at `url`, or raises a FetchError; what is there then serves the next try."""
        with self._client() as client:
            try:
                _fetch_resuming(client, url, part, wanted, advance)
            except httpx.TimeoutException as error:
                raise FetchError(f"{_host(url)} does not answer ({_name(error)})") from error
            except (_CutError, httpx.RemoteProtocolError, httpx.ReadError) as error:
                raise FetchError(f"{_host(url)} cut the answer off at {part.size()} bytes") from error
            except httpx.HTTPError as error:
                raise FetchError(f"{_host(url)} cannot be reached ({error})") from error

    def _client(self) -> httpx.Client:
        try:
            return httpx.Client(
                timeout=self._timeout,
                follow_redirects=True,
                mounts=_NO_PROXY,
                headers={"Accept-Encoding": "identity"},  # sums and ranges are of the file, not of its compression
                event_hooks={"request": [_refuse_insecure_redirect]},
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise FetchError(f"the proxy that this environment names cannot be used: {error}") from error


def _fetch_resuming(client: httpx.Client, url: str, part: PartFile, wanted: Wanted, advance: Advance) -> None:
    """Asks again after a cut, as long as that brings the file forward."""
    for _ in range(_RESUMES):
        before = part.size()
        try:
            _fetch_once(client, url, part, wanted, advance)
        except (_CutError, httpx.RemoteProtocolError, httpx.ReadError):
            if part.size() == before:
                raise
        else:
            return
    _fetch_once(client, url, part, wanted, advance)


def _fetch_once(client: httpx.Client, url: str, part: PartFile, wanted: Wanted, advance: Advance) -> None:
    with client.stream("GET", url, headers=_range_headers(url, part, wanted)) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and part.size():
            _accept_complete(response, part)
            return
        _refuse_other_answers(response, url, wanted)
        start = _continue_from(response, url, part)
        total = _total(response, start) or wanted.size_bytes
        if wanted.size_bytes is not None and total != wanted.size_bytes:
            part.discard()
            raise FetchError(f"{_host(url)} has a file of {total} bytes instead of {wanted.size_bytes}")
        _refuse_full_disk(part, start, total)
        _write(response, part, start, total, advance)


def _range_headers(url: str, part: PartFile, wanted: Wanted) -> dict[str, str]:
    """Asks for the rest, where it surely is the rest of the same file: by the server's tag, or by the sum later."""
    tag = part.tag(url)
    if not part.size() or tag is None or not (tag or wanted.sha256):
        return {}
    return {"Range": f"bytes={part.size()}-"} | ({"If-Range": tag} if tag else {})


def _accept_complete(response: httpx.Response, part: PartFile) -> None:
    """Nothing is left to send: all is here already, or what is here is of another file."""
    if response.headers.get("content-range") != f"bytes */{part.size()}":
        part.discard()
        raise _CutError


def _refuse_other_answers(response: httpx.Response, url: str, wanted: Wanted) -> None:
    status = response.status_code
    if status == httpx.codes.NOT_FOUND:
        raise FetchError(f"{_host(url)} has no such file ({url})")
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise FetchError(f"{_host(url)} refuses this file ({status}): it may want a login, or its licence accepted")
    if status not in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
        raise FetchError(f"{_host(url)} answers {status} {response.reason_phrase}")
    if response.headers.get("content-type", "").startswith("text/html"):
        raise FetchError(f"{_host(url)} answers with a web page instead of the file: is there a login page in between?")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FetchError(f"{_host(url)} sends the file compressed only")
    if wanted == Wanted() and not {"content-length", "transfer-encoding"} & set(response.headers):
        raise FetchError(f"{_host(url)} does not say how long the file is, so a cut would go unseen")


def _continue_from(response: httpx.Response, url: str, part: PartFile) -> int:
    """The offset at which this answer's bytes belong."""
    if response.status_code == httpx.codes.OK:
        tag = response.headers.get("etag") or response.headers.get("last-modified", "")
        part.begin(url, "" if tag.startswith("W/") else tag)  # a weak tag does not promise the same bytes
        return 0
    if not response.headers.get("content-range", "").startswith(f"bytes {part.size()}-"):
        part.discard()
        raise _CutError
    return part.size()


def _total(response: httpx.Response, start: int) -> int | None:
    length = response.headers.get("content-length", "")
    return start + int(length) if length.isdecimal() else None


def _refuse_full_disk(part: PartFile, start: int, total: int | None) -> None:
    """Better now than after gigabytes."""
    free = shutil.disk_usage(part.path.parent).free
    if total is not None and total - start > free:
        raise FetchError(f"{part.path.parent} has room for {free} bytes, and {total - start} are to come")


def _write(response: httpx.Response, part: PartFile, start: int, total: int | None, advance: Advance) -> None:
    done = start
    advance(done, total)
    with part.path.open("ab") as out:
        for chunk in response.iter_raw():
            out.write(chunk)
            done += len(chunk)
            if total is not None and done > total:
                part.discard()
                raise FetchError(f"{_host(str(response.url))} sends more than the {total} bytes it should")
            advance(done, total)
    if total is not None and done < total:
        raise _CutError


def _refuse_insecure_redirect(request: httpx.Request) -> None:
    try:
        check_address(str(request.url))
    except ValueError as error:
        raise FetchError(str(error)) from error


def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode("ascii")


def _name(error: httpx.TimeoutException) -> str:
    return "no connection" if isinstance(error, httpx.ConnectTimeout) else "connected, then silent"
