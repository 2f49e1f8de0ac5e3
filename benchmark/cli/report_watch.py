"""`bench report RUN --watch`: look at a run again and again, and write its pages when something changed."""

from __future__ import annotations

import time
from pathlib import Path

import click

from benchmark import registry
from benchmark.errors import BenchError
from benchmark.run.results import is_suite, read_suite

SIGNS = ("suite.json", "manifest.json", "cells.jsonl", "results.json", "preference*.json", "cells/*/*/log.jsonl")
REPORTED = ("results.json", "preference*.json")  # a report is written again when these change

Signs = dict[Path, tuple[int, int]]


def follow(run: Path, every: float) -> None:
    """Keep RUN/progress.html up to date, looking every `every` seconds, and the reports whenever results change; until
    every cell has ended or Ctrl-C. The page reloads itself while this is at work and no longer afterwards.
    """
    from benchmark.cli.report import check

    check(run)
    write_progress = registry.get("reporters", "progress-html")
    seen: Signs = {}
    shown, ended = "", False
    click.echo(f"watching {run}: open {run / 'progress.html'}; Ctrl-C ends this")
    try:
        while not ended:
            signs = _signs(run, SIGNS)
            if signs != seen or not shown:
                _write_reports(run)
                _, line, ended = write_progress(run, every)
                if line != shown:
                    click.echo(line)
                seen, shown = signs, line
            if not ended:
                time.sleep(every)
        click.echo(f"every cell has ended; report: {run / 'report.html'}")
    except KeyboardInterrupt:
        click.echo("stopped watching; the run itself is not touched")
    finally:
        write_progress(run, None)


def _write_reports(run: Path) -> None:
    """Every report that is older than what it shows. One that cannot be written now is told, and tried again later."""
    from benchmark.cli.report import write

    tasks = [view.folder for view in read_suite(run).views] if is_suite(run) else []
    for folder in [*tasks, run]:
        sources = [sign for source in (tasks if folder == run and tasks else [folder]) for sign in _newest(source)]
        page = folder / "report.html"
        if sources and (not page.exists() or page.stat().st_mtime_ns < max(sources)):
            try:
                write(folder)
            except BenchError as error:
                click.echo(str(error), err=True)


def _newest(folder: Path) -> list[int]:
    return [stamp for stamp, _ in _signs(folder, REPORTED).values()] if (folder / "results.json").exists() else []


def _signs(run: Path, patterns: tuple[str, ...]) -> Signs:
    """{file: (time of writing, size)} of what a run leaves as it goes on, of all its tasks."""
    places = [run, *(view.folder for view in read_suite(run).views)] if is_suite(run) else [run]
    files = [path for place in places for pattern in patterns for path in place.glob(pattern)]
    return {path: (stat.st_mtime_ns, stat.st_size) for path in files if (stat := path.stat())}
