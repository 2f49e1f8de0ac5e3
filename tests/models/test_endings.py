"""Every way a fit can end, and how it goes on: kill, deadline, signals, bad losses, a full disk, a fork."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.config import TrainConfig
from benchmark.errors import BenchError, Preempted
from benchmark.protocols import FitReport, FitRun, Sample
from models.style_consistent import Pix2PixSC
from models.training import train
from tests.models.fit_tiny import fit
from tests.models.one_weight import OneWeight, log_lines, run_loop
from tests.models.tiny import RandomPairs, setup

REPO = Path(__file__).resolve().parents[2]


def test_a_killed_fit_resumes_to_the_bits_of_an_unbroken_one(tmp_path: Path) -> None:
    unbroken, _ = fit(tmp_path / "unbroken")
    command = [sys.executable, "-m", "tests.models.fit_tiny", str(tmp_path / "killed"), "8"]
    died = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=300)
    assert died.returncode == -signal.SIGKILL, died.stderr
    saved = sorted(path.name for path in (tmp_path / "killed" / "checkpoints").iterdir())
    assert saved[-1] == "step-00000006.safetensors"

    resumed, report = fit(tmp_path / "killed")
    assert report.finished and report.steps == 10
    weights = unbroken.generator.state_dict(), resumed.generator.state_dict()
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    logs = [[(line["step"], line["losses"]) for line in log_lines(tmp_path / name)] for name in ("unbroken", "killed")]
    assert logs[0] == logs[1]


def test_a_finished_fit_does_nothing_more(tmp_path: Path) -> None:
    run_loop(tmp_path, OneWeight())
    again = OneWeight()
    report = run_loop(tmp_path, again)
    assert again.seen == [] and again.value != 0
    assert report.finished and report.steps == 8 and report.losses == log_lines(tmp_path)[-1]["losses"]


def test_resume_false_starts_over(tmp_path: Path) -> None:
    run_loop(tmp_path, OneWeight())
    again = OneWeight()
    train(again, RandomPairs(), TrainConfig(steps=3, decay_steps=0), FitRun(tmp_path, False, progress=False), {"a": 1})
    assert again.seen == [0, 1, 2]
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000003.safetensors"]


def test_the_deadline_ends_cleanly_and_the_fit_goes_on_later(tmp_path: Path) -> None:
    class Slow(OneWeight):
        def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
            time.sleep(0.2)
            return super().step(sample, step, minimise)

    report = run_loop(tmp_path, Slow(), deadline=time.monotonic() + 0.5, steps=100)
    assert not report.finished and 1 <= report.steps < 10
    rest = OneWeight()
    report = run_loop(tmp_path, rest, steps=100)
    assert report.finished and rest.seen[-1] == 99 and len(rest.seen) < 100


def test_ctrl_c_leaves_a_checkpoint(tmp_path: Path) -> None:
    class Interrupted(OneWeight):
        def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
            if step == 5:
                signal.raise_signal(signal.SIGINT)
            return super().step(sample, step, minimise)

    # a background shell starts tests with SIGINT ignored
    trainer, before = Interrupted(), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_loop(tmp_path, trainer)
    assert trainer.seen[-1] == 5, "the running step ends first"
    assert signal.getsignal(signal.SIGINT) is before
    rest = OneWeight()
    run_loop(tmp_path, rest)
    assert rest.seen == [6, 7]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_preemption_signal_leaves_a_checkpoint_however_often_it_comes(tmp_path: Path, number: signal.Signals) -> None:
    class Asked(OneWeight):
        def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
            if step == 5:
                signal.raise_signal(number)
                signal.raise_signal(number)
            return super().step(sample, step, minimise)

    trainer, before = Asked(), signal.getsignal(number)
    with pytest.raises(Preempted, match=number.name):
        run_loop(tmp_path, trainer)
    assert trainer.seen[-1] == 5 and signal.getsignal(number) is before
    rest = OneWeight()
    run_loop(tmp_path, rest)
    assert rest.seen == [6, 7]


def test_an_exploding_loss_names_step_loss_and_last_good_checkpoint(tmp_path: Path) -> None:
    class Exploding(OneWeight):
        def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
            losses = super().step(sample, step, minimise)
            return {"G": losses["G"], "D": torch.tensor(2.5e4 if step == 17 else 2.0)}

    told = r"step 17: D = 2\.5e\+04, over train.explode = 10000 times its usual 2; last.*00000016"
    with pytest.raises(BenchError, match=told):
        run_loop(tmp_path, Exploding(), steps=24)
    assert log_lines(tmp_path)[-1]["step"] == 16
    resumed = Exploding()  # what is usual is read from the log again
    with pytest.raises(BenchError, match="step 17: D"):
        run_loop(tmp_path, resumed, steps=24)
    assert resumed.seen[0] == 16
    assert run_loop(tmp_path / "never", Exploding(), steps=24, explode=0.0).finished


def test_what_was_small_may_rise(tmp_path: Path) -> None:
    """A discriminator's loss that has fallen to nothing and comes back is no explosion."""

    class Rising(OneWeight):
        def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
            return {**super().step(sample, step, minimise), "D": torch.tensor(1e-9 if step < 16 else 1.0)}

    assert run_loop(tmp_path, Rising(), steps=20).finished


def test_a_loss_that_is_no_number_names_its_step_and_is_never_saved(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"step 5: a loss is not a finite number; last good.*step-00000004"):
        run_loop(tmp_path, OneWeight(spoil=5), log_every=100)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000004.safetensors"]


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """The system refuses to let the log grow: a real OSError, on another path than the checkpoint's."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    run_loop(tmp_path, OneWeight(), steps=4)
    with open(tmp_path / "log.jsonl", "a") as log:
        log.write('{"step": 1, "seconds": 0, "losses": {}}\n' * 20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (800, hard))
    try:
        with pytest.raises(BenchError, match=r"last good checkpoint: .*step-00000004"):
            run_loop(tmp_path, OneWeight())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_error_in_the_data_reaches_the_caller(tmp_path: Path) -> None:
    class Broken(RandomPairs):
        def batch(self, step: int) -> Sample:
            if step == 2:
                raise BenchError("clip-3: frame 7 is gone")
            return super().batch(step)

    with pytest.raises(BenchError, match="clip-3"):
        run_loop(tmp_path, OneWeight(), Broken())


def test_another_configuration_is_not_continued(tmp_path: Path) -> None:
    run = FitRun(tmp_path, progress=False)
    Pix2PixSC(setup()).fit(RandomPairs(), run)
    with pytest.raises(BenchError, match=r"train\.lr = 0\.0002, this run has 0\.1"):
        Pix2PixSC(setup(lr=0.1)).fit(RandomPairs(), run)
    tables = {"pix2pixsc": {"weights": "official"}}
    with pytest.raises(BenchError, match=r"options\.weights = 'paper_eq6', this run has 'official'"):
        Pix2PixSC(setup(tables=tables)).fit(RandomPairs(), run)


def test_how_often_one_looks_may_change(tmp_path: Path) -> None:
    run = FitRun(tmp_path, progress=False)
    Pix2PixSC(setup()).fit(RandomPairs(), run)
    assert Pix2PixSC(setup(log_every=1)).fit(RandomPairs(), run).finished


def test_a_fork_goes_on_from_another_configuration_and_says_what_differs(tmp_path: Path) -> None:
    old = OneWeight()
    run_loop(tmp_path / "old", old)
    config = TrainConfig(steps=12, decay_steps=0, lr=0.5)

    def fork(folder: Path, source: Path | None) -> tuple[OneWeight, FitReport]:
        trainer = OneWeight()
        run = FitRun(folder, progress=False, fork=source)
        return trainer, train(trainer, RandomPairs(), config, run, {"what": "another rate"})

    trainer, report = fork(tmp_path / "new", tmp_path / "old")
    assert trainer.seen == [8, 9, 10, 11] and report.finished
    told = {"folder": str(tmp_path / "old" / "checkpoints"), "checkpoint": "step-00000008.safetensors", "step": 8}
    assert report.forked_from == {**told, "changed": {"what": ["one weight", "another rate"]}}
    again, report = fork(tmp_path / "new", None)
    assert again.seen == [] and again.value == trainer.value and report.forked_from is not None
    fork(tmp_path / "own", None)
    with pytest.raises(BenchError, match=r"--fork .*old: .*own holds a training that began otherwise"):
        fork(tmp_path / "own", tmp_path / "old")
    with pytest.raises(BenchError, match=r"--fork .*has done 12 steps, this training ends after 8"):
        run_loop(tmp_path / "short", OneWeight(), fork=tmp_path / "own")
    with pytest.raises(BenchError, match="holds no checkpoint"):
        fork(tmp_path / "new2", tmp_path / "nowhere")


def test_a_fork_with_other_networks_is_refused_by_the_first_weight(tmp_path: Path) -> None:
    run_loop(tmp_path / "old", OneWeight())
    wide = OneWeight()
    wide.networks["G"] = nn.Linear(2, 1, bias=False)
    run = FitRun(tmp_path / "new", progress=False, fork=tmp_path / "old")
    with pytest.raises(BenchError, match=r"network G: weight is \(1, 1\) there and \(1, 2\) here"):
        train(wide, RandomPairs(), TrainConfig(steps=9, decay_steps=0), run, {})
