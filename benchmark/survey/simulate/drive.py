"""A server and as many visitors as it takes, on a study that is a copy.

    traffic = drive(copy, crowd, connections=8)

Visitors who leave half-way keep their places until the lease runs out. When nobody is at it any more the clock of the
copy is moved on by one lease, and the next visitors find those places free, as the next day's would.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from benchmark.errors import BenchError
from benchmark.survey.folder import Study
from benchmark.survey.simulate.crowd import Crowd, Mind
from benchmark.survey.simulate.server import server
from benchmark.survey.simulate.visitor import Shown, Traffic, visit
from benchmark.survey.tables import assignment, cell, rater


def drive(
    study: Study,
    crowd: Crowd,
    raters: int | None = None,
    connections: int = 8,
    pictures: bool = False,
    answered: Callable[[], object] = lambda: None,
) -> Traffic:
    """Let visitors take part until the study lets nobody in, at most `raters` of them; never in a study of people.

    `connections`: how many at once. `pictures`: fetch them too, as browsers do.
    """
    if connections < 1 or (raters is not None and raters < 1):
        raise BenchError("--connections and --raters: at least 1")
    with study.store.read() as connection:
        people = select(rater.c.id).where(rater.c.study == study.id, rater.c.mode != "simulated")
        if connection.execute(people.limit(1)).first() is not None:
            raise BenchError(f"{study.folder}: people have taken part; simulate on a copy")
    most = raters if raters is not None else most_raters(study, crowd)
    outside, traffic, look_up = deque(range(1, most + 1)), Traffic(), _look_up(study)
    parameter = study.design.recruit.parameter

    def come(port: int) -> None:
        while outside:
            try:
                number = outside.popleft()
            except IndexError:  # another connection was quicker
                return
            query = f"{parameter}=simulated{number}" if parameter else ""
            if not visit(port, traffic, Mind(crowd, number), look_up, query, pictures, answered):
                outside.appendleft(number)
                return

    with server(study.folder) as port:
        came, start = -1, time.monotonic()
        while came < traffic.came < most:  # the last round let somebody in, and more may come
            came = traffic.came
            with ThreadPoolExecutor(connections) as pool:
                for visitor in [pool.submit(come, port) for _ in range(connections)]:
                    visitor.result()
            let_a_lease_pass(study)
        traffic.seconds = time.monotonic() - start
    return traffic


def most_raters(study: Study, crowd: Crowd) -> int:
    """More than enough, if half of the work of those who leave is lost."""
    staying = 1 - crowd.drop_out
    return round(2 * study.design.people(len(study.comparisons)) / staying) + 20


def let_a_lease_pass(study: Study) -> None:
    """Everybody's last sign of life and all leases become older by one lease."""
    seconds = 60 * study.design.study.lease_minutes + 1
    mine = select(rater.c.id).where(rater.c.study == study.id)
    with study.store.write() as connection:
        connection.execute(update(rater).where(rater.c.study == study.id).values(seen=rater.c.seen - seconds))
        connection.execute(
            update(assignment)
            .where(assignment.c.rater.in_(mine))
            .values(lease_until=assignment.c.lease_until - seconds)
        )


def _look_up(study: Study) -> dict[str, Shown]:
    """What every picture's token stands for."""
    with study.store.read() as connection:
        rows = connection.execute(select(cell).where(cell.c.study == study.id)).all()
    known = {}
    for row in rows:
        first = row.right or 0
        for side, token in enumerate((row.image_a, row.image_b)):
            known[token] = Shown(row.comparison, row.pair, side == first, row.right is not None)
    return known
