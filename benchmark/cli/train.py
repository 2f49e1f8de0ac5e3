"""`bench train`: one method, one seed, no exam."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from benchmark.cli.options import duration, plan_options

EPILOG = """\b
Examples:
  bench train --method pix2pixsc --preset demo --out trained/sc
  bench train --method pix2pixhd --preset paper --data prepared/ --out trained/hd --max-minutes 600
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
    "--max-minutes", type=click.FloatRange(min=0.01), default=None, help="Stop early with a checkpoint, best effort."
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
) -> None:
    """Train one method into a run folder; the same command resumes, and `bench run` with the same --out goes on to
    score it.
    """
    from benchmark import config as configuration
    from benchmark.run.plan import Cell, make_plan
    from benchmark.run.runner import train_only

    plan = make_plan(task, configuration.load(preset, task, overrides), method, [seed], data)
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    record = train_only(plan, out, Cell(plan.methods[0], seed), ["bench", *sys.argv[1:]], deadline, sys.stderr.isatty())
    state = "finished" if record.get("finished") else "stopped early; the same command goes on"
    click.echo(
        f"{method}: {record['steps']} of {record['planned']} steps in {duration(record['fit_seconds'])}: {state}"
    )
