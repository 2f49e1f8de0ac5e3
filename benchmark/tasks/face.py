"""Sketch -> face: rendered faces or a folder made by `bench data prepare`, labels from 68 landmarks (pix2pixSC sec
4.2).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.protocols import TaskInfo
from benchmark.tasks import METHODS

if TYPE_CHECKING:
    import numpy as np

    from benchmark.config import Config
    from benchmark.data.batches import Mirror
    from benchmark.data.source import Source


class FaceTask:
    """`benchmark.protocols.Task`: what to draw is a face sketch, how it should look is a portrait."""

    name = "face"
    title = "Sketch→Face"
    metrics = ("frechet", "lepe", "eye-patch", "counterfactual")
    methods = METHODS
    main_method = "pix2pixsc"  # the method that the others are compared with

    def info(self, config: Config) -> TaskInfo:
        """Shapes a method is built from: 15 label channels (spec: systems 1.5)."""
        return TaskInfo(self.name, label_channels=15, height=config.data.size, width=config.data.size, joints=68)

    def source(self, config: Config, data: str | None) -> Source:
        """The frames: rendered when `data` is None or "procedural", else the prepared folder `data`."""
        from benchmark.labelers.face_label import face_label

        if data in (None, "procedural"):
            from benchmark.data.procedural.world import ProceduralFaces

            d = config.data
            return ProceduralFaces(d.identities, d.frames, d.size, d.seed, label_fn=face_label)
        from benchmark.data.prepared import PreparedFaces

        return PreparedFaces(Path(data), config.data.size)

    def mirror(self, config: Config) -> Mirror:
        """Label channels as `pairs.swap_left_right` says (the official code leaves them where they are); landmarks
        always keep their meaning.
        """
        from benchmark.data.batches import Mirror
        from benchmark.labelers.face_label import flip_label
        from benchmark.labelers.ibug68 import mirror_landmarks

        return Mirror(partial(flip_label, swap_left_right=config.pairs.swap_left_right), mirror_landmarks)

    def label_picture(self, label: np.ndarray) -> np.ndarray:
        """The sketch, its first channel."""
        import numpy as np

        return np.repeat(label[0][..., None], 3, axis=2)
