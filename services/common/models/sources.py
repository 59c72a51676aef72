"""Where a model's file comes from: `hf:`, `https://` or `pypi:`, parsed and checked before anything is fetched."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

DEFAULT_HUB = "https://huggingface.co"

_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)/(?P<path>[^@]+)(?:@(?P<revision>[^@\s]+))?")
# One exact version, no extras and no markers: what pip is given is a fixed word, never an option.
_PACKAGE = re.compile(r"pypi:(?P<requirement>[A-Za-z0-9][\w.-]*==[A-Za-z0-9][\w.+!-]*)/(?P<member>.+)")
_FORMS = "hf:OWNER/REPO/PATH[@REVISION], https://… or pypi:PACKAGE==VERSION/PATH"


class FetchError(Exception):
    """A source did not give the file. Only `pull` sees it, and adds what the user can do about it."""


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a model repository."""

    repo: str
    path: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"hf:{self.repo}/{self.path}@{self.revision}"

    def url(self, endpoint: str) -> str:
        """The file's address on the hub, or on a mirror of it."""
        # A revision may be a branch with slashes, which must not look like folders.
        return f"{endpoint.rstrip('/')}/{self.repo}/resolve/{quote(self.revision, safe='')}/{quote(self.path)}"


@dataclass(frozen=True, slots=True)
class WebSource:
    """A file at an address."""

    address: str

    def __str__(self) -> str:
        return self.address

    def url(self, endpoint: str) -> str:
        """The address itself."""
        return self.address


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A file inside a package's wheel."""

    requirement: str
    member: str

    def __str__(self) -> str:
        return f"pypi:{self.requirement}/{self.member}"


Source = HubSource | WebSource | PackageSource


def parse_source(text: object) -> Source:
    """The source that a line of models.toml names, or a ValueError that says what is wrong with it."""
    if not isinstance(text, str):
        raise ValueError(f"a source is a text: {_FORMS}")  # noqa: TRY004  # pydantic collects ValueErrors alone
    if match := _HUB.fullmatch(text):
        return HubSource(match["repo"], match["path"], match["revision"] or "main")
    if match := _PACKAGE.fullmatch(text):
        return PackageSource(match["requirement"], match["member"])
    if text.startswith(("https:", "http:")):
        check_address(text)
        return WebSource(text)
    raise ValueError(f"{text!r} is no source; a source is {_FORMS}")


def check_address(url: str) -> None:
    """Refuses what could be changed on its way here: anything but https, except on this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises where the port is no number
    except ValueError as error:
        raise ValueError(f"{url!r} is no address: {error}") from error
    if not host:
        raise ValueError(f"{url!r} names no host")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError(f"{url!r} is not https; http is for a server on this machine only")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
