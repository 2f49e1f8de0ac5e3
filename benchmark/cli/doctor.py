"""`bench doctor`: what is here, what is missing, and the command or address that gets it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from pathlib import Path

import click

from benchmark import registry

EXTRAS = {  # extra -> the module that shows it is installed
    "face": ("dlib", "dlib-68 landmarks, the papers' own detector"),
    "face-alignment": ("face_alignment", "FAN landmarks"),
    "segformer": ("transformers", "a second scene parser"),
    "mmseg": ("mmseg", "any scene parser of mmsegmentation"),
}


@click.command()
def command() -> None:
    """Devices, weights, extras and plug-ins found here; for what is missing, how to get it."""
    _devices()
    _weights()
    _extras()
    _plugins()


def _devices() -> None:
    import torch

    click.echo(click.style("devices", bold=True))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    click.echo(f"  cpu        {os.cpu_count()} cores, {memory:.0f} GiB, torch {torch.__version__}")
    if not torch.cuda.is_available():
        click.echo("  cuda       none: presets paper and official need a GPU; smoke, demo and mini do not")
    for i in range(torch.cuda.device_count()):
        found = torch.cuda.get_device_properties(i)
        click.echo(f"  cuda:{i}     {found.name}, {found.total_memory / 2**30:.0f} GiB")


def _weights() -> None:
    from benchmark import weights

    click.echo(click.style("weights", bold=True))
    for row in weights.status():
        if row.path is not None and not row.problem:
            click.echo(f"  ok         {row.file.name:<24} {row.path}")
        else:
            state = "damaged" if row.problem else "missing"
            click.echo(
                f"  {state:<10} {row.file.name:<24} {row.problem or row.file.remedy}; needed by {row.file.needed_by}"
            )


def _extras() -> None:
    click.echo(click.style("extras", bold=True))
    for extra, (module, what) in EXTRAS.items():
        if importlib.util.find_spec(module):
            click.echo(f"  ok         {extra:<24} {what}")
        else:
            click.echo(f"  missing    {extra:<24} {what}; pip install 'exemplar-bench[{extra}]'")


def _plugins() -> None:
    click.echo(click.style("registered", bold=True))
    for group in registry.GROUPS:
        click.echo(f"  {group:<10} {', '.join(registry.names(group))}")
    version = importlib.metadata.version("exemplar-bench")
    click.echo(f"exemplar-bench {version} at {Path(__file__).resolve().parents[2]}")
