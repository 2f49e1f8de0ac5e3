"""`bench synthesize`: images from a trained method, on its own test items, on other prepared data, or on any photos."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.options import progress
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.run.photo_pairs import PhotoPair
    from benchmark.run.trained import Trained
    from benchmark.run.wild import Outcome

EPILOG = """\b
Examples:
  bench synthesize runs/face-demo-1a2b3c4d --method pix2pixsc --out pictures/
  bench synthesize runs/face-demo-1a2b3c4d --method pix2pixsc --data prepared/ --items 20 --out other/
  bench synthesize runs/face-demo-1a2b3c4d --method pix2pixsc --label ann.jpg --exemplar bob.jpg --out wild.png
  bench synthesize --method runs/face-demo-1a2b3c4d/cells/pix2pixsc/0 --label ann.jpg --exemplar bobs/ --out wild/
  bench synthesize runs/face-demo-1a2b3c4d --method pix2pixsc --pairs-list pairs.csv --out wild/
"""
_NAMED = 5  # photos named on the screen before they are counted


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--method", default=None, help="A method of RUN; or, without RUN, a run folder or RUN/cells/METHOD/SEED.")
@click.option("--seed", type=click.IntRange(min=0), default=None, help="Default: the run's first.")
@click.option(
    "--data", default=None, metavar="DIR", help="Folder made by `bench data prepare`. Default: the run's own data."
)
@click.option("--items", type=click.IntRange(min=1), default=None, help="How many test items. Default: as the run.")
@click.option("--label", type=click.Path(path_type=Path), default=None, help="Photo, or folder, whose content to draw.")
@click.option(
    "--exemplar", type=click.Path(path_type=Path), default=None, help="Photo, or folder, whose style to take."
)
@click.option(
    "--pairs", type=click.Choice(["zip", "product"]), default=None,
    help="Two folders: photos of the same name (zip, the default), or every label with every exemplar.",
)  # fmt: skip
@click.option(
    "--pairs-list", type=click.Path(path_type=Path), default=None,
    help="CSV with the columns label, exemplar and, if you like, out.",
)  # fmt: skip
@click.option("--detector", default="", help="Faces, dance: finds the points. Default: the run's, if it knows photos.")
@click.option("--parser", default="", help="Streets: danet, segformer, mmseg:..., precomputed:DIR. Default: likewise.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder; for one pair also a .png file.")
def command(
    run: Path | None,
    method: str | None,
    seed: int | None,
    data: str | None,
    items: int | None,
    label: Path | None,
    exemplar: Path | None,
    pairs: str | None,
    pairs_list: Path | None,
    detector: str,
    parser: str,
    out: Path,
) -> None:
    """Write the pictures of a method that RUN trained, and strips of label, exemplar and result.

    Without photos: OUT/<item>.png and OUT/strips/<item>.png for RUN's test items. With --label and --exemplar, or
    --pairs-list: the same for your photos, which are cropped and labelled as the training data was. A pair that cannot
    be made (no face, say) is listed in OUT/failures.jsonl, the others go on, and the exit code is 1. The same command
    makes all pictures again.

    Labels made elsewhere: `--detector openpose-json` reads NAME.json beside each photo; `--parser precomputed:DIR`
    takes photos that lie in DIR/images and their maps of train ids, of the same path, in DIR/labels.
    """
    from benchmark.run.trained import find_trained

    photos = _photo_pairs(label, exemplar, pairs, pairs_list)
    if photos and (data or items):
        raise BenchError("--data, --items: choose test items; with your own photos leave them out")
    if not photos and (detector or parser):
        raise BenchError("--detector, --parser: read photos; give --label and --exemplar, or --pairs-list")
    trained = find_trained(run, method, seed)
    if photos:
        _on_photos(trained, photos, detector, parser, out)
        return
    from benchmark.run.again import synthesize_again

    count = synthesize_again(trained, data, items, out, progress)
    click.echo(f"{count} images in {out}")


def _photo_pairs(label: Path | None, exemplar: Path | None, how: str | None, table: Path | None) -> list[PhotoPair]:
    """The pairs asked for; none where no photos are named."""
    from benchmark.run.photo_pairs import list_pairs, read_pairs

    if table is not None:
        if label or exemplar or how:
            raise BenchError("--pairs-list: names all photos; leave out --label, --exemplar and --pairs")
        return read_pairs(table)
    if label is not None and exemplar is not None:
        return list_pairs(label, exemplar, how or "zip")
    if label or exemplar or how:
        raise BenchError("--label and --exemplar belong together: whose content to draw, and whose style to take")
    return []


def _on_photos(trained: Trained, pairs: Sequence[PhotoPair], detector: str, parser: str, out: Path) -> None:
    from benchmark.data.photos import open_reader
    from benchmark.run.wild import synthesize_photos

    config = trained.config
    reader = open_reader(trained.task.name, config, trained.task.info(config), detector, parser)
    click.echo(f"{trained.cell}: labels by {reader.protocol}" + (f"; {reader.note}" if reader.note else ""))
    outcome = synthesize_photos(trained, pairs, reader, out, progress)
    click.echo(f"{outcome.made} of {len(pairs)} pictures in {out}")
    _tell(outcome)
    if outcome.failures:
        sys.exit(1)


def _tell(outcome: Outcome) -> None:
    """Which photos could not be read, and which were read in a way their owner may not expect: a line per reason."""
    failed = {failure.photo or failure.name: failure.reason for failure in outcome.failures}
    for heading, reasons in (("failed", failed), ("note", outcome.notes)):
        for reason, photos in _by_reason(reasons).items():
            more = f" and {len(photos) - _NAMED} more" if len(photos) > _NAMED else ""
            click.echo(f"{heading}: {reason}: {', '.join(photos[:_NAMED])}{more}", err=True)


def _by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for photo, reason in reasons.items():
        table.setdefault(reason, []).append(photo)
    return table
