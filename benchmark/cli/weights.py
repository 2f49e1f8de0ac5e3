"""`bench weights`: list, fetch, verify and import the weight files of networks that this package does not carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from benchmark import weights
from benchmark.errors import BenchError, nearest


@click.group()
def command() -> None:
    """Weight files of feature networks, detectors and parsers: what is here, and getting the rest.

    \b
    They lie in $BENCH_WEIGHTS (or ~/.cache/exemplar-bench/weights). A machine without a network:
      elsewhere    BENCH_WEIGHTS=/media/stick bench weights fetch --task face
      there        bench weights import /media/stick
    """


@command.command("list")
@click.option("--task", help="Only what this task can use.")
def list_files(task: str | None) -> None:
    """Every file: here or missing, size, licence, who needs it, and its address."""
    shown = _of_task(task)
    for row in weights.status():
        if row.file.name not in shown:
            continue
        state = "damaged" if row.problem else "here" if row.path else "missing"
        size = f"{row.file.size / 2**20:.0f} MiB" if row.file.size else "size unknown"
        click.echo(f"{state:<8} {click.style(row.file.name, bold=True):<24} {size}, {', '.join(row.file.tasks)}")
        click.echo(f"         needed by {row.file.needed_by}")
        click.echo(f"         licence {row.file.licence}")
        click.echo(f"         {row.problem or row.path or row.file.remedy}")


@command.command()
@click.argument("names", nargs=-1)
@click.option("--task", help="Everything that this task can use.")
def fetch(names: tuple[str, ...], task: str | None) -> None:
    """Download files by NAME, or all that a task can use. Goes on where it was stopped; checks every byte.

    \b
    Examples:
      bench weights fetch vgg19 inception-2015-12-05
      bench weights fetch --task street
    """
    if bool(names) == bool(task):
        raise BenchError("weights fetch: give names, or --task")
    wanted = [weights.named(n).name for n in names] or [n for n in _of_task(task) if weights.named(n).urls]
    failed = []
    for name in wanted:
        try:
            with _bar(name) as progress:
                path = weights.fetch(name, progress)
            click.echo(f"ok       {name:<24} {path}  sha256 {weights.sha256(path)}")
        except BenchError as error:
            failed.append(str(error))
            click.echo(f"failed   {error}", err=True)
    if failed:
        raise BenchError(f"{len(failed)} of {len(wanted)} could not be fetched; what arrived is kept for the next try")


@command.command()
def verify() -> None:
    """Hash every file that is here; exit 2 if one is not what it must be."""
    rows = weights.status(verify=True)
    for row in (row for row in rows if row.path or row.problem):
        click.echo(row.problem or f"ok       {row.file.name:<24} {row.path}")
    wrong = sum(bool(row.problem) for row in rows)
    if wrong:
        raise BenchError(f"{wrong} weight file{'s are' if wrong > 1 else ' is'} not what weights.toml says")


@command.command("import")
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path))
def import_files(source: Path) -> None:
    """Copy the weight files found in DIR to where they are looked for, each checked first."""
    imported, refused = weights.import_folder(source)
    for name in imported:
        click.echo(f"ok       {name:<24} {weights.named(name).target}")
    for line in refused:
        click.echo(f"refused  {line}", err=True)
    if refused:
        raise BenchError(f"{source}: {len(refused)} of {len(imported) + len(refused)} files are not what they must be")


def _of_task(task: str | None) -> list[str]:
    tasks = sorted({t for entry in weights.table().values() for t in entry.tasks})
    if task is not None and task not in tasks:
        raise BenchError(f"--task: unknown task {task!r}{nearest(task, tasks)}")
    return [name for name, entry in weights.table().items() if task is None or task in entry.tasks]


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    from tqdm import tqdm

    with tqdm(desc=name, unit="B", unit_scale=True, unit_divisor=1024, leave=False, disable=None) as bar:

        def show(there: int, total: int) -> None:
            bar.total = total or None
            bar.update(there - bar.n)

        yield show
