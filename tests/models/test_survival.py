"""Killed at any moment, also while a checkpoint is written, a fit ends in the bits of an unbroken one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.models.survive import LIVES, STEPS

REPO = Path(__file__).resolve().parents[2]


def log(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in ("seconds", "waited")} for line in lines]


@pytest.mark.slow
def test_twenty_kills_change_no_bit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.models.survive", str(tmp_path)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert ends.pop("unbroken") == [0, STEPS] and ends.pop("last") == [0, STEPS], done.stderr
    assert [end for end, _ in ends.values()] == [signal.SIGKILL] * LIVES, done.stderr
    steps = [saved for _, saved in ends.values()]
    assert steps == sorted(steps) and 0 < steps[LIVES // 2] < STEPS, "killed on the way, never set back"

    unbroken, killed = tmp_path / "unbroken", tmp_path / "killed"
    assert (unbroken / "weights.safetensors").read_bytes() == (killed / "weights.safetensors").read_bytes()
    names = [[path.name for path in sorted((run / "checkpoints").iterdir())] for run in (unbroken, killed)]
    assert names[0] == names[1]
    states = [load_file(run / "checkpoints" / names[0][-1]) for run in (unbroken, killed)]
    assert states[0].keys() == states[1].keys()
    assert {key.split(".")[0] for key in states[0]} == {"G", "D", "SD", "ema", "best", "random"}
    assert [key for key in states[0] if not torch.equal(states[0][key], states[1][key])] == []
    assert log(unbroken) == log(killed)
