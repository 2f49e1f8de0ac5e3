"""`bench train`: one method, one seed, no exam."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.options import duration, plan_options
from benchmark.errors import CONTINUE_ME, BenchError

if TYPE_CHECKING:
    from benchmark.run.plan import Cell

EPILOG = """\b
Examples:
  bench train --method pix2pixsc --preset demo --out trained/sc
  bench train --method pix2pixhd --preset paper --data prepared/ --out trained/hd --max-minutes 600
  bench train --method pix2pixsc --preset paper --out trained/sc --devices 8 --set train.batch=8
  bench train --method pix2pixsc --preset demo --out trained/slow --set train.lr=1e-4 --fork trained/sc
  bench train --method pix2pixsc --preset mini --out trained/best --set train.ema=0.999 --set train.keep_best=lepe

\b
Exit codes:
  0    finished
  2    a mistake, or a training that failed: the line on stderr says what
  75   continue me: the time budget, SIGTERM or SIGUSR1 ended it after a checkpoint; the same command goes on
  130  Ctrl-C, after a checkpoint; the same command goes on

docs/training.md says what survives what, and how to run under Slurm.
"""


@click.command(epilog=EPILOG)
@plan_options
@click.option("--method", required=True, help="Name of a method; see `bench methods`.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Run folder; scored later by `bench run --out`.",
)
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0.01),
    default=None,
    help="Stop early with a checkpoint, best effort, and exit 75.",
)
@click.option(
    "--devices",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Accelerators (without one: CPU processes) that share each batch of train.batch items.",
)
@click.option(
    "--fork",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Run folder of a training with another configuration, from whose last checkpoint to set out.",
)
def command(
    task: str,
    preset: str,
    data: str | None,
    overrides: tuple[str, ...],
    method: str,
    seed: int,
    out: Path,
    max_minutes: float | None,
    devices: int,
    fork: Path | None,
) -> None:
    """Train one method into a run folder; the same command resumes, and `bench run` with the same --out goes on to
    score it.
    """
    from benchmark import config as configuration
    from benchmark.run.plan import Cell, make_plan
    from benchmark.run.runner import train_only

    plan = make_plan(task, configuration.load(preset, task, overrides), method, [seed], data)
    if len(plan.methods) > 1:
        raise BenchError(f"--method {method}: bench train trains one; `bench run --methods {method}` takes several")
    cell = Cell(plan.methods[0], seed)
    train = plan.config.for_method(cell.method).train
    if train.batch % (devices * train.accumulate):
        shared = f"train.batch = {train.batch} items cannot be shared evenly (train.accumulate = {train.accumulate})"
        raise BenchError(f"--devices {devices}: {shared}; set a multiple")
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    record = train_only(
        plan,
        out,
        cell,
        ["bench", *sys.argv[1:]],
        deadline,
        sys.stderr.isatty(),
        None if fork is None else _cell_of(fork, cell, out),
        devices,
    )
    state = "finished" if record.get("finished") else "stopped early; the same command goes on"
    click.echo(
        f"{method}: {record['steps']} of {record['planned']} steps in {duration(record['fit_seconds'])}: {state}"
    )
    for line in _notes(record):
        click.echo(line)
    if not record.get("finished"):
        sys.exit(CONTINUE_ME)


def _cell_of(run: Path, cell: Cell, out: Path) -> Path:
    """Where another run keeps what it trained of the same method and seed."""
    folder = cell.folder(run)
    if run.resolve() == out.resolve():
        raise BenchError(f"--fork {run}: is --out itself; the new training needs a folder of its own")
    if not run.is_dir():
        raise BenchError(f"--fork {run}: no such folder; give the run folder of another training")
    if not (folder / "checkpoints").is_dir():
        there = sorted(str(p.parent.relative_to(run / "cells")) for p in run.glob("cells/*/*/checkpoints"))
        raise BenchError(f"--fork {run}: no checkpoint of {cell}; there is one of: {', '.join(there) or 'nothing'}")
    return folder


def _notes(record: dict[str, Any]) -> list[str]:
    """What is special about the weights."""
    notes = []
    if best := record.get("best"):
        notes.append(f"kept the weights of step {best['step']}, the best by train.keep_best: {best['value']:.4g}")
    if origin := record.get("forked_from"):
        changed = ", ".join(f"{key} {there} -> {here}" for key, (there, here) in origin["changed"].items())
        notes.append(f"forked at step {origin['step']} from {origin['folder']}: {changed or 'nothing changed'}")
    return notes
