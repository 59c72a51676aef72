"""The values of SSML's attributes: rates, volumes and times."""

import re
from collections.abc import Mapping

LONGEST_BREAK_MS = 10_000
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.3, "x-fast": 1.7}
_VOLUMES = {"silent": 0.0, "x-soft": 0.3, "soft": 0.6, "medium": 1.0, "default": 1.0, "loud": 1.4, "x-loud": 1.8}
_STRENGTHS_MS = {"none": 0, "x-weak": 60, "weak": 120, "medium": 250, "strong": 500, "x-strong": 1000}
# Speed and volume: our engines cannot raise the tone of a single word.
_EMPHASES = {"none": (1.0, 1.0), "reduced": (1.1, 0.8), "moderate": (0.9, 1.15), "strong": (0.8, 1.3)}
_RATE = re.compile(r"([+-]?)(\d{1,4}(?:\.\d{1,6})?)(%?)")
_DECIBELS = re.compile(r"([+-]?\d{1,3}(?:\.\d{1,6})?)dB")
_TIME = re.compile(r"\+?(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})(ms|s)")
_SPEEDS = (0.2, 5.0)
_LOUDEST = 4.0


def rate(value: str) -> float:
    """A factor: `slow`, `80%` of the usual, `-20%` less of it, `1.5` times as fast. ValueError says what is wrong."""
    factor = _RATES.get(value)
    match = _RATE.fullmatch(value)
    if factor is None and match:
        sign, number, percent = match.groups()
        amount = float(number) / (100 if percent else 1)
        factor = 1 + float(f"{sign}1") * amount if sign else amount
    if factor is None or not _SPEEDS[0] <= factor <= _SPEEDS[1]:
        raise ValueError(f"rate={value[:40]!r} is none of {', '.join(_RATES)}, nor a percentage from 20% to 500%")
    return factor


def volume(value: str) -> float:
    """A factor: `soft`, or `-6dB`. ValueError says what is wrong."""
    factor = _VOLUMES.get(value)
    match = _DECIBELS.fullmatch(value)
    if factor is None and match:
        factor = 10 ** (float(match[1]) / 20)
    if factor is None or factor > _LOUDEST:
        raise ValueError(f"volume={value[:40]!r} is none of {', '.join(_VOLUMES)}, nor decibels up to +12dB")
    return factor


def emphasis(level: str) -> tuple[float, float]:
    """The factors of speed and volume. ValueError says what is wrong."""
    if level not in _EMPHASES:
        raise ValueError(f"level={level[:40]!r} is none of {', '.join(_EMPHASES)}")
    return _EMPHASES[level]


def break_ms(attributes: Mapping[str, str]) -> int:
    """How long it is; its time goes before its strength. ValueError says what is wrong."""
    if "time" in attributes:
        match = _TIME.fullmatch(attributes["time"].strip())
        duration_ms = float(match[1]) * (1000 if match[2] == "s" else 1) if match else -1.0
        if not 0 <= duration_ms <= LONGEST_BREAK_MS:
            raise ValueError(f"time={attributes['time'][:40]!r} is no time from 0ms to 10s, such as 500ms or 1.5s")
        return round(duration_ms)
    strength = attributes.get("strength", "medium")
    if strength not in _STRENGTHS_MS:
        raise ValueError(f"strength={strength[:40]!r} is none of {', '.join(_STRENGTHS_MS)}")
    return _STRENGTHS_MS[strength]
