"""Until when a certificate is valid: the one thing that Python's ssl does not tell of a file."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0  # tags of DER


class NoCertificateError(ValueError):
    """The text holds none."""


@dataclass(frozen=True)
class _Item:
    tag: int
    content: bytes


def valid_until(pem: str) -> datetime:
    """Of the first certificate of a PEM file, which in a chain is the server's own."""
    begin, end = pem.find("-----BEGIN CERTIFICATE-----"), pem.find("-----END CERTIFICATE-----")
    if begin < 0 or end < 0:
        raise NoCertificateError
    try:
        der = ssl.PEM_cert_to_DER_cert(pem[begin : end + len("-----END CERTIFICATE-----")])
        signed = _items(_items(_items(der)[0].content)[0].content)
        # RFC 5280, 4.1: [version], serial, algorithm, issuer, validity
        validity = signed[4 if signed[0].tag == _VERSION else 3]
        return _time(_items(validity.content)[1])
    except (ValueError, IndexError) as error:
        raise NoCertificateError from error


def _items(der: bytes) -> list[_Item]:
    """The parts that follow each other there."""
    items, at = [], 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:  # the length has a length of its own
            width = length & 0x7F
            length, at = int.from_bytes(der[at : at + width]), at + width
        items.append(_Item(tag, der[at : at + length]))
        at += length
    return items


def _time(item: _Item) -> datetime:
    text = item.content.decode("ascii")
    if item.tag == _UTC_TIME:  # two digits of the year: 50 and later are of the last century
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
