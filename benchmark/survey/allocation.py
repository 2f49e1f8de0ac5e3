"""Who judges what. Exactly N distinct people for every pair, each side equally often, whoever leaves half-way.

A place is leased in the same write transaction that finds it, so two people never get the last one. A lease that runs
out gives the place to the next; a vote that comes later still counts if the pair is not full by then. Order is by load
first (pairs fill evenly), then shuffled by the rater's own salt. Someone who was admitted always gets all their trials:
when no place is open to them, a trial is `spare`, paid and not analysed.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, func, insert, select, update

from benchmark.survey.design import StudyConfig
from benchmark.survey.prepared import Prepared
from benchmark.survey.tables import assignment, cell, rater

OPEN = ("leased", "spare", "expired")  # shown or about to be, not yet answered
PRIME = 2_147_483_647

_hold = Prepared(
    update(cell)
    .where(
        cell.c.id == bindparam("which"),
        case(
            (bindparam("side") == 0, cell.c.held0 < cell.c.need0),
            else_=cell.c.held1 < cell.c.need1,
        ),
    )
    .values(
        held0=cell.c.held0 + case((bindparam("side") == 0, 1), else_=0),
        held1=cell.c.held1 + case((bindparam("side") == 1, 1), else_=0),
    )
)
_release = Prepared(
    update(cell)
    .where(cell.c.id == bindparam("which"))
    .values(
        held0=cell.c.held0 - case((bindparam("side") == 0, 1), else_=0),
        held1=cell.c.held1 - case((bindparam("side") == 1, 1), else_=0),
    )
)
_count = Prepared(
    update(cell)
    .where(cell.c.id == bindparam("which"))
    .values(
        done0=cell.c.done0 + case((bindparam("side") == 0, 1), else_=0),
        done1=cell.c.done1 + case((bindparam("side") == 1, 1), else_=0),
    )
)
_expire = Prepared(
    update(assignment)
    .where(assignment.c.state == "leased", assignment.c.lease_until < bindparam("now"), assignment.c.kind == "trial")
    .values(state="expired")
    .returning(assignment.c.cell, assignment.c.side)
)
_load = cell.c.held0 + cell.c.held1
_seen = select(assignment.c.pair).where(assignment.c.rater == bindparam("who"), assignment.c.kind == "trial")
_unseen = (
    select(
        cell.c.id,
        cell.c.pair,
        (cell.c.need0 - cell.c.held0).label("lack0"),
        (cell.c.need1 - cell.c.held1).label("lack1"),
    )
    .where(cell.c.study == bindparam("study"), cell.c.kind == "trial", cell.c.pair.not_in(_seen))
    .order_by(_load, (cell.c.shuffle * bindparam("salt")) % PRIME)
    .limit(1)
)
_open_to = Prepared(_unseen.where(_load < cell.c.need0 + cell.c.need1))
_spare = Prepared(_unseen)
_gold = Prepared(
    select(cell.c.id, cell.c.pair)
    .where(
        cell.c.study == bindparam("study"),
        cell.c.kind == "gold",
        cell.c.pair.not_in(
            select(assignment.c.pair).where(
                assignment.c.rater == bindparam("who"), assignment.c.kind == bindparam("kind")
            )
        ),
    )
    .order_by(
        select(func.count())
        .where(assignment.c.rater == bindparam("who"), assignment.c.pair == cell.c.pair)
        .scalar_subquery(),
        (cell.c.shuffle * bindparam("salt")) % PRIME,
    )
    .limit(1)
)
_current = select(assignment).where(assignment.c.rater == bindparam("who"), assignment.c.state.in_(OPEN)).limit(1)
_state = Prepared(
    update(assignment)
    .where(assignment.c.id == bindparam("which"))
    .values(state=bindparam("state_to"), lease_until=bindparam("until"))
)


_issue = Prepared(
    insert(assignment)
    .values({column.name: bindparam(column.name) for column in assignment.c if column.name != "id"})
    .returning(assignment)
)


@dataclass(frozen=True)
class Place:
    """What is shown: a cell, on which side its first picture lies, and whether the vote has a place to fill."""

    cell: int
    pair: int
    side: int
    held: bool


@lru_cache(maxsize=4096)
def sequence(study: StudyConfig, salt: int) -> tuple[str, ...]:
    """The kinds of one rater's trials in order: practice, then trials with catch trials strewn in, and repeats only
    after half of the trials.
    """
    draw = random.Random(salt)
    body = ["trial"] * study.trials + ["catch"] * study.catch
    draw.shuffle(body)
    halfway = [number for number, kind in enumerate(body) if kind == "trial"][(study.trials - 1) // 2] + 1
    for _ in range(study.repeats):
        body.insert(draw.randint(halfway, len(body)), "repeat")
    return ("practice",) * study.practice + tuple(body)


def expire(connection: Connection, now: float) -> int:
    """Give away the places of leases that have run out; returns how many."""
    gone = _expire(connection, now=now)
    for row in gone:
        release(connection, row.cell, row.side)
    return len(gone)


def hold(connection: Connection, which: int, side: int) -> bool:
    """Take a place if one is free on that side."""
    return _hold.changed(connection, which=which, side=side) == 1


def release(connection: Connection, which: int, side: int) -> None:
    """Give a place back."""
    _release(connection, which=which, side=side)


def count(connection: Connection, which: int, side: int) -> None:
    """A held place has become a vote."""
    _count(connection, which=which, side=side)


def current(connection: Connection, who: int) -> Row[Any] | None:
    """The assignment that a rater has in hand."""
    return connection.execute(_current, {"who": who}).first()


def lease(
    connection: Connection, study: StudyConfig, person: Any, now: float, empty_handed: bool = False
) -> Any | None:
    """The rater's next trial, or the one that they already have (after a reload, or in another tab); None at the end.

    Call inside a write transaction. `person` is a row of `rater`; `empty_handed`: they are known to have none.
    """
    expire(connection, now)
    until = now + 60 * study.lease_minutes
    mine = None if empty_handed else current(connection, person.id)
    if mine is not None:
        return _renew(connection, mine, until)
    order, step = sequence(study, person.salt), person.step
    while step < len(order):
        place = _find(connection, order[step], person)
        if place is not None:
            row = {
                "key": secrets.token_urlsafe(16),
                "rater": person.id,
                "cell": place.cell,
                "pair": place.pair,
                "kind": order[step],
                "side": place.side,
                "step": step,
                "state": "leased" if place.held else "spare",
                "issued": now,
                "lease_until": until,
            }
            return _issue.one(connection, **row)
        step += 1  # nothing is left that this rater has not seen
        connection.execute(update(rater).where(rater.c.id == person.id).values(step=step))
    return None


def _renew(connection: Connection, mine: Row[Any], until: float) -> Row[Any] | None:
    """An assignment in hand is shown again; if its place was given away, another or none is held for it."""
    state = mine.state
    if state == "expired":
        state = "leased" if hold(connection, mine.cell, mine.side) else "spare"
    _state(connection, which=mine.id, state_to=state, until=until)
    return current(connection, mine.rater)


def _find(connection: Connection, kind: str, person: Any) -> Place | None:
    counted = person.mode != "test"
    chance = random.Random(f"{person.salt}|{person.step}|{person.discards}").getrandbits(1)
    who = {"who": person.id, "salt": person.salt, "study": person.study}
    if kind == "repeat":
        return _repeat(connection, person, counted)
    if kind != "trial":
        gold = _gold.one(connection, **who, kind=kind)
        return Place(gold.id, gold.pair, chance, counted) if gold else None
    if counted and (found := _open_to.one(connection, **who)):
        side = chance if found.lack0 == found.lack1 else int(found.lack1 > found.lack0)
        hold(connection, found.id, side)
        return Place(found.id, found.pair, side, True)
    spare = _spare.one(connection, **who)
    return Place(spare.id, spare.pair, chance, False) if spare else None


def _repeat(connection: Connection, person: Any, counted: bool) -> Place | None:
    """The rater's earliest trial that has not been repeated, with the sides exchanged."""
    again = select(assignment.c.pair).where(assignment.c.rater == person.id, assignment.c.kind == "repeat")
    first = connection.execute(
        select(assignment.c.cell, assignment.c.pair, assignment.c.side)
        .where(
            and_(
                assignment.c.rater == person.id,
                assignment.c.kind == "trial",
                assignment.c.state.in_(("counted", "surplus")),
                assignment.c.pair.not_in(again),
            )
        )
        .order_by(assignment.c.step)
        .limit(1)
    ).first()
    return Place(first.cell, first.pair, 1 - first.side, counted) if first else None
