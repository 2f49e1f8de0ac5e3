"""`bench pairs`: mark by hand which pairs of frames share a style."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmark.cli.options import plan_options
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.run.world import World

_FILE = click.Path(path_type=Path, dir_okay=False)
QUESTIONS = {
    "face": "Same style? The same person, hair, skin, make-up and light, whatever the pose and expression",
    "dance": "Same style? The same person, clothes, place and light, whatever the pose",
    "street": "Same style? The same weather, time of day and light, whatever the scene",
}
LABEL_EXAMPLES = """\b
Examples:
  bench pairs label --task face --data data/faces --who anna --out labels.csv
  bench pairs label --task dance --preset demo --who anna --drawn inconsistent --pairs 100
  bench run --task face --data data/faces --set pairs.labels=labels.csv      trains by what was marked
"""
AGREE_EXAMPLES = """\b
Example:
  bench pairs agree labels.csv
"""


@click.group("pairs")
def command() -> None:
    """Mark by hand which pairs of frames share a style (pix2pixSC sec 3.3), and see how far labellers agree.

    The page needs the extra: pip install 'exemplar-bench[survey]'.
    """


@command.command(epilog=LABEL_EXAMPLES)
@plan_options
@click.option("--who", help="Your name, stored with every answer. Default: the name you are logged in by.")
@click.option(
    "--out", type=_FILE, default=Path("labels.csv"), show_default=True, help="File to write; an old one is continued."
)
@click.option("--pairs", "count", default=200, show_default=True, help="How many pairs.")
@click.option(
    "--drawn",
    default="both",
    show_default=True,
    help="consistent: of one clip, near in time. inconsistent: of two clips, which the paper had marked. both: as in "
    "training, so that nobody can go by the kind of pair.",
)
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="train", show_default=True)
@click.option("--seed", default=0, show_default=True, help="Which pairs; the same for every labeller.")
@click.option("--size", default=256, show_default=True, help="Longest side of a frame as shown, px.")
@click.option("--question", help="What is asked; the default goes by the task.")
@click.option("--port", default=8710, show_default=True, help="On this computer; reachable from no other.")
def label(
    task: str,
    preset: str,
    data: str | None,
    overrides: tuple[str, ...],
    who: str | None,
    out: Path,
    count: int,
    drawn: str,
    split: str,
    seed: int,
    size: int,
    question: str | None,
    port: int,
) -> None:
    """Serve a page that shows two frames at a time: Y yes, N no, S skip, U undo. Stop and start as you like.

    Answers are in the file before the next pair is shown. Several people may work on one file, each with --who and a
    --port of their own; they see the same pairs, and the majority decides.
    """
    from benchmark.data.consistency import read_consistency
    from benchmark.data.pair_labels import PairLabels
    from benchmark.survey.pairs.drawing import draw_pairs

    try:
        from benchmark.survey.pairs.app import Marking, serve
    except ModuleNotFoundError as error:
        raise BenchError(f"{error.name} is missing: pip install 'exemplar-bench[survey]'") from error

    labels = PairLabels(out, who if who is not None else getpass.getuser())
    world = _world(task, preset, data, overrides, size)
    if out.exists():
        read_consistency(out, world.source.clips)  # made from other data: said now, not after an hour's work
    pairs = draw_pairs(world.clips(split), world.config.pairs, count, drawn, seed)
    marking = Marking(world.source, pairs, labels, question or QUESTIONS.get(task, "Same style?"))
    state = marking.state()
    click.echo(f"{len(pairs)} pairs, {state['done']} of them marked by {labels.who}; answers go to {out}")
    if len(pairs) < count:
        click.echo(f"note: {len(pairs)} pairs, not {count}: the {split} split has no more that differ")
    click.echo(f"train by them: --set pairs.labels={out}\nopen http://localhost:{port}/   (Ctrl-C stops)")
    serve(marking, port)


@command.command(epilog=AGREE_EXAMPLES)
@click.argument("file", type=_FILE)
def agree(file: Path) -> None:
    """How far the labellers of FILE agree: counts, Krippendorff's alpha, and the pairs that they disagree on."""
    from benchmark.survey.pairs.agreement import agreement_lines

    click.echo("\n".join(agreement_lines(file)))


def _world(task: str, preset: str, data: str | None, overrides: tuple[str, ...], size: int) -> World:
    """The frames of a run with these options, at the size they are looked at."""
    from dataclasses import replace

    from benchmark import config as configuration
    from benchmark import registry
    from benchmark.run.world import World

    if size < 16:
        raise BenchError(f"--size {size}: at least 16")
    config = configuration.load(preset, task, overrides)
    return World(registry.get("tasks", task)(), replace(config, data=replace(config.data, size=size)), data)
