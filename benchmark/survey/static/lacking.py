"""Which pairs still lack votes, and from which participant numbers no file has come."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select

from benchmark.survey.folder import Study
from benchmark.survey.static.blocks import kept
from benchmark.survey.static.importing import NOTE
from benchmark.survey.tables import audit, cell

TAKEN = re.compile(re.escape(NOTE).replace(r"\{list\}", r"(\w+)").replace(r"\{number\}", r"(\d+)"))


def lines(study: Study) -> list[str]:
    """As text: a line for every pair that lacks votes, then the numbers to give out (again)."""
    c = cell.c
    with study.store.read() as connection:
        cells = connection.execute(
            select(c.comparison, c.item, c.duration_ms, (c.need0 - c.done0).label("a"), (c.need1 - c.done1).label("b"))
            .where(c.study == study.id, c.kind == "trial")
            .order_by(c.comparison, c.item, c.duration_ms)
        ).all()
        notes = connection.scalars(select(audit.c.what).where(audit.c.study == study.id)).all()
    short = [row for row in cells if row.a + row.b]
    if not short:
        return ["every pair has all its votes"]
    told = [f"{len(short)} of {len(cells)} pairs lack {sum(row.a + row.b for row in short)} votes"]
    for row in short:
        shown = "" if row.duration_ms is None else f" at {row.duration_ms} ms"
        told.append(
            f"  {study.main} against {row.comparison}, {row.item}{shown}: {row.a + row.b} "
            f"({row.a} with {study.main} on the left, {row.b} on the right)"
        )
    return [*told, *_numbers(study, notes), "or deal out what is lacking anew: bench survey static"]


def _numbers(study: Study, notes: Sequence[str]) -> list[str]:
    taken = {found.groups() for note in notes if (found := TAKEN.fullmatch(note))}
    told = []
    for name, dealt in kept(study).items():
        missing = [number for number in range(1, len(dealt.blocks) + 1) if (name, str(number)) not in taken]
        if missing:
            told.append(f"no file yet from participants {ranges(missing)} of list {name[:8]}")
    return told


def ranges(numbers: list[int]) -> str:
    """[1, 2, 3, 7] as "1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
