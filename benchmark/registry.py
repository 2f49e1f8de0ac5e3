"""Names to code, lazily, through one door: entry points.

Built-in methods, tasks, metrics, labelers and reporters are declared in this project's own pyproject.toml exactly as a
stranger's package would declare them, so the plug-in path is the only path and is always exercised. Listing names
imports nothing; `get` imports one module.
"""

from __future__ import annotations

import importlib.metadata
from functools import cache
from typing import Any

from benchmark.errors import BenchError, nearest

GROUPS = ("methods", "tasks", "metrics", "labelers", "reporters")


@cache
def _entries(group: str) -> dict[str, importlib.metadata.EntryPoint]:
    found: dict[str, importlib.metadata.EntryPoint] = {}
    for entry in importlib.metadata.entry_points(group=f"benchmark.{group}"):
        if entry.name in found and found[entry.name].value != entry.value:
            raise BenchError(
                f"{group[:-1]} {entry.name!r} is declared twice: {found[entry.name].value} and {entry.value}; "
                "uninstall one of the two packages"
            )
        found[entry.name] = entry
    if not found and group != "labelers":
        raise BenchError(f"no {group} are registered: install the project first (pip install -e .)")
    return found


def names(group: str) -> list[str]:
    """Registered names of one of `GROUPS`, in the order they are declared."""
    return list(_entries(group))


def where(group: str, name: str) -> str:
    """The "module:attribute" string behind a name (nothing is imported)."""
    return _lookup(group, name).value


def package(group: str, name: str) -> str:
    """Name and version of the package that declares a name, e.g. "exemplar-bench 0.1.0"; "" when it says none."""
    dist = _lookup(group, name).dist
    return f"{dist.name} {dist.version}" if dist else ""


def get(group: str, name: str) -> Any:
    """Import and return what a name stands for; an unknown name is an error that names the nearest one."""
    entry = _lookup(group, name)
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise BenchError(f"{group[:-1]} {name!r} ({entry.value}) cannot be imported: {error}") from error


def _lookup(group: str, name: str) -> importlib.metadata.EntryPoint:
    entries = _entries(group)
    if name not in entries:
        raise BenchError(f"unknown {group[:-1]} {name!r}{nearest(name, entries)}")
    return entries[name]
