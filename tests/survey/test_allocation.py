"""Exactly N distinct people a pair and each side equally often, whoever leaves, however many come at once."""

from __future__ import annotations

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from benchmark.survey import allocation, export, people, progress
from benchmark.survey.folder import Study
from benchmark.survey.tables import assignment, cell
from benchmark.survey.voting import Answer, Refused, next_trial, submit

Make = Callable[..., Study]
LEASE = 600.0


@pytest.fixture
def make(make_on_each: Make) -> Make:
    return make_on_each


def enter(study: Study, now: float = 0.0, **arrival: str) -> str:
    return people.session_of(people.enter(study, people.Arrival(**arrival), now))


def vote(study: Study, session: str, now: float = 0.0, left: bool = True, **measured: Any) -> dict[str, Any]:
    key = next_trial(study, session, now)["key"]
    return submit(study, session, key, Answer(left=left, rt_ms=500.0, **measured), now)


def counted(study: Study) -> list[dict[str, Any]]:
    rows = export.table(study, "votes")[1]
    return [row for row in rows if row["kind"] == "trial" and row["state"] == "counted"]


def assert_full_and_balanced(study: Study) -> None:
    """Every pair at every duration: exactly N votes by N people, half with a on the left (the odd one either way)."""
    n = study.design.study.raters
    cells: dict[Any, list[dict[str, Any]]] = {}
    for row in counted(study):
        cells.setdefault((row["pair"], row["duration_ms"]), []).append(row)
    assert len(cells) == study.design.cells * len(study.comparisons)
    for rows in cells.values():
        assert len(rows) == n and len({row["rater"] for row in rows}) == n
        assert abs(2 * sum(row["side"] for row in rows) - n) <= n % 2
    for rater in {row["rater"] for row in counted(study)}:
        pairs = [row["pair"] for row in counted(study) if row["rater"] == rater]
        assert len(pairs) == len(set(pairs))


def play(study: Study, seed: int) -> None:
    """People come, answer, reload, leave half-way, and come back late, until nobody is let in and nobody is left."""
    draw, now, at_it, full = random.Random(seed), 0.0, [], False
    while at_it or not full:
        now += draw.expovariate(1 / 40) if at_it else 2 * LEASE
        if not at_it or draw.random() < 0.3:
            try:
                at_it.append(enter(study, now))
            except Refused:
                full = not at_it
            continue
        session, what = draw.choice(at_it), draw.random()
        shown = next_trial(study, session, now)
        if shown["end"]:
            at_it.remove(session)
        elif what < 0.06:
            at_it.remove(session)  # leaves for good, the trial in hand
        elif what < 0.12:
            late = now + 2 * LEASE * draw.random()
            submit(study, session, shown["key"], Answer(draw.random() < 0.5, 1.0), late)
        elif what < 0.2:
            assert next_trial(study, session, now)["key"] == shown["key"]  # a reload
        else:
            reply = submit(study, session, shown["key"], Answer(draw.random() < 0.5, 1.0), now)
            assert reply["saved"]


@pytest.mark.parametrize(("seed", "raters", "trials"), [(0, 5, 6), (1, 4, 3), (2, 6, 6)])
def test_exactly_n_in_spite_of_drop_outs(make: Make, seed: int, raters: int, trials: int) -> None:
    study = make(pairs=6, raters=raters, trials=trials)
    play(study, seed)
    assert_full_and_balanced(study)


def test_exactly_n_at_every_duration(make: Make) -> None:
    study = make(pairs=4, raters=3, trials=4, durations_ms=(125, 500))
    for _ in range(30):
        try:
            session = enter(study)
        except Refused:
            break
        while not (shown := next_trial(study, session, 0.0))["end"]:
            exposed = {"on_ms": 0.0, "off_ms": float(shown["duration_ms"]), "frames": 7, "refresh_hz": 60.0}
            vote(study, session, skew_frames=0, **exposed)
    assert_full_and_balanced(study)


def _process(folder: Path, seed: int) -> None:
    study, draw = Study.open(folder), random.Random(seed)
    while True:
        try:
            session = enter(study)
        except Refused:
            return
        while not (shown := next_trial(study, session, 0.0))["end"]:
            submit(study, session, shown["key"], Answer(draw.random() < 0.7, 1.0), 0.0)


@pytest.mark.slow
def test_64_processes_at_once(make: Make) -> None:
    study = make(pairs=12, raters=20, trials=4)
    study.store.engine.dispose()
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_process, args=(study.folder, seed)) for seed in range(64)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 64
    assert_full_and_balanced(study)


def test_the_database_itself_refuses_one_too_many(make: Make) -> None:
    study = make()
    with pytest.raises(IntegrityError), study.store.write() as connection:
        connection.execute(update(cell).values(held0=cell.c.need0 + 1))


def test_a_late_vote_counts_only_while_its_pair_is_not_full(make: Make) -> None:
    study = make(pairs=2, raters=2, trials=2)
    slow = enter(study)
    key = next_trial(study, slow, 0.0)["key"]
    submit(study, slow, key, Answer(True, 1.0), 3 * LEASE)  # nobody took the place meanwhile
    assert len(counted(study)) == 1
    key = next_trial(study, slow, 3 * LEASE)["key"]
    for _ in range(3):
        quick = enter(study, 5 * LEASE)
        while not next_trial(study, quick, 5 * LEASE)["end"]:
            vote(study, quick, 5 * LEASE)
        if len(counted(study)) == 4:
            break
    assert submit(study, slow, key, Answer(True, 1.0), 5 * LEASE)["saved"]
    assert [row["state"] for row in export.table(study, "votes")[1]].count("surplus") >= 1
    assert_full_and_balanced(study)


def test_nobody_is_turned_away_after_consent(make: Make) -> None:
    """Two are admitted for the last places; the one who finds none left still gets every trial, and the code."""
    study = make(pairs=3, raters=2, trials=3)
    first, second, third = enter(study), enter(study), None
    vote(study, first), vote(study, second)
    third = enter(study, 2 * LEASE)  # the first two look as if they had left
    for session in (third, first, second):
        while not next_trial(study, session, 2 * LEASE)["end"]:
            vote(study, session, 2 * LEASE)
    assert all(person.state == "finished" and person.answered == 3 for person in progress.summary(study, 0).people)
    assert_full_and_balanced(study)
    with pytest.raises(Refused, match="all the answers"):
        enter(study, 2 * LEASE)


def test_admission_stops_at_what_is_promised(make: Make) -> None:
    study = make(pairs=4, raters=3, trials=4)
    for _ in range(3):
        enter(study)
    with pytest.raises(Refused, match="all the answers"):
        enter(study)
    enter(study, 2 * LEASE)  # nobody has moved since: others may have the places


def test_test_sessions_take_no_place(make: Make) -> None:
    study = make(pairs=3, raters=2, trials=3)
    for _ in range(4):
        session = enter(study, mode="test")
        while not next_trial(study, session, 0.0)["end"]:
            vote(study, session)
    with study.store.read() as connection:
        assert connection.execute(select(cell.c.held0, cell.c.held1, cell.c.done0, cell.c.done1)).all() == [
            (0, 0, 0, 0)
        ] * len(connection.execute(select(cell.c.id)).all())
    assert counted(study) == [] and len(export.table(study, "votes")[1]) == 12
    assert progress.summary(study, 0.0).count("finished") == 0


def test_order_is_shuffled_by_rater_and_fixed_for_each(make: Make) -> None:
    study = make(pairs=10, raters=6, trials=10)  # that two orders agree by chance: 1 in 600,000
    orders = []
    for _ in range(4):
        session, order = enter(study), []
        while not (shown := next_trial(study, session, 0.0))["end"]:
            assert shown == next_trial(study, session, 1.0)
            order.append(shown["exemplar"])
            vote(study, session)
        orders.append(tuple(order))
    assert len({tuple(sorted(order)) for order in orders}) == 1 and len(set(orders)) == 4


def test_a_sequence_holds_what_the_definition_says(make: Make) -> None:
    config = make(trials=4, catch=2, repeats=2, practice=2).design.study
    for salt in range(1, 60):
        order = allocation.sequence(config, salt)
        assert Counter(order) == {"practice": 2, "trial": 4, "catch": 2, "repeat": 2}
        assert order[:2] == ("practice", "practice")
        for place, kind in enumerate(order):
            if kind == "repeat":
                assert order[:place].count("trial") >= max(2, order[: place + 1].count("repeat"))


def test_catch_trials_and_swapped_repeats(make: Make) -> None:
    study = make(pairs=4, trials=4, catch=2, repeats=2, practice=2)
    session = enter(study)
    right = [vote(study, session)["right"] for _ in range(2)]
    while not next_trial(study, session, 0.0)["end"]:
        vote(study, session)
    rows = export.table(study, "votes")[1]
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("practice", "trial", "catch", "repeat")}
    assert {kind: len(found) for kind, found in kinds.items()} == {"practice": 2, "trial": 4, "catch": 2, "repeat": 2}
    assert [row["chosen"] == row["right"] for row in kinds["practice"]] == right
    sides = {row["pair"]: row["side"] for row in kinds["trial"]}
    assert all(row["side"] == 1 - sides[row["pair"]] for row in kinds["repeat"])
    assert len({row["pair"] for row in kinds["practice"] + kinds["catch"]}) == 4
    assert progress.summary(study, 0.0).done == 4  # the trials alone
    (person,) = progress.summary(study, 0.0).people
    assert person.catch_seen == 2
    assert person.catch_failed == sum(row["chosen"] != row["right"] for row in kinds["catch"])


GOOD = {"on_ms": 1000.0, "off_ms": 1133.3, "frames": 8, "refresh_hz": 60.0, "skew_frames": 0}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hidden": 1}, "page out of sight"),
        ({"small": True}, "window too small"),
        ({"skew_frames": 1}, "left and right not at once"),
        ({"off_ms": 1160.0}, "shown too long"),
        ({"off_ms": 1090.0}, "shown too short"),
        ({"frames": None}, "not measured"),
        ({"refresh_hz": 0.0}, "not measured"),
    ],
)
def test_a_trial_out_of_tolerance_is_discarded_and_its_place_given_back(
    make: Make, change: dict[str, Any], reason: str
) -> None:
    study = make(pairs=4, raters=2, trials=2, durations_ms=(125,))
    session = enter(study)
    shown = next_trial(study, session, 0.0)
    reply = submit(study, session, shown["key"], Answer(True, 900.0, **{**GOOD, **change}), 0.0)
    assert not reply["saved"] and reply["next"]["number"] == 1
    assert reply["next"]["exemplar"] != shown["exemplar"]  # another pair: this one has been seen
    assert [row["reason"] for row in export.table(study, "discards")[1]] == [reason]
    assert not submit(study, session, shown["key"], Answer(True, 900.0, **GOOD), 0.0)["saved"]  # and stays so
    assert submit(study, session, reply["next"]["key"], Answer(True, 900.0, **GOOD), 0.0)["saved"]
    with study.store.read() as connection:
        held = connection.execute(select(cell.c.held0 + cell.c.held1, cell.c.done0 + cell.c.done1)).all()
    assert sum(row[0] for row in held) == 2 and sum(row[1] for row in held) == 1


def test_a_catch_trial_out_of_tolerance_is_shown_again_and_nobody_fails_it(make: Make) -> None:
    study = make(pairs=4, raters=2, trials=2, catch=1, durations_ms=(125,))
    session, spoilt = enter(study), 0
    while not (shown := next_trial(study, session, 0.0))["end"]:
        with study.store.read() as connection:
            asked = select(assignment.c.kind, assignment.c.side, cell.c.right).join(
                cell, cell.c.id == assignment.c.cell
            )
            kind, side, right = connection.execute(asked.where(assignment.c.key == shown["key"])).one()
        late = {"off_ms": 1400.0} if kind == "catch" and not spoilt else {}
        left = late == {} and kind == "catch" and side == right  # wrong on the spoilt one, right on the next
        reply = submit(study, session, shown["key"], Answer(left, 900.0, **{**GOOD, **late}), 0.0)
        assert reply["saved"] is not bool(late)
        spoilt += bool(late)
    assert spoilt == 1 and [row["reason"] for row in export.table(study, "discards")[1]] == ["shown too long"]
    (person,) = progress.summary(study, 0.0).people
    assert (person.catch_seen, person.catch_failed) == (1, 0)


def test_an_unknown_onset_is_stored_as_unknown_and_counts(make: Make) -> None:
    study = make(pairs=4, raters=2, trials=2, durations_ms=(125,))
    assert vote(study, enter(study), **{**GOOD, "skew_frames": None})["saved"]
    assert [(row["state"], row["skew_frames"]) for row in export.table(study, "votes")[1]] == [("counted", None)]


def test_a_screen_that_never_does_well_ends_all_the_same(make: Make) -> None:
    study = make(pairs=20, raters=1, trials=5, durations_ms=(125,))
    session = enter(study)
    for _ in range(40):
        if next_trial(study, session, 0.0)["end"]:
            break
        vote(study, session, **{**GOOD, "skew_frames": 2})
    assert next_trial(study, session, 0.0)["end"]
    assert counted(study) == [] and len(export.table(study, "votes")[1]) == 5
    assert len(export.table(study, "discards")[1]) == 12


def test_the_median_answer_is_the_one_that_the_rules_go_by(make: Make) -> None:
    study = make(trials=4)
    session = enter(study)
    for rt_ms in (100.0, 200.0, 400.0, 9000.0):
        submit(study, session, next_trial(study, session, 0.0)["key"], Answer(True, rt_ms), 0.0)
    assert [person.median_ms for person in progress.summary(study, 0.0).people] == [300.0]


def test_no_duration_no_tolerance(make: Make) -> None:
    study = make(pairs=4, trials=2)
    assert vote(study, enter(study), hidden=3, small=True)["saved"]


def test_a_place_is_free_a_second_after_its_lease_ended_at_the_latest(make: Make) -> None:
    """Every vote looks for leases that ran out, but only once a second."""
    study = make(pairs=1, trials=1, raters=2)
    gone, stays = enter(study), enter(study)
    first, second = next_trial(study, gone, 0.0), next_trial(study, stays, 1.0)
    late = enter(study, LEASE + 0.5)
    assert next_trial(study, late, LEASE + 0.5)["key"] not in (first["key"], second["key"])
    answer = Answer(left=True, rt_ms=500.0)
    submit(study, stays, second["key"], answer, LEASE + 0.7)
    submit(study, late, next_trial(study, late, LEASE + 0.7)["key"], answer, LEASE + 0.7)
    submit(study, gone, first["key"], answer, LEASE + 0.9)  # too late: surplus
    assert_full_and_balanced(study)
    assert len(export.table(study, "votes")[1]) == 3


def test_leases_are_looked_through_once_a_second(make: Make) -> None:
    study = make(pairs=2, trials=2, raters=2)
    next_trial(study, enter(study), 0.0)
    with study.store.write() as connection:
        connection.info.pop("expired", None)
        assert allocation.expire(connection, LEASE - 0.5) == 0
        assert allocation.expire(connection, LEASE + 0.2) == 0  # ended meanwhile, and not looked for
        assert allocation.expire(connection, LEASE + 0.5) == 1
        assert allocation.expire(connection, 0.0) == 0  # a clock set back looks again
