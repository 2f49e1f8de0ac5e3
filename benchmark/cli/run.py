"""`bench run`: the main job."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.options import data_folders, duration, plan_options, progress, seed_list, task_list
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.run.engines import Engine
    from benchmark.run.plan import Plan

EPILOG = """\b
Examples:
  bench run --task face --methods all --preset demo
  bench run --task face --methods pix2pixsc,pix2pixhd --preset mini --max-minutes 90
  bench run --task face --data prepared/ --preset demo --set train.steps=500
  bench run --task face --methods all --preset paper --dry-run
  bench run --task face,dance,street --methods all --preset demo
  bench run --task face,street --data face=prepared/,street=bdd100k/ --preset mini
  bench run --task face --methods all --preset paper --engine ray --address auto
  bench run --task face --methods all --preset paper --out runs/shared --cell pix2pixsc:0

The same command continues a run that was stopped, and does nothing when it is finished.
Several tasks (or "all") make a folder per task and one report over them; a time budget is shared evenly.
Rendered frames are kept for other runs in $BENCH_FRAMES (or ~/.cache/exemplar-bench/frames), at most 4 GB;
BENCH_FRAMES=off keeps none.

\b
Exit codes:
  0    the report is written, also where --max-minutes cut trainings short: it says so, and the same command goes on
  1    some cells failed; the report says why, the same command tries them again
  2    a mistake; the line on stderr says what
  75   continue me: SIGTERM or SIGUSR1 (a pre-emption) ended it after a checkpoint; the same command goes on
  130  Ctrl-C, after a checkpoint; the same command goes on
"""


@click.command(epilog=EPILOG)
@plan_options
@click.option("--methods", default="all", show_default=True, help="Comma-separated names, or all; see `bench methods`.")
@click.option("--seeds", default="0", show_default=True, help="Comma-separated; every method is run once per seed.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=None, help="Run folder. Default: runs/<id>."
)
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0.01),
    default=None,
    help="Time budget: training stops early, best effort.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=0),
    default=0,
    show_default="by cores and train.threads",
    help="Trainings at a time, each in a process of its own.",
)
@click.option(
    "--engine",
    default="local",
    show_default=True,
    help="Where cells run: local (this machine), ray (a cluster) or slurm; see docs/scale.md.",
)
@click.option(
    "--address",
    metavar="ADDRESS",
    default=None,
    help="Of a Ray cluster, e.g. auto or 10.0.0.1:6379; without one, Ray starts on this machine.",
)
@click.option(
    "--cell",
    metavar="METHOD:SEED",
    default=None,
    help="Run only this cell, beside other processes that run others; the command without --cell then collects.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan with an estimated time, then stop.")
def command(
    task: str,
    preset: str,
    data: str | None,
    overrides: tuple[str, ...],
    methods: str,
    seeds: str,
    out: Path | None,
    max_minutes: float | None,
    jobs: int,
    engine: str,
    address: str | None,
    cell: str | None,
    dry_run: bool,
) -> None:
    """Train, synthesize, score, report: one folder, one page."""
    from benchmark.run.engines import make_engine
    from benchmark.run.plan import folder_name
    from benchmark.run.results import write_suite

    plans = _plans(task, preset, data, overrides, methods, seeds)
    folder = out or Path("runs") / folder_name(plans)
    if len(plans) == 1:
        places = {folder: plans[0]}
    else:
        places = {folder / plan.task.name: plan for plan in plans}
    if cell is not None:
        if len(plans) > 1:
            raise BenchError("--cell: is of one task; name it with --task")
        for option, given in (("--jobs", jobs), ("--engine", engine != "local"), ("--address", address)):
            if given:
                raise BenchError(f"{option}: has no meaning beside --cell, which runs here and now")
    if dry_run:
        for place, plan in places.items():
            _print_plan(plan, place)
        return
    if cell is not None:
        _run_cell(plans[0], folder, cell, max_minutes)
        return
    if len(plans) > 1:
        write_suite(folder, [plan.task.name for plan in plans], ["bench", *sys.argv[1:]])
    carrier = make_engine(engine, jobs, address)
    ends, failed = None if max_minutes is None else time.monotonic() + 60 * max_minutes, 0
    for number, (place, plan) in enumerate(places.items()):
        left = None if ends is None else max(0.01, (ends - time.monotonic()) / 60 / (len(plans) - number))
        if len(plans) == 1:
            failed += _run(plan, place, left, carrier)
            break
        try:
            failed += _run(plan, place, left, carrier)
        except BenchError as error:  # the other tasks go on
            click.echo(f"{plan.task.name}: {error}", err=True)
            failed += 1
        else:
            from benchmark.cli.report import write

            click.echo(f"report over {number + 1} of {len(plans)} tasks: {write(folder)}")
    if failed:
        sys.exit(1)


def _plans(
    tasks: str, preset: str, data: str | None, overrides: tuple[str, ...], methods: str, seeds: str
) -> list[Plan]:
    """A plan per task, every name checked before anything runs."""
    from benchmark import config as configuration
    from benchmark.run.plan import make_plan

    names = task_list(tasks)
    folders = data_folders(data, names)
    return [
        make_plan(name, configuration.load(preset, name, overrides), methods, seed_list(seeds), folders.get(name))
        for name in names
    ]


def _run_cell(plan: Plan, folder: Path, text: str, max_minutes: float | None) -> None:
    """Run one cell of a plan; exit 1 when it failed."""
    from benchmark.run.plan import find_cell
    from benchmark.run.runner import run_one

    argv = ["bench", *sys.argv[1:]]
    if not run_one(plan, folder, find_cell(plan, text), argv, click.echo, progress, max_minutes, sys.stderr.isatty()):
        sys.exit(1)


def _run(plan: Plan, folder: Path, max_minutes: float | None, engine: Engine) -> int:
    """Run one task to its report; returns how many cells failed."""
    from benchmark.cli.report import write
    from benchmark.run.runner import finished, run

    began = time.monotonic()
    if finished(folder, plan):
        page = folder / "report.html"
        if not page.exists():
            page = write(folder)
        click.echo(f"nothing to do: {folder} is finished; report: {page}")
        return 0
    click.echo(f"run folder: {folder}")
    argv = ["bench", *sys.argv[1:]]
    failed = run(plan, folder, argv, click.echo, progress, max_minutes, sys.stderr.isatty(), engine)
    click.echo(f"report: {write(folder)}  ({duration(time.monotonic() - began)})")
    if failed:
        click.echo(f"{failed} of {len(plan.cells)} cells failed; the report says why", err=True)
    return failed


def _print_plan(plan: Plan, folder: Path) -> None:
    from benchmark.run.estimate import estimate

    config = plan.config
    click.echo(f"task     {plan.task.name} ({plan.task.title})")
    steps = f"{config.train.total:,} steps of batch {config.train.batch}"
    click.echo(f"preset   {config.preset}: {steps} at {config.data.size} px")
    click.echo(
        f"data     {plan.world.source.name}, {len(plan.world.source.clips)} clips, {len(plan.world.items)} test items"
    )
    click.echo(f"folder   {folder}")
    click.echo("timing a few steps of each method on this machine ...", err=True)
    total = 0.0
    for row in estimate(plan):
        seconds = (row.fit + row.synthesize) * len(plan.seeds)
        total += seconds
        note = row.problem or f"about {duration(seconds)}"
        if row.lender:
            note += f", with the weights of {row.lender}"
        click.echo(f"  {row.method:<24} {len(plan.seeds)} seed(s)  {note}")
    click.echo(f"estimated time, scoring apart: {duration(total)}")
