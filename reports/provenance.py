"""Where the numbers come from: everything the manifest says, and the command that repeats the run."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from benchmark.run.results import RunView
from reports.comparability import image_size

FIRST = ("id", "created", "task", "preset", "methods", "seeds", "git", "data", "device", "weights", "versions")
APART = ("config", "argv", "cautions", "code", "rows", "pictures")  # shown in their own places


@dataclass(frozen=True)
class Provenance:
    """`facts` are (name, value) pairs; `config` is the effective configuration as JSON."""

    facts: tuple[tuple[str, str], ...]
    command: str
    config: str


def provenance(view: RunView) -> Provenance:
    manifest = view.manifest
    order = [key for key in FIRST if key in manifest] + sorted(set(manifest) - set(FIRST) - set(APART))
    facts = [fact for key in order for fact in flatten(key, manifest[key]) if manifest[key] is not None]
    facts += alike("code", manifest.get("code", {}))
    facts += alike("package", {name: row["package"] for name, row in manifest.get("rows", {}).items()})
    facts += [fact for row in manifest.get("pictures", []) for fact in flatten(f"pictures · {row['name']}", row)]
    config = json.dumps(manifest.get("config", {}), indent=2, sort_keys=True, ensure_ascii=False)
    return Provenance(tuple(facts), command(manifest.get("argv", [])), config)


def alike(what: str, of_rows: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A fact for each value, with the rows that share it."""
    rows: dict[str, list[str]] = {}
    for name, value in of_rows.items():
        rows.setdefault(str(value or "none"), []).append(name)
    return [(what, f"{value}: {', '.join(names)}") for value, names in rows.items()]


def command(argv: list[Any]) -> str:
    """The command line as a shell takes it; the program by its name, not where it happened to be installed."""
    words = [str(word) for word in argv]
    return shlex.join([PurePath(words[0]).name, *words[1:]]) if words else ""


def summary(view: RunView) -> str:
    """One sentence: what was run, on what, with which seeds."""
    results, data = view.results, view.manifest.get("data", {})
    kinds = Counter(method.kind for method in results.methods)
    counted = [_count(kinds["method"], "method")] if kinds["method"] or not kinds["pictures"] else []
    counted += [_count(kinds["pictures"], "set") + " of pictures"] if kinds["pictures"] else []
    counted += [_count(kinds["reference"], "reference")] if kinds["reference"] else []
    size = f" at {side} px" if (side := image_size(view)) else ""
    seeds = f"{_count(len(results.seeds), 'seed')} ({', '.join(map(str, results.seeds))})"
    trained = f"trained with preset {results.preset} and {seeds}" if kinds["method"] else f"preset {results.preset}"
    source = f" from {data['name']}" if data.get("name") else ""
    return (
        f"{_listed(counted)} of the {results.task} task, "
        f"{trained}, "
        f"scored on {_count(results.items, 'test item')}{source}{size}."
    )


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def flatten(name: str, value: Any) -> list[tuple[str, str]]:
    """(path, value) of every leaf: ("config · train · steps", "800")."""
    if isinstance(value, Mapping):
        return [fact for key, inner in value.items() for fact in flatten(f"{name} · {key}", inner)]
    if isinstance(value, list | tuple):
        return [(name, ", ".join(json.dumps(v, sort_keys=True) if isinstance(v, Mapping) else str(v) for v in value))]
    if value is None:
        return [(name, "not recorded")]
    return [(name, ("yes" if value else "no") if isinstance(value, bool) else str(value))]
