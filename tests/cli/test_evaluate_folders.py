"""`bench evaluate --real --fake` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.test_bench import bench
from tests.metrics.fid.conftest import Thumbnail

LITE0 = ("--protocol", "efficientnet-lite0")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setenv("BENCH_FEATURES", str(tmp_path / "features"))
    monkeypatch.setattr("benchmark.metrics.fid.protocols.find_network", Thumbnail().found)
    rng = np.random.default_rng(0)
    for name in ("real", "fake"):
        (tmp_path / name).mkdir()
        for index in range(50):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.png")
    return str(tmp_path / "real"), str(tmp_path / "fake")


def test_two_folders(capsys: pytest.CaptureFixture[str], folders: tuple[str, str], tmp_path: Path) -> None:
    both = ("evaluate", "--real", folders[0], "--fake", folders[1], *LITE0)
    code, out, err = bench(capsys, *both)
    assert (code, err) == (0, "")
    for part in (
        "real: 50 pictures",
        "Frechet distance: ",
        "floor, two halves",
        "Kernel distance x 1000",
        "50 pairs by name",
    ):
        assert part in out
    statistics = str(tmp_path / "real.npz")
    code, out, _ = bench(capsys, *both, "--json", "--metrics", "fid", "--save-stats", statistics)
    result = json.loads(out)
    assert code == 0 and "kid" not in result and result["real"]["features_from_cache"] == 50
    code, out, _ = bench(capsys, "evaluate", "--real", statistics, *both[3:], "--metrics", "fid", "--json")
    assert code == 0 and json.loads(out)["fid"]["value"] == pytest.approx(result["fid"]["value"], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--real", "x"), "give both --real DIR and --fake DIR"),
        (("--real", "x", "--fake", "y", "--preset", "mini"), "--preset: has no meaning beside --real"),
        (("--json",), "--json: needs --real DIR"),
        (("--real", "x", "--fake", "y", "--protocol", "fidelity"), "did you mean 'torch-fidelity'"),
        (("--real", "x", "--fake", "y"), "x: no such folder"),
        (
            ("--real", "x", "--fake", "y", "--engine", "ray", "--address", "ray://a:1"),
            "--address ray://a:1: start bench",
        ),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], reason: str) -> None:
    code, out, err = bench(capsys, "evaluate", *arguments)
    assert (code, out) == (2, "") and reason in err and err.count("\n") == 1
