"""What a cell asks of a machine: cores, a GPU, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.run.plan import Cell, Plan

BASE_MB = 1_500  # Python, PyTorch, frames and the exam's networks of one process
BYTES_PER_VALUE = 4 * 60  # float32, and about 60 maps of a network's full width and size are alive in a step
BESIDE_A_GPU_MB = 6_000  # activations are in the GPU's memory then; weights pass through ours
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
    that ran before says what memory it took. Else it is estimated from pixels, batch and width.
    """
    train = plan.config.for_method(cell.method).train
    measured = records.get("fit", {}).get("peak_memory_mb")
    if measured:
        memory = int(SPARE * measured)
    elif gpus:
        memory = BESIDE_A_GPU_MB
    else:
        info = plan.task.info(plan.config)
        values = info.height * info.width * train.batch * plan.config.networks.ngf
        memory = BASE_MB + values * BYTES_PER_VALUE // 2**20
    return Needs(train.threads or CORES, gpus, memory * 2**20)
