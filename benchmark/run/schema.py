"""The published JSON Schema of results.json, for whoever reads runs with code of their own.

bench report --schema > results.schema.json

It ships inside the package as `benchmark/run/results.schema.json`; tests hold it to the dataclasses of `results`.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any


def schema_text() -> str:
    """The schema as JSON text (draft 2020-12)."""
    return (resources.files("benchmark") / "run" / "results.schema.json").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    """The same, parsed."""
    tree: dict[str, Any] = json.loads(schema_text())
    return tree
