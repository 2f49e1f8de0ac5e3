"""The method as the suite calls it: pix2pixHD's training, another picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.photo_style import masks
from baselines.photo_style.layers import transfer_layers
from baselines.photo_style.method import PhotoStyle
from baselines.photo_style.objective import Pictures, Targets
from baselines.pix2pixhd import Pix2PixHD
from benchmark import registry
from benchmark.config import load
from benchmark.data.procedural.world import ProceduralFaces
from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.features import load_features
from benchmark.labelers.face_label import face_label
from benchmark.protocols import FitRun, MethodSetup, TaskInfo
from tests.models.tiny import RandomPairs, setup

SIZE = 32
FACE = TaskInfo("face", 15, SIZE, SIZE)


def face_setup(name: str = "pix2pixhd-dpst", **options: Any) -> MethodSetup:
    given = {"iterations": [4, 6], "start": "content", "smoothing_radius": 2, **options}
    made = setup(name, load_features("efficientnet-lite0"), tables={name: given})
    return replace(made, task=FACE)


def asked(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Labels, exemplars and the exemplars' labels."""
    world = ProceduralFaces(2 * count + 1, 1, SIZE, label_fn=face_label)
    frames = [Frame(clip.id, 0) for clip in world.clips]
    labels = torch.from_numpy(np.stack([world.label(f) for f in frames])).float() / 255
    photos = torch.from_numpy(np.stack([world.image(f) for f in frames[count : 2 * count]])).permute(0, 3, 1, 2)
    return labels[:count], photos.float() / 127.5 - 1, labels[count : 2 * count]


def test_it_is_registered() -> None:
    assert registry.get("methods", "pix2pixhd-dpst") is PhotoStyle


def test_training_is_pix2pixhds_to_the_bit(tmp_path: Path) -> None:
    weights = []
    for method in (Pix2PixHD(setup("pix2pixhd")), PhotoStyle(setup("pix2pixhd-dpst"))):
        folder = tmp_path / method.setup.name
        method.fit(RandomPairs(), FitRun(folder, progress=False))
        method.save(folder)
        weights.append((folder / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]
    assert PhotoStyle.trained_as == "pix2pixhd"


def test_it_works_on_saved_weights_of_pix2pixhd(tmp_path: Path) -> None:
    painter = Pix2PixHD(replace(setup("pix2pixhd", load_features("efficientnet-lite0"), seed=3), task=FACE))
    painter.save(tmp_path)
    method = PhotoStyle(face_setup(iterations=[0, 0], smoothing_radius=0))
    method.load(tmp_path)
    given = asked(2)
    assert torch.equal(method.synthesize(*given), painter.synthesize(*given))


def test_the_exemplars_style_comes_closer(tmp_path: Path) -> None:
    method, (x, exemplar, f_i) = PhotoStyle(face_setup()), asked(2)
    before = Pix2PixHD.synthesize(method, x, exemplar, f_i)
    after = method.synthesize(x, exemplar, f_i)
    assert after.shape == before.shape and after.dtype == torch.float32
    assert bool(after.isfinite().all()) and float(after.abs().max()) <= 1
    cut = masks.join_missing("face", masks.regions("face", x), masks.regions("face", f_i), 0.0008)
    targets = Targets.of(transfer_layers(method.features()), Pictures(before, exemplar, *cut), 1.0, 0.0)
    assert bool((targets.loss(after) < 0.6 * targets.loss(before)).all())


@pytest.mark.parametrize("start", ["noise", "content"])
def test_a_picture_does_not_depend_on_its_batch(start: str) -> None:
    given = asked(3)
    together = PhotoStyle(face_setup(start=start, at_once=2)).synthesize(*given)
    method = PhotoStyle(face_setup(start=start))
    assert torch.equal(together, PhotoStyle(face_setup(start=start, at_once=2)).synthesize(*given))
    for k in (2, 0):
        alone = method.synthesize(*(part[k : k + 1] for part in given))
        assert float((alone[0] - together[k]).abs().mean()) < 0.01


def test_noise_is_drawn_per_picture() -> None:
    method, (x, exemplar, _) = PhotoStyle(face_setup(start="noise")), asked(2)
    noise = method._noise(x, exemplar)
    assert torch.equal(noise[1:], method._noise(x[1:], exemplar[1:]))
    assert not torch.equal(noise[0], noise[1]) and 0 < float(noise.std()) < 1e-5


def test_training_previews_cost_no_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    method, sample = PhotoStyle(setup("pix2pixhd-dpst")), RandomPairs().batch(0)
    monkeypatch.setattr(method, "_transfer", lambda *_: pytest.fail("transferred"))
    assert method.trainer().preview(sample).shape == sample.z.shape


def test_global_randomness_is_left_alone() -> None:
    method, given = PhotoStyle(face_setup(start="noise", iterations=[1, 1])), asked(1)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    method.synthesize(*given)
    assert torch.equal(torch.rand(3), expected)


def test_tasks_without_masks_are_refused() -> None:
    assert PhotoStyle.refuses(TaskInfo("face", 15, 64, 64)) is None
    assert "shoes" in (PhotoStyle.refuses(TaskInfo("shoes", 3, 64, 64)) or "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": [5, -1]}, "iterations"),
        ({"start": "contents"}, "did you mean 'content'"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"matting": -1.0}, "matting"),
        ({"at_once": 0}, "at_once"),
        ({"num_d": 0}, "num_d"),
    ],
)
def test_senseless_options_are_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        PhotoStyle(face_setup(**options))


@pytest.mark.parametrize("preset", ["smoke", "demo", "mini", "paper", "official"])
def test_presets_train_as_pix2pixhd(preset: str) -> None:
    config = load(preset, task="face")
    assert config.for_method("pix2pixhd-dpst").train == config.for_method("pix2pixhd").train
    options = config.options("pix2pixhd-dpst", PhotoStyle.Options)
    assert (options.iterations == (1000, 1000)) == (preset in ("paper", "official"))
