"""`bench data`: prepare videos of faces and dancers, look at data, check that prepared files are unchanged."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import click

from benchmark.errors import BenchError, nearest

_SETTINGS = {  # what is prepared from video, and how
    "face": "benchmark.data.prepare_face:FaceSettings",
    "dance": "benchmark.data.prepare_dance:DanceSettings",
}
_PREPARED = {"face": "benchmark.data.prepared:PreparedFaces", "dance": "benchmark.data.prepared_dance:PreparedDance"}
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
  bench data prepare --task dance --videos solos --out data/dance --detector mediapipe
  bench data prepare --task dance --videos solos --out data/paper --detector openpose-json:joints --parts iuv
"""
SHOW_EXAMPLES = """\b
Examples:
  bench data show --out faces.png
  bench data show --task dance --out dancers.png
  bench data show --out big.png --size 256 --identities 4 --states 4
  bench data show --data data/faces --out mine.png
  bench data show --task dance --data data/dance --out mine.png
"""


@click.group("data")
def command() -> None:
    """Prepare, show and verify data."""


@command.command(epilog=PREPARE_EXAMPLES)
@click.option("--task", default="face", show_default=True, help="Task to prepare for: face or dance.")
@click.option("--videos", type=_FOLDER, required=True, help="Folder of videos (searched deeply), one person each.")
@click.option("--out", type=_FOLDER, required=True, help="Folder to write; run again to continue after a stop.")
@click.option("--size", default=256, show_default=True, help="Side of the written frames in px.")
@click.option("--every", default=1, show_default=True, help="Use every n-th frame (the official lists: every 10th).")
@click.option(
    "--detector",
    help="face: dlib (default) or face-alignment. dance: keypoint-rcnn (default), mediapipe, or openpose-json:DIR, "
    "OpenPose's files for the frames of the videos.",
)
@click.option("--parts", help="dance: folder of DensePose's IUV images for the frames of the videos.")
@click.option("--min-crop", default=128, show_default=True, help="Drop crops smaller than this in the video, px.")
@click.option(
    "--outside",
    default="fit",
    show_default=True,
    help="A crop that leaves the frame: fit (shrink and move it) or drop (the official rule for faces).",
)
@click.option(
    "--split",
    default="auto",
    show_default=True,
    help="video (a fifth validation, a fifth test), time (first half trains, second half tests), "
    "or auto: by time for dance; for faces by video from 6 videos on.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@click.option("--workers", default=min(2, os.cpu_count() or 1), show_default=True, help="Processes, one video each.")
@click.option(
    "--max-bad",
    default=0.5,
    show_default=True,
    help="Fail when a larger share of the videos, or of their frames, is bad: unreadable, nobody in it, no joints.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def prepare(
    task: str,
    videos: Path,
    out: Path,
    split: str,
    seed: int,
    workers: int,
    max_bad: float,
    quiet: bool,
    **settings: Any,
) -> None:
    """Find, follow and crop the face or the dancer in every video, with points, split and sha256 of every file.

    Ends with what became of each video: how many frames were kept and how many dropped for which reason. A stopped or
    killed run is continued by the same command and ends in the same files.
    """
    from benchmark.data.prepare import prepare_videos

    if task not in _SETTINGS:
        raise BenchError(f"--task {task}: cannot be prepared from video{nearest(task, _SETTINGS)}")
    if task == "face" and settings["parts"] is not None:
        raise BenchError("--parts: faces have no part maps; it goes with --task dance")
    given = {key: value for key, value in settings.items() if value is not None}
    report = prepare_videos(
        videos,
        out,
        _load(_SETTINGS[task])(**given),
        split=split,
        seed=seed,
        workers=max(workers, 1),
        max_bad=max_bad,
        progress=not quiet,
    )
    click.echo("\n".join(report))
    for caution in getattr(_load(_PREPARED[task])(out, size=64), "cautions", ()):
        click.echo(f"note: {caution}")
    click.echo(f"wrote {out}; use it with: bench run --task {task} --data {out}")


@command.command(epilog=SHOW_EXAMPLES)
@click.option("--task", default="face", show_default=True, help="Whose rendered world: face, dance or street.")
@click.option("--data", type=_FOLDER, help="A prepared folder; the rendered world when not given.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="PNG to write.")
@click.option("--size", default=128, show_default=True, help="Side of a cell in px.")
@click.option("--identities", default=8, show_default=True, help="Rows: people, or clips of a prepared folder.")
@click.option("--states", default=6, show_default=True, help="Columns: frames of one clip.")
@click.option("--seed", default=0, show_default=True, help="Which rendered people.")
def show(task: str, data: Path | None, out: Path, size: int, identities: int, states: int, seed: int) -> None:
    """Write a contact sheet: one person a row, one moment a column, landmarks or limbs drawn over."""
    for option, value in (("--size", size), ("--identities", identities), ("--states", states)):
        if value < 1:
            raise BenchError(f"{option} {value}: must be 1 or more")
    out.parent.mkdir(parents=True, exist_ok=True)
    known = _PREPARED if data else _SHEETS
    if task not in known:
        raise BenchError(f"--task {task}: cannot be shown{' from --data' if data else ''}{nearest(task, known)}")
    if data is None:
        _load(_SHEETS[task])(out, size, identities, states, seed)
    else:
        from benchmark.data.prepared_sheet import write_prepared_sheet

        write_prepared_sheet(out, _load(_PREPARED[task])(data, size), clips=identities, frames=states)
    click.echo(f"wrote {out}")


@command.command()
@click.argument("folder", type=_FOLDER)
def verify(folder: Path) -> None:
    """Compare every file of a prepared FOLDER with its sha256; exit 2 naming what changed.

    \b
    Example:
      bench data verify data/faces
    """
    from benchmark.data.manifest import read_manifest

    source = _load(_PREPARED[read_manifest(folder).header["task"]])(folder, size=64)
    source.verify()
    frames = sum(len(clip) for clip in source.clips)
    click.echo(f"{folder}: {frames} frames of {len(source.clips)} clips, every file as prepared")


def _load(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)
