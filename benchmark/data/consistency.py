"""Manual consistency labels: a file that overrules the pair sampler.

pix2pixSC (sec 3.3) draws pairs from different videos and then labels by hand whether their styles agree, for two
videos may show one person. A CSV with a header says so, one pair a line; a side is a clip or one frame of it:

    a,b,consistent
    vid_003,vid_017,yes
    vid_003:12,vid_003:80,no

A line about frames beats a line about clips; order does not matter. `bench pairs label` writes such files, with two
more columns, who and when. Where several people marked one pair the majority decides, and a tie is a no: a pair that
people do not agree on is no example of one style. Of one person's lines about a pair the last one holds; "skip" says
nothing.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.data.pair_labels import read_lines
from benchmark.data.source import Clip, Frame
from benchmark.errors import BenchError, nearest

Side = tuple[str, int | None]
_TRUE, _FALSE, _SILENT = {"yes", "1", "true"}, {"no", "0", "false"}, {"skip"}


class ConsistencyLabels:
    """Verdicts by pair. `verdict(a, b)` is True, False, or None where the file is silent."""

    def __init__(self, verdicts: dict[tuple[Side, Side], bool] | None = None) -> None:
        self._verdicts = verdicts or {}

    def __len__(self) -> int:
        return len(self._verdicts)

    def verdict(self, a: Frame, b: Frame) -> bool | None:
        """Most specific line first: frame and frame, frame and clip, clip and clip."""
        if not self._verdicts:
            return None
        a_sides: list[Side] = [(a.clip, a.index), (a.clip, None)]
        b_sides: list[Side] = [(b.clip, b.index), (b.clip, None)]
        for left, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
            found = self._verdicts.get(_key(a_sides[left], b_sides[right]))
            if found is not None:
                return found
        return None


def _key(a: Side, b: Side) -> tuple[Side, Side]:
    order = sorted((a, b), key=lambda side: (side[0], -1 if side[1] is None else side[1]))
    return order[0], order[1]


def read_consistency(path: str | Path, clips: tuple[Clip, ...]) -> ConsistencyLabels:
    """Read the CSV; an unknown clip, an index past its end or an unreadable verdict is one line naming file and
    line.
    """
    lengths = {clip.id: len(clip) for clip in clips}
    said: dict[tuple[Side, Side], dict[str, bool]] = {}
    for number, line in enumerate(read_lines(Path(path)), start=2):
        where = f"{path}: line {number}"
        answer = line["consistent"].lower()
        if answer not in _TRUE | _FALSE | _SILENT:
            raise BenchError(f"{where}: consistent: expected yes, no or skip, got {line['consistent']!r}")
        a, b = (_side(line[column], lengths, f"{where}: {column}") for column in ("a", "b"))
        if answer not in _SILENT:
            said.setdefault(_key(a, b), {})[line["who"]] = answer in _TRUE
    return ConsistencyLabels({pair: 2 * sum(people.values()) > len(people) for pair, people in said.items()})


def _side(text: str, lengths: dict[str, int], where: str) -> Side:
    clip, colon, index = text.strip().rpartition(":")
    if not colon or text.strip() in lengths:
        clip, index = text.strip(), ""
    if clip not in lengths:
        raise BenchError(f"{where}: unknown clip {clip!r}{nearest(clip, lengths)}")
    if not index:
        return clip, None
    if not index.isdigit() or int(index) >= lengths[clip]:
        raise BenchError(f"{where}: {clip} has frames 0 to {lengths[clip] - 1}, got {index!r}")
    return clip, int(index)
