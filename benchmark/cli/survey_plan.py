"""`bench survey plan`: what a study costs, and what it could show."""

from __future__ import annotations

import click

from benchmark.errors import BenchError

# Shares of a vote's variance between items and between raters: logit effects of sd 0.5 and 0.3 (spec: studies 6)
ITEM_SHARE, RATER_SHARE = 0.069, 0.025


PLAN_EXAMPLES = """\b
Examples:
  bench survey plan
  bench survey plan --preset pix2pixhd --detect 0.55
  bench survey plan --set study.pairs=200 --set study.raters=12 --comparisons 2
"""


def design_options(command: click.decorators.FC) -> click.decorators.FC:
    """The definition: preset, recruiter and single keys."""
    for option in reversed(
        (
            click.option("--preset", default="pix2pixsc", show_default=True, help="Name, or a TOML file."),
            click.option("--recruiter", help="Where people come from: open or prolific."),
            click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="e.g. study.pairs=40"),
        )
    ):
        command = option(command)
    return command


@click.command(epilog=PLAN_EXAMPLES)
@design_options
@click.option("--comparisons", type=click.IntRange(1), default=3, show_default=True, help="Rivals of the main method.")
@click.option("--detect", type=float, help="Also say what it takes to find a true preference of this share, e.g. 0.6.")
@click.option("--item-share", default=ITEM_SHARE, show_default=True, help="Share of variance between pairs.")
@click.option("--rater-share", default=RATER_SHARE, show_default=True, help="Share of variance between raters.")
def plan(
    preset: str,
    recruiter: str | None,
    overrides: tuple[str, ...],
    comparisons: int,
    detect: float | None,
    item_share: float,
    rater_share: float,
) -> None:
    """Print how many votes and people a definition needs, and what it can show."""
    from benchmark.survey import design as definition
    from benchmark.survey.planning import detectable, plan_lines

    if detect is not None and not 0.5 < detect < 1:
        raise BenchError(f"--detect {detect:g}: a share over 0.5 and under 1")
    if min(item_share, rater_share) < 0 or item_share + rater_share > 1:
        raise BenchError(f"--item-share {item_share:g}, --rater-share {rater_share:g}: from 0 to 1 together")
    design = definition.load(preset, overrides, recruiter)
    click.echo("\n".join(plan_lines(design, comparisons, item_share, rater_share)))
    if detect is not None:
        click.echo("\n".join(detectable(design, comparisons, detect, item_share, rater_share)))
