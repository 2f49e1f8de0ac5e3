"""`mmseg`: any model of mmsegmentation 1.2.2 with 19 Cityscapes classes, run through its own test pipeline.

    get_parser("mmseg:danet_r50.py,danet_r50.pth")    # a config file and a checkpoint

Needs the extra `mmseg`. mmsegmentation imports compiled operators that mmcv-lite lacks, and full mmcv does not build on
current torch: a stand-in takes their place, and a model that really calls one fails saying which. Configs resize as
they say (Cityscapes': to fit 2048x1024 keeping the aspect); the protocol carries the config's name and sha256.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import weights
from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES

OPERATORS = "mmcv._ext"


class MMSegParser:
    """Contract as `benchmark.protocols.SceneParser`. `argument` is "CONFIG.py,CHECKPOINT.pth".

    Raises:
        BenchError: an argument of another form, a missing file or library, a checkpoint that holds more than tensors
            and plain data, a model without the 19 classes.
    """

    name = "mmseg"

    def __init__(self, argument: str = "") -> None:
        config, checkpoint = _files(argument)
        if importlib.util.find_spec("mmseg") is None:
            raise BenchError("labeler mmseg: mmsegmentation is not installed; pip install 'exemplar-bench[mmseg]'")
        self._model = build_model(config, checkpoint)
        digests = ",".join(weights.sha256(path)[:8] for path in (config, checkpoint))
        self.protocol = f"mmseg-{config.stem}-{digests}"

    def parse(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, H, W, 3) RGB -> uint8 (N, H, W) train ids."""
        from mmseg.apis import inference_model

        bgr = [np.ascontiguousarray(image[..., ::-1]) for image in images]  # as its loaders read files
        found = [inference_model(self._model, image).pred_sem_seg.data[0] for image in bgr]
        return np.stack([ids.cpu().numpy() for ids in found]).astype(np.uint8)


def build_model(config: Path, checkpoint: Path) -> Any:
    """mmsegmentation's model in evaluation mode, its weights read without running anything that the file carries."""
    from benchmark.run.devices import choose_device

    stand_in_for_compiled_operators()
    from mmengine.config import Config
    from mmseg.apis import init_model

    settings = Config.fromfile(str(config))
    settings.model.pop("pretrained", None)  # would be downloaded, and then overwritten by the checkpoint
    settings.model.backbone.pop("init_cfg", None)
    model = init_model(settings, checkpoint=None, device=choose_device())
    loaded = weights.load_torch(checkpoint)
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    try:
        model.load_state_dict(state, strict=True)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise BenchError(f"{checkpoint}: not a checkpoint of {config.name}: {str(error).splitlines()[-1]}") from None
    if model.decode_head.num_classes != len(CLASSES):
        raise BenchError(f"{config}: {model.decode_head.num_classes} classes, the 19 of Cityscapes are needed")
    return model.eval()


def stand_in_for_compiled_operators() -> None:
    """Let `import mmseg` find `mmcv._ext` where mmcv has none: operators that exist and refuse to be called."""
    if OPERATORS in sys.modules or importlib.util.find_spec(OPERATORS) is not None:
        return
    module = _Operators(OPERATORS)
    module.__spec__ = importlib.machinery.ModuleSpec(OPERATORS, loader=None)
    sys.modules[OPERATORS] = module


class _Operators(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_args: Any, **_options: Any) -> None:
            raise BenchError(f"labeler mmseg: this model needs the compiled mmcv operator {name!r}, which is not here")

        return refuse


def _files(argument: str) -> tuple[Path, Path]:
    parts = [Path(part.strip()) for part in argument.split(",") if part.strip()]
    if len(parts) != 2:
        raise BenchError(f"eval.parser: mmseg:{argument}: expected mmseg:CONFIG.py,CHECKPOINT.pth")
    for path in parts:
        if not path.is_file():
            raise BenchError(f"eval.parser: mmseg: {path}: no such file")
    return parts[0], parts[1]
