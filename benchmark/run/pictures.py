"""Rows made of finished pictures, for people who have images and keep their code to themselves.

`bench evaluate` calls `add_pictures`: every picture is checked first, then copied into the run folder and scored like
a method's own. What such a row cost to make is not known, and the report says so.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmark import config as configuration
from benchmark import registry
from benchmark.errors import BenchError
from benchmark.files import append_line, sha256_file, write_json
from benchmark.run.cell import CellRun
from benchmark.run.locks import only_runner
from benchmark.run.manifest import check_same
from benchmark.run.plan import Cell, Plan
from benchmark.run.png import save_png
from benchmark.run.results import RunView
from benchmark.run.stages import run_cell
from benchmark.run.summary import summarise
from benchmark.run.world import World

SUFFIXES = (".png", ".jpg", ".jpeg")
MODES = ("1", "L", "P", "RGB", "RGBA", "LA")  # 8 bits or fewer: 16-bit and float images have no agreed way down
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STAGES = ("synthesize", "score")
NAMED = 5  # items that an error message names before it counts


@dataclass(frozen=True)
class Pictures:
    """A checked folder: one readable picture per test item."""

    files: dict[str, Path]  # by item id, in item order
    sha256: str  # over one line "file name, sha256 of the file" per item
    resized_from: str = ""  # "128x128" where the pictures had another size than the task's


@dataclass
class PicturesRun(CellRun):
    """A cell whose images were made elsewhere: it has nothing to fit."""

    pictures: Pictures = field(kw_only=True)

    @property
    def is_reference(self) -> bool:
        return False

    def synthesize(self) -> dict[str, Any]:
        """Copy the pictures as RGB PNG of the task's size."""
        out, files = self.cell.images(self.run), self.pictures.files
        out.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.progress(len(files), f"{self.cell.method} copy") as bar:
            for item, path in files.items():
                save_png(out / f"{item}.png", np.asarray(_fit(_read(path), _size(self.world))))
                bar.update(1)
        return {"images": len(files), "sha256": self.pictures.sha256}


def plan_of(run: Path) -> Plan:
    """The plan that made a run folder, without its methods."""
    if not (run / "manifest.json").exists():
        raise BenchError(f"--run {run}: not a run folder (no manifest.json); give a folder that `bench run` made")
    manifest = RunView(run).manifest
    config = configuration.from_dict(manifest["config"], f"{run}/manifest.json")
    task = registry.get("tasks", manifest["task"])()
    return Plan(task, config, (), tuple(manifest["seeds"]), World(task, config, manifest["data_path"]))


def add_pictures(
    run: Path,
    name: str,
    folder: Path,
    progress: Callable[[int, str], Any],
    say: Callable[[str], None],
    title: str = "",
    resize: bool = False,
    replace: bool = False,
) -> bool:
    """Score the pictures in `folder` as row `name` of a run folder; False when a metric failed on them.

    The same pictures under the same name are not scored twice. Raises BenchError, before anything is written, for a
    name that is taken, a missing or unreadable picture, and, without `resize`, a picture of another size.
    """
    with only_runner(run):
        plan, manifest = plan_of(run), RunView(run).manifest
        check_same(run, manifest, plan)
        _check_name(run, name, manifest)
        pictures = inspect(folder, [item.id for item in plan.world.items], _size(plan.world), resize, progress)
        rows = {row["name"]: row for row in manifest.get("pictures", [])}
        old = rows.get(name)
        if old and old["sha256"] != pictures.sha256 and not replace:
            raise BenchError(f"--name {name}: {run} has that row from other pictures; take another name, or --replace")
        work = PicturesRun(Cell(name, plan.seeds[0]), run, plan.world, progress, pictures=pictures)
        if old is None or old["sha256"] != pictures.sha256:
            _forget(work)
        about = {
            "name": name,
            "title": title or (old["title"] if old else name),
            "folder": str(folder),
            "sha256": pictures.sha256,
            "resized_from": pictures.resized_from,
        }
        write_json(run / "manifest.json", {**manifest, "pictures": [*{**rows, name: about}.values()]})
        done = RunView(run).stages(name, work.cell.seed)
        todo = [stage for stage in STAGES if done.get(stage, {}).get("state") != "done"]
        say(f"{name}: {len(pictures.files)} pictures" if todo else f"{name}: these pictures are scored already")
        whole = run_cell(work, todo, say)
        summarise(run, plan.world, RunView(run).manifest)
    return whole


def inspect(
    folder: Path, items: Sequence[str], size: tuple[int, int], resize: bool, progress: Callable[[int, str], Any]
) -> Pictures:
    """Find and open the picture of every item (`<id>.png` or `.jpg`); `size` is (width, height) in px."""
    found = _find(folder, items)
    listing, others = hashlib.sha256(), dict[tuple[int, int], None]()
    with progress(len(items), f"check {folder.name}") as bar:
        for path in found.values():
            was = _read(path).size
            if was != size and not resize:
                raise BenchError(
                    f"{path}: is {was[0]}x{was[1]}, the task's images are {size[0]}x{size[1]}; "
                    "make it that size, or add --resize, which the report will mention"
                )
            if was != size:
                others[was] = None
            listing.update(f"{path.name} {sha256_file(path)}\n".encode())
            bar.update(1)
    sizes = [f"{width}x{height}" for width, height in others]
    return Pictures(found, listing.hexdigest(), sizes[0] if len(sizes) == 1 else f"{len(sizes)} sizes" if sizes else "")


def _find(folder: Path, items: Sequence[str]) -> dict[str, Path]:
    if not folder.is_dir():
        raise BenchError(f"--outputs {folder}: no such folder")
    by_stem: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and path.stem in by_stem and path.stem in items:
            raise BenchError(f"{folder}: two pictures for item {path.stem}: {by_stem[path.stem].name} and {path.name}")
        if path.suffix.lower() in SUFFIXES:
            by_stem[path.stem] = path
    missing = [item for item in items if item not in by_stem]
    if missing:
        more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise BenchError(
            f"{folder}: no picture for {len(missing)} of {len(items)} items: {', '.join(missing[:NAMED])}{more}; "
            f"expected {missing[0]}.png or .jpg, as `bench evaluate --export` names them"
        )
    return {item: by_stem[item] for item in items}


def _read(path: Path) -> Image.Image:
    """An RGB image; what cannot become one without a guess is an error."""
    try:
        with Image.open(path) as image:
            if image.mode not in MODES:
                raise BenchError(f"{path}: has pixels of type {image.mode}; save it as 8-bit RGB")
            if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
                raise BenchError(f"{path}: is partly transparent; save it as 8-bit RGB")
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BenchError(f"{path}: cannot be read as a picture: {error}") from error


def _fit(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _size(world: World) -> tuple[int, int]:
    """(width, height) of the task's images in px."""
    info = world.task.info(world.config)
    return info.width, info.height


def _check_name(run: Path, name: str, manifest: dict[str, Any]) -> None:
    if not NAME.fullmatch(name):
        raise BenchError(f"--name {name!r}: letters, digits, '.', '_' and '-' only; --title may say anything")
    if name in registry.names("methods"):
        raise BenchError(f"--name {name}: is a registered method (see `bench methods`); take another name")
    if name in manifest["methods"]:
        raise BenchError(f"--name {name}: {run} has a method of that name; take another name")


def _forget(work: CellRun) -> None:
    """Drop what earlier pictures left under this name."""
    for stage in STAGES:
        record = {"method": work.cell.method, "seed": work.cell.seed, "stage": stage, "state": "stale"}
        append_line(work.run / "cells.jsonl", record)
    shutil.rmtree(work.cell.images(work.run), ignore_errors=True)
    shutil.rmtree(work.folder, ignore_errors=True)
