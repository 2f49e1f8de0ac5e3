"""Weights shared between cells: taken after the lender is trained, the same as a training of one's own, and said so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.files import append_line
from benchmark.protocols import honours
from benchmark.run import parallel, runner
from benchmark.run.lending import lender, same_training
from benchmark.run.plan import Cell
from benchmark.run.results import RunView, read_results
from tests import toy
from tests.run.test_runner import go, plan, toy_registry

__all__ = ["toy_registry"]  # a fixture that every test here uses

BORROWER = Cell("toy-borrower", 0)


def images(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in BORROWER.images(run).iterdir()}


def test_the_weights_of_the_lender_give_what_a_training_of_its_own_gives(tmp_path: Path) -> None:
    shared, alone = tmp_path / "shared", tmp_path / "alone"
    assert go(shared, "toy-borrower,toy-good") == 0  # the lender is trained first although it is named last
    assert go(alone, "toy-borrower") == 0
    assert images(shared) == images(alone)
    fits = {name: RunView(shared).cells[name, 0]["fit"] for name in ("toy-good", "toy-borrower")}
    assert fits["toy-borrower"]["weights_of"] == "toy-good"
    assert fits["toy-borrower"]["steps"] == fits["toy-good"]["steps"] == 8
    assert not (BORROWER.folder(shared) / "last.json").exists() and (BORROWER.folder(alone) / "last.json").exists()
    notes = {row.name: row.note for row in read_results(shared).methods}
    assert notes == {"toy-borrower": "weights of toy-good", "toy-good": ""}
    assert "weights_of" not in RunView(alone).cells["toy-borrower", 0]["fit"]


def test_a_training_cut_short_is_lent_as_cut_short_and_taken_again_when_finished(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TOY_STOP_AT", "3")
    assert go(tmp_path, "toy-good,toy-borrower") == 0
    assert {row.unfinished for row in read_results(tmp_path).methods} == {"time budget: 3 of 12 steps"}
    monkeypatch.delenv("TOY_STOP_AT")
    assert go(tmp_path, "toy-good,toy-borrower") == 0
    assert {row.unfinished for row in read_results(tmp_path).methods} == {""}
    go(tmp_path / "alone", "toy-borrower")
    assert images(tmp_path) == images(tmp_path / "alone")


def test_a_finished_training_of_the_folder_is_lent_to_a_method_that_is_added(tmp_path: Path) -> None:
    go(tmp_path, "toy-good")
    go(tmp_path, "toy-borrower")
    assert RunView(tmp_path).cells["toy-borrower", 0]["fit"]["weights_of"] == "toy-good"


def test_a_fork_of_what_would_be_borrowed_is_refused(tmp_path: Path, monkeypatch) -> None:
    fit = toy.Good.fit

    @honours("fork")
    def marked(self, *given):  # a function of its own: the mark must not outlive this test
        return fit(self, *given)

    monkeypatch.setattr(toy.Good, "fit", marked)
    go(tmp_path, "toy-good")

    def train(out: Path) -> dict:
        return runner.train_only(plan("toy-borrower"), out, BORROWER, ["bench"], None, False, fork=tmp_path / "other")

    with pytest.raises(BenchError, match=r"--fork .*other: toy-borrower takes the weights that toy-good@0 has in .*: "):
        train(tmp_path)
    assert "toy-borrower" not in (tmp_path / "cells.jsonl").read_text()
    assert train(tmp_path / "new")["finished"]  # where it trains itself, its fit is asked


def test_an_unfinished_training_outside_the_plan_is_not_lent(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TOY_STOP_AT", "3")
    go(tmp_path, "toy-good")
    monkeypatch.delenv("TOY_STOP_AT")
    go(tmp_path, "toy-borrower")
    assert RunView(tmp_path).cells["toy-borrower", 0]["fit"]["finished"]
    assert "weights_of" not in RunView(tmp_path).cells["toy-borrower", 0]["fit"]


def test_a_failed_lender_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(toy.Borrower, "trained_as", "toy-broken")
    assert go(tmp_path, "toy-broken,toy-borrower") == 2
    problem = read_results(tmp_path).methods[1].problem
    assert problem == "uses the weights of toy-broken, whose training failed: RuntimeError: the toy broke in two lines"


def test_an_unknown_lender_is_an_error_of_the_plug_in(monkeypatch) -> None:
    monkeypatch.setattr(toy.Borrower, "trained_as", "toy-goood")
    with pytest.raises(BenchError, match="'toy-borrower': trained_as: unknown method 'toy-goood'; did you mean"):
        lender(plan("toy-borrower"), BORROWER, {})


@dataclasses.dataclass(frozen=True)
class Options:
    width: int = 1


@pytest.mark.parametrize(
    ("tables", "same"),
    [
        ({}, True),
        ({"toy-good": {"train": {"lr": 0.5}}}, False),
        ({"toy-borrower": {"train": {"steps": 5}}}, False),
        ({"toy-good": {"width": 2}}, False),
        ({"toy-good": {"width": 2}, "toy-borrower": {"width": 2}}, True),
        ({"toy-borrower": {"strength": 3}}, True),  # an option of the borrower alone
    ],
)
def test_two_trainings_that_differ_are_not_shared(tables: dict, same: bool, monkeypatch) -> None:
    monkeypatch.setattr(toy.Good, "Options", Options, raising=False)
    made = plan("toy-good,toy-borrower")
    made = dataclasses.replace(made, config=dataclasses.replace(made.config, method=tables))
    assert same_training(made.config, "toy-borrower", "toy-good") is same
    assert lender(made, BORROWER, {}) == (Cell("toy-good", 0) if same else None)


def test_a_borrower_waits_for_its_lender_and_is_left_out_where_that_is_cut_short(tmp_path: Path) -> None:
    good, borrower, bad = Cell("toy-good", 0), BORROWER, Cell("toy-bad", 0)
    waiting, lenders = [borrower, good, bad], {borrower: good}
    assert parallel._next(tmp_path, waiting, [], lenders) == good
    assert parallel._next(tmp_path, waiting, [good], lenders) == bad
    assert parallel._next(tmp_path, waiting, [good, bad], lenders) is None and waiting == [borrower]
    record = {"method": "toy-good", "seed": 0, "stage": "fit", "state": "done"}
    append_line(tmp_path / "cells.jsonl", record | {"finished": False})
    assert parallel._next(tmp_path, waiting, [], lenders) is None and not waiting
    append_line(tmp_path / "cells.jsonl", record | {"finished": True})
    waiting = [bad, borrower]
    assert parallel._next(tmp_path, waiting, [], lenders) == borrower and waiting == [bad]
