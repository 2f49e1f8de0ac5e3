"""`bench survey simulate`: programs take part in a copy of a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.errors import BenchError, nearest

if TYPE_CHECKING:
    from benchmark.survey.folder import Study

EXAMPLES = """\b
Examples:
  bench survey simulate study
  bench survey simulate study --taste 0.89 --raters 120
  bench survey simulate study --taste pix2pixhd=0.8,paired-munit=0.55 --drop-out 0.25 --out try
"""
TASTE = 0.8


@click.command(epilog=EXAMPLES)
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path))
@click.option("--database", metavar="URL", help="Where the study is, if not in the folder.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the copy.  [default: STUDY-simulated]")
@click.option("--raters", type=int, help="At most so many come.  [default: until the study is full]")
@click.option("--taste", default=str(TASTE), show_default=True, help="True share for the main method; or RIVAL=SHARE,…")
@click.option("--side-bias", default=0.05, show_default=True, help="Chance of taking the left picture unseen.")
@click.option("--lapse", default=0.03, show_default=True, help="Chance of taking either picture unseen.")
@click.option("--drop-out", default=0.1, show_default=True, help="Chance that a rater leaves half-way.")
@click.option("--pair-sd", default=0.5, show_default=True, help="How much taste differs between pairs, on the logit.")
@click.option("--rater-sd", default=0.3, show_default=True, help="And between raters.")
@click.option("--seed", default=1, show_default=True, help="Of the raters; who sees which pair is the server's affair.")
@click.option("--connections", default=8, show_default=True, help="Raters at once.")
@click.option("--pictures", is_flag=True, help="Fetch every picture too, as browsers do.")
def simulate(
    folder: Path,
    database: str | None,
    out: Path | None,
    raters: int | None,
    taste: str,
    side_bias: float,
    lapse: float,
    drop_out: float,
    pair_sd: float,
    rater_sd: float,
    seed: int,
    connections: int,
    pictures: bool,
) -> None:
    """Let programs take part in a COPY of a study, and compare what they were told with what the analysis finds.

    The study itself is only read. Simulated votes are marked as such for ever. Exit code 1 when a pair lacks votes, has
    too many or unequal sides; a 95 % interval may miss the truth now and then.
    """
    from benchmark.cli.survey import open_study

    study = open_study(folder, database)
    from tqdm import tqdm

    from benchmark.survey.duplicate import duplicate
    from benchmark.survey.simulate.crowd import Crowd
    from benchmark.survey.simulate.drive import drive
    from benchmark.survey.simulate.verdict import verdict

    crowd = Crowd(shares(study, taste), side_bias, lapse, drop_out, pair_sd, rater_sd, seed)
    copy = duplicate(study, out or folder.with_name(f"{folder.resolve().name}-simulated"))
    places = copy.design.cells * len(copy.comparisons) * copy.design.study.raters
    with tqdm(unit=" votes", desc=f"simulating, {places} votes wanted", leave=False, disable=None) as bar:
        traffic = drive(copy, crowd, raters, connections, pictures, bar.update)
    told = verdict(copy, crowd)
    click.echo("SIMULATED VOTES: programs answered, not people")
    click.echo("\n".join(told.lines(traffic)))
    click.echo(f"wrote {copy.folder}; see it with: bench survey analyze {copy.folder}")
    if not told.balanced:
        raise SystemExit(1)


def shares(study: Study, text: str) -> dict[str, float]:
    """ "0.8", "ours=0.8" (the main method, against all) or "rival=0.8,other=0.6", for every comparison."""
    given: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = part.rpartition("=")
        name = name.strip() if equals else study.main
        if name in given:
            raise BenchError(
                f"--taste {text!r}: {name} twice; give others as RIVAL=SHARE: {', '.join(study.comparisons)}"
            )
        if name != study.main and name not in study.comparisons:
            raise BenchError(f"--taste: no comparison {name!r}{nearest(name, study.comparisons)}")
        try:
            given[name] = float(value)
        except ValueError as error:
            raise BenchError(f"--taste {part!r}: a share from 0 to 1, or RIVAL=SHARE") from error
    return {name: given.get(name, given.get(study.main, TASTE)) for name in study.comparisons}
