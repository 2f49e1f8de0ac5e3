"""Golden Markdown, LaTeX and CSV of one hand-made table, and names that would break each of them."""

from __future__ import annotations

import csv
import io
import re
import string

from hypothesis import given
from hypothesis import strategies as st

from reports.exports import to_csv, to_latex, to_markdown
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

LATEX = r"""% needs \usepackage{booktabs}
\begin{table}
\centering
\caption{Table 1. Photorealism: FID; lower is better. Protocol: fid{[}inception,299{]}. 95 \% intervals. """ + (
    r"""+ better, $-$ worse, = not separable.}
\label{tab:table1-fid}
\begin{tabular}{lrrr}
\toprule
& ours & paper & N \\
\midrule
pix2pixSC w/o L\_SC & \textbf{31.30} {[}30.10 to 32.50{]} + & 31.26 & 2500 \\
MUNIT & (not in this run) & 148.57 &  \\
\midrule
Real | target & $-$0.10 &  & 2500 {[}2 seeds{]} \\
\bottomrule
\end{tabular}
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
    assert to_latex(TABLE) == LATEX


def test_csv_is_golden() -> None:
    assert to_csv(TABLE) == CSV


def named(name: str) -> Table:
    return Table("t", name, name, (name,), (Row(name, "method", (Cell(reason=name),)),))


NAMES = st.text(string.printable + "é−×↓∞[]<>|\\{}$&#^_~%", min_size=1, max_size=30)


@given(NAMES)
def test_latex_of_any_name_keeps_its_structure(name: str) -> None:
    text = to_latex(named(name))
    rows = text.split("\\midrule\n")[1].split("\n\\bottomrule")[0].split("\n")
    assert len(rows) == 1 and rows[0].endswith(" \\\\")
    assert len(re.findall(r"(?<!\\)&", rows[0])) == 1
    bare = re.sub(r"\\.", "", text.split("\n", 1)[1])  # without escapes, and without the comment line
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[#%^_~]", bare.replace("tab:t", ""))
    assert bare.count("$") % 2 == 0


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
