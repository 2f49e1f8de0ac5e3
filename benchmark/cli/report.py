"""`bench report`: (re)write the page of a run folder, set several side by side, follow one, list all."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.run.results import is_suite

EPILOG = """\b
Examples:
  bench report runs/face-demo-1a2b3c4d
  bench report runs/face+dance+street-demo-1a2b3c4d
  bench report runs/before runs/after --out runs/before-after
  bench report runs/face-demo-1a2b3c4d --watch
  bench report --gallery runs
  bench report --schema > results.schema.json
"""
GALLERY = "runs"  # a folder of this name has its gallery written again after every report in it
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(epilog=EPILOG)
@click.argument("runs", nargs=-1, metavar="[RUN]...", type=FOLDER)
@click.option("--out", type=FOLDER, help="Of several runs: the folder of their page. Default: beside the first run.")
@click.option("--watch", is_flag=True, help="Follow a run at work on a page that reloads itself; Ctrl-C ends it.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.2),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: how often to look.",
)
@click.option("--gallery", type=FOLDER, help="Write DIRECTORY/index.html, a list of all runs in it.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of results.json.")
def command(
    runs: tuple[Path, ...], out: Path | None, watch: bool, every: float, gallery: Path | None, schema: bool
) -> None:
    """Write RUN/report.html and RUN/tables/ from what the run folder holds; of several runs, one page of all."""
    if out and len(runs) < 2:
        raise BenchError("--out: only of several runs; a run's own report lies in its folder")
    if watch and len(runs) != 1:
        raise BenchError(f"--watch: follows one run, got {len(runs)}")
    if not (runs or gallery or schema):
        raise BenchError("give a run folder, or --gallery DIRECTORY, or --schema")
    if schema:
        from benchmark.run.schema import schema_text

        click.echo(schema_text(), nl=False)
    if watch:
        from benchmark.cli.report_watch import follow

        follow(runs[0], every)
    elif len(runs) > 1:
        click.echo(f"report: {write_several(runs, out)}")
    elif runs:
        click.echo(f"report: {write(runs[0])}")
    if gallery:
        click.echo(f"gallery: {registry.get('reporters', 'gallery-html')(gallery)}")


def write(run: Path) -> Path:
    """Render the report of a run folder, of one task or several; a folder without results is one clear line."""
    check(run)
    page: Path = registry.get("reporters", "suite-html" if is_suite(run) else "html")(run)
    refresh_gallery(run.absolute().parent)
    return page


def write_several(runs: tuple[Path, ...], out: Path | None) -> Path:
    """Render one page of several runs, into `out` or beside the first of them."""
    for run in runs:
        check(run)
    page: Path = registry.get("reporters", "runs-html")(runs, out)
    return page


def check(run: Path) -> None:
    """Raises BenchError where `run` is not a run folder."""
    if not is_suite(run) and not (run / "manifest.json").exists():
        raise BenchError(f"{run}: not a run folder (no manifest.json); give a folder that `bench run` made")


def refresh_gallery(folder: Path) -> None:
    """Write the gallery of a folder that is called runs. It is a convenience: its failure is told and
    costs nothing.
    """
    if folder.name != GALLERY:
        return
    try:
        registry.get("reporters", "gallery-html")(folder)
    except Exception as error:
        click.echo(f"{folder / 'index.html'}: not written: {error}", err=True)
