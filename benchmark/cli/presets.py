"""`bench presets`: the presets and what to expect of each."""

from __future__ import annotations

import textwrap

import click

from benchmark.config import presets


@click.command()
def command() -> None:
    """List the presets with the first comment of each file."""
    for name, comment in presets().items():
        click.echo(textwrap.fill(f"{name:<9} {comment}", width=100, subsequent_indent=" " * 10))
