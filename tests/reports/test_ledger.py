"""The papers' claims: whole, traceable to the text, and compared with the numbers that the papers print."""

from __future__ import annotations

import dataclasses

import pytest

from reports.claim_rows import disagreement
from reports.ledger import KINDS, Claim, load_ledger, whole_ledger
from tests.reports.test_published import paper_text

# Read off the papers' pages by eye: (claim, number of the method said to be ahead, number of the other one)
AGAINST_PRINT = {
    "sc-t2-face-paired-munit": (0.0085, 0.0080),  # LEPE, lower is better
    "sc-t1-dance-improved": (161.22, 158.47),  # FID, lower is better
    "sc-t1-street-improved": (259.95, 235.84),
    "sc-t2-face-state-of-the-art": (0.0085, 0.0050),
    "sc-t2-dance-state-of-the-art": (0.0186, 0.0163),
    "hd-t2-pix2pix-vgg": (93.8, 94.6),  # votes, more is better
}
# What stands behind a statement: (paper, table, kind) -> words of its text
WORDS = {
    ("pix2pixsc", 1, "stated"): "where our method performs the best",
    ("pix2pixsc", 2, "stated"): "pix2pixHD obtains the best semantic consistency",
    ("pix2pixsc", 3, "stated"): "Our method won more user preferences",
    ("pix2pixsc", 4, "stated"): "the quality of results is slightly reduced",
    ("pix2pixsc", 5, "stated"): "weight adaptation makes a quantitative improvement",
    ("pix2pixsc", 1, "loose"): "MUNIT and its improvement PairedMUNIT",
    ("pix2pixsc", 2, "loose"): "outperforms the state-of-the-art methods",
    ("pix2pixhd", 1, "stated"): "our method outperforms the other methods by a large margin",
    ("pix2pixhd", 2, "stated"): "both variants of our method outperform the other methods significantly",
    ("pix2pixhd", 3, "stated"): "our coarse-to-fine generator outperforms other networks",
    ("pix2pixhd", 5, "stated"): "using multi-scale discriminators helps",
}


def claim(name: str) -> Claim:
    return next(claim for claim in whole_ledger() if claim.id == name)


@pytest.mark.parametrize("key", ["pix2pixsc", "pix2pixhd"])
def test_the_ledger_is_whole(key: str) -> None:
    ledger = load_ledger(key)
    ids = [claim.id for claim in ledger]
    assert len(set(ids)) == len(ids) and all(f"-t{claim.table.number}-" in claim.id for claim in ledger)
    assert {claim.table.number for claim in ledger} == {table.number for table in load_ledger(key)[0].paper.tables}
    for one in ledger:
        assert one.kind in KINDS and one.ahead != one.behind and one.says and one.where
        rows = {row.method for row in one.table.rows}
        assert one.ahead in rows and one.column in one.table.columns
        if one.behind not in rows:  # the rival of a table of votes, which its column names
            assert one.table.by == "rival" and one.title(one.behind) == one.column
        assert all(value > 0 for value in one.printed)
    orders = [(claim.table.number, claim.column, claim.ahead, claim.behind) for claim in ledger]
    assert len(set(orders)) == len(orders)
    judged = {order for order, claim in zip(orders, ledger, strict=True) if claim.is_judged}
    assert not [order for order in judged if (*order[:2], order[3], order[2]) in judged]  # none with its opposite


def test_where_a_text_disagrees_with_its_own_table() -> None:
    found = {claim.id: claim.printed for claim in whole_ledger() if not claim.holds_in_print}
    assert found == AGAINST_PRINT


def test_what_only_a_table_says_is_what_it_prints() -> None:
    assert all(claim.holds_in_print for claim in whole_ledger() if claim.kind == "printed")


@pytest.mark.parametrize("name", ["sc-t1-face-munit", "sc-t6-iou-munit", "hd-t3-pixel-unet"])
def test_a_claim_turned_round_disagrees(name: str) -> None:
    one = claim(name)
    assert one.holds_in_print
    assert not dataclasses.replace(one, ahead=one.behind, behind=one.ahead).holds_in_print


def test_votes_that_the_method_did_not_get_are_its_rivals() -> None:
    assert claim("sc-t3-pix2pixhd").printed == pytest.approx((89.12, 10.88))
    assert claim("hd-t2-crn-vgg").printed == (86.2, 85.2)  # both variants have a row


def test_a_disagreement_in_words() -> None:
    said = disagreement(claim("sc-t2-face-paired-munit"))
    assert said.startswith("Table 2, face: ") and "0.0085 and PairedMUNIT 0.0080, where lower is better." in said


@pytest.mark.parametrize(("key", "table", "kind"), WORDS)
def test_statements_stand_in_the_text(key: str, table: int, kind: str) -> None:
    assert [claim for claim in load_ledger(key) if (claim.table.number, claim.kind) == (table, kind)]
    assert WORDS[key, table, kind] in " ".join(paper_text(key).split())
