"""`bench survey analyze`: what the votes of a study say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

EXAMPLES = """\b
Examples:
  bench survey analyze study
  bench survey analyze study --into runs/face-demo      then: bench report runs/face-demo
  bench survey analyze study --json > analysis.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--database", metavar="URL", help="Where the votes are, if not in the folder.")
@click.option("--into", "run", type=click.Path(path_type=Path), help="Run folder whose report is to show the result.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--pairs", is_flag=True, help="Also list every pair of pictures.")
@click.option("--catch-wrong", type=int, help="Leave out who has more wrong catch trials.")
@click.option("--least-ms", type=float, help="Leave out whose median answer is sooner; 0: nobody.")
@click.option("--one-sided", type=int, help="Leave out who took one side in so many trials, all.")
def analyze(
    folder: Path,
    database: str | None,
    run: Path | None,
    as_json: bool,
    pairs: bool,
    **given: Any,
) -> None:
    """Preference with intervals and tests, side bias, agreement, exclusions, and every pair.

    The rules of exclusion are those that the study was built with ([exclusions] of its preset). An option that changes
    one is said beside the result. Whoever is left out is to be paid all the same.
    """
    from benchmark.cli.survey import open_study

    study = open_study(folder, database)
    from benchmark.survey.analysis import analyze as work_out
    from benchmark.survey.into_run import write_into
    from benchmark.survey.telling import lines

    changed = {name: value for name, value in given.items() if value is not None}
    found = work_out(study, replace(study.design.exclusions, **changed))
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(lines(found, pairs)))
    if run is not None:
        path = write_into(run, study, found)
        click.echo(f"wrote {path}; show it with: bench report {run}", err=as_json)
