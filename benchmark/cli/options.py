"""Options that several commands share, and the progress bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from benchmark.errors import BenchError

F = Callable[..., Any]


def plan_options(command: F) -> F:
    """--task --preset --data --set."""
    for decorate in reversed(
        (
            click.option("--task", default="face", show_default=True, help="Which task; see `bench tasks`."),
            click.option("--preset", default="demo", show_default=True, help="Name or TOML file; see `bench presets`."),
            click.option(
                "--data",
                default=None,
                metavar="DIR",
                help="Folder made by `bench data prepare`. Default: rendered data.",
            ),
            click.option(
                "--set", "overrides", multiple=True, metavar="A.B=C", help="Override one key, e.g. train.steps=500."
            ),
        )
    ):
        command = decorate(command)
    return command


def task_list(text: str) -> list[str]:
    """ "face,dance" -> ["face", "dance"]; "all" names every task."""
    from benchmark import registry

    names = registry.names("tasks") if text.strip() == "all" else [part.strip() for part in text.split(",")]
    return list(dict.fromkeys(name for name in names if name)) or [text]


def data_folders(text: str | None, tasks: list[str]) -> dict[str, str]:
    """--data of one task is a folder; of several "face=DIR,street=DIR": {task: folder}."""
    if text is None:
        return {}
    if len(tasks) == 1:
        return {tasks[0]: text.removeprefix(f"{tasks[0]}=")}
    folders = {}
    for part in text.split(","):
        task, equals, folder = part.partition("=")
        if not equals or not folder or task.strip() not in tasks:
            raise BenchError(f"--data {part!r}: with several tasks say whose it is, e.g. {tasks[0]}=DIR")
        folders[task.strip()] = folder.strip()
    return folders


def seed_list(text: str) -> list[int]:
    """ "0,1,2" -> [0, 1, 2]."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise BenchError(f"--seeds: whole numbers separated by commas, got {text!r}") from error


def progress(total: int, label: str) -> Any:
    """A progress bar on stderr that stays silent where nobody watches and for what ends within two seconds."""
    from tqdm import tqdm

    return tqdm(total=total, desc=label, unit="img", delay=2, disable=None, leave=False, dynamic_ncols=True)


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
