"""Which container the bytes of a recording are, and whether what its header says can be true. Pure."""

import struct
from dataclasses import dataclass
from enum import Enum

from services.common.errors import InvalidInputError

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000  # recordings come from studios too, streams do not
MAX_CHANNELS = 8
_EXTENSIBLE = 0xFFFE
_SUBFORMAT_END = bytes.fromhex("000000001000800000aa00389b71")  # of the GUIDs that begin with a plain format tag
# The widths in bits that each plain format tag may have: PCM, IEEE float, A-law, µ-law.
_WIDTHS = {1: {8, 16, 24, 32}, 3: {32, 64}, 6: {8}, 7: {8}}
_MP3_KBITS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KBITS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MP3_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


class Container(Enum):
    """What a recording may be packed in."""

    WAV = "WAV"
    FLAC = "FLAC"
    OGG = "OGG"
    MP3 = "MP3"
    M4A = "M4A"


@dataclass(frozen=True)
class WavForm:
    """What the header of a WAV file says, once it is known to be possible."""

    channels: int
    sample_rate_hz: int
    bytes_per_frame: int
    data_bytes: int

    @property
    def duration_s(self) -> float:
        """Its length."""
        return self.data_bytes / self.bytes_per_frame / self.sample_rate_hz


def container_of(content: bytes) -> Container | None:
    """The container that the first bytes show, if they show one."""
    start = _after_id3(content)
    if content[:4] in {b"RIFF", b"RF64"} and content[8:12] == b"WAVE":
        return Container.WAV
    if content[start : start + 4] == b"fLaC":
        return Container.FLAC
    if content[:4] == b"OggS":
        return Container.OGG
    if content[4:8] == b"ftyp":
        return Container.M4A
    if start or _begins_with_two_mp3_frames(content):
        return Container.MP3
    return None


def _after_id3(content: bytes) -> int:
    """Where the tag that may precede MP3 and FLAC ends; 0 where there is none."""
    if content[:3] != b"ID3" or len(content) < 10 or max(content[6:10]) > 0x7F:
        return 0
    size = 0
    for byte in content[6:10]:  # seven bits each
        size = size << 7 | byte
    return 10 + size


def _begins_with_two_mp3_frames(content: bytes) -> bool:
    """Two, because the mark of one is only eleven bits long: raw PCM may begin with it by chance."""
    length = _mp3_frame_bytes(content[:4])
    return length > 0 and _mp3_frame_bytes(content[length : length + 4]) > 0


def _mp3_frame_bytes(header: bytes) -> int:
    """The length of the frame of layer III that the header begins; 0 where it begins none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, kbits_index, rate_index = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or kbits_index in {0, 15} or rate_index == 3:
        return 0
    kbits = (_MP3_KBITS_V1 if version == 3 else _MP3_KBITS_V2)[kbits_index]
    rate_hz = _MP3_RATES_HZ[version][rate_index]
    return (144_000 if version == 3 else 72_000) * kbits // rate_hz + (header[2] >> 1 & 1)


def check_wav(content: bytes) -> WavForm:
    """What its header says. A header that lies is refused, and so is a format that is not read."""
    chunks = _chunks(content)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise InvalidInputError("audio", "this WAV file ends before its samples begin; record or copy it again")
    start, data_bytes = chunks[b"data"]
    if content[:4] == b"RF64" and b"ds64" in chunks:  # whose data chunk may be larger than its own field can say
        data_bytes = int.from_bytes(content[chunks[b"ds64"][0] + 8 :][:8], "little")
    if start + data_bytes > len(content):
        promise = f"its header promises {data_bytes} bytes of samples, but only {len(content) - start} follow"
        raise InvalidInputError("audio", f"{promise}; the file was cut, or never finished: write it again")
    at, size = chunks[b"fmt "]
    return _form(content[at : at + size], data_bytes)


def _chunks(content: bytes) -> dict[bytes, tuple[int, int]]:
    """Where each chunk's content begins and how long it says to be, as far as they lie inside the file."""
    found: dict[bytes, tuple[int, int]] = {}
    at = 12
    while at + 8 <= len(content) and b"data" not in found:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        found.setdefault(content[at : at + 4], (at + 8, size))
        at += 8 + size + size % 2
    return found


def _form(header: bytes, data_bytes: int) -> WavForm:
    if len(header) < 16:
        raise InvalidInputError("audio", "the format header of this WAV file is too short; write the file again")
    tag, channels, rate_hz, _, frame_bytes, width = struct.unpack("<HHIIHH", header[:16])
    if tag == _EXTENSIBLE and header[26:40] == _SUBFORMAT_END:
        [tag] = struct.unpack("<H", header[24:26])
    if width not in _WIDTHS.get(tag, ()):
        raise InvalidInputError(
            "audio", f"a WAV file with samples of format {tag:#x}, {width} bits, is not read; convert it to 16-bit PCM"
        )
    check_form(channels, rate_hz)
    if frame_bytes != channels * width // 8:
        raise InvalidInputError(
            "audio", f"its header says that {channels} samples of {width} bits are {frame_bytes} bytes; write it again"
        )
    if data_bytes % frame_bytes:
        raise InvalidInputError("audio", f"{data_bytes} bytes are not a whole number of its {frame_bytes}-byte frames")
    return WavForm(channels, rate_hz, frame_bytes, data_bytes)


def check_form(channels: int, rate_hz: int) -> None:
    """Refuses what no recording of speech has."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise InvalidInputError("audio", f"{channels} channels; 1 to {MAX_CHANNELS} are read, mixed down to one")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise InvalidInputError("audio", f"sample rate: {rate_hz} is not between {MIN_RATE_HZ} and {MAX_RATE_HZ} Hz")


# Where each table says how many packets it describes, counted from the letters of its name.
_PACKET_TABLES = {b"stsz": 12, b"stz2": 12, b"trun": 8}
_MAX_PACKETS = 2_000_000  # a day of AAC


def check_m4a(content: bytes) -> None:
    """Refuses a file whose tables claim more packets than any recording has.

    The demuxer makes room for all of them before it reads one: a few kilobytes could cost gigabytes. The tables are
    looked for everywhere but in the audio itself, as the demuxer too finds them where they do not belong.
    """
    claimed, at = 0, 0
    while at + 8 <= len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        end = len(content) if size == 0 else at + size
        if end < at + 8:
            break
        if name != b"mdat":
            claimed += _claimed_packets(content, at, min(end, len(content)))
        at = end
    if claimed > _MAX_PACKETS:
        raise InvalidInputError("audio", f"this M4A file claims to hold {claimed} packets of audio; record it again")


def _claimed_packets(content: bytes, start: int, end: int) -> int:
    claimed = 0
    for name, offset in _PACKET_TABLES.items():
        at = content.find(name, start, end)
        while at >= 0:
            claimed += int.from_bytes(content[at + offset : at + offset + 4], "big")
            at = content.find(name, at + 4, end)
    return claimed
