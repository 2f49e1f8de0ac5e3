"""Who judges what in a study without a server, dealt out ahead.

    dealt = deal(study)
    keep(study, dealt)                        # STUDY/static/<list>.json: what only the owner may see
    dealt.shown[6]                            # what participant 7's browser is told

The hosted study's own allocation deals, on a copy that one participant after another goes through to the end: so pairs
fill evenly and with balanced sides, whatever its rules are. Places that votes already fill are not dealt again, so a
second list is a list of what is still lacking.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmark.errors import BenchError
from benchmark.files import read_json, write_json
from benchmark.survey import people
from benchmark.survey.duplicate import duplicate
from benchmark.survey.folder import Study
from benchmark.survey.tables import assignment, rater
from benchmark.survey.voting import Answer, Refused, exposed, next_trial, submit

FOLDER = "static"


@dataclass(frozen=True)
class Planned:
    """One trial of a block: a cell, its kind, and the side on which its first picture lies."""

    cell: int
    pair: int
    kind: str
    side: int


@dataclass(frozen=True)
class Dealt:
    """A list of blocks, participant 1's first. `shown`: what the browser is told of each trial, blinded."""

    study: str
    blocks: tuple[tuple[Planned, ...], ...]
    shown: tuple[tuple[dict[str, Any], ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"study": self.study, "blocks": [[list(vars(one).values()) for one in block] for block in self.blocks]}

    @cached_property
    def id(self) -> str:
        """A hash of who judges what in which study."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:32]


def deal(study: Study, dealt: Callable[[], object] = lambda: None) -> Dealt:
    """Deal out every place that is free; `dealt` is called after each participant.

    Raises BenchError where no place is free.
    """
    shown: list[tuple[dict[str, Any], ...]] = []
    with tempfile.TemporaryDirectory() as place:
        copy = duplicate(study, Path(place) / "copy", pictures=False, counts=True)
        try:
            while (block := _participant(copy, len(shown) + 1)) is not None:
                shown.append(block)
                dealt()
            blocks = _blocks(copy)
        finally:
            copy.store.engine.dispose()
    if not shown:
        raise BenchError(f"{study.folder}: every pair has all its votes; there is nothing to deal out")
    return Dealt(study.id, blocks, tuple(shown))


def keep(study: Study, dealt: Dealt) -> Path:
    """Store a list for the import to check against; returns its path."""
    path = study.folder / FOLDER / f"{dealt.id}.json"
    write_json(path, dealt.to_dict())
    return path


def kept(study: Study) -> dict[str, Dealt]:
    """The lists of a study by their ids."""
    found = {}
    for path in sorted((study.folder / FOLDER).glob("*.json")):
        tree = read_json(path)
        try:
            dealt = Dealt(tree["study"], tuple(tuple(Planned(*one) for one in block) for block in tree["blocks"]))
        except (KeyError, TypeError) as error:
            raise BenchError(f"{path}: damaged: {error}") from error
        if dealt.id != path.stem or dealt.study != study.id:
            raise BenchError(f"{path}: changed since `bench survey static` wrote it, or another study's")
        found[dealt.id] = dealt
    return found


def _participant(copy: Study, number: int) -> tuple[dict[str, Any], ...] | None:
    """Go through all trials of one participant; None where the study lets nobody in."""
    try:
        session = people.session_of(people.enter(copy, people.Arrival(pid=f"p{number}"), 0.0))
    except Refused:
        return None
    trials: list[dict[str, Any]] = []
    shown = next_trial(copy, session, 0.0)
    while not shown["end"]:
        answer = Answer(left=True, rt_ms=1000.0, **exposed(shown["duration_ms"]))
        reply = submit(copy, session, shown["key"], answer, 0.0)
        trials.append(_told(shown, len(trials), reply))
        shown = reply["next"]
    return tuple(trials)


def _told(shown: dict[str, Any], number: int, reply: dict[str, Any]) -> dict[str, Any]:
    """What the server would say, with addresses beside the page; of a practice trial also which picture is meant."""
    told = {**shown, "key": str(number)}
    for place in ("left", "right", "exemplar"):
        told[place] = shown[place] and shown[place].removeprefix("/")
    return told | ({"meant": "left" if reply["right"] else "right"} if shown["practice"] else {})


def _blocks(copy: Study) -> tuple[tuple[Planned, ...], ...]:
    a = assignment.c
    with copy.store.read() as connection:
        numbers = connection.scalars(select(rater.c.id).where(rater.c.study == copy.id).order_by(rater.c.id)).all()
        rows = connection.execute(
            select(a.rater, a.cell, a.pair, a.kind, a.side).order_by(a.rater, a.step),
        ).all()
    by_rater: dict[int, list[Planned]] = {number: [] for number in numbers}
    for row in rows:
        by_rater[row.rater].append(Planned(row.cell, row.pair, row.kind, row.side))
    return tuple(map(tuple, by_rater.values()))
