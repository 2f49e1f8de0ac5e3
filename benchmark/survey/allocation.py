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

from sqlalchemy import Connection, and_, bindparam, case, func, insert, or_, select, update

from benchmark.survey.design import StudyConfig
from benchmark.survey.prepared import Prepared, Together
from benchmark.survey.tables import assignment, cell, rater

OPEN = ("leased", "spare", "expired")  # shown or about to be, not yet answered
PRIME = 2_147_483_647
LATE = 1.0  # seconds that a lease may outlive its time

HOLD = (
    update(cell)
    .where(
        cell.c.id == bindparam("cell"),
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
    .where(cell.c.id == bindparam("cell"))
    .values(
        held0=cell.c.held0 - case((bindparam("side") == 0, 1), else_=0),
        held1=cell.c.held1 - case((bindparam("side") == 1, 1), else_=0),
    )
)
COUNT = (
    update(cell)
    .where(cell.c.id == bindparam("cell"))
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
_hold = Prepared(HOLD)
_load = cell.c.held0 + cell.c.held1
_other = cell.alias()  # chosen by number, then read: what is sorted stays small
_seen = select(assignment.c.pair).where(assignment.c.rater == bindparam("who"), assignment.c.kind == "trial")
_unseen = (
    select(cell.c.id)
    .where(cell.c.study == bindparam("study"), cell.c.kind == "trial", cell.c.pair.not_in(_seen))
    .order_by(_load, (cell.c.shuffle * bindparam("salt")) % PRIME)
    .limit(1)
)
_full = _load >= cell.c.need0 + cell.c.need1
_open_to = Prepared(select(_other).where(_other.c.id == _unseen.where(~_full).scalar_subquery()))
_spare = Prepared(select(_other).where(_other.c.id == _unseen.scalar_subquery()))
_gold = Prepared(
    select(cell)
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
_current = Prepared(
    select(assignment)
    .where(assignment.c.rater == bindparam("who"), or_(*(assignment.c.state == state for state in OPEN)))
    .limit(1)
)
_cell = Prepared(select(cell).where(cell.c.id == bindparam("cell")))
_renewed = Prepared(
    update(assignment)
    .where(assignment.c.id == bindparam("which"))
    .values(state=bindparam("state_to"), lease_until=bindparam("until"))
)
ISSUE = insert(assignment).values(
    {column.name: bindparam(column.name) for column in assignment.c if column.name != "id"}
)
_issue, _hold_and_issue = Prepared(ISSUE), Together(HOLD, ISSUE)


@dataclass(frozen=True)
class Place:
    """What is shown: a row of `cell`, the side of its first picture, and whether the vote has a place to fill."""

    cell: Any
    side: int
    held: bool


@dataclass(frozen=True)
class Trial:
    """What a rater has in hand: the key that their vote must bring, and a row of `cell`."""

    key: str
    kind: str
    step: int
    side: int
    cell: Any


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
    """Give away the places of leases that have run out; returns how many. Asked again on the same connection within
    `LATE` seconds, it does not look.
    """
    if 0 <= now - connection.info.get("expired", -LATE) < LATE:
        return 0
    connection.info["expired"] = now
    gone = _expire(connection, now=now)
    for row in gone:
        release(connection, row.cell, row.side)
    return len(gone)


def hold(connection: Connection, which: int, side: int) -> bool:
    """Take a place if one is free on that side."""
    return _hold.changed(connection, cell=which, side=side) == 1


def release(connection: Connection, which: int, side: int) -> None:
    """Give a place back."""
    _release(connection, cell=which, side=side)


def lease(
    connection: Connection, study: StudyConfig, person: Any, now: float, empty_handed: bool = False
) -> Trial | None:
    """The rater's next trial, or the one that they already have (after a reload, or in another tab); None at the end.

    Call inside a write transaction. `person` has the columns of `rater`; `empty_handed`: they are known to have none.
    """
    expire(connection, now)
    until = now + 60 * study.lease_minutes
    mine = None if empty_handed else _current.one(connection, who=person.id)
    if mine is not None:
        return _renew(connection, mine, until)
    order, step = sequence(study, person.salt), person.step
    while step < len(order):
        kind = order[step]
        place = _find(connection, kind, person)
        if place is not None:
            shown = Trial(secrets.token_urlsafe(16), kind, step, place.side, place.cell)
            issue = _hold_and_issue if kind == "trial" and place.held else _issue
            issue(
                connection,
                key=shown.key,
                rater=person.id,
                cell=place.cell.id,
                pair=place.cell.pair,
                kind=kind,
                side=place.side,
                step=step,
                state="leased" if place.held else "spare",
                issued=now,
                lease_until=until,
            )
            return shown
        step += 1  # nothing is left that this rater has not seen
        connection.execute(update(rater).where(rater.c.id == person.id).values(step=step))
    return None


def _renew(connection: Connection, mine: Any, until: float) -> Trial:
    """An assignment in hand is shown again; if its place was given away, another or none is held for it."""
    state = mine.state
    if state == "expired":
        state = "leased" if hold(connection, mine.cell, mine.side) else "spare"
    _renewed(connection, which=mine.id, state_to=state, until=until)
    return Trial(mine.key, mine.kind, mine.step, mine.side, _cell.one(connection, cell=mine.cell))


def _find(connection: Connection, kind: str, person: Any) -> Place | None:
    counted = person.mode != "test"
    chance = random.Random(f"{person.salt}|{person.step}|{person.discards}").getrandbits(1)
    who = {"who": person.id, "salt": person.salt, "study": person.study}
    if kind == "repeat":
        return _repeat(connection, person, counted)
    if kind != "trial":
        gold = _gold.one(connection, **who, kind=kind)
        return Place(gold, chance, counted) if gold else None
    if counted and (found := _open_to.one(connection, **who)):
        lack0, lack1 = found.need0 - found.held0, found.need1 - found.held1
        side = chance if lack0 == lack1 else int(lack1 > lack0)
        return Place(found, side, True)
    spare = _spare.one(connection, **who)
    return Place(spare, chance, False) if spare else None


def _repeat(connection: Connection, person: Any, counted: bool) -> Place | None:
    """The rater's earliest trial that has not been repeated, with the sides exchanged."""
    again = select(assignment.c.pair).where(assignment.c.rater == person.id, assignment.c.kind == "repeat")
    first = connection.execute(
        select(assignment.c.cell, assignment.c.side)
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
    return Place(_cell.one(connection, cell=first.cell), 1 - first.side, counted) if first else None
