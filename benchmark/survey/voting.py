"""A vote comes in, the next trial goes out; both in one change, committed before either is answered.

Sending a vote twice changes nothing and is answered as the first time, so a page may try again after a lost reply.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from benchmark.survey import allocation
from benchmark.survey.folder import Study
from benchmark.survey.group import Untouched
from benchmark.survey.prepared import Prepared, Together
from benchmark.survey.tables import assignment, cell, discard, rater, vote

MOST_DISCARDS = 12  # then the screen will not do better: further trials are taken, and not analysed
SLACK_MS = 10.0  # beyond one frame, between the asked and the shown time
LONGEST_MS = 86_400_000.0
HERTZ = 60.0


class Refused(Untouched):
    """A request that is not honoured, before it has changed anything: HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What a browser measured. Times in ms from the page's start; exposure fields are None where time is unlimited."""

    left: bool
    rt_ms: float
    hidden: int = 0
    on_ms: float | None = None
    off_ms: float | None = None
    frames: int | None = None
    refresh_hz: float | None = None
    skew_frames: int | None = None  # also None where the browser does not tell when it painted
    small: bool = False

    @classmethod
    def parse(cls, tree: Any) -> Answer:
        """Check a request's JSON field by field."""
        if not isinstance(tree, dict) or tree.get("choice") not in ("left", "right"):
            raise Refused(400, "choice: left or right")
        return cls(
            left=tree["choice"] == "left",
            rt_ms=_number(tree, "rt_ms", LONGEST_MS),
            hidden=int(_number(tree, "hidden", 1e6, 0.0)),
            on_ms=_optional(tree, "on_ms", LONGEST_MS),
            off_ms=_optional(tree, "off_ms", LONGEST_MS),
            frames=_whole(_optional(tree, "frames", 1e6)),
            refresh_hz=_optional(tree, "refresh_hz", 1000.0),
            skew_frames=_whole(_optional(tree, "skew_frames", 1e6)),
            small=tree.get("small") is True,
        )

    def fault(self, duration_ms: int | None) -> str | None:
        """Why a timed exposure was not the one asked for; None where it was, or where time is unlimited."""
        if duration_ms is None:
            return None
        if self.hidden:
            return "page out of sight"
        if self.small:
            return "window too small"
        if None in (self.on_ms, self.off_ms, self.refresh_hz, self.frames) or not self.refresh_hz:
            return "not measured"
        if self.skew_frames:
            return "left and right not at once"
        shown = self.off_ms - self.on_ms  # type: ignore[operator]
        if abs(shown - duration_ms) > 1000 / self.refresh_hz + SLACK_MS:
            return "shown too long" if shown > duration_ms else "shown too short"
        return None


def exposed(duration_ms: int | None) -> dict[str, Any]:
    """What a page at 60 Hz measures of an exposure that went well; nothing where time is unlimited."""
    if duration_ms is None:
        return {}
    frames = round(duration_ms * HERTZ / 1000)
    off_ms = 1000.0 + 1000 * frames / HERTZ
    return {"on_ms": 1000.0, "off_ms": off_ms, "frames": frames, "refresh_hz": HERTZ, "skew_frames": 0}


_Person = namedtuple("_Person", rater.c.keys())  # type: ignore[misc]
_by_key = Prepared(  # a trial and, in its last columns, the rater whose it is
    select(assignment, cell.c.duration_ms, cell.c.right, *(column.label(f"rater_{column.name}") for column in rater.c))
    .join(cell, cell.c.id == assignment.c.cell)
    .join(rater, rater.c.id == assignment.c.rater)
    .where(
        assignment.c.key == bindparam("key"),
        rater.c.session == bindparam("session"),
        rater.c.study == bindparam("study"),
    )
)
_person = Prepared(select(rater).where(rater.c.session == bindparam("session"), rater.c.study == bindparam("study")))
ADVANCE = update(rater).where(rater.c.id == bindparam("who")).values(step=bindparam("step_to"), seen=bindparam("now"))
SETTLE = update(assignment).where(assignment.c.id == bindparam("assignment")).values(state=bindparam("state_to"))
STORE = insert(vote).values({column.name: bindparam(column.name) for column in vote.c})
_settle, _store = Prepared(SETTLE), Together(ADVANCE, SETTLE, STORE)
_store_and_count = Together(ADVANCE, SETTLE, allocation.COUNT, STORE)


def who(connection: Connection, study: Study, session: str) -> Any:
    """The rater of a session (the hash of a cookie)."""
    person = _person.one(connection, session=session, study=study.id)
    if person is None:
        raise Refused(403, "no session: open the link of the study again")
    return person


def next_trial(study: Study, session: str, now: float) -> dict[str, Any]:
    """What the page shows next, as JSON."""
    return study.store.change(lambda connection: _next(connection, study, who(connection, study, session), now))


def submit(study: Study, session: str, key: str, answer: Answer, now: float) -> dict[str, Any]:
    """Store a vote and return {"saved", "right" (practice: was it?), "next"}.

    Raises Refused for a key that is not this rater's.
    """
    return study.store.change(lambda connection: _submit(connection, study, session, key, answer, now))


def _submit(connection: Connection, study: Study, session: str, key: str, answer: Answer, now: float) -> dict[str, Any]:
    mine = _by_key.one(connection, key=key, session=session, study=study.id)
    if mine is None:
        who(connection, study, session)
        raise Refused(403, "no such trial in this session")
    person: Any = _Person._make(mine[-len(_Person._fields) :])
    new = mine.state in allocation.OPEN
    saved = take(connection, person, mine, answer, now) if new else mine.state != "discarded"
    if new:  # as the rater is stored by now
        person = person._replace(step=mine.step + 1) if saved else person._replace(discards=person.discards + 1)
    reply: dict[str, Any] = {"saved": saved, "next": _next(connection, study, person, now, empty_handed=new)}
    if mine.kind == "practice":
        first = connection.scalar(select(vote.c.chosen).where(vote.c.assignment == mine.id))
        reply["right"] = first == mine.right
    return reply


def take(connection: Connection, person: Any, mine: Any, answer: Answer, now: float) -> bool:
    """Store the answer as a vote that counts, a surplus one, or a discarded trial (False)."""
    # nobody fails a catch trial that their screen did not show; practice is never analysed
    fault = answer.fault(mine.duration_ms) if mine.kind != "practice" else None
    held = mine.kind == "trial" and mine.state == "leased"
    if fault is not None:
        if held:
            allocation.release(connection, mine.cell, mine.side)
        if person.discards < MOST_DISCARDS:
            _discard(connection, person, mine, answer, fault, now)
            return False
        state = "surplus"
    elif mine.kind != "trial":
        state = "surplus" if mine.state == "spare" else "counted"
    elif held or (mine.state == "expired" and allocation.hold(connection, mine.cell, mine.side)):
        state = "counted"
    else:
        state = "surplus"
    store = _store_and_count if mine.kind == "trial" and state == "counted" else _store
    store(
        connection,
        assignment=mine.id,
        chosen=mine.side if answer.left else 1 - mine.side,
        rt_ms=answer.rt_ms,
        on_ms=answer.on_ms,
        off_ms=answer.off_ms,
        frames=answer.frames,
        refresh_hz=answer.refresh_hz,
        skew_frames=answer.skew_frames,
        hidden=answer.hidden,
        created=now,
        state_to=state,
        who=person.id,
        step_to=mine.step + 1,
        now=now,
        cell=mine.cell,
        side=mine.side,
    )
    return True


def _discard(connection: Connection, person: Any, mine: Any, answer: Answer, fault: str, now: float) -> None:
    measured = json.dumps({k: v for k, v in vars(answer).items() if k not in ("left", "rt_ms")})
    connection.execute(insert(discard), {"assignment": mine.id, "reason": fault, "measured": measured, "created": now})
    _settle(connection, assignment=mine.id, state_to="discarded")
    connection.execute(update(rater).where(rater.c.id == person.id).values(discards=person.discards + 1, seen=now))


def _next(connection: Connection, study: Study, person: Any, now: float, empty_handed: bool = False) -> dict[str, Any]:
    config = study.design.study
    mine = allocation.lease(connection, config, person, now, empty_handed)
    total = len(allocation.sequence(config, person.salt)) - config.practice
    if mine is None:
        if person.finished is None:
            connection.execute(update(rater).where(rater.c.id == person.id).values(finished=now, seen=now))
        return {"end": True, "total": total}
    shown = mine.cell
    left, right = (shown.image_a, shown.image_b) if mine.side == 0 else (shown.image_b, shown.image_a)
    number = mine.step - config.practice
    return {
        "end": False,
        "key": mine.key,
        "practice": mine.kind == "practice",
        "number": (mine.step if mine.kind == "practice" else number) + 1,
        "total": config.practice if mine.kind == "practice" else total,
        "pause": number > 0 and number % config.break_every == 0,
        "left": f"/i/{left}.webp",
        "right": f"/i/{right}.webp",
        "exemplar": f"/i/{shown.exemplar}.webp" if shown.exemplar else None,
        "width": shown.width,
        "height": shown.height,
        "duration_ms": shown.duration_ms,
    }


def _number(tree: Mapping[str, Any], name: str, most: float, default: float | None = None) -> float:
    value = tree.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # NaN
        raise Refused(400, f"{name}: a number")
    if not 0 <= value <= most:
        raise Refused(400, f"{name}: from 0 to {most:g}")
    return float(value)


def _optional(tree: Mapping[str, Any], name: str, most: float) -> float | None:
    return None if tree.get(name) is None else _number(tree, name, most)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
