"""Several processes, or several parts of a batch, train as one: the losses and the weights are those of the whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from benchmark.config import TrainConfig
from benchmark.errors import BenchError
from models.ranks import Ranks, parts
from tests.models.tiny import RandomPairs

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case by one process and by two, see tests/models/together.py."""
    folder = tmp_path_factory.mktemp("together")
    command = [sys.executable, "-m", "tests.models.together", str(folder)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return folder


def losses(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line)["losses"] for line in (folder / "log.jsonl").read_text().splitlines()]


def weights(folder: Path, rank: int = 0) -> dict[str, torch.Tensor]:
    return load_file(folder / f"{rank}.safetensors")


def apart(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> float:
    assert one.keys() == two.keys()
    return max((one[key] - two[key]).abs().max().item() for key in one)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["sc-2", "parts-1", "parts-2"])
def test_the_loss_curve_is_that_of_one_process(fits: Path, other: str) -> None:
    """The first line to rounding; Adam's first steps turn rounding into steps of its own size where a gradient is
    nearly nothing, so later ones only nearly.
    """
    whole, shared = losses(fits / "sc-1"), losses(fits / other)
    assert len(whole) == len(shared) == 4 and whole[0].keys() == shared[0].keys()
    for name in whole[0]:
        assert shared[0][name] == pytest.approx(whole[0][name], rel=1e-3)
        assert shared[-1][name] == pytest.approx(whole[-1][name], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["sc", "parts", "noise", "stopped", "idle"])
def test_processes_keep_the_same_weights_and_the_first_alone_writes(fits: Path, case: str) -> None:
    assert apart(weights(fits / f"{case}-2"), weights(fits / f"{case}-2", 1)) == 0
    assert len(list((fits / f"{case}-2" / "tb").iterdir())) <= 2, "an event file per fit, of one process"
    steps = [json.loads(line)["step"] for line in (fits / f"{case}-2" / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


@pytest.mark.slow
def test_two_processes_draw_different_noise_and_resume_to_the_bit(fits: Path) -> None:
    assert apart(weights(fits / "noise-1"), weights(fits / "noise-2")) > 0
    for count in (1, 2):
        assert apart(weights(fits / f"noise-{count}"), weights(fits / f"stopped-{count}")) == 0


@pytest.mark.slow
def test_a_process_with_nothing_to_minimise_follows_the_other(fits: Path) -> None:
    """All consistent pairs are on the second process: its mean gradient is that of the whole batch."""
    assert apart(weights(fits / "idle-1"), weights(fits / "idle-2")) < 1e-6
    for whole, shared in zip(losses(fits / "idle-1"), losses(fits / "idle-2"), strict=True):
        assert shared == pytest.approx(whole)


def test_parts_are_the_whole_in_order_and_none_twice() -> None:
    whole = RandomPairs(6).batch(3)
    cut = parts(whole, 3)
    assert [len(part) for part in cut] == [2, 2, 2]
    assert torch.equal(torch.cat([part.z for part in cut]), whole.z)
    assert torch.equal(torch.cat([part.consistent for part in cut]), whole.consistent)


def test_a_batch_that_does_not_part_evenly_is_refused() -> None:
    with pytest.raises(BenchError, match=r"train\.accumulate: 4 items cannot be cut into 3 equal parts"):
        TrainConfig(batch=4, accumulate=3)
    with pytest.raises(BenchError, match="4 items cannot be shared evenly"):
        Ranks().share(RandomPairs(4), 4, 3)
