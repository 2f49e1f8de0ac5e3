"""Rows out of JSON: types as dataclasses name them, numbers that JSON cannot write, and errors that name the place."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from benchmark.run.records import Damaged, fits, records, strict


@dataclass(frozen=True)
class Part:
    name: str
    mass: float
    length: float | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("value", "hint", "expected"),
    [
        (1, float, True),
        (1.5, int, False),
        (True, int, False),
        (True, float, False),
        (True, bool, True),
        (1, bool, False),
        (None, float | None, True),
        (None, float, False),
        ({}, dict[str, Any], True),
        ("1", int, False),
    ],
)
def test_a_value_fits_its_type(value: Any, hint: Any, expected: bool) -> None:
    assert fits(value, hint) is expected


def test_numbers_that_are_not_finite_come_back_and_names_stay_names() -> None:
    part = Part("Infinity", math.inf, -math.inf, {"a": 1.0})
    text = json.dumps([strict(asdict(part))], allow_nan=False)
    assert records(Part, json.loads(text), "parts") == (part,)
    (found,) = records(Part, [{"name": "NaN", "mass": "NaN"}], "parts")
    assert found.name == "NaN" and math.isnan(found.mass)


@pytest.mark.parametrize(
    ("trees", "said"),
    [
        ({}, "parts is {}, not a list"),
        ([7], "parts[0] is 7, not an object"),
        ([{"name": "a", "mass": 1}, {"name": "b"}], "parts[1] lacks mass"),
        ([{"name": "a", "mass": 1, "color": 2}], "parts[0] has an unknown field 'color'; the fields are name, mass"),
        ([{"name": "a", "mass": "heavy"}], "parts[0].mass is 'heavy', not float"),
        ([{"name": "a", "mass": 1, "length": "long"}], "parts[0].length is 'long', not float | None"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(trees: Any, said: str) -> None:
    with pytest.raises(Damaged) as found:
        records(Part, trees, "parts")
    assert str(found.value).startswith(said)
