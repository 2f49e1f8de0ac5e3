"""One file of answers of a study without a server, and what has to be true of it.

    body = read(path)                  # format and checksum
    answers = check(body, study, lists, now)

The checksum finds damage, not forgery: whoever answers in their own browser can write what they like. Everything that
can be known beforehand is compared: the list, the participant's block, and which pictures were on which side.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.survey.folder import Study
from benchmark.survey.people import LONGEST_COMMENT, PERSON
from benchmark.survey.static.blocks import Dealt, Planned
from benchmark.survey.voting import Answer, Refused

FORMAT, VERSION = "exemplar-bench answers", 1
LARGEST = 4_000_000  # bytes; 500 trials take 150,000
SESSION = re.compile(r"[0-9a-f]{32}")
DEVICES = ("desktop", "tablet", "phone")


class Unfit(Exception):
    """Why a file is not taken, in one sentence."""


@dataclass(frozen=True)
class Answers:
    """A file that fits. `started` and `at` are seconds since 1970 by the participant's clock, never after now."""

    session: str
    number: int
    person: str
    device: str
    started: float
    chosen: dict[str, str]  # optional questions
    comment: str
    block: tuple[Planned, ...]
    votes: tuple[Answer, ...]
    at: tuple[float, ...]


def read(path: Path) -> dict[str, Any]:
    """The body of a file. Raises Unfit for another format and for damage."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unfit(f"cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise Unfit(f"{len(data)} bytes; answers are shorter than {LARGEST}")
    tree = _json(data)
    if tree.get("format") != FORMAT:
        raise Unfit("not a file of answers")
    if tree.get("version") != VERSION:
        raise Unfit(f"version {tree.get('version')!r} of the format, not {VERSION}")
    text = tree.get("body")
    if not isinstance(text, str) or f"{zlib.crc32(text.encode('utf-8', 'replace')):08x}" != tree.get("crc32"):
        raise Unfit("damaged: the checksum does not fit; ask for the file again")
    return _json(text)


def check(body: Mapping[str, Any], study: Study, lists: Mapping[str, Dealt], now: float) -> Answers:
    """A body as answers. Raises Unfit with what does not fit."""
    if body.get("study") != study.id:
        raise Unfit("answers of another study")
    if body.get("test"):
        raise Unfit("a test session, never counted")
    dealt = lists.get(str(body.get("list")))
    if dealt is None:
        raise Unfit("of a list that `bench survey static` did not write into this study folder")
    if body.get("consent") != study.design.consent_sha:
        raise Unfit("agreed to another consent text")
    session, number = body.get("session"), body.get("p")
    if not isinstance(session, str) or not SESSION.fullmatch(session):
        raise Unfit("session: not as the page makes it")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= len(dealt.blocks):
        raise Unfit(f"p: a participant from 1 to {len(dealt.blocks)}, got {number!r}")
    block, given = dealt.blocks[number - 1], body.get("votes")
    if not isinstance(given, list) or len(given) != len(block):
        count = len(given) if isinstance(given, list) else 0
        raise Unfit(f"{count} of {len(block)} trials are answered: not finished")
    return Answers(
        session=session,
        number=number,
        person=_person(body, study),
        device=body["device"] if body.get("device") in DEVICES else "desktop",
        started=_seconds(body.get("started"), "started", now),
        chosen=_chosen(body.get("answers"), study),
        comment=_text(body.get("comment"))[:LONGEST_COMMENT],
        block=block,
        votes=tuple(_answer(vote, place) for place, vote in enumerate(given)),
        at=tuple(_seconds(vote.get("at"), f"trial {place + 1}: at", now) for place, vote in enumerate(given)),
    )


def shows(vote: Mapping[str, Any], left: str, right: str) -> bool:
    """Whether an answer is about these pictures (tokens), on these sides."""
    return (vote.get("left"), vote.get("right")) == (f"i/{left}.webp", f"i/{right}.webp")


def _answer(vote: Any, place: int) -> Answer:
    try:
        answer = Answer.parse(vote)
    except Refused as error:
        raise Unfit(f"trial {place + 1}: {error}") from error
    if vote.get("key") != str(place):
        raise Unfit(f"trial {place + 1}: out of order")
    return answer


def _person(body: Mapping[str, Any], study: Study) -> str:
    """The recruiter's id; "" where nobody is identified."""
    if not study.design.recruit.parameter:
        return ""
    person = body.get("person")
    if not isinstance(person, str) or not PERSON.fullmatch(person):
        raise Unfit(f"lacks the participant's {study.design.recruit.parameter}")
    return person


def _chosen(answers: Any, study: Study) -> dict[str, str]:
    if not isinstance(answers, dict):
        raise Unfit("answers: not as the page makes them")
    chosen = {}
    for question in study.design.questions:
        value = answers.get(question.key)
        if value and value not in question.choices:
            raise Unfit(f"{question.key}: not one of the choices")
        if value:
            chosen[question.key] = value
    return chosen


def _text(value: Any) -> str:
    """What a database can hold: no NUL, no half of a surrogate pair (which JSON can)."""
    return str(value or "").replace("\0", "").encode("utf-8", "replace").decode()


def _seconds(ms: Any, name: str, now: float) -> float:
    """A browser's clock, held to what can be."""
    if isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms < 1e15:
        raise Unfit(f"{name}: not a time")
    return min(float(ms) / 1000, now)


def _json(data: bytes | str) -> dict[str, Any]:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unfit("not JSON: empty, cut short or another kind of file") from error
    if not isinstance(tree, dict):
        raise Unfit("not a file of answers")
    return tree
