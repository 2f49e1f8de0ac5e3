"""The door to mmsegmentation, against a stand-in with its interface; scripts/danet_oracle.py runs the real library."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.errors import BenchError
from benchmark.labelers.parsing import get_parser
from benchmark.labelers.parsing.mmseg import OPERATORS, stand_in_for_compiled_operators


class Model(nn.Module):
    """One number per class; the class of a pixel is its blue."""

    def __init__(self, classes: int = 19) -> None:
        super().__init__()
        self.decode_head = nn.Linear(1, classes)
        self.decode_head.num_classes = classes


class Settings(dict):
    __getattr__ = dict.__getitem__


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the stand-in was asked for."""
    seen = SimpleNamespace(classes=19, pretrained="not asked", init_cfg="not asked")

    def init_model(settings: Settings, checkpoint: object, device: str) -> Model:
        assert checkpoint is None  # their loader would run what the file carries
        seen.pretrained, seen.init_cfg = settings.model.get("pretrained"), settings.model.backbone.get("init_cfg")
        return Model(seen.classes)

    def inference_model(model: Model, image: np.ndarray) -> SimpleNamespace:
        assert not model.training and image.flags["C_CONTIGUOUS"]
        return SimpleNamespace(
            pred_sem_seg=SimpleNamespace(data=torch.from_numpy(image[None, ..., 0].astype(np.int64)))
        )

    def fromfile(path: str) -> Settings:
        return Settings(model=Settings(pretrained="open-mmlab://x", backbone=Settings(init_cfg="torchvision://x")))

    modules = {
        "mmseg": {},
        "mmseg.apis": {"init_model": init_model, "inference_model": inference_model},
        "mmengine": {},
        "mmengine.config": {"Config": SimpleNamespace(fromfile=fromfile)},
        "mmcv": {"__path__": []},
    }
    for name, attributes in modules.items():
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, OPERATORS, raising=False)
    monkeypatch.setenv("BENCH_DEVICE", "cpu")
    yield seen
    sys.modules.pop(OPERATORS, None)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    config, checkpoint = tmp_path / "danet_r50.py", tmp_path / "net.pth"
    config.write_text("model = dict()\n")
    torch.save({"meta": {"epoch": 1}, "state_dict": Model().state_dict()}, checkpoint)
    return config, checkpoint


def test_photos_go_in_as_bgr_and_ids_come_out(library: SimpleNamespace, files: tuple[Path, Path]) -> None:
    parser = get_parser(f"mmseg:{files[0]},{files[1]}")
    images = np.random.default_rng(0).integers(0, 19, (2, 4, 6, 3), dtype=np.uint8)
    found = parser.parse(images)
    assert np.array_equal(found, images[..., 2]) and found.dtype == np.uint8
    assert parser.protocol.startswith("mmseg-danet_r50-") and len(parser.protocol) == len("mmseg-danet_r50-") + 17
    assert library.pretrained is None and library.init_cfg is None  # nothing is downloaded to be overwritten


def test_a_model_of_other_classes_or_weights_is_refused(library: SimpleNamespace, files: tuple[Path, Path]) -> None:
    library.classes = 150
    torch.save(Model(150).state_dict(), files[1])
    with pytest.raises(BenchError, match="150 classes"):
        get_parser(f"mmseg:{files[0]},{files[1]}")
    library.classes = 19
    with pytest.raises(BenchError, match=r"not a checkpoint of danet_r50\.py") as caught:
        get_parser(f"mmseg:{files[0]},{files[1]}")
    assert "\n" not in str(caught.value)


def test_a_checkpoint_with_a_training_history_is_refused(library: SimpleNamespace, files: tuple[Path, Path]) -> None:
    torch.save({"state_dict": {}, "message_hub": Path("history")}, files[1])
    with pytest.raises(BenchError, match="refused"):
        get_parser(f"mmseg:{files[0]},{files[1]}")


def test_operators_exist_and_refuse_to_be_called(library: SimpleNamespace) -> None:
    stand_in_for_compiled_operators()
    operators = importlib.import_module(OPERATORS)
    assert hasattr(operators, "deform_conv_forward") and not hasattr(operators, "__path__")
    with pytest.raises(BenchError, match="deform_conv_forward"):
        operators.deform_conv_forward(1, 2)


@pytest.mark.parametrize("argument", ["", "one.py", "a,b,c"])
def test_the_argument_is_two_files(argument: str) -> None:
    with pytest.raises(BenchError, match=r"expected mmseg:CONFIG\.py,CHECKPOINT\.pth"):
        get_parser(f"mmseg:{argument}" if argument else "mmseg")


def test_missing_files_and_a_missing_library_are_named(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BenchError, match=r"nowhere\.pth: no such file"):
        get_parser(f"mmseg:{files[0]},nowhere.pth")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BenchError, match=r"exemplar-bench\[mmseg\]"):
        get_parser(f"mmseg:{files[0]},{files[1]}")
