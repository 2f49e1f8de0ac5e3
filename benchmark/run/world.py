"""Everything a run's cells share: the frames, their cache, the samplers, the test items and the exam. Built on first
use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from benchmark.config import Config
from benchmark.data.batches import TrainingPairs, collate
from benchmark.data.consistency import ConsistencyLabels, read_consistency
from benchmark.data.frame_cache import open_cache
from benchmark.data.pairs import Draw, Item, PairSampler, test_items
from benchmark.data.source import Clip, Source
from benchmark.data.store import FrameStore
from benchmark.errors import BenchError
from benchmark.protocols import Exam, Sample, Task

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class World:
    """One task's data under one configuration; `data` is None for the rendered world, else a prepared folder."""

    task: Task
    config: Config
    data: str | None = None

    @cached_property
    def source(self) -> Source:
        return self.task.source(self.config, self.data)

    @cached_property
    def store(self) -> FrameStore:
        # Prepared photos are read from their own files: each run shall notice when one of them has changed.
        rendered = self.data in (None, "procedural")
        return FrameStore(self.source, cache=open_cache(self.source) if rendered else None)

    @cached_property
    def manual_labels(self) -> ConsistencyLabels:
        path = self.config.pairs.labels
        return read_consistency(path, self.source.clips) if path else ConsistencyLabels()

    def clips(self, split: str) -> tuple[Clip, ...]:
        """Clips of a split; an empty split is an error that names it."""
        found = tuple(clip for clip in self.source.clips if clip.split == split and len(clip))
        if not found:
            raise BenchError(f"{self.source.name}: the {split} split has no frames; prepare more clips")
        return found

    def sampler(self, split: str) -> PairSampler:
        return PairSampler(self.clips(split), self.config.pairs, self.manual_labels)

    def pairs(self, method: str, seed: int) -> TrainingPairs:
        """The training stream of one seed, in the batches that a method trains with."""
        split = "val" if any(c.split == "val" and len(c) for c in self.source.clips) else "train"
        return TrainingPairs(
            self.store,
            self.sampler("train"),
            self.sampler(split) if len(self.clips(split)) > 1 else self.sampler("train"),
            self.config.for_method(method).train.batch,
            seed,
            self.task.mirror(self.config),
        )

    @cached_property
    def items(self) -> list[Item]:
        """The test items: the same for every method and seed."""
        ev = self.config.eval
        return test_items(
            self.sampler("test"), self.clips("test"), ev.items, ev.consistent_share, self.config.data.seed
        )

    def validation_items(self, count: int) -> list[Item]:
        """Items of the validation split, drawn as the test items are; BenchError where there is no such split."""
        return test_items(
            self.sampler("val"), self.clips("val"), count, self.config.eval.consistent_share, self.config.data.seed
        )

    def sample(self, items: Sequence[Item]) -> Sample:
        """Test items as a batch. Partners are never used at test time, so the exemplar stands for both."""
        draws = [Draw(i.label, i.exemplar, i.consistent, i.exemplar, i.exemplar, flip=False) for i in items]
        return collate(self.store, draws)

    @cached_property
    def exam(self) -> Exam:
        """The test set as the metrics see it."""
        return self.exam_of(self.items)

    def exam_of(self, items: list[Item]) -> Exam:
        """Any items as the metrics see them."""
        source = self.source
        truths = [source.truth(i.label, i.exemplar) for i in items]
        regions = [source.regions(i.label, i.exemplar) for i in items]
        known = truths[0] is not None
        return Exam(
            items=[i.id for i in items],
            targets=np.stack([self.store.image(i.label) for i in items]),
            exemplars=np.stack([self.store.image(i.exemplar) for i in items]),
            target_landmarks=np.stack([source.landmarks(i.label) for i in items]),
            consistent=np.array([i.consistent for i in items]),
            truths=np.stack([t for t in truths if t is not None]) if known else None,
            regions=_stack([r for r in regions if r is not None]) if known else None,
            config=self.config,
            target_parsing=_parsings(source, items),
        )


def _stack(regions: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([r[name] for r in regions]) for name in regions[0]}


def _parsings(source: Source, items: list[Item]) -> np.ndarray | None:
    """uint8 (N, H, W) of the asked labels, where the source knows what each pixel shows."""
    parsing = getattr(source, "parsing", None)
    return np.stack([parsing(item.label) for item in items]) if parsing else None
