"""The papers' own numbers, from `published/*.toml`.

tables = load_paper("pix2pixsc").tables
tables[0].column("face")          # {"pix2pixhd": 39.86, ...}
"""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True)
class PublishedRow:
    """One line of a printed table. `method` is the registry name under which this suite has, or would have, it."""

    name: str
    method: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Protocol:
    """What a number of ours must share with the printed one before the two may be subtracted."""

    id: str  # how the metric id has to start; from the bracket on where the table has several scores
    size: int  # image side in pixels
    items: int
    by_task: Mapping[str, str] = field(default_factory=dict)  # where another id than `id` is asked of a task
    open: str = ""  # what the paper leaves unsaid; where it says something here, no number is ever comparable


@dataclass(frozen=True)
class Survey:
    """How people were asked, where a table counts votes. None of the tables says that time was limited."""

    question: str
    raters: int  # for every pair, at least
    open: str  # what the paper leaves unsaid


@dataclass(frozen=True)
class PublishedTable:
    """A table as printed. With `by == "task"` the columns are tasks; otherwise `task` says what the table is about.
    With `by == "rival"` the columns are methods, `methods` their registry names, and the numbers votes against them.
    """

    number: int
    name: str
    title: str
    measure: str
    better: str
    by: str
    columns: tuple[str, ...]
    decimals: tuple[int, ...]
    rows: tuple[PublishedRow, ...]
    families: tuple[str, ...] = ()
    task: str = ""
    protocol: Protocol | None = None
    methods: tuple[str, ...] = ()
    survey: Survey | None = None

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks this table has numbers for."""
        return self.columns if self.by == "task" else (self.task,)

    def column(self, head: str) -> dict[str, float]:
        """{method: number} of one column."""
        at = self.columns.index(head)
        return {row.method: row.values[at] for row in self.rows}


@dataclass(frozen=True)
class Paper:
    """A paper and its tables, by number."""

    key: str
    title: str
    authors: str
    venue: str
    tables: tuple[PublishedTable, ...] = field(default=())


@cache
def load_paper(key: str) -> Paper:
    """Read `published/<key>.toml`; `key` is "pix2pixsc" or "pix2pixhd"."""
    tree = tomllib.loads(
        (importlib.resources.files("reports") / "published" / f"{key}.toml").read_text(encoding="utf-8")
    )
    tables = tuple(_table(entry) for entry in tree.pop("tables"))
    return Paper(**tree, tables=tables)


def _table(entry: dict[str, Any]) -> PublishedTable:
    rows = tuple(PublishedRow(row["name"], row["method"], tuple(row["values"])) for row in entry.pop("rows"))
    protocol = Protocol(**entry.pop("protocol")) if "protocol" in entry else None
    survey = Survey(**entry.pop("survey")) if "survey" in entry else None
    lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return PublishedTable(**{**entry, **lists}, rows=rows, protocol=protocol, survey=survey)
