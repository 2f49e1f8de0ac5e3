"""The published schema of results.json: valid itself, the same as the dataclasses, kept by what is written."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from benchmark.errors import BenchError
from benchmark.run.results import Difference, MethodRow, MetricRow, Results, Value, read_results, write_results
from benchmark.run.schema import schema

RESULTS = Results(
    task="face",
    preset="demo",
    seeds=(0, 1),
    items=4,
    methods=(MethodRow("m", "M", "method", 12), MethodRow("real", "Real", "reference", 0)),
    metrics=(MetricRow("psnr[whole]", "PSNR", "higher", False, notes={"peak": 255}),),
    values=(
        Value("m", "psnr[whole]", 20.5, 19.0, 21.0, 4, 0, 2),
        Value("real", "psnr[whole]", 9.0, None, None, 4, 1, 1),
    ),
    differences=(Difference("psnr[whole]", "real", "m", -11.5, -12.0, -11.0, 0.01, 4),),
    cautions=("Rendered data.",),
)


def written(folder: Path, results: Results) -> Any:
    write_results(folder, results)

    def never(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads((folder / "results.json").read_text(encoding="utf-8"), parse_constant=never)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("part", "row"),
    [(None, Results), ("method", MethodRow), ("metric", MetricRow), ("value", Value), ("difference", Difference)],
)
def test_it_has_every_field_of_the_dataclasses_and_no_other(part: str | None, row: Any) -> None:
    told = schema()["$defs"][part] if part else schema()
    assert set(told["properties"]) == {field.name for field in dataclasses.fields(row)}
    optional = {field.name for field in dataclasses.fields(row) if _has_default(field)}
    if part:  # results.json itself is always written whole
        assert set(told["required"]) == set(told["properties"]) - optional
    described = [field for field in told["properties"].values() if "$ref" in field or field.get("description")]
    assert len(described) == len(told["properties"])


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def test_what_is_written_keeps_to_it_and_reads_back(tmp_path: Path) -> None:
    Draft202012Validator(schema()).validate(written(tmp_path, RESULTS))
    assert read_results(tmp_path) == RESULTS


def test_numbers_that_are_not_finite_are_written_as_json_and_read_back(tmp_path: Path) -> None:
    odd = dataclasses.replace(RESULTS.values[0], value=math.inf, low=-math.inf, high=math.nan)
    tree = written(tmp_path, dataclasses.replace(RESULTS, values=(odd,)))
    Draft202012Validator(schema()).validate(tree)
    back = read_results(tmp_path).values[0]
    assert (back.value, back.low) == (math.inf, -math.inf) and back.high is not None and math.isnan(back.high)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tree: tree.pop("cautions"),
        lambda tree: tree.update(schema=2),
        lambda tree: tree.update(made="today"),
        lambda tree: tree["methods"][0].update(kind="rival"),
        lambda tree: tree["values"][0].update(value="high"),
        lambda tree: tree["differences"][0].update(p=1.5),
    ],
)
def test_it_refuses_what_is_not_a_results_file(tmp_path: Path, spoil: Any) -> None:
    tree = written(tmp_path, RESULTS)
    spoil(tree)
    with pytest.raises(ValidationError):
        Draft202012Validator(schema()).validate(tree)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"schema": 2}, "schema 2; this version reads schema 1: upgrade exemplar-bench"),
        (
            {"schema": 0},
            "schema 0; this version reads schema 1: run `bench run` on the folder again, which makes it anew",
        ),
        ({}, "schema None; this version reads schema 1: run `bench run` on the folder again, which makes it anew"),
        ([], "schema None; this version reads schema 1"),
        ({"schema": 1}, "damaged: 'task'"),
        ({**dataclasses.asdict(RESULTS), "values": [7]}, "damaged"),
    ],
)
def test_another_schema_or_a_damaged_file_is_one_clear_line(tmp_path: Path, content: Any, said: str) -> None:
    (tmp_path / "results.json").write_text(json.dumps(content))
    with pytest.raises(BenchError) as refused:
        read_results(tmp_path)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_file_from_before_the_later_fields_is_read(tmp_path: Path) -> None:
    tree = written(tmp_path, RESULTS)
    for row in tree["methods"]:
        del row["note"], row["unfinished"], row["problem"]
    for row in tree["metrics"]:
        del row["notes"], row["failure"]
    Draft202012Validator(schema()).validate(tree)
    (tmp_path / "results.json").write_text(json.dumps(tree))
    assert read_results(tmp_path).methods == RESULTS.methods
