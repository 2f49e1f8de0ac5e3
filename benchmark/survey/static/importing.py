"""From files of answers to votes, by the rules that the hosted study has.

    took = import_files(study, [Path("answers-7-1f3c.json")], time.time())

A file is taken whole or not at all, in one transaction, and once, however often it is given. Its votes fill places that
are free, half on each side; what finds none is surplus, stored and not analysed. A timed trial that was shown out of
tolerance is discarded. Votes that are taken carry `source = static`.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from benchmark.errors import BenchError
from benchmark.survey import allocation, people
from benchmark.survey.folder import Study
from benchmark.survey.static.answers import Answers, Unfit, check, read, shows
from benchmark.survey.static.blocks import Planned, kept
from benchmark.survey.tables import assignment, audit, cell, consent, rater
from benchmark.survey.voting import take

SOURCE = "static"
NOTE = "imported answers of list {list}, participant {number}"


@dataclass
class Took:
    """What became of the files. `votes`: by state, of trials that are for the analysis."""

    imported: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)
    votes: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """As text, refused files first."""
        counted, surplus, discarded = (self.votes[state] for state in ("counted", "surplus", "discarded"))
        return [
            *(f"refused {line}" for line in self.refused),
            f"{self.imported} files imported, {self.known} known already, {len(self.refused)} refused",
            f"{counted} votes counted, {surplus} surplus, {discarded} trials discarded as shown out of tolerance",
        ]


class Known(Exception):
    """The same answers were imported before."""


def import_files(study: Study, files: Iterable[Path], now: float) -> Took:
    """Take every file that fits; a folder stands for the .json files in it.

    Raises BenchError where the study has no list to compare with.
    """
    lists = kept(study)
    if not lists:
        raise BenchError(f"{study.folder}: has no list of a study without a server; make one with: bench survey static")
    took = Took()
    for path in _files(files):
        try:
            body = read(path)
            answers = check(body, study, lists, now)
            with study.store.write() as connection:
                states = _store(connection, study, answers, body, now)
                study.note(connection, NOTE.format(list=body["list"], number=answers.number))
        except Known:
            took.known += 1
        except Unfit as error:
            took.refused.append(f"{path}: {error}")
        else:
            took.imported += 1
            took.votes += states
    return took


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.json"))
        else:
            yield path


def _store(connection: Connection, study: Study, answers: Answers, body: dict[str, Any], now: float) -> Counter[str]:
    """The rater and their votes; how many trials came to which state."""
    who = _admit(connection, study, answers)
    person = SimpleNamespace(id=who, discards=0)
    numbers = {planned.cell for planned in answers.block}
    cells = {row.id: row for row in connection.execute(select(cell).where(cell.c.id.in_(numbers)))}
    states: Counter[str] = Counter()
    for step, (planned, answer, at) in enumerate(zip(answers.block, answers.votes, answers.at, strict=True)):
        row = cells[planned.cell]
        tokens = (row.image_a, row.image_b) if planned.side == 0 else (row.image_b, row.image_a)
        if not shows(body["votes"][step], *tokens):
            raise Unfit(f"trial {step + 1}: other pictures than participant {answers.number} was to see")
        mine = _issue(connection, who, planned, row, step, at)
        if not take(connection, person, mine, answer, at):
            person.discards += 1
        if planned.kind == "trial":
            state = connection.scalar(select(assignment.c.state).where(assignment.c.id == mine.id))
            states[str(state)] += 1
    connection.execute(
        update(rater).where(rater.c.id == who).values(step=len(answers.block), seen=now, finished=answers.at[-1])
    )
    return states


def _admit(connection: Connection, study: Study, answers: Answers) -> int:
    """A row for whoever gave the answers. Raises Known for a session that is there already, and Unfit for a person
    who is, or who was forgotten.
    """
    session = people.session_of(f"static {answers.session}")
    if connection.scalar(select(rater.c.id).where(rater.c.session == session)) is not None:
        raise Known
    note = people.FORGOTTEN.format(session=session)
    if connection.scalar(select(audit.c.id).where(audit.c.study == study.id, audit.c.what == note)) is not None:
        raise Unfit("of a person who was forgotten: delete it")
    person = study.keyed("person", answers.person) if answers.person else None
    known = select(rater.c.id).where(rater.c.study == study.id, rater.c.person == person)
    if person and connection.scalar(known) is not None:
        raise Unfit("this person has taken part already")
    if connection.scalar(select(consent.c.sha).where(consent.c.sha == study.design.consent_sha)) is None:
        connection.execute(insert(consent).values(sha=study.design.consent_sha, text=study.design.texts.consent))
    made = connection.execute(
        insert(rater).values(
            study=study.id,
            session=session,
            person=person,
            source=SOURCE,
            mode="live",
            salt=1,  # of no use: the order was dealt out
            consent=study.design.consent_sha,
            answers=json.dumps(answers.chosen),
            asked=True,
            comment=answers.comment,
            device=answers.device,
            steps=len(answers.block),
            created=answers.started,
            seen=answers.at[-1],
        )
    )
    return int(made.inserted_primary_key[0])  # type: ignore[index]


def _issue(connection: Connection, who: int, planned: Planned, row: Any, step: int, at: float) -> Any:
    """The trial as if it had been leased just now: with a place, where one is free."""
    held = planned.kind != "trial" or allocation.hold(connection, planned.cell, planned.side)
    issued = {
        "key": secrets.token_urlsafe(16),
        "rater": who,
        "cell": planned.cell,
        "pair": planned.pair,
        "kind": planned.kind,
        "side": planned.side,
        "step": step,
        "state": "leased" if held else "spare",
        "issued": at,
        "lease_until": at,
    }
    made = connection.execute(insert(assignment).values(issued))
    return SimpleNamespace(id=made.inserted_primary_key[0], duration_ms=row.duration_ms, right=row.right, **issued)  # type: ignore[index]
