"""`bench report`: (re)write the page of a run folder."""

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
"""


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
def command(run: Path) -> None:
    """Write RUN/report.html and RUN/tables/ from what the run folder holds."""
    click.echo(f"report: {write(run)}")


def write(run: Path) -> Path:
    """Render the report of a run folder, of one task or several; a folder without results is one clear line."""
    if is_suite(run):
        suite_page: Path = registry.get("reporters", "suite-html")(run)
        return suite_page
    if not (run / "manifest.json").exists():
        raise BenchError(f"{run}: not a run folder (no manifest.json); give a folder that `bench run` made")
    page: Path = registry.get("reporters", "html")(run)
    return page
