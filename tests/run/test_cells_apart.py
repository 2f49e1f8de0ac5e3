"""Cells as processes of their own in one run folder: `bench run --cell`, and jobs by submitit's local executor."""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.config import NetworksConfig
from benchmark.errors import BenchError
from benchmark.run import runner
from benchmark.run.engines import make_engine
from benchmark.run.engines.needs import needs
from benchmark.run.engines.slurm import SlurmEngine
from benchmark.run.locks import beside_others, only_one_at, only_runner
from benchmark.run.plan import Cell, find_cell
from benchmark.run.results import RunView
from tests import toy
from tests.run.test_runner import Silent, go, plan, toy_registry

__all__ = ["toy_registry"]  # a fixture that every test here uses

REPO = Path(__file__).resolve().parents[2]
METHODS = "toy-bad,toy-good,toy-borrower"
RUN = ["run", "--task", "toy", "--preset", "smoke", "--methods", METHODS]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy as an installed plug-in, for processes that we start."""
    about = tmp_path / "site" / "toy-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 0\n")
    lines = [
        line
        for group, names in toy.ENTRIES.items()
        for line in [
            f"[benchmark.{group}]",
            *(f"{name} = tests.toy:{what}" for name, what in names.items() if name != "real"),
        ]
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(about.parent), str(REPO)]))


def one(folder: Path, cell: Cell, methods: str = METHODS) -> bool:
    return runner.run_one(plan(methods), folder, cell, ["bench"], lambda line: None, Silent, show=False)


@pytest.mark.slow
def test_two_processes_run_a_cell_each_and_a_run_collects(tmp_path: Path, installed: None) -> None:
    alone, apart = tmp_path / "alone", tmp_path / "apart"
    go(alone, METHODS)
    command = [sys.executable, "-c", "from benchmark.cli import main; main()", *RUN, "--out", str(apart), "--cell"]
    both = [
        subprocess.Popen([*command, cell], cwd=REPO, stderr=subprocess.PIPE, text=True)
        for cell in ("toy-bad:0", "toy-good:0")
    ]
    for process in both:
        assert process.communicate(timeout=600)[1] == "" and process.returncode == 0
    lines = (apart / "cells.jsonl").read_text().splitlines()
    assert {key[0] for key in RunView(apart).cells} == {"toy-bad", "toy-good"} and not (apart / "results.json").exists()
    assert one(apart, Cell("toy-borrower", 0))
    assert go(apart, METHODS) == 0
    assert (apart / "cells.jsonl").read_text().splitlines()[: len(lines)] == lines  # nothing was done again
    for name in ("results.json", "scores.jsonl"):
        assert (apart / name).read_bytes() == (alone / name).read_bytes()


def test_a_cell_is_done_once_and_a_borrower_waits_for_its_lender(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="takes the weights of toy-good@0, which is not trained yet: run that first"):
        one(tmp_path, Cell("toy-borrower", 0))
    assert one(tmp_path, Cell("toy-good", 0))
    lines = (tmp_path / "cells.jsonl").read_text()
    assert one(tmp_path, Cell("toy-good", 0)) and (tmp_path / "cells.jsonl").read_text() == lines
    assert not one(tmp_path / "other", Cell("toy-broken", 0), "toy-broken,toy-good")
    with pytest.raises(BenchError, match="--cell toy-joints@0: does not apply to the toy task: needs joints"):
        one(tmp_path / "joints", Cell("toy-joints", 0), "toy-joints,toy-good")


def test_who_may_work_beside_whom(tmp_path: Path) -> None:
    cell = Cell("toy-good", 0)
    with beside_others(tmp_path), beside_others(tmp_path), pytest.raises(BenchError, match="another bench run is at"):
        go(tmp_path)
    with only_runner(tmp_path), pytest.raises(BenchError, match="a whole bench run is at work in this folder"):
        one(tmp_path, cell)
    with only_one_at(cell.folder(tmp_path)), pytest.raises(BenchError, match="another process is at work on this cell"):
        one(tmp_path, cell)
    with only_one_at(cell.folder(tmp_path)):
        assert one(tmp_path, Cell("real", 0))  # but not on another one


def test_a_file_system_without_locks_is_not_taken_for_another_run(tmp_path: Path, monkeypatch) -> None:
    def flock(file: object, kind: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with (
        pytest.raises(BenchError, match="this file system keeps no locks: Function not implemented"),
        beside_others(tmp_path),
    ):
        pass


def test_a_cell_is_named_by_method_and_seed() -> None:
    assert find_cell(plan(seeds=(0, 3)), "toy-bad:3") == Cell("toy-bad", 3)
    with pytest.raises(
        BenchError, match="--cell 'toy-bod:0': no cell METHOD:SEED of this plan; did you mean 'toy-bad:0'"
    ):
        find_cell(plan(), "toy-bod:0")


@pytest.mark.parametrize("other", [["--jobs", "2"], ["--engine", "ray"], ["--address", "auto"]])
def test_options_that_have_no_meaning_beside_a_cell(tmp_path: Path, capsys, other: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([*RUN, "--out", str(tmp_path), "--cell", "toy-good:0", *other])
    assert f"{other[0]}: has no meaning beside --cell" in capsys.readouterr().err


def test_a_dry_run_of_a_cell_runs_nothing(tmp_path: Path, capsys) -> None:
    main([*RUN, "--out", str(tmp_path), "--cell", "toy-good:0", "--dry-run"])
    assert "estimated time" in capsys.readouterr().out and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_slurm_jobs_give_the_same_results(tmp_path: Path, installed: None) -> None:
    alone, apart = tmp_path / "alone", tmp_path / "apart"
    go(alone, "toy-good,toy-borrower,toy-broken")
    said: list[str] = []
    jobs = plan("toy-good,toy-borrower,toy-broken")
    assert runner.run(jobs, apart, ["bench"], said.append, Silent, show=False, engine=SlurmEngine("local")) == 1
    for name in ("results.json", "scores.jsonl"):
        assert (apart / name).read_bytes() == (alone / name).read_bytes()
    assert RunView(apart).cells["toy-borrower", 0]["fit"]["weights_of"] == "toy-good"
    assert any("toy-broken@0: fit failed: RuntimeError: the toy broke" in line for line in said)


@pytest.mark.parametrize(
    ("engine", "jobs", "address", "said"),
    [
        ("rai", 0, None, "--engine 'rai': unknown; did you mean 'ray'"),
        ("local", 0, "auto", "--address: belongs to --engine ray or slurm"),
        ("ray", 2, None, "--jobs: belongs to --engine local"),
        ("ray", 0, "ray://a:1", "start bench on a machine of the cluster"),
        ("slurm", 0, "a:1", "Slurm knows its cluster"),
    ],
)
def test_options_that_do_not_fit(engine: str, jobs: int, address: str | None, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        make_engine(engine, jobs, address)


def test_a_cell_asks_for_the_memory_it_took_before_or_for_what_its_networks_need() -> None:
    small, cell = plan(), Cell("toy-good", 0)
    large = plan(threads=3)
    large = dataclasses.replace(large, config=dataclasses.replace(large.config, networks=NetworksConfig()))
    guess, paper, beside_a_gpu = needs(small, cell, {}, 0), needs(large, cell, {}, 0), needs(large, cell, {}, 1)
    assert (guess.cpus, paper.cpus, beside_a_gpu.gpus) == (1, 3, 1)  # smoke trains with one thread
    assert 1 < guess.memory / 2**30 < 2 < beside_a_gpu.memory / 2**30 <= paper.memory / 2**30 < 8
    assert needs(small, cell, {"fit": {"peak_memory_mb": 4_000}}, 0).memory == 5_000 * 2**20
