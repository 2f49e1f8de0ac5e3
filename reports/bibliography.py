"""BibTeX of what a run rests on: its methods, metrics, networks, detectors, data and tests.

cited = Bibliography.of([view])
cited.bibtex()          # the content of tables/references.bib
cited.keys(table)       # what one table rests on, for a comment in its LaTeX

Entries stand in `published/references.toml`, each with the names that call for it.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from benchmark.run.results import RunView
from reports.table import Table

BEFORE_BRACKET = re.compile(r"([\w-]+)\[")  # "lepe" of "lepe[dlib-68,256px]", wherever it stands


@dataclass(frozen=True)
class Entry:
    """One reference. `called_by` as described in references.toml."""

    key: str
    kind: str
    fields: Mapping[str, str]
    called_by: tuple[str, ...]

    def bibtex(self) -> str:
        body = ",\n".join(f"  {name} = {{{_bib(value, name)}}}" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{body}\n}}\n"


@dataclass(frozen=True)
class Bibliography:
    """The entries of some runs. `titles`: {title on the page: method name}."""

    entries: tuple[Entry, ...]
    titles: Mapping[str, str]

    @classmethod
    def of(cls, views: Sequence[RunView]) -> Bibliography:
        """Everything that the runs rest on, in the order of references.toml."""
        calls = {call for view in views for call in _calls(view)}
        titles = {method.title: method.name for view in views for method in view.results.methods}
        return cls(tuple(entry for entry in entries() if _called(entry, calls)), titles)

    def bibtex(self) -> str:
        return "\n".join(entry.bibtex() for entry in self.entries)

    def keys(self, table: Table) -> tuple[str, ...]:
        """Of the methods in its rows, the metrics in its protocol, and the test behind its marks."""
        calls = {"always", *_metric_calls(table.protocol)}
        calls |= {f"method:{self.titles.get(row.head, row.head.lower())}" for row in table.rows}
        calls |= {"test:holm"} if any(cell.mark for row in table.rows for cell in row.cells) else set()
        return tuple(entry.key for entry in self.entries if _called(entry, calls))


@cache
def entries() -> tuple[Entry, ...]:
    """All of references.toml."""
    file = importlib.resources.files("reports") / "published" / "references.toml"
    return tuple(_entry(key, dict(tree)) for key, tree in tomllib.loads(file.read_text(encoding="utf-8")).items())


def _entry(key: str, tree: dict[str, object]) -> Entry:
    called_by, kind = tree.pop("for"), tree.pop("type")
    assert isinstance(called_by, list)
    return Entry(key, str(kind), {name: str(value) for name, value in tree.items()}, tuple(map(str, called_by)))


def _calls(view: RunView) -> set[str]:
    """What a run asks references for: "method:munit", "metric:fid", "uses:<text in which names are looked for>"."""
    results, config = view.results, view.manifest.get("config", {})
    calls = {"always", f"task:{results.task}", f"data:{view.manifest.get('data', {}).get('name', '')}"}
    calls |= {f"method:{method.name}" for method in results.methods}
    for metric in results.metrics:
        calls |= _metric_calls(metric.id)
    chosen = [config.get("loss", {}).get("features"), *config.get("eval", {}).values()]
    calls |= {f"uses:{word}" for word in chosen if isinstance(word, str) and word}
    calls |= {"metric:preference"} if view.preferences else set()
    calls |= {"test:holm"} if results.differences or view.preferences else set()
    calls |= {"test:pigeonhole"} if len(results.seeds) > 1 else set()
    calls |= {"test:bradley-terry"} if any(study.strengths for study in view.preferences) else set()
    return calls


def _metric_calls(text: str) -> set[str]:
    return {f"metric:{family}" for family in BEFORE_BRACKET.findall(text)} | ({f"uses:{text}"} if text else set())


def _called(entry: Entry, calls: set[str]) -> bool:
    return any(_answers(wanted, call) for wanted in entry.called_by for call in calls)


def _answers(wanted: str, call: str) -> bool:
    kind, _, name = wanted.partition(":")
    if kind == "uses":
        return call.startswith("uses:") and name in call.removeprefix("uses:")
    return call == wanted or (kind == "method" and call.startswith(wanted + "-"))


def _bib(value: str, field: str) -> str:
    """Titles keep their capitals: styles that lower them would write "gans" and "fid"."""
    escaped = re.sub(r"(?<!\\)([&%#_])", r"\\\1", value)
    return f"{{{escaped}}}" if field == "title" else escaped
