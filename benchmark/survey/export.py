"""Votes and raters as CSV or JSON. People appear by number; keyed hashes, answers and comments only on request."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from sqlalchemy import Select, select

from benchmark.survey.folder import Study
from benchmark.survey.tables import assignment, audit, cell, consent, discard, rater, vote
from benchmark.survey.tables import study as studies

TABLES = ("votes", "raters", "discards")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins so


def table(study: Study, name: str, anonymous: bool = True) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows of one of TABLES.

    votes: every answered trial: who (by number), what, which side, which was chosen (0: method_a). State "counted" is
    for the analysis; "surplus" was answered after its pair had filled, or in a test session. raters: everybody; unless
    anonymous also the keyed hash of their id, their answers and their comment. discards: every trial that was shown out
    of tolerance.
    """
    statements = {"votes": _votes, "discards": _discards}
    statement = _raters(anonymous) if name == "raters" else statements[name]()
    with study.store.read() as connection:
        result = connection.execute(statement.where(rater.c.study == study.id))
        return list(result.keys()), [dict(row._mapping) for row in result]


def as_csv(study: Study, name: str, anonymous: bool = True) -> str:
    """One of TABLES as CSV, harmless to open in a spreadsheet."""
    columns, rows = table(study, name, anonymous)
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)
    return file.getvalue()


def as_json(study: Study, anonymous: bool = True) -> str:
    """The definition, every table, the consent texts and the audit log."""
    with study.store.read() as connection:
        row = connection.execute(select(studies).where(studies.c.id == study.id)).one()
        simulated = study.is_simulated(connection)
        agreed = select(rater.c.consent).where(rater.c.study == study.id)
        texts = connection.execute(select(consent).where(consent.c.sha.in_(agreed))).all()
        log = connection.execute(
            select(audit.c.what, audit.c.created).where(audit.c.study == study.id).order_by(audit.c.id)
        ).all()
    tree = {
        "study": study.id,
        "main": study.main,
        "definition": json.loads(row.definition),
        "definition_sha256": row.sha,
        "state": row.state,
        "simulated": simulated,
        "consent": {text.sha: text.text for text in texts},
        "audit": [dict(line._mapping) for line in log],
        **{name: table(study, name, anonymous)[1] for name in TABLES},
    }
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def _votes() -> Select[Any]:
    shown, asked, given = assignment.c, cell.c, vote.c
    return (
        select(
            shown.rater,
            rater.c.mode,
            rater.c.source,
            shown.kind,
            shown.state,
            shown.step,
            asked.comparison,
            asked.item,
            asked.pair,
            asked.method_a,
            asked.method_b,
            asked.duration_ms,
            asked.right,
            shown.side,
            given.chosen,
            *(given[name] for name in ("rt_ms", "on_ms", "off_ms", "frames", "refresh_hz", "skew_frames", "hidden")),
            shown.issued,
            given.created,
        )
        .join(assignment, shown.id == given.assignment)
        .join(cell, asked.id == shown.cell)
        .join(rater, rater.c.id == shown.rater)
        .order_by(shown.id)
    )


def _raters(anonymous: bool) -> Select[Any]:
    hidden = {"study", "session", "salt"} | ({"person", "answers", "comment"} if anonymous else set())
    return select(*(column for column in rater.c if column.name not in hidden)).order_by(rater.c.id)


def _discards() -> Select[Any]:
    return (
        select(assignment.c.rater, assignment.c.cell, cell.c.duration_ms, discard.c.reason, discard.c.measured)
        .join(assignment, assignment.c.id == discard.c.assignment)
        .join(cell, cell.c.id == assignment.c.cell)
        .join(rater, rater.c.id == assignment.c.rater)
        .order_by(discard.c.assignment)
    )


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
