"""Pointing at a trained method: a run and a name, the folder of a cell, or either alone where that says enough."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.run.plan import Cell
from benchmark.run.trained import find_trained


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "cells" / "pix2pixsc" / "1" / "weights").mkdir(parents=True)
    write(folder, ["real", "pix2pixhd", "pix2pixsc"])
    return folder


def write(run: Path, methods: list[str]) -> None:
    (run / "manifest.json").write_text(json.dumps({"task": "face", "methods": methods, "seeds": [3, 1]}))


def test_a_run_and_a_name(run: Path) -> None:
    assert find_trained(run, "pix2pixhd").cell == Cell("pix2pixhd", 3)
    assert find_trained(run, "pix2pixhd", 1).cell == Cell("pix2pixhd", 1)


@pytest.mark.parametrize("inside", ["cells/pix2pixsc/1", "cells/pix2pixsc/1/weights"])
def test_the_folder_of_a_cell(run: Path, inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (
        find_trained(run / inside, None),
        find_trained(None, str(run / inside)),
        find_trained(run / inside, "pix2pixsc", 1),
    ):
        assert (found.run, found.cell) == (run.resolve(), Cell("pix2pixsc", 1))
    monkeypatch.chdir(run / inside)
    assert find_trained(Path("."), None).cell == Cell("pix2pixsc", 1)


def test_a_run_with_one_trained_method_needs_no_name(run: Path) -> None:
    with pytest.raises(BenchError, match="which method with --method; valid: pix2pixhd, pix2pixsc"):
        find_trained(run, None)
    write(run, ["real", "copy-exemplar", "pix2pixsc"])
    assert find_trained(None, str(run)).cell == Cell("pix2pixsc", 3)


@pytest.mark.parametrize(
    ("place", "method", "seed", "words"),
    [
        (None, None, None, "name a run folder"),
        (None, "pix2pixsc", None, "pix2pixsc: no such file or folder; give a run folder"),
        ("cells", None, None, "neither a run folder"),
        ("cells/pix2pixsc/1", "pix2pixhd", None, "--method pix2pixhd: .* holds pix2pixsc"),
        ("cells/pix2pixsc/1", None, 0, "--seed 0: .* holds 1"),
        ("", "pix2pixcs", None, "has no method 'pix2pixcs'; did you mean 'pix2pixsc'"),
        ("", "pix2pixsc", 2, "--seed 2: .* trained with 3, 1"),
    ],
)
def test_what_says_too_little_or_too_much(
    run: Path, place: str | None, method: str | None, seed: int | None, words: str
) -> None:
    with pytest.raises(BenchError, match=words):
        find_trained(None if place is None else run / place, method, seed)
