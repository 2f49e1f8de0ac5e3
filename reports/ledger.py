"""The claims that the papers make from their tables, from `published/claims-*.toml`, and whether the tables bear them.

ledger = load_ledger("pix2pixsc")
[claim for claim in ledger if not claim.holds_in_print]      # where a text disagrees with its own table
"""

from __future__ import annotations

import importlib.resources
import tomllib
from dataclasses import dataclass
from functools import cache

from reports.compare import is_ahead
from reports.published import Paper, PublishedTable, load_paper

PAPERS = ("pix2pixsc", "pix2pixhd")
KINDS = ("stated", "printed", "loose")


@dataclass(frozen=True)
class Claim:
    """`ahead` is better than `behind` (methods by registry name) in one printed column.

    kind: "stated" by the text, "printed" by the table only, or "loose": a reading of the text at its word, compared
    with the table and never judged on a run.
    """

    id: str
    paper: Paper
    table: PublishedTable
    column: str
    ahead: str
    behind: str
    says: str
    where: str
    kind: str

    @property
    def task(self) -> str:
        """The task it speaks of."""
        return self.column if self.table.by == "task" else self.table.task

    @property
    def is_judged(self) -> bool:
        return self.kind != "loose"

    @property
    def printed(self) -> tuple[float, float]:
        """The paper's numbers of both; where votes were counted, the rival has those that the method did not get."""
        numbers = self.table.column(self.column)
        ours = numbers[self.ahead]
        return ours, numbers[self.behind] if self.behind in numbers else 100 - ours

    @property
    def holds_in_print(self) -> bool:
        """Whether the printed numbers stand in the claimed order."""
        return is_ahead(self.table.better, *self.printed)

    @property
    def decimals(self) -> int:
        return self.table.decimals[self.table.columns.index(self.column)]

    def title(self, method: str) -> str:
        """What the paper's table calls a method; a rival in a table of votes is called as its column."""
        rows = {row.method: row.name.removesuffix(" (ours)") for row in self.table.rows}
        return rows.get(method, self.column)


@cache
def load_ledger(key: str) -> tuple[Claim, ...]:
    """Read `published/claims-<key>.toml`; `key` is "pix2pixsc" or "pix2pixhd"."""
    paper = load_paper(key)
    tables = {table.number: table for table in paper.tables}
    path = importlib.resources.files("reports") / "published" / f"claims-{key}.toml"
    statements = tomllib.loads(path.read_text(encoding="utf-8"))["statements"]
    return tuple(
        Claim(
            paper=paper,
            table=tables[statement["table"]],
            says=statement["says"],
            where=statement["where"],
            kind=statement["kind"],
            **line,
        )
        for statement in statements
        for line in statement["claims"]
    )


def whole_ledger() -> tuple[Claim, ...]:
    """The claims of all papers."""
    return tuple(claim for key in PAPERS for claim in load_ledger(key))
