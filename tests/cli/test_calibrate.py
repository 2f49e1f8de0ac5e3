"""`bench calibrate` on the toy world: files, verdicts on the screen, mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark import registry
from benchmark.cli import main
from benchmark.metrics.calibration import claims
from tests import toy


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    real = registry._entries
    monkeypatch.setattr(registry, "_entries", lambda g: toy.entries(g) if g in toy.ENTRIES else real(g))
    monkeypatch.setitem(claims.CLAIMS, "toy-l1", {"noise": claims.REACTS, "colour": claims.FLAT})


def bench(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    try:
        main(["calibrate", "--task", "toy", "--preset", "smoke", *args])
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def test_writes_values_and_figures_and_says_what_broke(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = bench(capsys, "--items", "12", "--out", str(tmp_path / "new"))
    assert code == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "calibration.json",
        "calibration.svg",
        "calibration.png",
    }
    found = json.loads((tmp_path / "new" / "calibration.json").read_text())
    assert (found["task"], found["N"], found["config"]["eval"]["items"]) == ("toy", 12, 12)
    (score,) = found["scores"]
    holds = {curve["damage"]: curve["holds"] for curve in score["curves"]}
    assert holds == {"blur": None, "noise": True, "jpeg": None, "colour": False, "identity": None}
    said = {line.split()[1]: line for line in out.splitlines() if line.startswith("toy-l1")}
    assert "as it must" in said["noise"] and "NOT AS IT MUST" in said["colour"] and len(said) == 2


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--metrics", "toy-l2"], "unknown metric 'toy-l2'; did you mean 'toy-l1'"),
        (["--items", "2"], "--items"),
        (["--set", "eval.itmes=3"], "did you mean 'items'"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, args: list[str], words: str
) -> None:
    code, _, err = bench(capsys, *args, "--out", str(tmp_path / "new"))
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()
