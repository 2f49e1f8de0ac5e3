"""The judged claims as a page shows them and as files: `claims.csv` and `claims.json`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmark.files import write_atomic, write_json
from benchmark.run.results import RunView
from reports.claims import Judged, judge, tally
from reports.ledger import Claim, whole_ledger
from reports.table import number, p_value

TONES = {"reproduced": "good", "not reproduced": "bad"}
EDGE = 48  # where a gain of 100 % stands, in hundredths of the strip on either side of its middle


@dataclass(frozen=True)
class Strip:
    """Our gain, its interval and the paper's gain as positions in 0..100; nothing gained stands at 50."""

    paper: float
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ClaimRow:
    """One line: "pix2pixSC ahead of MUNIT", the paper's and our numbers, verdict, evidence."""

    head: str
    column: str  # of the printed table; "" where `head` says it
    paper: str  # "31.26 vs 148.57"
    ours: str
    verdict: str
    tone: str  # "good" | "bad" | "open"
    evidence: str  # "gain 12 % (3 to 20), p = 0.012", or why there is none
    strip: Strip | None
    against_print: bool  # the paper's own numbers stand the other way round


@dataclass(frozen=True)
class Statement:
    """What a paper says, with its claims."""

    says: str
    where: str  # "Table 1; sec 4.5, Main Results"
    rows: tuple[ClaimRow, ...]


@dataclass(frozen=True)
class PaperClaims:
    """One paper's part of the section."""

    paper: str
    tally: str
    statements: tuple[Statement, ...]
    disagreements: tuple[str, ...]  # where its text disagrees with its own table


@dataclass(frozen=True)
class Claims:
    """The section: plain data for the template, and the judged claims for the files."""

    papers: tuple[PaperClaims, ...]
    judged: tuple[Judged, ...]
    against_print: tuple[Claim, ...]

    @property
    def family(self) -> int:
        """Claims that have a p, all adjusted together."""
        return sum(one.adjusted is not None for one in self.judged)


def claims(views: Sequence[RunView], tasks: Sequence[str]) -> Claims:
    """The claims about these tasks, judged together on the runs there are."""
    ledger = [claim for claim in whole_ledger() if claim.task in tasks]
    judged = judge(ledger, views)
    against = [claim for claim in ledger if not claim.holds_in_print]
    papers = {claim.paper.key: claim.paper for claim in ledger}
    return Claims(
        tuple(
            _paper_claims(
                paper.title,
                [one for one in judged if one.claim.paper.key == key],
                [claim for claim in against if claim.paper.key == key],
            )
            for key, paper in papers.items()
        ),
        tuple(judged),
        tuple(against),
    )


def _paper_claims(title: str, judged: Sequence[Judged], against: Sequence[Claim]) -> PaperClaims:
    grouped = groupby(judged, key=lambda one: (one.claim.says, _place(one.claim)))
    statements = tuple(Statement(says, place, tuple(map(_row, group))) for (says, place), group in grouped)
    return PaperClaims(title, tally(judged), statements, tuple(map(disagreement, against)))


def _place(claim: Claim) -> str:
    table = f"Table {claim.table.number}"
    return table if claim.where == table else f"{table}; {claim.where}"


def disagreement(claim: Claim) -> str:
    """In words, what the text says and what its table prints."""
    ours, theirs = (number(value, claim.decimals) for value in claim.printed)
    return (
        f"Table {claim.table.number}, {claim.column}: {claim.says} ({claim.where}), but {claim.title(claim.ahead)} has "
        f"{ours} and {claim.title(claim.behind)} {theirs}, where {claim.table.better} is better."
        + (" The text is taken at its word here." if claim.kind == "loose" else "")
    )


def _row(one: Judged) -> ClaimRow:
    claim = one.claim
    return ClaimRow(
        head=f"{claim.title(claim.ahead)} ahead of {claim.title(claim.behind)}",
        column="" if claim.title(claim.behind) == claim.column else claim.column,
        paper=" vs ".join(number(value, claim.decimals) for value in claim.printed),
        ours=_ours(one),
        verdict=one.verdict,
        tone=TONES.get(one.verdict, "open"),
        evidence=_evidence(one),
        strip=_strip(one),
        against_print=not claim.holds_in_print,
    )


def _ours(one: Judged) -> str:
    digits = one.facing.digits if one.facing else one.claim.decimals
    return " vs ".join(number(value, digits) for value in one.ours or ())


def _evidence(one: Judged) -> str:
    """The gain in per cent with its interval, and where the verdict comes from."""
    gain = one.gain
    if gain is None or one.reason:
        return one.reason
    digits = 0 if abs(gain.value) >= 0.1 else 1
    value, low, high = (number(100 * share, digits, signed=True) for share in (gain.value, gain.low, gain.high))
    test = "from the intervals" if one.adjusted is None else p_value(one.adjusted)
    return f"gain {value} % ({low} to {high}), {test}"


def printed_gain(claim: Claim) -> float:
    """The paper's own gain on the scale of `reports.claims.Gain`."""
    ahead, behind = claim.printed
    return (ahead - behind if claim.table.better == "higher" else behind - ahead) / max(ahead, behind)


def _strip(one: Judged) -> Strip | None:
    if one.gain is None:
        return None
    ends = (None, None) if one.reason else (_position(one.gain.low), _position(one.gain.high))
    return Strip(_position(printed_gain(one.claim)), _position(one.gain.value), *ends)


def _position(gain: float) -> float:
    return round(50 + EDGE * max(-1.0, min(1.0, gain)), 2)


def write_claims(folder: Path, found: Claims) -> None:
    """`claims.csv` and `claims.json` in the folder, unrounded; nothing for a task that no paper speaks of."""
    if not found.judged:
        return
    records = [_record(one) for one in found.judged]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    write_atomic(folder / "claims.csv", out.getvalue().encode())
    against = [{"id": claim.id, "kind": claim.kind, "in_words": disagreement(claim)} for claim in found.against_print]
    family = f"Holm over {found.family} claims with a test"
    write_json(folder / "claims.json", {"family": family, "claims": records, "text_against_table": against})


def _record(one: Judged) -> dict[str, Any]:
    claim, gain = one.claim, one.gain
    ours = one.ours or (None, None)
    has_ends = gain is not None and gain.low == gain.low
    return {
        "id": claim.id,
        "paper": claim.paper.key,
        "table": claim.table.number,
        "column": claim.column,
        "task": claim.task,
        "kind": claim.kind,
        "says": claim.says,
        "where": claim.where,
        "ahead": claim.ahead,
        "behind": claim.behind,
        "better": claim.table.better,
        "paper_ahead": claim.printed[0],
        "paper_behind": claim.printed[1],
        "holds_in_print": claim.holds_in_print,
        "metric": one.facing.metric.id if one.facing and one.facing.metric else None,
        "ours_ahead": ours[0],
        "ours_behind": ours[1],
        "gain": gain.value if gain else None,
        "gain_low": gain.low if gain and has_ends else None,
        "gain_high": gain.high if gain and has_ends else None,
        "p": gain.p if gain else None,
        "p_holm": one.adjusted,
        "items": gain.items if gain else None,
        "verdict": one.verdict,
        "reason": one.reason,
    }
