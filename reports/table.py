"""A table as plain data: built once, then shown as HTML and written as CSV, Markdown and LaTeX (see `exports`).

Numbers are rounded here and nowhere else: every column keeps one number of decimals, so that digits align.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Cell:
    """One cell. Either `text` is shown, or `reason` says why there is nothing to show."""

    text: str = ""
    value: float | None = None  # unrounded, for CSV
    low: float | None = None
    high: float | None = None
    detail: str = ""  # in small type beneath: the interval, "0.112 to 0.131", or "2 seeds"
    mark: str = ""  # "better" | "worse" | "not separable" ("" = no test)
    best: bool = False  # best of the ranked methods and separable from every other
    reason: str = ""


@dataclass(frozen=True)
class Strip:
    """A value and its interval as positions in 0..100 on the table's own scale; `off` names the side it lies beyond."""

    value: float
    low: float
    high: float
    off: str = ""  # "" | "below" | "above"


@dataclass(frozen=True)
class Row:
    """A line. `kind`: "method", "pictures" (made elsewhere), "reference" (set apart, never ranked) or "absent" (in the
    paper, not in this run).
    """

    head: str
    kind: str
    cells: tuple[Cell, ...]
    unfinished: str = ""  # why its training is shorter than planned
    note: str = ""  # where the row comes from, e.g. "evaluated from pictures"
    strip: Strip | None = None

    @property
    def remark(self) -> str:
        """Both in words, for exports that have one line for them."""
        cut = f"training cut short: {self.unfinished}" if self.unfinished else ""
        return "; ".join(part for part in (cut, self.note) if part)


@dataclass(frozen=True)
class Table:
    """What is shown under one heading."""

    name: str  # file name of the exports
    title: str
    subtitle: str
    columns: tuple[str, ...]  # heads of `Row.cells`
    rows: tuple[Row, ...]
    protocol: str = ""  # metric id(s) behind the numbers
    notes: tuple[str, ...] = ()
    numeric: bool = True
    banner: str = ""  # what must be read before any number

    @property
    def has_strips(self) -> bool:
        return any(row.strip for row in self.rows)

    def groups(self) -> list[tuple[Row, ...]]:
        """Ranked and absent rows first, references apart."""
        parts = (
            tuple(row for row in self.rows if row.kind != "reference"),
            tuple(row for row in self.rows if row.kind == "reference"),
        )
        return [part for part in parts if part]


def decimals_for(values: Iterable[float], at_least: int = 0) -> int:
    """Decimals that show three significant digits of a typical value (0 to 6)."""
    sizes = sorted(abs(v) for v in values if math.isfinite(v) and v)
    if not sizes:
        return max(at_least, 2)
    return min(6, max(at_least, 2 - math.floor(math.log10(sizes[len(sizes) // 2])), 0))


def number(value: float, decimals: int, signed: bool = False) -> str:
    """Fixed-point with a true minus sign; infinities (PSNR of equal images) and NaN by name."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    value = round(value, decimals) or 0.0  # no "-0.00"
    return f"{value:{'+' if signed else ''}.{decimals}f}".replace("-", MINUS)


def interval(low: float | None, high: float | None, decimals: int) -> str:
    """A range such as "0.11 to 0.13", or nothing where there is no interval."""
    return "" if low is None or high is None else f"{number(low, decimals)} to {number(high, decimals)}"


def p_value(p: float) -> str:
    """As "p = 0.012"; below a thousandth only the bound, since the resamples carry no more digits."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def with_strips(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Place the first column of all rows on one scale.

    The methods set the scale; a reference beyond it is only pointed at, as it would press everything else together.
    """
    methods = [row.cells[0] for row in rows if row.kind != "reference"]
    ends = [end for c in methods for end in (c.value, c.low, c.high) if end is not None and math.isfinite(end)]
    if len(ends) < 2 or min(ends) == max(ends):
        return rows
    bottom, span = min(ends), max(ends) - min(ends)

    def place(x: float) -> float:
        return round(min(98.0, max(2.0, 4 + 92 * (x - bottom) / span)), 2)

    def strip(cell: Cell) -> Strip | None:
        if cell.value is None or not math.isfinite(cell.value):
            return None
        low, high = (cell.value if end is None else end for end in (cell.low, cell.high))
        off = "below" if cell.value < bottom else "above" if cell.value > bottom + span else ""
        return Strip(place(cell.value), place(low), place(high), off)

    return tuple(replace(row, strip=strip(row.cells[0])) for row in rows)
