"""Presets, overrides and the errors a typo gets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import config as configuration
from benchmark.config import Config
from benchmark.errors import BenchError


@pytest.mark.parametrize("preset", ["smoke", "demo", "mini", "paper", "official"])
def test_every_preset_loads_and_says_what_to_expect(preset: str) -> None:
    loaded = configuration.load(preset, "face")
    assert loaded.preset == preset
    assert len(configuration.presets()[preset]) > 40
    assert configuration.from_dict(loaded.to_dict()) == loaded


def test_paper_preset_holds_the_papers_numbers() -> None:
    paper = configuration.load("paper", "face")
    assert (paper.train.steps, paper.train.decay_steps, paper.train.batch, paper.train.lr) == (
        500_000,
        500_000,
        1,
        2e-4,
    )
    assert (paper.pairs.window, paper.pairs.unit, paper.data.size) == (10, "frames", 256)
    assert (paper.eval.features, paper.eval.frechet, paper.eval.detector) == ("vgg19", "inception-2015-12-05", "source")


def test_task_tables_apply_to_their_task_only() -> None:
    assert configuration.load("official", "face").train.steps == 1_500_000
    assert configuration.load("official", "street").train.steps == 200_000


def test_override_wins_and_reads_toml_values_or_bare_words() -> None:
    loaded = configuration.load(
        "smoke", "face", ["train.steps=7", "pairs.unit=frames", "method.pix2pixsc.lambda_style=2"]
    )
    assert loaded.train.steps == 7
    assert loaded.pairs.unit == "frames"
    assert loaded.method["pix2pixsc"]["lambda_style"] == 2


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("train.stepz=3", ["train", "'stepz'", "did you mean 'steps'"]),
        ("trian.steps=3", ["'trian'", "did you mean 'train'"]),
        ("train.steps=many", ["train: steps", "expected int"]),
        ("train.steps=true", ["expected int"]),
        ("train=3", ["expected a table"]),
        ("train.grid_every=0", ["train.grid_every", "at least 1"]),
        ("train.steps", ["expected a.b=value"]),
    ],
)
def test_mistakes_name_the_field_and_the_nearest_choice(override: str, words: list[str]) -> None:
    with pytest.raises(BenchError) as caught:
        configuration.load("smoke", "face", [override])
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_unknown_preset_and_broken_file(tmp_path) -> None:
    with pytest.raises(BenchError, match="unknown preset 'dmo'; did you mean 'demo'"):
        configuration.load("dmo", "face")
    broken = tmp_path / "mine.toml"
    broken.write_text("[train\nsteps = 3")
    with pytest.raises(BenchError, match=r"mine\.toml: not valid TOML"):
        configuration.load(str(broken), "face")
    with pytest.raises(BenchError, match="no such file"):
        configuration.load(str(tmp_path / "absent.toml"), "face")


def test_a_users_own_preset_file_is_named_after_its_stem(tmp_path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[train]\nsteps = 3\n")
    assert configuration.load(str(mine), "face").preset == "mine"


@dataclass(frozen=True)
class Options:
    weight: float = 1.0
    stage: tuple[tuple[int, float], ...] = ((0, 1.0),)


def test_method_options_are_checked_against_the_methods_own_schema() -> None:
    base = Config(method={"mine": {"weight": 2, "stage": [[0, 0.0], [5, 1.0]]}})
    assert base.options("mine", Options) == Options(2.0, ((0, 0.0), (5, 1.0)))
    with pytest.raises(BenchError, match=r"method\.mine: unknown key 'wieght'; did you mean 'weight'"):
        Config(method={"mine": {"wieght": 2}}).options("mine", Options)


@given(st.sampled_from([f.name for f in dataclasses.fields(configuration.TrainConfig)]), st.data())
def test_any_misspelt_train_key_is_refused_in_one_line(name: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(name)))
    wrong = name[:position] + "q" + name[position:]
    with pytest.raises(BenchError, match="unknown key") as caught:
        configuration.build(configuration.TrainConfig, {wrong: 1}, "test")
    assert "\n" not in str(caught.value)


def test_a_methods_train_table_overrules_train_and_reaches_its_variants() -> None:
    tables = {
        "munit": {"lambda": 1, "train": {"lr": 1e-4, "decay": "halve"}},
        "munit-b": {"train": {"lr": 5e-4}},
    }
    config = configuration.from_dict({"train": {"steps": 9}, "method": tables})
    assert config.for_method("munit").train == dataclasses.replace(config.train, lr=1e-4, decay="halve")
    assert config.for_method("munit-b").train == dataclasses.replace(config.train, lr=5e-4, decay="halve")
    assert config.for_method("munitx").train == config.train
    assert config.for_method("munit").for_method("munit") == config.for_method("munit")
    with pytest.raises(BenchError, match=r"method.bad.train: unknown key 'stepz'.*steps"):
        configuration.from_dict({"method": {"bad": {"train": {"stepz": 1}}}}).for_method("bad")


def test_options_of_a_variant_are_inherited_then_its_changes_then_its_own_table() -> None:
    @dataclass(frozen=True)
    class Options:
        a: int = 0
        b: int = 0
        c: int = 0

    config = configuration.from_dict({"method": {"m": {"a": 1, "b": 1, "c": 1}, "m-v": {"c": 3}}})
    assert config.options("m-v", Options, {"b": 2, "c": 2}) == Options(1, 2, 3)
    assert config.options("m", Options) == Options(1, 1, 1)
