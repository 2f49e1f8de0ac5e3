"""Whole files only: what is damaged is named and passed over, what is foreign is refused."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import Adam, Optimizer

from benchmark.errors import BenchError
from models.checkpoint import Checkpoints, State

IDENTITY = {"method": "m", "train": {"lr": 0.1, "steps": 4}, "stage": (0, 1)}
Both = tuple[dict[str, nn.Module], dict[str, Optimizer]]


def made(seed: int) -> Both:
    """A network and an Adam that has taken one step."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 1, 1))
    optimizer = Adam(network.parameters(), lr=0.1, fused=True)
    network(torch.randn(1, 2, 5, 5)).square().sum().backward()
    optimizer.step()
    return {"G": network}, {"G": optimizer}


def same(one: Both, two: Both) -> bool:
    weights = [[p.detach() for p in state[0]["G"].parameters()] for state in (one, two)]
    moments = [
        [t for s in state[1]["G"].state_dict()["state"].values() for _, t in sorted(s.items())] for state in (one, two)
    ]
    pairs = [*zip(*weights, strict=True), *zip(*moments, strict=True)]
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def two_saved(tmp_path: Path) -> tuple[Checkpoints, Both, Both]:
    checkpoints = Checkpoints(tmp_path, IDENTITY)
    older, newer = made(1), made(2)
    checkpoints.save(State(10, 1.5), *older)
    checkpoints.save(State(20, 3.0), *newer)
    return checkpoints, older, newer


def test_restores_the_newest(two_saved: tuple[Checkpoints, Both, Both]) -> None:
    checkpoints, _, newer = two_saved
    state = made(3)
    assert not same(state, newer)
    assert checkpoints.restore(*state) == State(20, 3.0)
    assert same(state, newer)


def test_random_states_come_back(tmp_path: Path) -> None:
    checkpoints, state = Checkpoints(tmp_path, IDENTITY), made(1)
    checkpoints.save(State(1, 0.0), *state)

    def draw() -> tuple[float, float, float]:
        return torch.rand(1).item(), np.random.rand(), random.random()

    expected = draw()
    draw()
    checkpoints.restore(*state)
    assert draw() == expected


def test_nothing_there(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, IDENTITY).restore(*made(1)) is None


def test_keeps_the_last_two_and_no_temporary_file(two_saved: tuple[Checkpoints, Both, Both]) -> None:
    checkpoints, older, _ = two_saved
    checkpoints.save(State(30, 4.0), *older)
    names = sorted(path.name for path in checkpoints.folder.iterdir())
    assert names == ["step-00000020.safetensors", "step-00000030.safetensors"]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def change_the_step(path: Path) -> None:
    content = path.read_bytes()
    assert b'\\"step\\": 20' in content
    path.write_bytes(content.replace(b'\\"step\\": 20', b'\\"step\\": 21'))


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, change_the_step, empty])
def test_a_damaged_file_gives_way_to_the_one_before(damage, two_saved, capsys) -> None:
    checkpoints, older, _ = two_saved
    damage(checkpoints.files()[0])
    state = made(3)
    assert checkpoints.restore(*state) == State(10, 1.5)
    assert same(state, older)
    warning = capsys.readouterr().err
    assert "step-00000020.safetensors is damaged" in warning and warning.count("\n") == 1


def test_all_damaged_is_an_error_naming_the_files(two_saved: tuple[Checkpoints, Both, Both]) -> None:
    checkpoints, _, _ = two_saved
    for path in checkpoints.files():
        truncate(path)
    with pytest.raises(BenchError, match=r"no sound checkpoint: .*step-00000020.*step-00000010"):
        checkpoints.restore(*made(3))


def test_another_configuration_is_refused_by_its_key(two_saved: tuple[Checkpoints, Both, Both]) -> None:
    checkpoints, _, _ = two_saved
    other = Checkpoints(checkpoints.folder, {**IDENTITY, "train": {"lr": 0.2, "steps": 4}})
    with pytest.raises(BenchError, match=r"train\.lr = 0\.1, this run has 0\.2"):
        other.restore(*made(3))


def test_a_failed_write_leaves_the_last_good_one(two_saved: tuple[Checkpoints, Both, Both]) -> None:
    """A real refusal by the system: no file of this process may grow beyond one kilobyte."""
    import resource

    checkpoints, older, newer = two_saved
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(BenchError, match=r"step-00000030.* cannot be written.*last good checkpoint: .*00020"):
            checkpoints.save(State(30, 4.0), *older)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.suffix for path in checkpoints.folder.iterdir()) == [".safetensors"] * 2
    state = made(3)
    assert checkpoints.restore(*state) == State(20, 3.0)
    assert same(state, newer)
