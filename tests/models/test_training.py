"""The loop: one step, the schedule, what it writes, precision, and that it learns."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from benchmark.config import TrainConfig
from benchmark.errors import BenchError
from benchmark.protocols import FitRun, Sample
from models.journal import Journal
from models.minimise import learning_rate
from models.ranks import Ranks
from models.style_consistent import Pix2PixSC
from tests.models.one_weight import OneWeight, log_lines, run_loop
from tests.models.tiny import SIZE, RandomPairs, setup


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


def test_keep_last_is_the_number_of_checkpoints(tmp_path: Path) -> None:
    run_loop(tmp_path, OneWeight(), steps=8, checkpoint_every=1, keep_last=3)
    names = sorted(path.stem for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000006", "step-00000007", "step-00000008"]


def test_bfloat16_trains(tmp_path: Path) -> None:
    report = Pix2PixSC(setup(precision="bf16")).fit(RandomPairs(), FitRun(tmp_path, progress=False))
    assert report.finished and all(abs(value) < 1e3 for value in report.losses.values())
    with pytest.raises(BenchError, match=r"train\.precision"):
        Pix2PixSC(setup(precision="int4")).fit(RandomPairs(), FitRun(tmp_path, progress=False))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch.compile looks at every input's
def test_compiled_networks_train_alike(tmp_path: Path) -> None:
    def losses(name: str, backend: str) -> dict[str, float]:
        method = Pix2PixSC(setup(steps=2, decay_steps=0, log_every=1, compile=backend))
        return method.fit(RandomPairs(), FitRun(tmp_path / name, progress=False)).losses

    torch._dynamo.reset()
    assert losses("compiled", "aot_eager") == pytest.approx(losses("eager", ""), rel=1e-5)
    assert torch._dynamo.utils.counters["aot_autograd"]["ok"] >= 3, "the generator and two discriminators"
    with pytest.raises(BenchError, match=r"train\.compile: no backend 'induktor'.*inductor"):
        losses("unknown", "induktor")


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

    sample = Colours(200).batch(12345)
    blind = (sample.z - sample.z.median(dim=0).values).abs().mean().item()  # the least without a look at the exemplar

    tables = {"pix2pixsc": {"weights": "official"}}
    method = Pix2PixSC(setup(steps=100, decay_steps=0, lr=1e-3, log_every=25, checkpoint_every=1000, tables=tables))
    method.fit(Colours(4), FitRun(tmp_path, progress=False))
    error = (method.synthesize(sample.x, sample.I, sample.F_I) - sample.z).abs().mean().item()
    assert error < 0.8 * blind
    losses = [line["losses"]["G_semantic"] for line in log_lines(tmp_path)]
    assert losses[-1] < losses[0]
