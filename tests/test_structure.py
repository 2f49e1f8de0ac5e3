"""The import direction: benchmark <- models <- baselines; reports sees results and statistics only; light modules
stay light.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
ROOMS = ("benchmark", "models", "baselines", "reports")
MAY_IMPORT = {
    "benchmark": {"benchmark"},
    "models": {"benchmark", "models"},
    "baselines": {"benchmark", "models", "baselines"},
    "reports": {"reports"},
}
REPORTS_MAY = ("benchmark.run.results", "benchmark.files", "benchmark.stats", "benchmark.errors")
HEAVY = {"torch", "torchvision", "accelerate", "cv2", "av", "dlib", "matplotlib"}
LIGHT = [
    "benchmark/cli",
    "benchmark/config.py",
    "benchmark/registry.py",
    "benchmark/run",
    "benchmark/protocols.py",
    "benchmark/errors.py",
]


def files(room: str) -> list[Path]:
    return sorted((REPO / room).rglob("*.py"))


def imports(path: Path, module_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _module_level(tree) if module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Statements that run on import: bodies of `if TYPE_CHECKING` and of functions do not."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        todo += list(ast.iter_child_nodes(node))


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_imports_upward(room: str) -> None:
    assert files(room)
    for path in files(room):
        for name in imports(path):
            top = name.split(".")[0]
            if (
                top in ROOMS
                and top not in MAY_IMPORT[room]
                and not (room == "reports" and name.startswith(REPORTS_MAY))
            ):
                raise AssertionError(f"{path.relative_to(REPO)} imports {name}")


@pytest.mark.parametrize("place", LIGHT)
def test_light_modules_import_nothing_heavy(place: str) -> None:
    root = REPO / place
    for path in [root] if root.is_file() else sorted(root.rglob("*.py")):
        heavy = {name.split(".")[0] for name in imports(path, module_level=True)} & HEAVY
        assert not heavy, f"{path.relative_to(REPO)} imports {heavy} at module level"
