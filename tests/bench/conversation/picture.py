"""The figures as a picture: the median turn as a waterfall, and how voice to voice is distributed. Plain SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

import numpy as np

from tests.bench.figures import percentile

_WIDTH, _LEFT, _RIGHT = 860, 190, 30
_PLOT = _WIDTH - _LEFT - _RIGHT
_ROW, _BAR = 26, 16
_HISTOGRAM_HEIGHT, _BINS = 160, 40
_STYLE = """
    .ground { fill: #fff; } text { fill: #1a2538; } .note { font-size: 12.5px; fill: #4a5568; }
    .tick { text-anchor: middle; } .before { text-anchor: end; transform: translateX(-8px); }
    .bar { fill: #6f93c9; } .last { fill: #34507a; } .grid { stroke: #cfd7e3; } .mark { stroke: #c2410c; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #141a24; } text { fill: #e6ebf3; } .note { fill: #aab6c8; }
      .bar { fill: #5a80bb; } .last { fill: #a9c4ee; } .grid { stroke: #354155; } .mark { stroke: #fb923c; }
    }
"""


@dataclass(frozen=True)
class Bar:
    """A stage of a turn, in milliseconds since the end of the question."""

    name: str
    from_ms: float
    to_ms: float


def picture(bars: Sequence[Bar], latencies_ms: Sequence[float], title: str) -> str:
    """An SVG document. `bars`: those of the median turn; `latencies_ms`: voice to voice of all turns."""
    top = 60
    histogram_top = top + len(bars) * _ROW + 110
    height = histogram_top + _HISTOGRAM_HEIGHT + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, sans-serif" '
        f'font-size="15" role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}"/>',
        _text(18, 30, title),
        *_waterfall(bars, top),
        *_histogram(latencies_ms, histogram_top),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _waterfall(bars: Sequence[Bar], top: int) -> list[str]:
    end_ms = max([bar.to_ms for bar in bars], default=1.0)
    parts = _grid(0.0, end_ms, top, len(bars) * _ROW)
    for row, bar in enumerate(bars):
        y = top + row * _ROW
        kind = "last" if row == len(bars) - 1 else "bar"
        begin, width = _x(bar.from_ms, 0.0, end_ms), max(1.5, (bar.to_ms - bar.from_ms) / end_ms * _PLOT)
        parts += [
            _text(18, y + 15, bar.name, "note"),
            f'<rect class="{kind}" x="{begin:.1f}" y="{y + 3}" width="{width:.1f}" height="{_BAR}" rx="2">'
            f"<title>{escape(bar.name)}: {bar.from_ms:.0f} to {bar.to_ms:.0f} ms</title></rect>",
        ]
    return parts


def _histogram(latencies_ms: Sequence[float], top: int) -> list[str]:
    if not latencies_ms:
        return [_text(18, top + 20, "No turn was answered.", "note")]
    low, high = min(latencies_ms), max(latencies_ms)
    low, high = low - 1, max(high, low + 10) + 1
    counts, edges = np.histogram(latencies_ms, bins=_BINS, range=(low, high))
    parts = [_text(18, top - 46, f"Voice to voice of {len(latencies_ms)} turns")]
    parts += _grid(low, high, top, _HISTOGRAM_HEIGHT)
    for number, (left, right) in zip(counts, pairwise(edges), strict=True):
        tall = number / counts.max() * _HISTOGRAM_HEIGHT
        begin, end = _x(left, low, high), _x(right, low, high)
        if number:
            parts.append(
                f'<rect class="bar" x="{begin:.1f}" y="{top + _HISTOGRAM_HEIGHT - tall:.1f}" '
                f'width="{end - begin - 1:.1f}" height="{tall:.1f}"><title>{number} turns</title></rect>'
            )
    for share in (50, 95):
        value = percentile(latencies_ms, share)
        x, label = _x(value, low, high), top - (24 if share == 50 else 8)
        parts.append(f'<path class="mark" d="M{x:.1f} {label - 10}V{top + _HISTOGRAM_HEIGHT}"/>')
        parts.append(_text(x + 4, label, f"P{share} {value:.0f} ms", "note" if x < _WIDTH - 100 else "note before"))
    return parts


def _grid(low_ms: float, high_ms: float, top: int, height: int) -> list[str]:
    """Lines at round milliseconds, and what they are."""
    step = _step(high_ms - low_ms)
    parts = []
    for value in np.arange(np.ceil(low_ms / step) * step, high_ms + 1e-6, step):
        x = _x(float(value), low_ms, high_ms)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{top + height}"/>')
        parts.append(_text(x, top + height + 18, f"{value:.0f}", "note tick"))
    parts.append(_text(18, top + height + 18, "milliseconds", "note"))
    return parts


def _step(span_ms: float) -> float:
    """Such that there are about eight."""
    return next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if span_ms / step <= 10), span_ms / 8)


def _x(value_ms: float, low_ms: float, high_ms: float) -> float:
    return _LEFT + (value_ms - low_ms) / (high_ms - low_ms) * _PLOT


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x:.1f}" y="{y}">{escape(text)}</text>'
