"""From a page's content to files: one offline HTML page, every table as CSV, JSON, Markdown and LaTeX beside it, and
the BibTeX of what they rest on.

The page's only script is named in its Content Security Policy by its hash: whatever a name or a file smuggles in, the
browser runs nothing else and asks nobody for anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchError
from benchmark.files import read_json, write_atomic
from reports import exports
from reports.bibliography import Bibliography
from reports.table import Table

if TYPE_CHECKING:
    import jinja2

REFERENCES = "references.bib"
SUFFIXES = ("csv", "md", "tex", "json")
LIMIT = 15 * 2**20  # bytes of report.html


def write_page(
    folder: Path, template: str, content: Mapping[str, Any], tables: Sequence[Table], cited: Bibliography
) -> Path:
    """Write `folder/report.html` and `folder/tables/`, each file atomically; returns the path of the page. Exports of
    tables that an earlier page had and this one has not are removed.

    Raises BenchError when the page would pass 15 MB.
    """
    html = render(template, content).encode()
    if len(html) > LIMIT:
        raise BenchError(f"{folder}: the report would take {len(html) / 2**20:.1f} MB, more than {LIMIT // 2**20}")
    for table in tables:
        write_table(folder / "tables", table, cited)
    remove_stale(folder / "tables", {table.name for table in tables})
    write_atomic(folder / "tables" / REFERENCES, cited.bibtex().encode())
    path = folder / "report.html"
    write_atomic(path, html)
    return path


def render(template: str, content: Mapping[str, Any]) -> str:
    """The page as one HTML string; every value is escaped by the template engine."""
    return environment().get_template(template).render(content)


@cache
def environment() -> jinja2.Environment:
    """The templates; every value is escaped, and one that is missing is an error."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (resources.files("reports") / "templates" / "page.js").read_text(encoding="utf-8")
    made.globals |= {"script": script, "script_hash": source_hash(script)}
    return made


def source_hash(script: str) -> str:
    """The script as a Content Security Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def write_table(folder: Path, table: Table, cited: Bibliography) -> None:
    """`folder/<name>.csv`, `.md`, `.tex` and `.json`."""
    texts = (
        exports.to_csv(table),
        exports.to_markdown(table),
        exports.to_latex(table, cited.keys(table)),
        exports.to_json(table),
    )
    for suffix, text in zip(SUFFIXES, texts, strict=True):
        write_atomic(folder / f"{table.name}.{suffix}", text.encode())


def remove_stale(folder: Path, names: Collection[str]) -> None:
    """Remove the files of every table that is not in `names`, known by its JSON; what else lies there stays."""
    for path in folder.glob("*.json"):
        if path.stem not in names and _is_export(path):
            for suffix in SUFFIXES:  # the JSON last: a removal that is cut short can go on
                path.with_suffix(f".{suffix}").unlink(missing_ok=True)


def _is_export(path: Path) -> bool:
    try:
        tree = read_json(path)
    except BenchError:
        return False
    return isinstance(tree, dict) and tree.get("name") == path.stem and {"columns", "rows", "protocol"} <= set(tree)
