"""`bench tasks`: the tasks, their metrics and methods."""

from __future__ import annotations

import click

from benchmark import registry


@click.command()
def command() -> None:
    """List the tasks with their metrics and what `--methods all` runs."""
    for name in registry.names("tasks"):
        task = registry.get("tasks", name)
        click.echo(
            f"{name:<8} {task.title}\n  metrics  {', '.join(task.metrics)}\n  methods  {', '.join(task.methods)}"
        )
