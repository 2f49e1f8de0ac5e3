"""`bench survey static` and `bench survey import`: a study without a server, and the way back of its answers."""

from __future__ import annotations

import time
from pathlib import Path

import click

STATIC_EXAMPLES = """\b
Examples:
  bench survey static study --out study.zip
  bench survey static study --out study.zip --post https://example.org/collect
"""
IMPORT_EXAMPLES = """\b
Examples:
  bench survey import study answers-7-1f3c9a20.json
  bench survey import study answers/                    every .json file in the folder
"""
_FOLDER = click.Path(path_type=Path)
_DATABASE = click.option("--database", metavar="URL", help="Where the votes are, if not in the folder.")


@click.command(epilog=STATIC_EXAMPLES)
@click.argument("folder", metavar="STUDY", type=_FOLDER)
@_DATABASE
@click.option("--out", type=_FOLDER, default=Path("study.zip"), show_default=True, help="Zip to write.")
@click.option("--post", default="", metavar="URL", help="Where pages send answers.  [default: people download them]")
def static(folder: Path, database: str | None, out: Path, post: str) -> None:
    """Write a zip that works from any static web host, without a server.

    Every participant number has its trials dealt out ahead; nobody can promise that all numbers come back. Written a
    second time, the zip deals out what is still lacking.
    """
    from benchmark.cli.survey import open_study

    study = open_study(folder, database)
    from tqdm import tqdm

    from benchmark.survey.static.blocks import deal, keep
    from benchmark.survey.static.site import link_of, write_site

    people = study.design.people(len(study.comparisons))
    with tqdm(total=people, desc="dealing out", unit=" people", leave=False, delay=2, disable=None) as bar:
        dealt = deal(study, bar.update)
    size = write_site(study, dealt, out, post)
    path = keep(study, dealt)
    click.echo(f"wrote {out}: {size / 1e6:.1f} MB, {len(dealt.blocks)} participants; put its files on any static host")
    click.echo(f"people   {link_of(study, 1)} to p={len(dealt.blocks)}, each number to one person")
    click.echo("to try   https://your.host/folder/?test=1   (not counted)")
    click.echo(f"keep {path}: bench survey import compares answers with it")


@click.command("import", epilog=IMPORT_EXAMPLES)
@click.argument("folder", metavar="STUDY", type=_FOLDER)
@click.argument("files", nargs=-1, required=True, type=_FOLDER)
@_DATABASE
def import_answers(folder: Path, files: tuple[Path, ...], database: str | None) -> None:
    """Read the answers of a study without a server; say which pairs still lack votes.

    A file counts once, however often it is given. Exit code 1 when a file is refused.
    """
    from benchmark.cli.survey import open_study

    study = open_study(folder, database)
    from benchmark.survey.static.importing import import_files
    from benchmark.survey.static.lacking import lines

    took = import_files(study, files, time.time())
    click.echo("\n".join([*took.lines(), *lines(study)]))
    if took.refused:
        raise SystemExit(1)
