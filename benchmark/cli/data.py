"""`bench data`: prepare face videos, look at data, check that prepared files are unchanged."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import click

from benchmark.errors import BenchError, nearest

_TASKS = ("face",)
_SHEETS = {  # how `show` draws the rendered world of a task: called with path, size, identities, states, seed
    "face": "benchmark.data.procedural.sheet:faces_sheet",
    "dance": "benchmark.data.procedural.dance_sheet:dances_sheet",
    "street": "benchmark.data.procedural.street_sheet:streets_sheet",
}
_FOLDER = click.Path(path_type=Path)

PREPARE_EXAMPLES = """\b
Examples:
  bench data prepare --videos my_clips --out data/faces
  bench data prepare --videos my_clips --out data/faces64 --size 64 --every 10
  bench data prepare --videos my_clips --out data/strict --outside drop --split video
"""
SHOW_EXAMPLES = """\b
Examples:
  bench data show --out faces.png
  bench data show --task dance --out dancers.png
  bench data show --out big.png --size 256 --identities 4 --states 4
  bench data show --data data/faces --out mine.png
"""


@click.group("data")
def command() -> None:
    """Prepare, show and verify data."""


@command.command(epilog=PREPARE_EXAMPLES)
@click.option("--task", default="face", show_default=True, help="Task to prepare for.")
@click.option("--videos", type=_FOLDER, required=True, help="Folder of videos (searched deeply), one person each.")
@click.option("--out", type=_FOLDER, required=True, help="Folder to write; run again to continue after a stop.")
@click.option("--size", default=256, show_default=True, help="Side of the written frames in px, at most 512.")
@click.option("--every", default=1, show_default=True, help="Use every n-th frame (the official lists: every 10th).")
@click.option("--detector", default="dlib", show_default=True, help="Landmark detector: dlib or face-alignment.")
@click.option("--min-crop", default=128, show_default=True, help="Drop crops smaller than this in the video, px.")
@click.option(
    "--outside",
    default="fit",
    show_default=True,
    help="A crop that leaves the frame: fit (shrink and move it) or drop (the official rule).",
)
@click.option(
    "--split",
    default="auto",
    show_default=True,
    help="video (a fifth validation, a fifth test), time (first half trains, second half tests), "
    "or auto: by video from 6 videos on.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@click.option("--workers", default=min(2, os.cpu_count() or 1), show_default=True, help="Processes, one video each.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def prepare(
    task: str,
    videos: Path,
    out: Path,
    size: int,
    every: int,
    detector: str,
    min_crop: int,
    outside: str,
    split: str,
    seed: int,
    workers: int,
    quiet: bool,
) -> None:
    """Find, follow and crop the face in every video, with landmarks, split and sha256 of every file.

    Ends with what became of each video: how many frames were kept and how many dropped for which reason. A stopped or
    killed run is continued by the same command and ends in the same files.
    """
    from benchmark.data.prepare import prepare_faces
    from benchmark.data.prepare_video import Settings

    if task not in _TASKS:
        raise BenchError(f"--task {task}: cannot be prepared from video{nearest(task, _TASKS)}")
    settings = Settings(size, every, detector, min_crop, outside)
    report = prepare_faces(videos, out, settings, split=split, seed=seed, workers=max(workers, 1), progress=not quiet)
    click.echo("\n".join(report))
    click.echo(f"wrote {out}; use it with: bench run --task {task} --data {out}")


@command.command(epilog=SHOW_EXAMPLES)
@click.option("--task", default="face", show_default=True, help="Whose rendered world: face, dance or street.")
@click.option("--data", type=_FOLDER, help="A prepared folder of faces; the rendered world when not given.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="PNG to write.")
@click.option("--size", default=128, show_default=True, help="Side of a cell in px.")
@click.option("--identities", default=8, show_default=True, help="Rows: people, or clips of a prepared folder.")
@click.option("--states", default=6, show_default=True, help="Columns: frames of one clip.")
@click.option("--seed", default=0, show_default=True, help="Which rendered people.")
def show(task: str, data: Path | None, out: Path, size: int, identities: int, states: int, seed: int) -> None:
    """Write a contact sheet: one person a row, one moment a column, landmarks drawn over."""
    for option, value in (("--size", size), ("--identities", identities), ("--states", states)):
        if value < 1:
            raise BenchError(f"{option} {value}: must be 1 or more")
    out.parent.mkdir(parents=True, exist_ok=True)
    if task not in _SHEETS or (data and task != "face"):
        raise BenchError(f"--task {task}: cannot be shown{' from --data' if data else ''}{nearest(task, _SHEETS)}")
    if data is None:
        module, _, function = _SHEETS[task].partition(":")
        getattr(importlib.import_module(module), function)(out, size, identities, states, seed)
    else:
        from benchmark.data.prepared import PreparedFaces
        from benchmark.data.prepared_sheet import write_prepared_sheet

        write_prepared_sheet(out, PreparedFaces(data, size), clips=identities, frames=states)
    click.echo(f"wrote {out}")


@command.command()
@click.argument("folder", type=_FOLDER)
def verify(folder: Path) -> None:
    """Compare every file of a prepared FOLDER with its sha256; exit 2 naming what changed.

    \b
    Example:
      bench data verify data/faces
    """
    from benchmark.data.prepared import PreparedFaces

    source = PreparedFaces(folder, size=64)
    source.verify()
    frames = sum(len(clip) for clip in source.clips)
    click.echo(f"{folder}: {frames} frames of {len(source.clips)} clips, every file as prepared")
