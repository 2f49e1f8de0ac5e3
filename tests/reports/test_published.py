"""The printed numbers against the papers' own text, where that lies beside the checkout (or at BENCH_PAPERS)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reports.published import Paper, PublishedTable, load_paper

PAPERS = Path(os.environ.get("BENCH_PAPERS", Path(__file__).resolve().parents[3] / "shared" / "spec" / "papers"))


def paper_text(key: str) -> str:
    path = PAPERS / f"{key}.txt"
    if not path.exists():
        pytest.skip(f"no licensed paper text at {path}; set BENCH_PAPERS")
    return path.read_text(encoding="utf-8")


def table(key: str, number: int) -> PublishedTable:
    return next(t for t in load_paper(key).tables if t.number == number)


def printed(t: PublishedTable) -> list[list[str]]:
    """Every number as the table prints it, row by row."""
    return [[f"{v:.{d}f}" for v, d in zip(row.values, t.decimals, strict=True)] for row in t.rows]


@pytest.mark.parametrize("key", ["pix2pixsc", "pix2pixhd"])
def test_tables_are_whole(key: str) -> None:
    paper: Paper = load_paper(key)
    assert [t.number for t in paper.tables] == list(range(1, len(paper.tables) + 1))
    for t in paper.tables:
        assert t.better in ("lower", "higher") and t.by in ("task", "rival", "score")
        assert len(t.decimals) == len(t.columns)
        assert all(len(row.values) == len(t.columns) for row in t.rows)
        assert len({row.method for row in t.rows}) == len(t.rows)


@pytest.mark.parametrize("number", [1, 2, 6])
def test_pix2pixsc_rows_stand_in_the_text(number: int) -> None:
    lines = {" ".join(line.split()) for line in paper_text("pix2pixsc").splitlines()}
    t = table("pix2pixsc", number)
    for row, numbers in zip(t.rows, printed(t), strict=True):
        name = "Ours" if row.method == "pix2pixsc" else row.name
        assert " ".join([name, *numbers]) in lines


def test_pix2pixsc_preference_and_ablations_stand_in_the_text() -> None:
    text = " ".join(paper_text("pix2pixsc").split())
    assert "Ours " + " ".join(f"{n}%" for n in printed(table("pix2pixsc", 3))[0]) in text
    for row, numbers in zip(table("pix2pixsc", 4).rows, printed(table("pix2pixsc", 4)), strict=True):
        name = "Ours" if row.method == "pix2pixsc" else f"Ours {row.name}".replace("L_SC", "LSC")
        assert f"{name} {numbers[0]}" in text
    head, numbers = re.search(r"(Ours Ours w/o[^:]*?) VGG Dist\. ((?:0\.\d+ ){4})", text).groups()
    assert head == "Ours Ours w/o adapt. weights w/o LSC w/o LSCAdv"  # the order in which the numbers follow
    assert numbers.split() == [n for row in printed(table("pix2pixsc", 5)) for n in row]


# The text of this paper lists a table's cells above its caption, column by column or row by row as the layout fell.
LAYOUT = {1: "rows", 2: "columns", 3: "rows", 4: "columns", 5: "rows"}
ANCHOR = {2: "Pairwise comparison results", 4: "U-Net [21, 43]"}


@pytest.mark.parametrize("number", LAYOUT)
def test_pix2pixhd_cells_stand_in_the_text(number: int) -> None:
    text, t = paper_text("pix2pixhd"), table("pix2pixhd", number)
    rows = printed(t)
    cells = [n for row in (rows if LAYOUT[number] == "rows" else zip(*rows, strict=True)) for n in row]
    numbers = re.findall(r"(?<![\w.,])\d+\.\d+(?=%|\s)", text)
    runs = [numbers[i : i + len(cells)] for i in range(len(numbers) - len(cells) + 1)]
    assert cells in runs
