"""What the local engine does beside its workers, what it leaves to the runner, and whom it gives a second go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.files import append_line
from benchmark.run import runner
from benchmark.run.engines import local
from benchmark.run.engines.local import LocalEngine
from benchmark.run.plan import Cell
from tests.run.test_runner import Silent, go, plan, toy_registry

__all__ = ["toy_registry"]  # a fixture that every test here uses


@pytest.mark.parametrize(("minutes", "passes"), [(10.0, 2), (0.1, 1)])
def test_what_a_share_of_the_budget_cut_short_gets_the_time_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: float, passes: int
) -> None:
    asked: list[list[str]] = []

    def fit_cells(errand, cells, jobs, deadline, ended, meanwhile) -> set:
        asked.append([cell.method for cell in cells])
        for cell in cells:
            finished = cell.method == "toy-bad" or len(asked) == 2
            record = {"method": cell.method, "seed": cell.seed, "stage": "fit", "state": "done", "finished": finished}
            append_line(errand.folder / "cells.jsonl", record | {"steps": 12 if finished else 3, "planned": 12})
        return set(cells)

    monkeypatch.setattr(local, "fit_cells", fit_cells)
    monkeypatch.setattr(runner, "run_cell", lambda work, stages, say: True)
    monkeypatch.setattr(runner, "summarise", lambda folder, world, manifest: None)
    both = plan("toy-good,toy-bad")
    assert (
        runner.run(both, tmp_path, ["bench"], lambda line: None, Silent, minutes, show=False, engine=LocalEngine(2))
        == 0
    )
    assert asked == [["toy-good", "toy-bad"], ["toy-good"]][:passes]


def test_references_and_what_is_trained_are_scored_beside_the_trainings(tmp_path: Path, monkeypatch) -> None:
    done: list[str] = []

    def fit_cells(errand, cells, jobs, deadline, ended, meanwhile) -> set:
        assert meanwhile() and not meanwhile(), "the reference, and nothing else yet"
        assert done == ["real synthesize", "real score"]
        for cell in cells:
            for stage in ("fit", "synthesize"):
                record = {"method": cell.method, "seed": cell.seed, "stage": stage, "state": "done"}
                append_line(errand.folder / "cells.jsonl", record)
            ended(cell)
            assert len(done) == 2, "the next training may start first"
            break
        assert meanwhile() and not meanwhile()
        return set(cells)

    def run_stage(work, stage: str) -> dict[str, str]:
        done.append(f"{work.cell.method} {stage}")
        record = {"method": work.cell.method, "seed": 0, "stage": stage, "state": "done"}
        append_line(work.run / "cells.jsonl", record)
        return record

    left: list[str] = []
    monkeypatch.setattr(local, "fit_cells", fit_cells)
    monkeypatch.setattr(local, "run_stage", run_stage)
    monkeypatch.setattr(runner, "run_cell", lambda work, stages, say: not left.append(f"{work.cell.method} {stages}"))
    monkeypatch.setattr(runner, "summarise", lambda folder, world, manifest: None)
    assert go(tmp_path, jobs=2) == 0
    assert done == ["real synthesize", "real score", "toy-good score"]
    assert left == ["real []", "toy-good []", "toy-bad ['fit', 'synthesize', 'score']"]


def test_what_workers_leave_is_scored_or_done_here(tmp_path: Path, monkeypatch) -> None:
    """Cells that workers trained and synthesized are scored meanwhile; the rest is done afterwards."""

    def fit_here(errand, cells, jobs, deadline, ended, meanwhile) -> set:
        assert cells == [Cell("toy-good", 0), Cell("toy-bad", 0), Cell("toy-borrower", 0)]
        for cell in cells[:2]:
            work = runner.CellRun(cell, errand.folder, errand.plan.world, errand.progress, None, show=False)
            runner.run_stage(work, "fit")
            if cell.method == "toy-good":
                runner.run_stage(work, "synthesize")
            ended(cell)
            meanwhile()
        return set(cells[:2])

    monkeypatch.setattr(local, "fit_cells", fit_here)
    assert go(tmp_path, "toy-borrower,toy-joints,toy-good,toy-bad", jobs=2) == 0
    lines = [json.loads(line) for line in (tmp_path / "cells.jsonl").read_text().splitlines()]
    done = [(line["method"], line["stage"]) for line in lines if line["state"] == "done"]
    assert done == [
        *(("toy-good", stage) for stage in ("fit", "synthesize")),
        ("toy-good", "score"),  # here, meanwhile
        ("toy-bad", "fit"),
        *(("toy-bad", stage) for stage in ("synthesize", "score")),
        *(("toy-borrower", stage) for stage in ("fit", "synthesize", "score")),
    ]
