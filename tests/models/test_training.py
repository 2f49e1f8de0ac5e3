"""The loop: exact resume, schedule, what it writes, and every way a fit can end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn

from benchmark.config import TrainConfig
from benchmark.errors import BenchError, Preempted
from benchmark.protocols import FitReport, FitRun, Sample
from models.journal import Journal
from models.minimise import learning_rate
from models.ranks import Ranks
from models.style_consistent import Pix2PixSC
from models.training import train
from tests.models.fit_tiny import fit
from tests.models.tiny import SIZE, RandomPairs, setup

REPO = Path(__file__).resolve().parents[2]


class OneWeight:
    """The smallest trainer: one number drawn towards the mean of z; `spoil` makes a step's loss not a number."""

    def __init__(self, spoil: int = -1) -> None:
        self.networks: dict[str, nn.Module] = {"G": nn.Linear(1, 1, bias=False)}
        nn.init.zeros_(self.networks["G"].weight)
        self.spoil, self.seen = spoil, list[int]()

    @property
    def value(self) -> float:
        return self.networks["G"].weight.item()

    def step(self, sample: Sample, step: int, minimise: Any) -> dict[str, Tensor]:
        self.seen.append(step)
        loss = (self.networks["G"].weight - sample.z.mean()).square().sum()
        minimise(loss * (float("nan") if step == self.spoil else 1), "G")
        return {"G": loss * (float("nan") if step == self.spoil else 1)}

    def preview(self, sample: Sample) -> Tensor:
        return sample.z


def red(label: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.array([255, 0, 0], np.uint8), (*label.shape[1:], 3))


def run_loop(
    folder: Path,
    trainer: OneWeight,
    pairs: RandomPairs | None = None,
    deadline: float | None = None,
    fork: Path | None = None,
    **changes: Any,
) -> FitReport:
    config = {"steps": 8, "decay_steps": 0, "log_every": 2, "checkpoint_every": 4, "grid_every": 1000, **changes}
    run = FitRun(folder, deadline=deadline, progress=False, label_picture=red, fork=fork)
    return train(trainer, pairs or RandomPairs(), TrainConfig(**config), run, {"what": "one weight"})


def log_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


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


def test_adam_step_is_the_rate_and_only_the_named_network_moves(tmp_path: Path) -> None:
    """Adam's first step has the size of the learning rate, whatever the gradient's."""
    trainer = OneWeight()
    trainer.networks["idle"] = nn.Linear(1, 1)
    before = trainer.networks["idle"].weight.item()
    run_loop(tmp_path, trainer, steps=1, lr=0.01)
    assert abs(trainer.value) == pytest.approx(0.01, rel=1e-3)
    assert trainer.networks["idle"].weight.item() == before


@pytest.mark.parametrize(("step", "factor"), [(0, 1), (99, 1), (100, 1), (101, 0.98), (125, 0.5), (149, 0.02)])
def test_learning_rate_falls_linearly(step: int, factor: float) -> None:
    config = TrainConfig(steps=100, decay_steps=50, lr=2e-4)
    assert learning_rate(step, config) == pytest.approx(2e-4 * factor)


def test_log_lines_are_means_and_tensorboard_has_them(tmp_path: Path) -> None:
    losses = [torch.tensor(float(value)) for value in (1, 3, 10, 20)]
    with Journal(tmp_path, 0, 4, False, 1e4, Ranks()) as journal:
        for step, loss in enumerate(losses):
            journal.add(step, {"G": loss})
            if step % 2:
                assert journal.write(step + 1, float(step)) == ""
    assert log_lines(tmp_path) == [
        {"step": 2, "seconds": 1.0, "waited": 0.0, "losses": {"G": 2.0}},
        {"step": 4, "seconds": 3.0, "waited": 0.0, "losses": {"G": 15.0}},
    ]
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/G")] == [(2, 2.0), (4, 15.0)]


def test_a_line_says_how_long_batches_were_waited_for(tmp_path: Path) -> None:
    class Slow(RandomPairs):
        def batch(self, step: int) -> Sample:
            time.sleep(0.1 if step in (3, 4) else 0.0)
            return super().batch(step)

    run_loop(tmp_path, OneWeight(), Slow())
    waited = [line["waited"] for line in log_lines(tmp_path)]
    assert len(waited) == 4  # two steps each
    assert min(waited[1:3]) > 0.05  # steps 3 and 4 lie in the second and the third line


def test_a_torn_log_is_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    run_loop(tmp_path, OneWeight(), deadline=None)
    log = tmp_path / "log.jsonl"
    log.write_text(log.read_text() + '{"step": 10, "seconds": 1, "losses": {}}\n{"step": 12, "sec')
    run_loop(tmp_path, OneWeight())
    assert [line["step"] for line in log_lines(tmp_path)] == [2, 4, 6, 8]


def test_grids_have_four_rows(tmp_path: Path) -> None:
    run_loop(tmp_path, OneWeight(), grid_every=4)
    assert sorted(path.name for path in (tmp_path / "grids").iterdir()) == ["step-000004.png", "step-000008.png"]
    with Image.open(tmp_path / "grids" / "step-000008.png") as grid:
        assert grid.size == (2 * (SIZE + 2) + 2, 4 * (SIZE + 2) + 2)
        assert grid.getpixel((4, 4)) == (255, 0, 0)  # the label as its task shows it
        assert grid.getpixel((4, 4 + SIZE + 2)) != (255, 0, 0)


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

    trainer, before = (
        Interrupted(),
        signal.getsignal(signal.SIGINT),
    )  # a background shell starts tests with SIGINT ignored
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


def test_keep_last_is_the_number_of_checkpoints(tmp_path: Path) -> None:
    run_loop(tmp_path, OneWeight(), steps=8, checkpoint_every=1, keep_last=3)
    names = sorted(path.stem for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000006", "step-00000007", "step-00000008"]


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


def test_bfloat16_trains(tmp_path: Path) -> None:
    report = Pix2PixSC(setup(precision="bf16")).fit(RandomPairs(), FitRun(tmp_path, progress=False))
    assert report.finished and all(abs(value) < 1e3 for value in report.losses.values())
    with pytest.raises(BenchError, match=r"train\.precision"):
        Pix2PixSC(setup(precision="int4")).fit(RandomPairs(), FitRun(tmp_path, progress=False))


def test_training_learns_to_copy_the_style(tmp_path: Path) -> None:
    """A photo's halves have opposite colours; a trained generator takes them from the exemplar.

    Two halves, because an instance norm takes the mean out of a map: photos of one colour would look all alike.
    """

    class Colours(RandomPairs):
        def batch(self, step: int) -> Sample:
            sample = super().batch(step)
            photo = sample.I[:, :, :1, :1].sign().mul(0.7).repeat(1, 1, SIZE, SIZE)
            photo[..., SIZE // 2 :] *= -1
            same = torch.ones(len(photo), dtype=torch.bool)
            return Sample(sample.x, photo, photo, sample.F_I, same, photo, -photo)

    def error(method: Pix2PixSC) -> float:
        sample = Colours(32).batch(12345)
        return (method.synthesize(sample.x, sample.I, sample.F_I) - sample.z).abs().mean().item()

    tables = {"pix2pixsc": {"weights": "official"}}
    method = Pix2PixSC(setup(steps=100, decay_steps=0, lr=2e-3, log_every=25, checkpoint_every=1000, tables=tables))
    before = error(method)
    method.fit(Colours(4), FitRun(tmp_path, progress=False))
    assert error(method) < 0.6 * before
    losses = [line["losses"]["G_semantic"] for line in log_lines(tmp_path)]
    assert losses[-1] < losses[0]
