"""Which picture of one set belongs to which of the other: the one of the same name below its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmark.metrics.fid.compare import Side


def pair(real: Side, fake: Side) -> tuple[np.ndarray | None, np.ndarray | None, int, str]:
    """Rows of both sides, row i of both one item where every picture has a partner; the number of pairs; and a line.

    The line is "" where all are paired, and says how many are not and names one where some are. Without pairs the rows
    are as they came and the two sets count as drawn independently.
    """
    if not (real.whole and fake.whole and real.rows is not None and fake.rows is not None):
        return real.rows, fake.rows, 0, ""
    mine, theirs = set(real.names), set(fake.names)
    if len(mine) < len(real.names) or len(theirs) < len(fake.names):
        return real.rows, fake.rows, 0, "unpaired: two pictures of a set differ only in their extension"
    if not mine & theirs:
        return real.rows, fake.rows, 0, ""  # two sets of unrelated pictures: nothing to say
    if mine != theirs:
        lone = sorted(mine ^ theirs)
        counts = f"{len(mine - theirs)} real and {len(theirs - mine)} fake pictures"
        return real.rows, fake.rows, 0, f"unpaired: {counts} have no partner of their name, e.g. {lone[0]}"
    place = {name: row for row, name in enumerate(fake.names)}
    return real.rows, fake.rows[[place[name] for name in real.names]], len(mine), ""
