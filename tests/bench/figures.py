"""Percentiles, and tables of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

Rows = list[dict[str, Any]]


def percentile(values: Sequence[float], share: float) -> float:
    """Of milliseconds, mostly; NaN where there are none."""
    return round(float(np.percentile(values, share)), 1) if values else float("nan")


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, P95 and the highest."""
    return {"p50": percentile(values, 50), "p95": percentile(values, 95), "max": percentile(values, 100)}


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """A table on the terminal."""
    table = Table(title=title, title_justify="left")
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        table.add_column(name, justify="left" if rows and isinstance(rows[0].get(name), str) else "right")
    for row in rows:
        table.add_row(*(_cell(row.get(name, "")) for name in names))
    Console(width=160).print(table)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return " / ".join(_cell(part) for part in value.values())
    return f"{value:g}" if isinstance(value, float) else str(value)
