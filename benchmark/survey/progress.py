"""How far a study is: for `bench survey status` and the admin page."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import and_, case, func, select, update

from benchmark.survey.folder import Study
from benchmark.survey.tables import assignment, cell, discard, rater, vote
from benchmark.survey.tables import study as studies

RATE_SECONDS = 1800.0


@dataclass(frozen=True)
class ComparisonProgress:
    """One comparison: cells are (item, duration or None, votes counted, votes out with somebody, votes wanted)."""

    name: str
    done: int
    need: int
    cells: tuple[tuple[str, int | None, int, int, int], ...]


@dataclass(frozen=True)
class Person:
    """One rater, without anything that tells who."""

    number: int
    mode: str
    device: str
    answered: int
    steps: int
    state: str  # "at it" | "finished" | "left"
    catch_failed: int
    catch_seen: int
    discards: int
    median_ms: float | None


@dataclass(frozen=True)
class Summary:
    """The whole study."""

    state: str
    simulated: bool
    done: int
    need: int
    surplus: int
    discarded: int
    comparisons: tuple[ComparisonProgress, ...]
    people: tuple[Person, ...]
    minutes_left: float | None  # at the rate of the last half hour; None when nobody voted in it

    def count(self, state: str, mode: str | None = None) -> int:
        """People in a state; test sessions are left out unless asked for."""
        return sum(p.state == state and (p.mode == mode if mode else p.mode != "test") for p in self.people)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def summary(study: Study, now: float) -> Summary:
    """Read everything in one look at the database."""
    c = cell.c
    with study.store.read() as connection:
        state = connection.execute(select(studies.c.state).where(studies.c.id == study.id)).scalar_one()
        simulated = study.is_simulated(connection)
        cells = connection.execute(
            select(c.comparison, c.item, c.duration_ms, c.done0 + c.done1, c.held0 + c.held1, c.need0 + c.need1)
            .where(c.study == study.id, c.kind == "trial")
            .order_by(c.comparison, c.item, c.duration_ms)
        ).all()
        mine = assignment.join(rater, rater.c.id == assignment.c.rater)
        of_study = and_(rater.c.study == study.id, rater.c.mode != "test")
        surplus = connection.scalar(
            select(func.count()).select_from(mine).where(of_study, assignment.c.state == "surplus")
        )
        discarded = connection.scalar(
            select(func.count())
            .select_from(mine.join(discard, discard.c.assignment == assignment.c.id))
            .where(of_study)
        )
        recent = connection.scalar(
            select(func.count())
            .select_from(mine.join(vote, vote.c.assignment == assignment.c.id))
            .where(
                of_study,
                assignment.c.state == "counted",
                assignment.c.kind == "trial",
                vote.c.created > now - RATE_SECONDS,
            )
        )
        people = _people(connection, study, now)
    comparisons = []
    for name in study.comparisons:
        own = [(row[1], row[2], row[3], row[4] - row[3], row[5]) for row in cells if row[0] == name]
        comparisons.append(ComparisonProgress(name, sum(row[2] for row in own), sum(row[4] for row in own), tuple(own)))
    done, need = sum(x.done for x in comparisons), sum(x.need for x in comparisons)
    left = (need - done) * RATE_SECONDS / recent / 60 if recent else (0.0 if done == need else None)
    return Summary(state, simulated, done, need, surplus or 0, discarded or 0, tuple(comparisons), people, left)


def set_state(study: Study, state: str) -> None:
    """Close to new people or open again; whoever has begun may finish either way."""
    with study.store.write() as connection:
        connection.execute(update(studies).where(studies.c.id == study.id).values(state=state))
        study.note(connection, f"study {state}")


def _people(connection: Any, study: Study, now: float) -> tuple[Person, ...]:
    catch = and_(assignment.c.kind == "catch", assignment.c.state == "counted")  # as the analysis has it
    rows = connection.execute(
        select(
            rater,
            func.count(vote.c.assignment).label("answered"),
            func.coalesce(func.sum(case((and_(catch, vote.c.chosen != cell.c.right), 1), else_=0)), 0).label("failed"),
            func.coalesce(func.sum(case((and_(catch, vote.c.chosen.is_not(None)), 1), else_=0)), 0).label("caught"),
        )
        .select_from(
            rater.outerjoin(assignment, assignment.c.rater == rater.c.id)
            .outerjoin(vote, vote.c.assignment == assignment.c.id)
            .outerjoin(cell, cell.c.id == assignment.c.cell)
        )
        .where(rater.c.study == study.id)
        .group_by(rater.c.id)
        .order_by(rater.c.id)
    ).all()
    times: dict[int, list[float]] = {}
    for who, ms in connection.execute(
        select(assignment.c.rater, vote.c.rt_ms)
        .join(assignment, assignment.c.id == vote.c.assignment)
        .join(rater, rater.c.id == assignment.c.rater)
        .where(rater.c.study == study.id, assignment.c.kind != "practice")
    ):
        times.setdefault(who, []).append(ms)
    patience = 60 * study.design.study.lease_minutes
    return tuple(
        Person(
            number=row.id,
            mode=row.mode,
            device=row.device,
            answered=row.answered,
            steps=row.steps,
            state="finished" if row.finished is not None else "at it" if row.seen > now - patience else "left",
            catch_failed=row.failed,
            catch_seen=row.caught,
            discards=row.discards,
            median_ms=median(times[row.id]) if row.id in times else None,
        )
        for row in rows
    )
