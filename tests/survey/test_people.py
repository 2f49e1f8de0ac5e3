"""One person once; what is kept of them; how they are forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from benchmark.survey import export, people, progress
from benchmark.survey.design import RECRUITERS, load
from benchmark.survey.folder import Study
from benchmark.survey.tables import payment, rater
from benchmark.survey.voting import Refused, next_trial
from tests.survey.test_allocation import assert_full_and_balanced, enter, vote

Make = Callable[..., Study]
PROLIFIC = dataclasses.replace(RECRUITERS["prolific"], code="C123", keep_ids=True, purge_days=30)


def finish(study: Study, session: str) -> tuple[str, str]:
    while not next_trial(study, session, 0.0)["end"]:
        vote(study, session)
    with study.store.read() as connection:
        return people.finish(study, connection.execute(select(rater).where(rater.c.session == session)).one())


def test_one_person_once(make: Make) -> None:
    study = make(recruit=PROLIFIC, trials=3)
    first = enter(study, pid="5f1a")
    vote(study, first)
    second = enter(study, pid="5f1a")  # on another device: on from where they were
    assert next_trial(study, second, 0.0)["number"] == 2
    with pytest.raises(Refused, match="no session"):
        next_trial(study, first, 0.0)
    assert finish(study, second) == ("C123", "https://app.prolific.com/submissions/complete?cc=C123")
    with pytest.raises(Refused, match="already taken part"):
        enter(study, pid="5f1a")
    assert len(progress.summary(study, 0.0).people) == 1 and not progress.summary(study, 0.0).simulated


@pytest.mark.parametrize("pid", ["", "a b", "<b>", "x" * 129, "a'--"])
def test_a_link_without_a_proper_id_is_refused(make: Make, pid: str) -> None:
    with pytest.raises(Refused, match="PROLIFIC_PID"):
        enter(make(recruit=PROLIFIC), pid=pid)


def test_no_code_before_the_last_vote(make: Make) -> None:
    study = make(trials=2)
    session = enter(study)
    vote(study, session)
    with study.store.read() as connection:
        person = connection.execute(select(rater)).one()
    with pytest.raises(Refused, match="not finished"):
        people.finish(study, person)
    codes = {finish(study, session)[0], finish(study, enter(study))[0]}
    assert len(codes) == 2 and all(len(code) == 10 for code in codes)
    assert finish(study, enter(study, mode="test")) == ("TEST", "")


def test_ids_are_stored_scrambled_and_purged(make: Make) -> None:
    study = make(recruit=PROLIFIC)
    finish(study, enter(study, pid="5f1a77"))
    database = study.folder / "study.sqlite"
    with study.store.read() as connection:
        assert connection.scalar(select(payment.c.pid)) == "5f1a77"
        assert connection.scalar(select(rater.c.person)) == study.keyed("person", "5f1a77")
    for personal in (False, True):
        assert "5f1a77" not in export.as_json(study, anonymous=not personal)
    assert people.purge(study, 29 * people.DAY) == 0
    assert people.purge(study, 31 * people.DAY) == 1
    with study.store.read() as connection:
        assert connection.execute(select(payment)).all() == []
    with study.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"5f1a77" not in database.read_bytes()  # deleted, not merely unlinked


def test_forgetting_opens_the_places_again(make: Make) -> None:
    study = make(recruit=PROLIFIC, pairs=3, raters=2, trials=3)
    for pid in ("anna", "bert"):
        finish(study, enter(study, pid=pid))
    assert_full_and_balanced(study)
    assert people.forget(study, "anna") == 3
    with pytest.raises(Refused, match="nobody"):
        people.forget(study, "anna")
    assert progress.summary(study, 0.0).done == 3
    finish(study, enter(study, pid="cara"))
    assert_full_and_balanced(study)
    assert '"what": "forgot one person and 3 votes"' in export.as_json(study)


def test_closing_lets_nobody_in_and_everybody_finish(make: Make) -> None:
    study = make()
    session = enter(study)
    progress.set_state(study, "closed")
    with pytest.raises(Refused, match="all the answers"):
        enter(study)
    finish(study, session)
    progress.set_state(study, "open")
    enter(study)


def test_answers_to_the_questions_are_choices(make: Make) -> None:
    study = make(questions=load("pix2pixsc").questions)
    session = enter(study)
    with pytest.raises(Refused, match="age"):
        people.answer_questions(study, session, {"age": "<script>"})
    people.answer_questions(study, session, {"age": "18 to 24", "vision": "", "shoe": "44"})
    row: dict[str, Any] = export.table(study, "raters", anonymous=False)[1][0]
    assert row["answers"] == '{"age": "18 to 24"}'
    assert "answers" not in export.table(study, "raters")[1][0]
