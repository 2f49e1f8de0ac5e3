"""The yardsticks give back exactly what they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from baselines.references import CopyExemplar, Real
from benchmark.errors import BenchError
from benchmark.protocols import FitRun, Reference
from tests.models.tiny import RandomPairs, setup


def test_real_is_the_target() -> None:
    sample, row = RandomPairs().batch(0), Real(setup("real"))
    assert row.reference and isinstance(row, Reference)
    assert torch.equal(row.answer(sample), sample.z)
    with pytest.raises(BenchError, match="cannot be synthesised"):
        row.synthesize(sample.x, sample.I, sample.F_I)


def test_copy_exemplar_sees_only_the_exemplar() -> None:
    sample, row = RandomPairs().batch(0), CopyExemplar(setup("copy-exemplar"))
    assert row.reference and not isinstance(row, Reference)
    assert torch.equal(row.synthesize(sample.x, sample.I, sample.F_I), sample.I)


@pytest.mark.parametrize("cls", [Real, CopyExemplar])
def test_nothing_to_train(cls: type[Real] | type[CopyExemplar], tmp_path: Path) -> None:
    row = cls(setup("real"))
    assert row.parameters_count() == 0 and row.fit(RandomPairs(), FitRun(tmp_path)).finished
    row.save(tmp_path)
    row.load(tmp_path)
    assert not list(tmp_path.iterdir())
