"""Weight files with random contents, known to the table under the names of the real ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark import weights
from benchmark.labelers.parsing import get_parser


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], Path]:
    """`pretend("danet-r50-cityscapes", checkpoint)`: that file is here, and holds this."""
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def write(name: str, content: Any) -> Path:
        entry = weights.table()[name]
        path = entry.target
        path.parent.mkdir(exist_ok=True)
        torch.save(content, path)
        monkeypatch.setitem(weights.table(), name, dataclasses.replace(entry, sha256=weights.sha256(path)))
        return path

    return write


@pytest.fixture(autouse=True)
def fresh_parsers() -> Iterator[None]:
    get_parser.cache_clear()
    yield
    get_parser.cache_clear()
