"""The one door: entry points."""

from __future__ import annotations

import pytest

from benchmark import registry
from benchmark.errors import BenchError


def test_built_ins_come_through_entry_points() -> None:
    assert set(registry.names("methods")) >= {
        *("real", "copy-exemplar", "pix2pixhd", "pix2pixsc"),
        *("pix2pixsc-no-sc", "pix2pixsc-no-scadv", "pix2pixsc-no-adaptive"),
    }
    assert "face" in registry.names("tasks")


@pytest.mark.parametrize("group", registry.GROUPS)
def test_every_registered_name_can_be_imported(group: str) -> None:
    for name in registry.names(group):
        assert registry.get(group, name) is not None


def test_unknown_name_is_one_line_with_the_nearest() -> None:
    with pytest.raises(BenchError, match="unknown method 'pix2pixcs'; did you mean 'pix2pixsc'"):
        registry.get("methods", "pix2pixcs")
