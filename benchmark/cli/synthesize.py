"""`bench synthesize`: images from a trained method, on its own test items or on other prepared data."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.cli.options import progress

EPILOG = """\b
Examples:
  bench synthesize runs/face-demo-1a2b3c4d --method pix2pixsc --out pictures/
  bench synthesize runs/face-demo-1a2b3c4d --method pix2pixsc --data prepared/ --items 20 --out wild/
"""


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--method", required=True, help="A method of the run.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--data", default=None, metavar="DIR", help="Folder made by `bench data prepare`. Default: the run's own data."
)
@click.option("--items", type=click.IntRange(min=1), default=None, help="How many test items. Default: as the run.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
def command(run: Path, method: str, seed: int, data: str | None, items: int | None, out: Path) -> None:
    """Write OUT/<item>.png and OUT/strips/<item>.png (label, exemplar, result) with a method that RUN trained."""
    from benchmark.run.again import synthesize_again

    count = synthesize_again(run, method, seed, data, items, out, progress)
    click.echo(f"{count} images in {out}")
