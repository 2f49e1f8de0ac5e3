"""From a page's content to files: one offline HTML page, and every table as CSV, Markdown and LaTeX beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.errors import BenchError
from benchmark.files import write_atomic
from reports import exports
from reports.table import Table

LIMIT = 15 * 2**20  # bytes of report.html


def write_page(folder: Path, template: str, content: Mapping[str, Any], tables: Sequence[Table]) -> Path:
    """Write `folder/report.html` and `folder/tables/`, each file atomically; returns the path of the page.

    Raises BenchError when the page would pass 15 MB.
    """
    html = render(template, content).encode()
    if len(html) > LIMIT:
        raise BenchError(f"{folder}: the report would take {len(html) / 2**20:.1f} MB, more than {LIMIT // 2**20}")
    for table in tables:
        write_table(folder / "tables", table)
    path = folder / "report.html"
    write_atomic(path, html)
    return path


def render(template: str, content: Mapping[str, Any]) -> str:
    """The page as one HTML string; every value is escaped by the template engine."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)


def write_table(folder: Path, table: Table) -> None:
    """`folder/<name>.csv`, `.md` and `.tex`."""
    for suffix, write in (("csv", exports.to_csv), ("md", exports.to_markdown), ("tex", exports.to_latex)):
        write_atomic(folder / f"{table.name}.{suffix}", write(table).encode())
