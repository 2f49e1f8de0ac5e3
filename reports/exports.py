"""A `Table` as CSV and JSON (unrounded), Markdown and LaTeX (booktabs), for spreadsheets, programs and papers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

from benchmark.run.results import strict
from reports.table import Cell, Row, Table

LATEX = {
    "\\": r"\textbackslash{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "[": "{[}",  # a bare one at the start of a row would be read as the option of the row break before it
    "]": "{]}",
    "*": "{*}",  # so would a star
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": "$|$",
    '"': "''",
    "`": r"\textasciigrave{}",
    "\N{MINUS SIGN}": "$-$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "→": r"$\rightarrow$",
    "∞": r"$\infty$",
    "≈": r"$\approx$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "<": "$<$",
    ">": "$>$",
}
TYPED = re.compile(
    "[ -~\N{NO-BREAK SPACE}-\N{LATIN SMALL LETTER Z WITH CARON}‘’“”–—…]"
)  # what every LaTeX knows as it is
FIT = r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
MARKS = {"better": "+", "worse": "−", "not separable": "="}
MARK_KEY = "+ better, − worse, = not separable."


def to_json(table: Table) -> str:
    """The whole table; a number that is not finite is a string, as in results.json."""
    tree = {
        **{name: getattr(table, name) for name in ("name", "title", "subtitle", "banner", "protocol")},
        "columns": table.columns,
        "notes": table.notes,
        "rows": [
            {"method": row.head, "kind": row.kind, "remark": row.remark, "cells": [_cell(cell) for cell in row.cells]}
            for row in _ordered(table)
        ],
    }
    return json.dumps(strict(tree), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _cell(cell: Cell) -> dict[str, object]:
    """What the cell has; one without text says why in "missing"."""
    if not cell.text:
        return {"missing": cell.reason}
    numbers = {name: number for name in ("value", "low", "high") if (number := getattr(cell, name)) is not None}
    more = {"detail": cell.detail, "mark": cell.mark, "best": cell.best}
    return {"text": cell.text, **numbers, **{name: value for name, value in more.items() if value}}


def to_csv(table: Table) -> str:
    """One line per row; a column whose numbers have intervals, marks or reasons gets columns for them."""
    extras = [
        [(name, get) for name, get in EXTRAS if any(get(row.cells[i]) not in ("", None) for row in table.rows)]
        for i in range(len(table.columns))
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ["method", "kind"]
    for column, parts in zip(table.columns, extras, strict=True):
        head += [_one_line(column), *(_one_line(f"{column}: {name}") for name, _ in parts)]
    writer.writerow(head)
    for row in table.rows:
        line: list[object] = [_one_line(row.head), row.kind]
        for cell, parts in zip(row.cells, extras, strict=True):
            line += [cell.text if cell.value is None else cell.value, *(get(cell) for _, get in parts)]
        writer.writerow(line)
    return out.getvalue()


def _one_line(text: str) -> str:
    """Line breaks inside a name would break the row in each of the three formats."""
    return " ".join(text.split())


EXTRAS = (
    ("low", lambda cell: cell.low),
    ("high", lambda cell: cell.high),
    ("mark", lambda cell: cell.mark),
    ("missing because", lambda cell: _one_line(cell.reason)),
)


def to_markdown(table: Table) -> str:
    """A GitHub table under a heading, with protocol and notes below."""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    rows = [line([_md(row.head), *(_md_cell(cell) for cell in row.cells)]) for row in _ordered(table)]
    align = "---:" if table.numeric else "---"
    head = [line(["", *map(_md, table.columns)]), line(["---", *[align] * len(table.columns)])]
    below = ["- " + _md(note) for note in _remarks(table)]
    return "\n".join([f"### {_md(table.title)}", "", _md(table.subtitle), "", *head, *rows, "", *below]).rstrip() + "\n"


def to_latex(table: Table, cites: Sequence[str] = ()) -> str:
    """A `table` environment that compiles as it is, given `\\usepackage{booktabs,graphicx}`; references below a
    rule. One that is wider than the text is made smaller.

    `cites`: keys of references.bib, for a comment.
    """
    align = "l" + ("r" if table.numeric else "l") * len(table.columns)
    body: list[str] = []
    for group in table.groups():
        if body:
            body.append(r"\midrule")
        body += [" & ".join([_tex(row.head), *map(_tex_cell, row.cells)]) + r" \\" for row in group]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,graphicx}",
            *([rf"% cite as \cite{{{','.join(cites)}}}, from references.bib"] if cites else []),
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_tex(f'{table.title}: {table.subtitle}. ' + ' '.join(_remarks(table)))}}}",
            rf"\label{{tab:{table.name}}}",
            r"\sbox0{%",
            rf"\begin{{tabular}}{{{align}}}",
            r"\toprule",
            " & ".join(["", *map(_tex, table.columns)]).strip() + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}%",
            FIT,
            r"\end{table}",
            "",
        ]
    )


def _ordered(table: Table) -> list[Row]:
    return [row for group in table.groups() for row in group]


def _remarks(table: Table) -> list[str]:
    marked = any(cell.mark for row in table.rows for cell in row.cells)
    protocol = [f"Protocol: {table.protocol}."] if table.protocol else []
    rows = [f"{row.head}: {row.remark}." for row in table.rows if row.remark]
    return [*([table.banner] if table.banner else []), *protocol, *rows, *table.notes, *([MARK_KEY] if marked else [])]


def _plain(cell: Cell) -> str:
    if cell.reason:
        return f"({cell.reason})"
    mark = f" {MARKS[cell.mark]}" if cell.mark else ""
    return cell.text + (f" [{cell.detail}]" if cell.detail else "") + mark


def _md(text: str) -> str:
    """Escape what Markdown or the HTML inside it would act on."""
    text = _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + c if c in "\\|*_`[]" else c for c in text)


def _md_cell(cell: Cell) -> str:
    shown = _md(_plain(cell))
    return f"**{_md(cell.text)}**{shown.removeprefix(_md(cell.text))}" if cell.best else shown


def _tex(text: str) -> str:
    return re.sub("-(?=-)", "-{}", "".join(map(_tex_character, _one_line(text))))  # two would become a dash


def _tex_character(character: str) -> str:
    """A character that not every LaTeX knows goes in by its number, since one that is unknown stops it."""
    if character in LATEX:
        return LATEX[character]
    return character if TYPED.match(character) else f"{{[}}U+{ord(character):04X}{{]}}"


def _tex_cell(cell: Cell) -> str:
    """As `_plain`, the value in bold where it is the best, the interval in small type."""
    if cell.reason:
        return _tex(f"({cell.reason})")
    value = rf"\textbf{{{_tex(cell.text)}}}" if cell.best else _tex(cell.text)
    detail = rf" {{\scriptsize {_tex(f'[{cell.detail}]')}}}" if cell.detail else ""
    return value + detail + (f" {_tex(MARKS[cell.mark])}" if cell.mark else "")
