"""What the README shows works: its commands parse, its method is a method, its files exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import torch

from benchmark.cli import bench
from benchmark.config import Config
from benchmark.protocols import MethodSetup, TaskInfo

REPO = Path(__file__).resolve().parent.parent
DOCUMENTS = [REPO / "README.md", REPO / "CONTRIBUTING.md", *sorted((REPO / "docs").glob("*.md"))]


def commands(path: Path) -> list[str]:
    return re.findall(r"^    (bench [^#\n]+?)\s*(?:#.*)?$", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_bench_command_parses(document: Path) -> None:
    found = commands(document)
    assert found or document.name != "README.md"
    for line in found:
        words = shlex.split(line)[1:]
        group = click.Context(bench)
        name, command, rest = bench.resolve_command(group, words)  # type: ignore[attr-defined]
        while isinstance(command, click.Group):
            name, command, rest = command.resolve_command(click.Context(command), rest)
        assert command is not None
        command.make_context(name or "", list(rest), parent=group)


def test_the_method_of_the_readme_is_a_method(tmp_path: Path) -> None:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    code, toml = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL).group(1) for kind in ("python", "toml"))  # type: ignore[union-attr]
    space: dict[str, type] = {}
    exec(code, space)
    (entry,) = tomllib.loads(toml)["project"]["entry-points"]["benchmark.methods"].values()
    cls = space[entry.split(":")[1]]
    task = TaskInfo("face", 15, 8, 8)
    method = cls(MethodSetup("grey", task, Config(), 0))
    assert cls.refuses(task) is None and method.parameters_count() == 0
    images = method.synthesize(torch.ones(2, 15, 8, 8), torch.ones(2, 3, 8, 8), torch.ones(2, 15, 8, 8))
    assert images.shape == (2, 3, 8, 8)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_linked_file_exists(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing
