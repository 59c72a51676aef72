"""The devices that PortAudio shows, and which of them is meant."""

from typing import Any

from client.audio.devices import Direction
from services.common.audio import MAX_RATE_HZ, MIN_RATE_HZ

Row = dict[str, Any]  # a device in PortAudio's words
# The ways to Windows' sound, by a part of their names. The older ones show the same devices, and are slower.
_WASAPI = "WASAPI"
_OLDER_ON_WINDOWS = ("MME", "DirectSound", "WDM-KS")
# PortAudio says so of whatever takes it under ALSA. Sound servers and most cards run at 48 kHz, and what must be
# resampled there on the way runs dry more often.
_ALSA, _SAID_BY_ALSA_HZ, _MEANT_HZ = "ALSA", 44_100, 48_000


class DeviceList:
    """As it was when the library started, or looked again. Empty without the library (sounddevice)."""

    def __init__(self, library: Any | None, direction: Direction) -> None:
        self.rows: list[Row] = []
        self.default: int | None = None  # its number
        if library is None:
            return
        try:
            devices, systems = list(library.query_devices()), list(library.query_hostapis())
        except library.PortAudioError:  # it did not start again
            return
        hidden = _hidden([system["name"] for system in systems])
        inputs_or_outputs = [
            row for row in devices if row[f"max_{direction}_channels"] and row["hostapi"] not in hidden
        ]
        self.rows = [{**row, "system": systems[row["hostapi"]]["name"]} for row in inputs_or_outputs]
        self.default = _default(library, direction, systems)

    def chosen(self, wanted: str) -> Row | None:
        """By number, by the whole name, or by a part of it; the default where nothing is wanted."""
        if not wanted or wanted.isdecimal():
            number = wanted or str(self.default)  # as text: there are decimals that int() does not take
            return next((row for row in self.rows if str(row["index"]) == number), None)
        name = wanted.casefold()
        exact = (row for row in self.rows if row["name"].casefold() == name)
        return next(exact, next((row for row in self.rows if name in row["name"].casefold()), None))


def own_rate_hz(row: Row) -> int:
    """What the device is best run at; never more than we take."""
    rate_hz = int(row["default_samplerate"])
    is_guessed = row["system"] == _ALSA and rate_hz == _SAID_BY_ALSA_HZ
    if is_guessed or rate_hz < MIN_RATE_HZ:  # some drivers tell 0, or -1
        return _MEANT_HZ
    return min(rate_hz, MAX_RATE_HZ)


def _hidden(systems: list[str]) -> set[int]:
    """The numbers of those that show nothing new."""
    if not any(_WASAPI in name for name in systems):
        return set()
    return {number for number, name in enumerate(systems) if any(older in name for older in _OLDER_ON_WINDOWS)}


def _default(library: Any, direction: Direction, systems: list[Row]) -> int | None:
    for system in systems:
        if _WASAPI in system["name"]:  # PortAudio's own choice on Windows is the oldest system
            return int(system[f"default_{direction}_device"])
    try:
        return int(library.query_devices(None, direction)["index"])
    except (ValueError, library.PortAudioError):  # there is none
        return None
