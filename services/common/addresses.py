"""Addresses of services as people write them: `host:port`, several of them separated by commas."""

import re

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://+", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+):(?P<port>[0-9]{1,5})")
_SOCKET_FILE = re.compile(r"unix(-abstract)?:\S+")
_LAST_PORT = 65535


def parse_addresses(text: str) -> tuple[str, ...]:
    """`a:50051, b:50051` → both, in this order. ValueError says what is wrong, and what to write."""
    addresses = tuple(_parse(part.strip(), text) for part in text.split(","))
    for address in addresses:
        if addresses.count(address) > 1:
            raise ValueError(f"{address} stands there twice")
    return addresses


def _parse(part: str, text: str) -> str:
    if not part:
        raise ValueError(f"an address is missing in {text!r}: write host:port, several with a comma between each two")
    if scheme := _SCHEME.match(part):
        raise ValueError(f"write {part[scheme.end() :] or 'host:port'}, without {scheme[0]}")
    if _SOCKET_FILE.fullmatch(part):
        return part
    found = _HOST_AND_PORT.fullmatch(part)
    if found is None or not 0 < int(found["port"]) <= _LAST_PORT:
        raise ValueError(f"{part!r} is no address: write host:port, such as 127.0.0.1:50051 or [::1]:50051")
    return part
