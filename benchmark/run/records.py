"""From JSON that somebody may have edited to the dataclasses of a run: whatever is missing, unknown or of another type
is named with its place.

    records(Value, tree["values"], "values")

JSON has no infinity and no NaN, so `strict` puts them in by name; `records` takes them out again.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")
NAMES = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
_UNSET = dataclasses.MISSING


class Damaged(Exception):
    """One line: where, which field, and what is wrong with it."""


def records(kind: type[Row], trees: Any, where: str) -> tuple[Row, ...]:
    """A list of objects with exactly the fields of the dataclass `kind`, those with a default at will; raises Damaged
    for anything else.
    """
    if not isinstance(trees, list):
        raise Damaged(f"{where} is {trees!r}, not a list")
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(kind)  # type: ignore[arg-type]
    required = [f.name for f in fields if f.default is _UNSET and f.default_factory is _UNSET]
    hints = typing.get_type_hints(kind)
    rows = [_checked(tree, hints, required, f"{where}[{place}]") for place, tree in enumerate(trees)]
    return tuple(kind(**row) for row in rows)


def _checked(tree: Any, hints: Mapping[str, Any], required: Sequence[str], where: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise Damaged(f"{where} is {tree!r}, not an object")
    if unknown := [name for name in tree if name not in hints]:
        raise Damaged(f"{where} has an unknown field {unknown[0]!r}; the fields are {', '.join(hints)}")
    if missing := [name for name in required if name not in tree]:
        raise Damaged(f"{where} lacks {', '.join(missing)}")
    row = {name: _number(value, hints[name]) for name, value in tree.items()}
    if wrong := [name for name, value in row.items() if not fits(value, hints[name])]:
        raise Damaged(f"{where}.{wrong[0]} is {row[wrong[0]]!r}, not {_named(hints[wrong[0]])}")
    return row


def fits(value: Any, hint: Any) -> bool:
    """Whether a value out of JSON is of a type as dataclasses name it: a whole number is a float too, true is not 1."""
    if isinstance(hint, types.UnionType):
        return any(fits(value, part) for part in typing.get_args(hint))
    kind = typing.get_origin(hint) or hint
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def strict(tree: Any) -> Any:
    """The same with numbers that are not finite by their names: else other programs could not read the file."""
    if isinstance(tree, Mapping):
        return {key: strict(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [strict(value) for value in tree]
    if isinstance(tree, float) and not math.isfinite(tree):
        return "NaN" if math.isnan(tree) else "Infinity" if tree > 0 else "-Infinity"
    return tree


def _number(value: Any, hint: Any) -> Any:
    return NAMES[value] if isinstance(value, str) and value in NAMES and fits(0.0, hint) else value


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
