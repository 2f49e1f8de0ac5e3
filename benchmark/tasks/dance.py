"""Pose -> dance: rendered dancers or a folder made by `bench data prepare --task dance`, labels from body parts and 18
joints (pix2pixSC sec 4.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import BenchError
from benchmark.protocols import TaskInfo
from benchmark.tasks import METHODS

if TYPE_CHECKING:
    import numpy as np

    from benchmark.config import Config
    from benchmark.data.batches import Mirror
    from benchmark.data.source import Source


class DanceTask:
    """`benchmark.protocols.Task`: what to draw is a body in a pose, how it should look is a dancer in a place."""

    name = "dance"
    title = "Pose→Dance"
    metrics = ("frechet", "lepe", "counterfactual")
    methods = METHODS
    main_method = "pix2pixsc"  # the method that the others are compared with

    def info(self, config: Config) -> TaskInfo:
        """Shapes a method is built from: 23 label channels (spec: systems 1.6)."""
        return TaskInfo(self.name, label_channels=23, height=config.data.size, width=config.data.size, joints=18)

    def source(self, config: Config, data: str | None) -> Source:
        """The frames: rendered when `data` is None or "procedural", else the prepared folder `data`."""
        if data not in (None, "procedural"):
            from benchmark.data.prepared_dance import PreparedDance

            return PreparedDance(Path(data), config.data.size)
        from benchmark.data.procedural.dance_world import ProceduralDance
        from benchmark.labelers.pose_label import pose_label

        d = config.data
        return ProceduralDance(d.identities, d.frames, d.size, d.seed, label_fn=pose_label)

    def mirror(self, config: Config) -> Mirror:
        """Label channels stay where they are, as in the official code; joints always keep their meaning."""
        from benchmark.data.batches import Mirror
        from benchmark.labelers.openpose18 import mirror_joints
        from benchmark.labelers.pose_label import flip_label

        if config.pairs.flip and config.pairs.swap_left_right:
            raise BenchError(
                "pairs.swap_left_right: dance labels mix the colours of limbs that cross, so their sides cannot be "
                "exchanged; set it to false, or pairs.flip to false"
            )
        return Mirror(flip_label, mirror_joints)

    def label_picture(self, label: np.ndarray) -> np.ndarray:
        """Coloured limbs over body parts."""
        from benchmark.labelers.pose_label import picture

        return picture(label)
