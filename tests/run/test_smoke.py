"""The main job for real, at 32 px: every face method through training, synthesis, scores and report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmark.run.results import RunView

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from benchmark.cli import main; main()", "run", "--task", "face", "--preset", "smoke"]
METHODS = ["pix2pixhd", "pix2pixsc", "pix2pixsc-no-adaptive", "pix2pixsc-no-sc", "pix2pixsc-no-scadv"]


def bench(folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | environment
    return subprocess.run([*COMMAND, "--out", str(folder), *more], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    done = bench(folder, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    return folder


def test_every_method_has_every_score_and_the_report_stands(whole: Path) -> None:
    view = RunView(whole)
    assert not any(row.problem or row.unfinished for row in view.results.methods)
    titles = {metric.title for metric in view.results.metrics}
    assert {"Frechet distance", "LEPE", "LEPE failures", "Eye-patch distance"} <= titles
    assert any("L1" in title for title in titles)
    for method in [*METHODS, "real", "copy-exemplar"]:
        assert len(list((whole / "images" / method / "0").glob("*.png"))) == view.results.items
        scored = {value.metric.split("[")[0] for value in view.results.values if value.method == method}
        assert {"lepe", "counterfactual-l1"} <= scored
    lines = [json.loads(line) for line in (whole / "cells.jsonl").read_text().splitlines()]
    done = [(line["method"], line["stage"]) for line in lines if line["state"] == "done"]
    assert done.index(("real", "score")) < [stage for _, stage in done].index("fit"), "no core waits for a reference"
    page = (whole / "report.html").read_text(encoding="utf-8")
    assert len(page) < 15e6 and "31.26" in page and "pix2pixSC" in page
    assert (whole / "tables").is_dir()


def test_a_finished_run_says_so_without_importing_torch(whole: Path) -> None:
    script = (
        "import sys; from benchmark.cli import main\n"
        f"main(['run', '--task', 'face', '--preset', 'smoke', '--out', {str(whole)!r}])\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stdout


def test_kill_9_then_the_same_command_gives_the_same_results(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    process = subprocess.Popen([*COMMAND, "--out", str(folder), "--jobs", "2"], stdout=subprocess.DEVNULL)
    log = folder / "cells" / "pix2pixsc" / "0" / "log.jsonl"
    deadline = time.monotonic() + 300
    while not log.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1)  # the kernel ends the workers with their parent
    # One process ends where two would have, and renders for itself what those had from the shared frames.
    assert bench(folder, "--jobs", "1", BENCH_FRAMES="off").returncode == 0
    assert (folder / "results.json").read_bytes() == (whole / "results.json").read_bytes()


def test_ctrl_c_in_parallel_training_keeps_checkpoints_and_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    long = ["--methods", "pix2pixsc,pix2pixhd", "--set", "train.steps=100000", "--jobs", "2", "--out", str(folder)]
    process = subprocess.Popen([*COMMAND, *long], stderr=subprocess.PIPE, text=True, preexec_fn=_default_interrupt)
    logs = [folder / "cells" / method / "0" / "log.jsonl" for method in ("pix2pixsc", "pix2pixhd")]
    deadline = time.monotonic() + 300
    while not all(log.exists() for log in logs) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same command goes on" in err
    for method in ("pix2pixsc", "pix2pixhd"):
        assert list((folder / "cells" / method / "0" / "checkpoints").iterdir())
    cells = folder / "cells.jsonl"
    assert not any(json.loads(line)["state"] == "failed" for line in cells.read_text().splitlines())


def _default_interrupt() -> None:
    """A test runner started in the background may ignore SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgrp()
