"""A run folder that somebody has edited by hand: one line that names file and place, or a page without what is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import BenchError
from reports.page import write_report
from tests.reports.fake_run import write_fake_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edited")
    write_fake_run(folder, items=3, side=8)
    return folder


def edited(path: Path, edit: Callable[[Any], Any]) -> bytes:
    """Change a JSON file in place (`edit` may give another tree); returns what it was."""
    before = path.read_bytes()
    tree = json.loads(before)
    path.write_text(json.dumps(edit(tree) or tree))
    return before


@pytest.mark.parametrize(
    ("file", "edit", "said"),
    [
        ("items.json", lambda tree: tree[1].pop("id") and None, "item 1 has no id"),
        ("items.json", lambda tree: {"0000": tree[0]}, "not a list of objects"),
        ("items.json", lambda tree: tree.append(tree[0]), "two items are called '0000'"),
        ("manifest.json", lambda tree: [tree], "not an object"),
        ("manifest.json", lambda tree: tree.update(config="paper"), "config is not an object"),
        ("manifest.json", lambda tree: tree.update(argv="bench run"), "argv is not a list"),
        ("results.json", lambda tree: tree.update(seeds=[]), "seeds are []"),
        ("results.json", lambda tree: tree.update(items="3"), "items is '3'"),
        ("results.json", lambda tree: tree.update(values={}), "values is {}, not a list"),
        ("results.json", lambda tree: tree["values"][1].update(value="0,5"), "values[1].value is '0,5', not float"),
        ("results.json", lambda tree: tree["values"][0].pop("n") and None, "values[0] lacks n"),
        ("results.json", lambda tree: tree["differences"][0].update(p=None), "differences[0].p is None, not float"),
        ("results.json", lambda tree: tree["methods"][0].update(color="red"), "unknown field 'color'"),
        ("results.json", lambda tree: tree["metrics"][0].update(better="less"), "neither lower nor higher"),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(run: Path, file: str, edit: Callable[[Any], Any], said: str) -> None:
    before = edited(run / file, edit)
    try:
        with pytest.raises(BenchError) as refused:
            write_report(run)
    finally:
        (run / file).write_bytes(before)
    text = str(refused.value)
    assert said in text and str(run / file) in text and "\n" not in text


def test_lines_that_say_nothing_are_passed_over(run: Path) -> None:
    for name in ("scores.jsonl", "cells.jsonl"):
        lines = (run / name).read_text()
        first = json.loads(lines.splitlines()[0])
        strange = [{key: other for key, other in first.items() if key != gone} for gone in first]
        strange += [{**first, key: [1]} for key in first] + [{**first, "item": "no such"}]
        (run / name).write_text("".join(json.dumps(line) + "\n" for line in strange) + lines)
    assert "not separable" in write_report(run).read_text(encoding="utf-8")


def test_a_value_of_a_method_without_a_row_goes_by_its_name(run: Path) -> None:
    before = edited(run / "results.json", lambda tree: tree.update(methods=tree["methods"][1:]))
    gone = json.loads(before)["methods"][0]["name"]
    assert f"against {gone}" in write_report(run).read_text(encoding="utf-8")
