"""Semantic parsing scores: does a parser see in the result what the label asked for (pix2pixSC Table 6)?

The paper names the three scores of pix2pix's FCN score and gives no more; this is spec: systems 7. One confusion
matrix over the whole test set, rows what was asked, columns what the parser saw in the result; pixels whose asked class
is unknown (255) are left out. Per-pixel accuracy is trace over total; per-class accuracy the mean, over classes that
were asked, of recall; class IoU the mean of TP / (TP + FP + FN) over classes that were asked or seen. Shares, not
percents. Intervals: bootstrap over items, whose matrices are kept apart until then.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES, IGNORE
from benchmark.metrics import images as over
from benchmark.metrics.memo import remember
from benchmark.protocols import ItemScores
from benchmark.stats import statistic_interval

if TYPE_CHECKING:
    from benchmark.protocols import Exam

SCORES = (
    ("sps-pixel", "SPS per-pixel acc."),
    ("sps-class", "SPS per-class acc."),
    ("sps-iou", "SPS class IoU"),
)  # in the order of `parsing_scores`


class SemanticParsingScore:
    """Registry name "sps": three whole-set scores. What the real targets score stands in the notes of every row: a
    parser's own errors are in both.
    """

    name = "sps"

    def score(self, exam: Exam, images: np.ndarray) -> list[ItemScores]:
        """images uint8 (N, H, W, 3). Raises BenchError for a task without parsings, and for no parser."""
        from benchmark.labelers.parsing import get_parser

        over.require_same_shape(exam, images)
        if exam.target_parsing is None:
            raise BenchError("sps: this data does not say what each pixel shows; leave the metric out of this task")
        if exam.config.eval.parser in ("", "source"):
            raise BenchError("eval.parser: the data names no scene parser of its own; choose one, e.g. danet")
        parser, asked, batch = get_parser(exam.config.eval.parser), exam.target_parsing, exam.config.eval.batch

        def read(photos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Confusion matrices, and the pixels read as another class than was asked."""
            matrices, wrong = [], np.zeros(asked.shape, bool)
            for n in range(0, len(photos), batch):
                part, seen = asked[n : n + batch], parser.parse(photos[n : n + batch])
                matrices.append(confusions(part, seen))
                wrong[n : n + batch] = (seen != part) & (part != IGNORE)
            return np.concatenate(matrices), wrong

        known = f"confusions {parser.protocol} {hashlib.sha256(np.ascontiguousarray(asked).data).hexdigest()}"
        real = remember(known, exam.targets, lambda: read(exam.targets)[0])
        per_item, wrong = (real, None) if np.array_equal(images, exam.targets) else read(images)
        interval = statistic_interval(per_item, parsing_scores, exam.config.eval.bootstrap)
        height, width = images.shape[1:3]
        notes: dict[str, Any] = {"N": len(images), "classes": int((per_item.sum(axis=(0, 2)) > 0).sum())}
        return [
            ItemScores(
                metric=f"{metric}[{parser.protocol},{width}x{height}]",
                title=title,
                better="higher",
                values=[found.value],
                whole_set=True,
                low=found.low,
                high=found.high,
                notes={**notes, "original image": float(original)},
                seen=wrong if metric == SCORES[0][0] else None,
            )
            for (metric, title), found, original in zip(SCORES, interval, parsing_scores(real.sum(axis=0)), strict=True)
        ]


def confusions(asked: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Train ids uint8 (N, H, W) twice -> int64 (N, 19, 20): pixels of each asked class (row) seen as each class.

    The last column holds pixels on which the parser abstained (255): errors, as what was asked was not found. Asked
    unknowns are in no row.
    """
    count = len(CLASSES)
    valid = np.isin(np.arange(256), [*range(count), IGNORE])
    if not (valid[asked].all() and valid[seen].all()):
        raise BenchError(f"sps: a parsing holds ids outside 0..{count - 1} and {IGNORE}: not train ids")
    found = np.empty((len(asked), count * (count + 1)), np.int64)
    for row, rows, columns in zip(found, asked, seen, strict=True):  # one at a time: 64-bit indices of a set are large
        known = rows != IGNORE
        row[:] = np.bincount(
            rows[known].astype(np.intp) * (count + 1) + np.minimum(columns[known], count), minlength=row.size
        )
    return found.reshape(-1, count, count + 1)


def parsing_scores(matrix: np.ndarray) -> np.ndarray:
    """Confusion matrices (..., 19, 20) -> float64 (..., 3): per-pixel accuracy, per-class accuracy, class IoU.

    NaN where nothing was asked.
    """
    hits = np.diagonal(matrix, axis1=-2, axis2=-1).astype(np.float64)  # (..., 19)
    asked = matrix.sum(axis=-1)
    seen = matrix[..., :-1].sum(axis=-2)
    with np.errstate(invalid="ignore"):
        pixel = hits.sum(axis=-1) / asked.sum(axis=-1)
        recall, iou = hits / asked, hits / (asked + seen - hits)  # 0 / 0 = NaN marks an absent class
    return np.stack([pixel, _mean_of_present(recall), _mean_of_present(iou)], axis=-1)


def _mean_of_present(values: np.ndarray) -> np.ndarray:
    present = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(present, values, 0.0).sum(axis=-1) / present.sum(axis=-1)
