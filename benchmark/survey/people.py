"""Raters: who may come in, what is kept of them, how they leave, how they are forgotten.

A recruiter's id is stored as a keyed hash (HMAC-SHA256), enough to let each person take part once. The id itself is
kept only where payment needs it (`recruit.keep_ids`), in its own table, with a date after which it is deleted.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from benchmark.survey import allocation
from benchmark.survey.folder import Study
from benchmark.survey.tables import assignment, cell, consent, discard, payment, rater, vote
from benchmark.survey.tables import study as studies
from benchmark.survey.voting import Refused

DAY = 86_400.0
PERSON = re.compile(r"[\w.@:-]{1,128}")
LONGEST_COMMENT = 1000
FORGOTTEN = "answers of session {session} are not to be read again"  # a random number's hash tells nothing of a person


def session_of(cookie: str) -> str:
    """What of a session's cookie the database holds."""
    return hashlib.sha256(cookie.encode()).hexdigest()


@dataclass(frozen=True)
class Arrival:
    """Somebody who has agreed to the consent text."""

    pid: str = ""  # the recruiter's id for them; "" = none
    mode: str = "live"  # "live" | "test" | "simulated"
    device: str = "desktop"


def open_to_new(connection: Connection, study: Study, now: float) -> bool:
    """Whether votes are missing that nobody who is at it has promised, or that none of them can give."""
    if connection.scalar(select(studies.c.state).where(studies.c.id == study.id)) != "open":
        return False
    config, c = study.design.study, cell.c
    active = select(rater.c.id).where(
        rater.c.study == study.id,
        rater.c.mode != "test",
        rater.c.finished.is_(None),
        rater.c.seen > now - 60 * config.lease_minutes,
    )
    at_it = connection.scalar(select(func.count()).select_from(active.subquery())) or 0
    theirs = (assignment.c.rater.in_(active), assignment.c.kind == "trial")
    answered = connection.scalar(select(func.count()).where(*theirs, assignment.c.state.in_(("counted", "surplus"))))
    missing = connection.scalar(
        select(func.coalesce(func.sum(c.need0 + c.need1 - c.done0 - c.done1), 0)).where(c.study == study.id)
    )
    if (missing or 0) > at_it * config.trials - (answered or 0):
        return True
    free = connection.execute(
        select(c.pair, func.sum(c.need0 + c.need1 - c.held0 - c.held1))
        .where(c.study == study.id, c.kind == "trial")
        .group_by(c.pair)
        .having(func.sum(c.need0 + c.need1 - c.held0 - c.held1) > 0)
    ).all()
    had: dict[int, int] = {
        row.pair: row.times
        for row in connection.execute(
            select(assignment.c.pair, func.count().label("times")).where(*theirs).group_by(assignment.c.pair)
        )
    }
    return any(places > at_it - had.get(pair, 0) for pair, places in free)


def enter(study: Study, arrival: Arrival, now: float) -> str:
    """Admit somebody who has consented, or take them back to where they were; returns the cookie of a new session.

    Raises Refused where the study is full or closed, and for a person who has finished.
    """
    cookie = secrets.token_urlsafe(24)
    with study.store.write() as connection:
        person = _person(study, arrival)
        known = connection.execute(select(rater).where(rater.c.study == study.id, rater.c.person == person)).first()
        if person and known is not None:
            if known.finished is not None:
                raise Refused(409, "You have already taken part in this study. Thank you.")
            connection.execute(update(rater).where(rater.c.id == known.id).values(session=session_of(cookie), seen=now))
            return cookie
        if arrival.mode != "test" and not open_to_new(connection, study, now):
            raise Refused(410, "This study has all the answers it needs. Thank you for your interest.")
        new = _admit(connection, study, arrival, person, cookie, now)
        if study.design.recruit.keep_ids and person:
            until = now + DAY * study.design.recruit.purge_days
            connection.execute(insert(payment).values(rater=new, pid=arrival.pid, purge_after=until))
    return cookie


def finish(study: Study, person: Row[Any]) -> tuple[str, str]:
    """The completion code of somebody who has answered everything, and the address to take it to ("" = none)."""
    if person.finished is None:
        raise Refused(403, "The study is not finished yet.")
    recruit = study.design.recruit
    if person.mode == "test":
        return "TEST", ""
    code = recruit.code or study.keyed("code", str(person.id))[:10].upper()
    return code, recruit.return_address.replace("{code}", code)


def answer_questions(study: Study, session: str, given: Mapping[str, str]) -> None:
    """Store the answers to the optional questions; what is no choice of a question is refused."""
    chosen = {}
    for question in study.design.questions:
        value = given.get(question.key, "")
        if value and value not in question.choices:
            raise Refused(400, f"{question.key}: not one of the choices")
        if value:
            chosen[question.key] = value
    with study.store.write() as connection:
        connection.execute(
            update(rater)
            .where(rater.c.session == session, rater.c.study == study.id)
            .values(answers=json.dumps(chosen), asked=True)
        )


def comment(study: Study, session: str, text: str) -> None:
    """Store what somebody wanted to say at the end."""
    with study.store.write() as connection:
        connection.execute(
            update(rater)
            .where(rater.c.session == session, rater.c.study == study.id)
            .values(comment=text.replace("\0", "")[:LONGEST_COMMENT])
        )


def forget(study: Study, pid: str) -> int:
    """Remove a person and all that they gave; their places open again. Returns how many votes went with them."""
    hashed = study.keyed("person", pid)
    with study.store.write() as connection:
        person = connection.execute(select(rater).where(rater.c.study == study.id, rater.c.person == hashed)).first()
        if person is None:
            raise Refused(404, f"{pid}: nobody of that id has taken part")
        who = person.id
        theirs = select(assignment.c.id).where(assignment.c.rater == who)
        for row in connection.execute(select(assignment).where(assignment.c.rater == who)).all():
            if row.kind == "trial" and row.state in ("leased", "counted"):
                _give_back(connection, row)
        votes = connection.execute(delete(vote).where(vote.c.assignment.in_(theirs))).rowcount
        connection.execute(delete(discard).where(discard.c.assignment.in_(theirs)))
        connection.execute(delete(assignment).where(assignment.c.rater == who))
        connection.execute(delete(payment).where(payment.c.rater == who))
        connection.execute(delete(rater).where(rater.c.id == who))
        study.note(connection, f"forgot one person and {votes} votes")
        study.note(connection, FORGOTTEN.format(session=person.session))
    return votes


def purge(study: Study, now: float) -> int:
    """Delete the stored ids whose time has come; returns how many."""
    with study.store.write() as connection:
        mine = select(rater.c.id).where(rater.c.study == study.id)
        gone = connection.execute(
            delete(payment).where(payment.c.purge_after < now, payment.c.rater.in_(mine))
        ).rowcount
        if gone:
            study.note(connection, f"purged {gone} payment ids")
    return gone


def _person(study: Study, arrival: Arrival) -> str | None:
    """The keyed hash of the recruiter's id; None where nobody is identified."""
    if arrival.mode == "test" or not study.design.recruit.parameter:
        return None
    if not PERSON.fullmatch(arrival.pid):
        raise Refused(400, f"This link is incomplete: it lacks {study.design.recruit.parameter}.")
    return study.keyed("person", arrival.pid)


def _admit(connection: Connection, study: Study, arrival: Arrival, person: str | None, cookie: str, now: float) -> int:
    design = study.design
    if connection.scalar(select(consent.c.sha).where(consent.c.sha == design.consent_sha)) is None:
        connection.execute(insert(consent).values(sha=design.consent_sha, text=design.texts.consent))
    salt = secrets.randbelow(2**31 - 2) + 1
    made = connection.execute(
        insert(rater).values(
            study=study.id,
            session=session_of(cookie),
            person=person,
            source=design.recruit.source,
            mode=arrival.mode,
            salt=salt,
            consent=design.consent_sha,
            asked=not design.questions,
            device=arrival.device,
            steps=len(allocation.sequence(design.study, salt)),
            created=now,
            seen=now,
        )
    )
    return int(made.inserted_primary_key[0])  # type: ignore[index]


def _give_back(connection: Connection, row: Row[Any]) -> None:
    c = cell.c
    held = c.held0 if row.side == 0 else c.held1
    done = c.done0 if row.side == 0 else c.done1
    values = {held: held - 1} | ({done: done - 1} if row.state == "counted" else {})
    connection.execute(update(cell).where(c.id == row.cell).values(values))
