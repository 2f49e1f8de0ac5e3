"""The `bench` command. Sub-commands live one per file and are imported only when called, so `bench --help` stays
quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import nullcontext
from typing import Any

import click

from benchmark.errors import CONTINUE_ME, BenchError, Preempted, nearest
from benchmark.run.stop import preemptible

COMMANDS = {
    "run": "train, synthesize, score and report: the main job",
    "train": "train one method",
    "synthesize": "make images with a trained method",
    "evaluate": "score finished pictures, whoever made them",
    "calibrate": "see which metrics notice which damage",
    "report": "write the report of a run folder",
    "survey": "ask people which of two results they prefer",
    "data": "prepare, show and verify data",
    "pairs": "mark by hand which pairs of frames share a style",
    "weights": "list, fetch, verify and import weight files",
    "methods": "list the methods",
    "tasks": "list the tasks",
    "presets": "list the presets and what to expect of them",
    "doctor": "what is here, what is missing, and how to get it",
}

CONTINUED = ("run", "train", "data", "weights")  # the same command goes on where it was stopped

EPILOG = """\b
Examples:
  bench run --task face --methods all --preset demo
  bench run --task face --methods pix2pixsc,pix2pixhd --preset mini --seeds 0,1
  bench data show --out faces.png
  bench doctor
"""


class LazyGroup(click.Group):
    """Commands by file name: `bench run` is `benchmark.cli.run:command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"benchmark.cli.{name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS:
            raise BenchError(f"unknown command {args[0]!r}{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="exemplar-bench")
def bench() -> None:
    """Benchmark of example-guided image synthesis: train, score, compare with the papers."""


def main(args: list[str] | None = None) -> None:
    """Entry point: user mistakes are one line on stderr and exit 2; Ctrl-C exits 130, a pre-emption signal 75."""
    # Threads that spin at a barrier while another process holds their core make a training step up to 20 times slower.
    # OpenMP reads this when torch is first imported, so it must be set before.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    name = next(iter(sys.argv[1:] if args is None else args), "")
    try:
        with preemptible() if name in CONTINUED else nullcontext():
            bench(args=args, standalone_mode=False)
    except BenchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"bench: {error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt) as stop:
        goes_on = "; the same command goes on from here" if name in CONTINUED else ""
        cause = stop.__cause__ if isinstance(stop, click.Abort) else stop  # click hides what it was interrupted by
        preempted = isinstance(cause, Preempted)
        click.echo(f"bench: stopped{f' by {cause}' if preempted else ''}{goes_on}", err=True)
        sys.exit(CONTINUE_ME if preempted else 130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        if error.filename is None and error.strerror is None:
            raise
        click.echo(f"bench: {error.filename or 'disk'}: {error.strerror}", err=True)
        sys.exit(2)
