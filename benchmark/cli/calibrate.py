"""`bench calibrate`: damage true answers in steps and see which metrics notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.cli.options import progress

EPILOG = """\b
Examples:
  bench calibrate --out calibration/
  bench calibrate --task street --items 60 --out streets/
  bench calibrate --metrics lepe,eye-patch --set data.size=128 --out points/
  bench calibrate --set eval.frechet=inception-2015-12-05 --set eval.features=vgg19 --out standard/
"""
FIGURES = ("calibration.svg", "calibration.png")


@click.command(epilog=EPILOG)
@click.option("--task", default="face", show_default=True, help="Whose rendered world; see `bench tasks`.")
@click.option("--preset", default="mini", show_default=True, help="Name or TOML file; see `bench presets`.")
@click.option("--items", type=click.IntRange(min=8), default=120, show_default=True, help="True answers to damage.")
@click.option("--metrics", default="all", show_default=True, help="Comma-separated; all: as a run scores.")
@click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Override one key, e.g. data.size=128.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write into.")
def command(task: str, preset: str, items: int, metrics: str, overrides: tuple[str, ...], out: Path) -> None:
    """Damage the true answers of a rendered world in steps and see which metrics notice.

    Blur, noise, JPEG, a colour shift, another person, a neighbouring moment, another layout: every metric must follow
    the damage it is for, and must not move under what it should not see. Writes calibration.json, calibration.svg and
    calibration.png.
    """
    from benchmark import config as configuration
    from benchmark import registry
    from benchmark.files import write_json
    from benchmark.metrics.calibration import calibrate, draw
    from benchmark.run.plan import resolve
    from benchmark.run.world import World

    chosen = registry.get("tasks", task)()
    config = configuration.load(preset, task, [*overrides, f"eval.items={items}"])
    world = World(chosen, resolve(config, World(chosen, config).source))
    listed = [name.strip() for name in metrics.split(",")]
    names = [*chosen.metrics, *config.eval.extra_metrics] if listed == ["all"] else listed
    found = calibrate(world, names, progress)
    write_json(out / "calibration.json", {**found, "config": world.config.to_dict()})
    for name in FIGURES:
        draw(found, out / name)
    click.echo("\n".join(lines(found)))
    click.echo(f"wrote {out / 'calibration.json'}, {', '.join(FIGURES)}")


def lines(calibration: dict[str, Any]) -> list[str]:
    """Every claim with its verdict: what a score does at the strongest step."""
    said = {True: "as it must", False: "NOT AS IT MUST", None: "no value"}
    return [
        f"{score['metric'][:44]:<44} {curve['damage']:<10} {curve['claim']:<7} {said[curve['holds']]:<15}"
        f"{_number(score['untouched']['value'])} -> {_number(curve['levels'][-1]['value'])}"
        for score in calibration["scores"]
        for curve in score["curves"]
        if curve["claim"]
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
