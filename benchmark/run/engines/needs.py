"""What a cell asks of a machine: cores, a GPU, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.run.plan import Cell, Plan

BASE_MB = 1_500  # Python, PyTorch, frames and the exam's networks of one process
MAPS = 60  # of the generator's first width and full size, alive in a step
COPIES = 6  # of a generator's weights: values, gradients and Adam's two, and half as much again for discriminators
SPARE = 1.25  # over a peak that was measured
CORES = 2  # of a cell whose configuration leaves the threads open: one for the networks' maths, one for the batches


@dataclass(frozen=True)
class Needs:
    """`memory` in bytes of the machine's own, not the GPU's."""

    cpus: int
    gpus: int
    memory: int


def needs(plan: Plan, cell: Cell, records: Mapping[str, Mapping[str, Any]], gpus: int) -> Needs:
    """Of one cell, on machines with or without GPUs. `records` are its stages, as `RunView.cells` has them: a training
    that ran before says what memory it took. Else it is estimated from the networks, pixels and batch.
    """
    train = plan.config.for_method(cell.method).train
    measured = records.get("fit", {}).get("peak_memory_mb")
    if measured:
        memory = int(SPARE * measured)
    else:
        networks, info = plan.config.networks, plan.task.info(plan.config)
        width = networks.ngf * 2**networks.n_downsample
        values = COPIES * networks.n_blocks * 2 * 9 * width**2  # two 3x3 convolutions a block: most of all weights
        if not gpus:  # else activations are in the GPU's memory; weights pass through ours to a checkpoint
            values += MAPS * info.height * info.width * train.batch * networks.ngf
        memory = BASE_MB + 4 * values // 2**20
    return Needs(train.threads or CORES, gpus, memory * 2**20)
