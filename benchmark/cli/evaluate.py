"""`bench evaluate`: score finished pictures, whoever made them and however."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmark.cli.evaluate_folders import OF_FOLDERS, evaluate_folders, folder_options
from benchmark.cli.options import plan_options, progress
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.run.plan import Plan

EPILOG = """\b
Examples:
  bench evaluate --real photos/ --fake theirs/                        # FID and KID of any two folders
  bench evaluate --export exam/ --run runs/face-demo-1a2b3c4d         # what to draw, in whose style
  bench evaluate --outputs theirs/ --name theirs --run runs/face-demo-1a2b3c4d
  bench evaluate --outputs theirs/ --name theirs --task face --preset mini

Pictures are PNG or JPG files named by item, 0000.png and so on. With --run they become a row of that run's report,
without it of a run of their own, beside the references.
"""


@click.command(epilog=EPILOG)
@click.option("--outputs", type=click.Path(path_type=Path), metavar="DIR", help="Folder of finished pictures.")
@click.option("--name", help="Name of the row: letters, digits, '.', '_', '-'.")
@click.option("--title", default="", help="What the report calls it. Default: the name.")
@click.option("--run", "folder", type=click.Path(path_type=Path, file_okay=False), help="Run folder to add the row to.")
@plan_options
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of a run of its own. Default: runs/<id>."
)
@click.option("--resize", is_flag=True, help="Resize pictures of another size; the report says so.")
@click.option("--replace", is_flag=True, help="Put these pictures in place of others under the same name.")
@click.option(
    "--export", "exam", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write the exam's labels and exemplars into DIR instead, for code of any kind to answer.",
)  # fmt: skip
@folder_options
@click.pass_context
def command(
    context: click.Context,
    outputs: Path | None,
    name: str | None,
    title: str,
    folder: Path | None,
    task: str,
    preset: str,
    data: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    resize: bool,
    replace: bool,
    exam: Path | None,
    real: Path | None,
    fake: Path | None,
    **folders: Any,
) -> None:
    """Score a folder of finished pictures: beside the methods of a run, or against any folder of real ones."""
    if real is not None or fake is not None:
        _refuse_beside_folders(context)
        evaluate_folders(real, fake, **folders)
        return
    for option in _given(context) & OF_FOLDERS:
        raise BenchError(f"--{option}: needs --real DIR and --fake DIR")
    if (outputs is None) == (exam is None):
        raise BenchError(
            "give either --outputs DIR, to score pictures, or --export DIR, to write what they should show, "
            "or --real DIR --fake DIR, to compare two folders"
        )
    if folder is not None:
        _refuse_beside_run(context, folder, task)
    if exam is not None:
        _export(exam, folder, task, preset, overrides, data)
        return
    if name is None:
        raise BenchError("--name: give the row a name, e.g. --name theirs")
    from benchmark.cli.report import write
    from benchmark.run.pictures import add_pictures

    assert outputs is not None
    run = folder or _references(_new_plan(task, preset, overrides, data), out)
    whole = add_pictures(run, name, outputs, progress, click.echo, title, resize, replace)
    click.echo(f"report: {write(run)}")
    if not whole:
        sys.exit(1)


def _refuse_beside_folders(context: click.Context) -> None:
    """Two folders need nothing of a task or a run."""
    for option in _given(context) - OF_FOLDERS:
        raise BenchError(f"--{option}: has no meaning beside --real and --fake; leave it out")


def _given(context: click.Context) -> set[str]:
    """Names of the options on the command line, as a user writes them without dashes."""
    said = click.core.ParameterSource.COMMANDLINE
    named = [p for p in context.command.params if p.name and context.get_parameter_source(p.name) is said]
    return {parameter.opts[0].lstrip("-") for parameter in named}


def _refuse_beside_run(context: click.Context, run: Path, task: str) -> None:
    """A run folder says itself what its task, preset and data are."""
    given = [
        key
        for key in ("task", "preset", "data", "overrides", "out")
        if context.get_parameter_source(key) is click.core.ParameterSource.COMMANDLINE
    ]
    for key in given:
        if key != "task":
            raise BenchError(f"--{key.replace('overrides', 'set')}: {run} brings its own; leave it out beside --run")
    from benchmark.run.pictures import plan_of

    found = plan_of(run).task.name
    if given and found != task:
        raise BenchError(f"--task {task}: {run} is a run of the {found} task")


def _export(exam: Path, run: Path | None, task: str, preset: str, overrides: tuple[str, ...], data: str | None) -> None:
    from benchmark.run.export import export
    from benchmark.run.pictures import plan_of

    plan = plan_of(run) if run else _new_plan(task, preset, overrides, data)
    click.echo(f"{export(plan, exam, progress)} items in {exam}; {exam / 'README.txt'} says what to make of them")


def _new_plan(task: str, preset: str, overrides: tuple[str, ...], data: str | None) -> Plan:
    """A run of the task's references alone."""
    from benchmark import config as configuration
    from benchmark import registry
    from benchmark.run.plan import make_plan

    rows = registry.get("tasks", task).methods
    references = [name for name in rows if registry.get("methods", name).reference]
    return make_plan(task, configuration.load(preset, task, overrides), ",".join(references), [0], data)


def _references(plan: Plan, out: Path | None) -> Path:
    """The run folder that the pictures go into, its references scored."""
    from benchmark.run.runner import finished, run

    folder = out or Path("runs") / plan.id
    click.echo(f"run folder: {folder}")
    if not finished(folder, plan):
        run(plan, folder, ["bench", *sys.argv[1:]], click.echo, progress, show=sys.stderr.isatty())
    return folder
