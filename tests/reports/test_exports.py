"""Golden Markdown, LaTeX, CSV and JSON of one hand-made table, and names that would break each of them."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import string
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexWalker

from reports.exports import to_csv, to_json, to_latex, to_markdown
from reports.table import Cell, Row, Table

TABLE = Table(
    name="table1-fid",
    title="Table 1. Photorealism",
    subtitle="FID; lower is better",
    columns=("ours", "paper", "N"),
    rows=(
        Row(
            "pix2pixSC w/o L_SC",
            "method",
            (
                Cell("31.30", 31.3012, 30.1, 32.5, "30.10 to 32.50", "better", best=True),
                Cell("31.26", 31.26),
                Cell("2500", 2500),
            ),
        ),
        Row("MUNIT", "absent", (Cell(reason="not in this run"), Cell("148.57", 148.57), Cell())),
        Row("Real | target", "reference", (Cell("−0.10", -0.1), Cell(), Cell("2500", 2500, detail="2 seeds"))),
    ),
    protocol="fid[inception,299]",
    notes=("95 % intervals.",),
)

MARKDOWN = r"""### Table 1. Photorealism

FID; lower is better

|  | ours | paper | N |
| --- | ---: | ---: | ---: |
| pix2pixSC w/o L\_SC | **31.30** \[30.10 to 32.50\] + | 31.26 | 2500 |
| MUNIT | (not in this run) | 148.57 |  |
| Real \| target | −0.10 |  | 2500 \[2 seeds\] |

- Protocol: fid\[inception,299\].
- 95 % intervals.
- + better, − worse, = not separable.
"""

LATEX = r"""% needs \usepackage{booktabs,graphicx}
% cite as \cite{heusel2017gans,holm1979simple}, from references.bib
\begin{table}
\centering
\caption{Table 1. Photorealism: FID; lower is better. Protocol: fid{[}inception,299{]}. 95 \% intervals. """ + (
    r"""+ better, $-$ worse, = not separable.}
\label{tab:table1-fid}
\sbox0{%
\begin{tabular}{lrrr}
\toprule
& ours & paper & N \\
\midrule
pix2pixSC w/o L\_SC & \textbf{31.30} {\scriptsize {[}30.10 to 32.50{]}} + & 31.26 & 2500 \\
MUNIT & (not in this run) & 148.57 &  \\
\midrule
Real $|$ target & $-$0.10 &  & 2500 {\scriptsize {[}2 seeds{]}} \\
\bottomrule
\end{tabular}}%
\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi
\end{table}
"""
)

CSV = """method,kind,ours,ours: low,ours: high,ours: mark,ours: missing because,paper,N
pix2pixSC w/o L_SC,method,31.3012,30.1,32.5,better,,31.26,2500
MUNIT,absent,,,,,not in this run,148.57,
Real | target,reference,-0.1,,,,,,2500
"""


def test_markdown_is_golden() -> None:
    assert to_markdown(TABLE) == MARKDOWN


def test_latex_is_golden() -> None:
    assert to_latex(TABLE, ("heusel2017gans", "holm1979simple")) == LATEX


def test_csv_is_golden() -> None:
    assert to_csv(TABLE) == CSV


def named(name: str) -> Table:
    return Table("t", name, name, (name,), (Row(name, "method", (Cell(reason=name),)),))


NAMES = st.text(string.printable + "é−×↓∞[]<>|\\{}$&#^_~%", min_size=1, max_size=30)


def parsed(text: str) -> list[Any]:
    """LaTeX as an independent parser reads it; it raises where braces or environments do not match."""
    nodes, _, _ = LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
    return [node for node in nodes if node is not None]


def inside(nodes: Sequence[Any], name: str) -> Any:
    """The first environment of this name, however deep."""
    for node in nodes:
        if isinstance(node, LatexEnvironmentNode) and node.environmentname == name:
            return node
        if found := inside(getattr(node, "nodelist", None) or [], name):
            return found
    return None


def words(nodes: Sequence[Any]) -> str:
    return LatexNodes2Text(keep_comments=False).nodelist_to_text(list(nodes))


@given(NAMES)
def test_a_latex_parser_reads_any_name_as_one_cell_and_as_it_was(name: str) -> None:
    tabular = inside(parsed(to_latex(named(name))), "tabular")
    rows = tabular.latex_verbatim().split("\\midrule\n")[1].split("\n\\bottomrule")[0].split("\n")
    assert len(rows) == 1 and rows[0].endswith(" \\\\")
    head, missing = re.split(r"(?<!\\)&", rows[0].removesuffix(" \\\\"))
    asked = "".join(name.split()).replace("''", "”").translate({ord('"'): "”", ord("−"): "-", ord("^"): "ˆ"})
    assert ["".join(words(parsed(cell)).split()) for cell in (head, missing)] == [asked, f"({asked})"]


@given(NAMES)
def test_markdown_of_any_name_keeps_its_columns_and_no_tags(name: str) -> None:
    row = to_markdown(named(name)).splitlines()[6]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3
    assert "<" not in row and ">" not in row


@given(NAMES)
def test_csv_reads_back(name: str) -> None:
    rows = list(csv.reader(io.StringIO(to_csv(named(name)), newline="")))
    line = " ".join(name.split())
    assert rows[1] == ([line, "method", "", line] if line else [line, "method", ""])


def test_json_has_every_number_unrounded_and_every_reason() -> None:
    tree = json.loads(to_json(TABLE))
    first, absent, reference = tree["rows"]
    assert tree["columns"] == ["ours", "paper", "N"] and tree["protocol"] == "fid[inception,299]"
    assert first["cells"][0] == {
        "text": "31.30", "value": 31.3012, "low": 30.1, "high": 32.5, "detail": "30.10 to 32.50", "mark": "better",
        "best": True,
    }  # fmt: skip
    assert absent["cells"][0] == {"missing": "not in this run"} and reference["kind"] == "reference"


def test_json_of_an_infinite_number_is_still_json() -> None:
    table = Table("t", "T", "", ("a",), (Row("m", "method", (Cell("∞", float("inf")),)),))

    def never(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(to_json(table), parse_constant=never)["rows"][0]["cells"][0]["value"] == "Infinity"


if LATEX_ENGINE := shutil.which(
    "pdflatex"
):  # CI has no LaTeX, which is ten times all else it installs: see the parser above

    def test_latex_compiles_whatever_the_names(tmp_path: Path) -> None:
        odd = [
            "*star",
            "[opt]",
            "a & b",
            "50 % #1 $x$ {y} \\z ~ ^ _",
            "é ß Ž “x” … —",
            "中文 😀 Ω",
            "--set",
            '`a\' "b"',
            "|<>|",
        ]
        wide = replace(TABLE, columns=TABLE.columns * 9, rows=tuple(replace(r, cells=r.cells * 9) for r in TABLE.rows))
        tables = [TABLE, wide, *map(named, odd)]
        body = "".join(to_latex(table, ("heusel2017gans",)) for table in tables)
        page = (
            r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}"
            + "\n"
            + body
            + r"\end{document}"
            + "\n"
        )
        (tmp_path / "a.tex").write_text(page, encoding="utf-8")
        command = [LATEX_ENGINE, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Overfull" not in done.stdout, "a wide table was not made to fit"
