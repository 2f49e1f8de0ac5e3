"""`bench train` as a user, and as Slurm, sees it: it says how it ended, goes on, forks, and shares among devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.cli import main
from benchmark.errors import CONTINUE_ME

BENCH = [sys.executable, "-c", "from benchmark.cli import main; main()"]
TRAIN = ["train", "--method", "pix2pixsc", "--preset", "smoke", "--set", "eval.items=2"]
pytestmark = pytest.mark.slow


def train(capsys: pytest.CaptureFixture[str], out: Path, *more: str) -> tuple[int, str, str]:
    code = 0
    try:
        main([*TRAIN, "--out", str(out), *more])
    except SystemExit as stop:
        code = int(stop.code or 0)
    told = capsys.readouterr()
    return code, told.out, told.err


def steps(out: Path) -> list[int]:
    return sorted(int(path.stem[5:]) for path in (out / "cells/pix2pixsc/0/checkpoints").glob("step-*"))


def test_sigterm_checkpoints_on_two_devices_and_says_continue_me(tmp_path: Path) -> None:
    long = ["--set", "train.steps=100000", "--set", "train.checkpoint_every=100000", "--devices", "2"]
    command = [*BENCH, *TRAIN, "--out", str(tmp_path), *long]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    log = tmp_path / "cells/pix2pixsc/0/log.jsonl"
    deadline = time.monotonic() + 300
    while not log.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == CONTINUE_ME, err
    assert err.strip().splitlines()[-1] == "bench: stopped by SIGTERM; the same command goes on from here"
    assert len(steps(tmp_path)) == 1 and steps(tmp_path)[0] > 0
    assert not (tmp_path / "cells.jsonl").exists() or "failed" not in (tmp_path / "cells.jsonl").read_text()


def test_a_budget_says_continue_me_and_a_fork_says_where_it_comes_from(tmp_path: Path, capsys) -> None:
    one, two, short = tmp_path / "one", tmp_path / "two", ("--set", "train.decay_steps=0")
    code, out, _ = train(capsys, one, *short, "--set", "train.steps=90", "--max-minutes", "0.01")
    assert code == CONTINUE_ME and "of 90 steps" in out and "stopped early; the same command goes on" in out
    assert train(capsys, one, *short, "--set", "train.steps=90")[0] == 0 and steps(one)[-1] == 90

    other = (*short, "--set", "train.steps=92")
    code, _, err = train(capsys, one, *other)
    assert code == 2 and "train.steps was 90, now 92; use another --out" in err and f"`bench train --fork {one}`" in err
    code, out, _ = train(capsys, two, *other, "--fork", str(one))
    assert code == 0 and f"forked at step 90 from {one}" in out and "train.steps 90 -> 92" in out
    assert train(capsys, two, *other, "--fork", str(one))[0] == 0, "once more: finished"
    code, _, err = train(capsys, one, *short, "--set", "train.steps=90", "--fork", str(two))
    assert code == 2 and f"{one} holds a training that began otherwise" in err
    (fit,) = [line for line in (two / "cells.jsonl").read_text().splitlines() if '"done"' in line]
    told = json.loads(fit)["forked_from"]
    assert told["step"] == 90 and told["changed"] == {"train.steps": [90, 92]}


def test_the_best_weights_by_a_score_on_validation_items(tmp_path: Path, capsys) -> None:
    keep = ("--set", "train.keep_best=counterfactual-l1", "--set", "train.evaluate_every=6")
    code, out, _ = train(capsys, tmp_path, *keep, "--set", "train.evaluate_items=3")
    assert code == 0
    lines = [json.loads(line) for line in (tmp_path / "cells/pix2pixsc/0/log.jsonl").read_text().splitlines()]
    curve = {
        line["step"]: value
        for line in lines
        for name, value in line.get("metrics", {}).items()
        if name.startswith("counterfactual-l1[")
    }
    assert sorted(curve) == [6, 12]
    best = min(curve, key=curve.__getitem__)
    assert f"kept the weights of step {best}, the best by train.keep_best: {curve[best]:.4g}" in out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--method", "pix2pixsc,crn"], "--method pix2pixsc,crn: bench train trains one; `bench run --methods"),
        (["--devices", "3"], "--devices 3: train.batch = 2 items cannot be shared evenly"),
        (["--set", "train.keep_best=lpips"], "train.keep_best: unknown score 'lpips'"),
        (
            ["--set", "train.keep_best=lepe-fails"],
            "train.keep_best: no score 'lepe-fails' here; did you mean 'lepe",
        ),
        (["--fork", "nowhere"], "--fork nowhere: no such folder"),
        (["--set", "train.ema=2"], "train.ema: from 0 (none) to below 1"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, capsys, more: list[str], words: str) -> None:
    code, _, err = train(capsys, tmp_path / "out", *more, "--set", "train.steps=1", "--set", "train.decay_steps=0")
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1
