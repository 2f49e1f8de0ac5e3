"""`bench survey analyze`: what the votes of a study say."""

from __future__ import annotations

import json
from pathlib import Path

import click

from benchmark.survey.exclusions import Rules

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
@click.option(
    "--catch-wrong", default=Rules.catch_wrong, show_default=True, help="Leave out who has more wrong catch trials."
)
@click.option(
    "--least-ms", default=Rules.least_ms, show_default=True, help="Leave out whose median answer is sooner; 0: nobody."
)
@click.option(
    "--one-sided",
    default=Rules.one_sided,
    show_default=True,
    help="Leave out who took one side in so many trials, all.",
)
def analyze(
    folder: Path,
    database: str | None,
    run: Path | None,
    as_json: bool,
    pairs: bool,
    catch_wrong: int,
    least_ms: float,
    one_sided: int,
) -> None:
    """Preference with intervals and tests, side bias, agreement, exclusions, and every pair.

    Fix the three rules of exclusion before you look at results. Whoever is left out is to be paid all the same.
    """
    from benchmark.cli.survey import open_study

    study = open_study(folder, database)
    from benchmark.survey.analysis import analyze as work_out
    from benchmark.survey.into_run import write_into
    from benchmark.survey.telling import lines

    found = work_out(study, Rules(catch_wrong, least_ms, one_sided))
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(lines(found, pairs)))
    if run is not None:
        path = write_into(run, study, found)
        click.echo(f"wrote {path}; show it with: bench report {run}", err=as_json)
