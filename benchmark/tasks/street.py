"""Scene parsing -> street view: rendered drives, labels of 19 classes (pix2pixSC sec 4.2)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.protocols import TaskInfo
from benchmark.tasks import METHODS

if TYPE_CHECKING:
    import numpy as np

    from benchmark.config import Config
    from benchmark.data.batches import Mirror
    from benchmark.data.source import Source


class StreetTask:
    """`benchmark.protocols.Task`: what to draw is a scene parsing, how it should look is weather and time of day."""

    name = "street"
    title = "Scene parsing→Street view"
    metrics = ("frechet", "sps", "counterfactual")
    methods = METHODS
    main_method = "pix2pixsc"

    def info(self, config: Config) -> TaskInfo:
        """Shapes a method is built from: 20 label channels (spec: systems 1.7), 16:9, no joints."""
        from benchmark.data.procedural.street_world import picture_height

        size = config.data.size
        return TaskInfo(self.name, label_channels=20, height=picture_height(size), width=size, joints=0)

    def source(self, config: Config, data: str | None) -> Source:
        """The frames: rendered when `data` is None or "procedural" (`data.identities` is the number of scenes), else
        the folder of BDD100K.
        """
        d = config.data
        if data in (None, "procedural"):
            from benchmark.data.procedural.street_world import ProceduralStreets

            return ProceduralStreets(d.identities, d.frames, d.size, config.street.groups, d.seed)
        from benchmark.data.bdd100k import BDD100K

        return BDD100K(Path(data), d.size, config.street)

    def mirror(self, config: Config) -> Mirror:
        """Pictures and labels only: no class has a left and a right, and there are no joints."""
        from benchmark.data.batches import Mirror
        from benchmark.labelers.street_label import flip_label

        return Mirror(flip_label, _same)

    def label_picture(self, label: np.ndarray) -> np.ndarray:
        """Cityscapes' colours."""
        from benchmark.labelers.cityscapes import colours
        from benchmark.labelers.street_label import train_ids

        return colours(train_ids(label))


def _same(joints: np.ndarray, width: int) -> np.ndarray:
    return joints
