"""`bench methods`: what can be run."""

from __future__ import annotations

import click

from benchmark import registry


@click.command()
def command() -> None:
    """List the registered methods, plug-ins included, with the package and the class behind each."""
    for name in registry.names("methods"):
        click.echo(f"{name:<24} {registry.package('methods', name):<24} {registry.where('methods', name)}")
