"""What the tables say: when a difference may be printed, who is marked, what stands in an empty cell."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from benchmark.files import read_json, write_json
from benchmark.run.results import (
    Difference,
    MethodRow,
    MetricRow,
    Results,
    RunView,
    Value,
    write_preference,
    write_results,
)
from reports import compare
from reports.comparability import agreement, obstacles, warnings
from reports.paper_tables import paper_tables, shared_tables, unanswered
from reports.published import load_paper
from reports.score_tables import counterfactual_tables, other_table
from reports.table import Table, decimals_for, interval, number, p_value
from reports.verdicts import Card, Line, cards
from tests.reports.fake_run import fake_preference

TABLES = load_paper("pix2pixsc").tables


def by_name(tables: list[Table], name: str) -> Table:
    return next(table for table in tables if table.name == name)


def cell(table: Table, head: str, column: str) -> object:
    row = next(row for row in table.rows if row.head == head)
    return row.cells[table.columns.index(column)]


def as_the_paper_measured(run: Path, results: Results, fid: dict[str, float]) -> RunView:
    """A run that nothing separates from the paper's protocol: real data, 256 px, Inception, N = 2500."""
    metric = MetricRow("fid[inception-2015-12-05,299,N=2500]", "FID", "lower", whole_set=True)
    values = tuple(Value(name, metric.id, v, v - 1, v + 1, 2500, 0, 1) for name, v in fid.items())
    write_results(run, dataclasses.replace(results, metrics=(metric,), values=values, differences=()))
    manifest = read_json(run / "manifest.json")
    manifest["data"]["name"] = "prepared-faces"
    manifest["config"]["data"]["size"] = 256
    write_json(run / "manifest.json", manifest)
    for truth in (run / "images/_exam/truth").iterdir():
        truth.unlink()
    return RunView(run)


def test_a_difference_is_printed_only_when_nothing_stands_between(run: Path, results: Results) -> None:
    view = as_the_paper_measured(run, results, {"pix2pixsc": 33.0, "pix2pixhd": 38.86})
    table = by_name(paper_tables(view, TABLES), "table1-fid")
    assert table.columns == ("ours", "paper", "difference", "N")
    assert cell(table, "pix2pixSC", "difference").text == "+1.74"
    assert cell(table, "pix2pixHD", "difference").text == "−1.00"
    assert cell(table, "MUNIT", "ours").reason == "not in this run"
    assert cell(table, "MUNIT", "paper").text == "148.57"


def test_each_task_is_compared_with_its_own_instrument(run: Path, results: Results) -> None:
    metric = MetricRow("lepe[procedural,64px]", "LEPE", "lower", whole_set=False)
    write_results(run, dataclasses.replace(results, task="dance"))
    printed = next(table for table in TABLES if table.name == "lepe")
    assert obstacles(RunView(run), printed, metric, 2500)[0] == "the paper measured lepe with openpose"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 64}, "images of 64 px"),
        ({"items": 96}, "N = 96"),
        ({"metric": "fid[inception-2021,299,N=2500]"}, "the paper measured fid with inception-2015-12-05"),
        ({"name": "procedural-faces"}, "rendered"),
    ],
)
def test_every_obstacle_is_named_and_hides_the_difference(
    run: Path, results: Results, change: dict, reason: str
) -> None:
    view = as_the_paper_measured(run, results, {"pix2pixsc": 33.0, "pix2pixhd": 38.86})
    manifest = read_json(run / "manifest.json")
    manifest["config"]["data"]["size"] = change.get("size", 256)
    manifest["data"]["name"] = change.get("name", "prepared-faces")
    write_json(run / "manifest.json", manifest)
    metric = change.get("metric", view.results.metrics[0].id)
    changed = dataclasses.replace(
        view.results,
        metrics=tuple(dataclasses.replace(m, id=metric) for m in view.results.metrics),
        values=tuple(dataclasses.replace(v, metric=metric, n=change.get("items", 2500)) for v in view.results.values),
    )
    write_results(run, changed)
    found = obstacles(RunView(run), TABLES[0], changed.metrics[0], change.get("items", 2500))
    assert len(found) == 1 and reason in found[0]
    table = by_name(paper_tables(RunView(run), TABLES), "table1-fid")
    assert "difference" not in table.columns
    assert any(reason in note for note in table.notes)


def test_orders_stand_beside_each_other_where_values_cannot(clean_run: Path) -> None:
    tables = paper_tables(RunView(clean_run), TABLES)
    assert [t.name for t in tables] == ["table1-fid", "table2-lepe", "table4-ablation-fid", "table5-eye-patch"]
    lepe = by_name(tables, "table2-lepe")
    assert [cell(lepe, head, "order here").text for head in ("pix2pixHD", "pix2pixSC", "MUNIT")] == ["1", "2", ""]
    assert [cell(lepe, head, "order in paper").text for head in ("pix2pixHD", "pix2pixSC")] == ["1", "2"]
    assert cell(lepe, "Copy exemplar", "order here").text == ""  # a reference is never ranked
    assert cell(lepe, "pix2pixSC", "not found").text == "7.1 %"  # 1 of 14


def test_ablations_stand_in_their_own_table_only(clean_run: Path) -> None:
    tables = paper_tables(RunView(clean_run), TABLES)
    heads = [row.head for row in by_name(tables, "table1-fid").rows]
    assert not any("w/o" in head for head in heads)
    assert sum("w/o" in row.head for row in by_name(tables, "table4-ablation-fid").rows) == 3


def test_a_floor_under_its_own_protocol_is_a_note_not_a_row(clean_run: Path) -> None:
    tables = paper_tables(RunView(clean_run), TABLES)
    fid = by_name(tables, "table1-fid")
    assert "Real target" not in [row.head for row in fid.rows]
    assert any("two random halves" in note and "N=7]" in note for note in fid.notes)


def test_unanswered_tables_say_why(clean_run: Path) -> None:
    notes = unanswered(RunView(clean_run), TABLES)
    assert len(notes) == 2 and "votes" in notes[0] and "street" in notes[1]


def test_a_missing_metric_and_a_failed_method_say_why(run: Path, results: Results) -> None:
    methods = tuple(
        dataclasses.replace(m, problem="loss became NaN" if m.name == "pix2pixhd" else "") for m in results.methods
    )
    values = tuple(v for v in results.values if v.method != "pix2pixhd" and not v.metric.startswith("eye"))
    metrics = tuple(m for m in results.metrics if not m.id.startswith("eye"))
    write_results(run, dataclasses.replace(results, methods=methods, values=values, metrics=metrics))
    view = RunView(run)
    tables = paper_tables(view, TABLES)
    assert cell(by_name(tables, "table2-lepe"), "pix2pixHD", "ours").reason == "loss became NaN"
    eye = by_name(tables, "table5-eye-patch")
    assert cell(eye, "pix2pixSC", "ours").reason == "no such metric in this run"
    assert cell(eye, "pix2pixSC", "paper").text == "0.643"
    card = next(c for c in cards(view, TABLES) if "Table 2" in c.claim)
    assert card.verdict == "no verdict" and card.reason == "pix2pixHD: loss became NaN"


def three(differences: list[Difference]) -> tuple[Results, MetricRow]:
    metric = MetricRow("m[x]", "M", "lower", whole_set=False)
    kinds = {"pix2pixsc": "method", "a": "method", "b": "method", "r": "reference"}
    methods = tuple(MethodRow(name, name, kind, 1) for name, kind in kinds.items())
    values = tuple(
        Value(n, "m[x]", v, v, v, 9, 0, 1) for n, v in (("pix2pixsc", 1.0), ("a", 2.0), ("b", 3.0), ("r", 0.0))
    )
    return Results("face", "demo", (0,), 9, methods, (metric,), values, tuple(differences)), metric


def gap(method: str, against: str, value: float, p: float) -> Difference:
    return Difference("m[x]", method, against, value, value - 0.1, value + 0.3, p, 9)


def test_bold_needs_separation_from_every_other_method() -> None:
    results, metric = three([gap("a", "pix2pixsc", 1, 0.01), gap("b", "pix2pixsc", 2, 0.01)])
    assert compare.best(results, metric) == "pix2pixsc"  # stored the other way round, and the reference is no rival
    results, metric = three([gap("a", "pix2pixsc", 1, 0.01), gap("b", "pix2pixsc", 2, 0.2)])
    assert compare.best(results, metric) == ""
    results, metric = three([gap("a", "pix2pixsc", 1, 0.01)])
    assert compare.best(results, metric) == ""  # untested is not separable


def test_a_turned_difference_turns_its_interval() -> None:
    results, _ = three([gap("a", "pix2pixsc", 1, 0.01)])
    turned = compare.difference(results, "m[x]", "pix2pixsc", "a")
    assert turned is not None
    assert (turned.value, turned.low, turned.high) == pytest.approx((-1, -1.3, -0.9))


@pytest.mark.parametrize(
    ("better", "value", "p", "expected"),
    [
        ("lower", -1, 0.01, "better"),
        ("lower", 1, 0.01, "worse"),
        ("higher", 1, 0.0499, "better"),
        ("higher", -1, 0.01, "worse"),
        ("lower", -1, 0.05, "not separable"),
    ],
)
def test_marks(better: str, value: float, p: float, expected: str) -> None:
    assert compare.mark(MetricRow("m[x]", "M", better, False), gap("a", "b", value, p)) == expected


def test_agreement_counts_pairs_and_what_is_beyond_doubt() -> None:
    results, metric = three([gap("a", "pix2pixsc", 1, 0.01), gap("b", "pix2pixsc", 2, 0.2)])
    text = agreement(results, metric, ["pix2pixsc", "a", "b"], {"pix2pixsc": 5.0, "a": 6.0, "b": 4.0})
    assert text == "Order: 1 of 3 pairs of methods as in the paper; of 2 tested 1 beyond doubt (Holm, 5 %)."


def test_a_tie_is_no_order_and_overlapping_intervals_are_no_verdict() -> None:
    results, metric = three([])
    tied = tuple(dataclasses.replace(v, value=1.0) for v in results.values)
    pair = compare.pair(dataclasses.replace(results, values=tied), metric, "a", "b", {"a": 1.0, "b": 2.0})
    assert pair is not None and pair.agrees is None
    wide = tuple(dataclasses.replace(v, low=v.value - 2, high=v.value + 2) for v in results.values)
    pair = compare.pair(dataclasses.replace(results, values=wide), metric, "a", "b", {"a": 1.0, "b": 2.0})
    assert pair is not None and pair.sentence == "untested, intervals overlap"
    narrow = compare.pair(results, metric, "a", "b", {"a": 1.0, "b": 2.0})
    assert narrow is not None and narrow.sentence == "ahead, as in the paper, untested"


def test_a_metric_that_failed_on_every_method_says_so(run: Path, results: Results) -> None:
    kept = tuple(v for v in results.values if not v.metric.startswith("eye") or v.method == "real")
    write_results(run, dataclasses.replace(results, values=kept))
    eye = by_name(paper_tables(RunView(run), TABLES), "table5-eye-patch")
    assert cell(eye, "pix2pixSC", "ours").reason == "no landmarks found"


def test_verdicts_ask_whether_the_papers_order_holds(clean_run: Path) -> None:
    found = {card.claim: card for card in cards(RunView(clean_run), TABLES)}
    style = found["Style follows the exemplar"]
    assert (style.verdict, style.tone) == ("better", "good")
    assert [line.against for line in style.lines] == ["pix2pixHD", "Copy exemplar"]
    lepe = found["Semantic consistency (Table 2)"]
    assert lepe.lines[0].sentence in ("behind, as in the paper", "not separable")
    assert found["Photorealism (Table 1)"].verdict == "untested, intervals overlap"


def test_counterfactual_tables_put_the_face_first_and_references_apart(results: Results) -> None:
    first, second = counterfactual_tables(results)
    assert first.columns[:3] == ("L1, face ↓", "L1, foreground ↓", "L1, whole ↓")
    assert second.columns == ("PSNR, face ↑", "SSIM, face ↑")
    methods, references = first.groups()
    assert [row.head for row in references] == ["Real target", "Copy exemplar"]
    assert all(not c.mark and not c.best for row in references for c in row.cells)
    assert next(row for row in methods if row.head == "pix2pixHD").cells[0].mark == "worse"


def test_nothing_measured_is_hidden(clean_run: Path) -> None:
    view = RunView(clean_run)
    other = other_table(view.results, TABLES)
    assert other is not None and other.columns == ("LEPE to the asked points ↓",)
    shown = " ".join(t.protocol for t in [*paper_tables(view, TABLES), *counterfactual_tables(view.results), other])
    measured = compare.contested(view.results, view.results.metrics)
    assert [m.id for m in measured if m.id not in shown and "-failures" not in m.id] == []


def test_number_format() -> None:
    assert number(-0.00001, 4) == "0.0000"
    assert number(-1.005, 2) == "−1.00" and number(0.5, 1, signed=True) == "+0.5"
    assert number(math.inf, 2) == "∞" and number(math.nan, 2) == "undefined"
    assert interval(None, 1.0, 2) == "" and interval(0.1, 0.25, 2) == "0.10 to 0.25"
    assert p_value(0.0004) == "p < 0.001" and p_value(0.0123) == "p = 0.012"
    assert [decimals_for([v]) for v in (0.0085, 0.123, 31.26, 157.0, 0.0)] == [5, 3, 1, 0, 2]


def test_a_reference_does_not_stretch_the_scale(clean_run: Path) -> None:
    lepe = by_name(paper_tables(RunView(clean_run), TABLES), "table2-lepe")
    strips = {row.head: row.strip for row in lepe.rows}
    assert strips["Copy exemplar"].off == "above" and strips["MUNIT"] is None
    assert strips["pix2pixHD"].low < strips["pix2pixHD"].value < strips["pix2pixHD"].high


def test_another_papers_tables_need_two_of_its_methods(run: Path, results: Results) -> None:
    metrics = tuple(MetricRow(f"sps-{m}[danet,64x36]", m, "higher", whole_set=True) for m in ("pixel", "iou"))
    rows = tuple(MethodRow(name, name, "method", 1) for name in ("pix2pixhd", "pix2pix"))
    values = tuple(
        Value(row.name, m.id, 0.5 + i / 10, 0.4, 0.7, 9, 0, 1) for i, row in enumerate(rows) for m in metrics
    )
    street = dataclasses.replace(results, task="street", methods=rows, metrics=metrics, values=values, differences=())
    older = load_paper("pix2pixhd").tables
    write_results(run, street)
    tables = shared_tables(RunView(run), older)
    assert "table1-segmentation" in [table.name for table in tables]
    assert (
        cell(tables[0], "pix2pix", "Mean IoU").text and cell(tables[0], "pix2pix", "Mean IoU, paper").text == "0.3948"
    )
    write_results(run, dataclasses.replace(street, methods=rows[:1], values=values[:2]))
    assert shared_tables(RunView(run), older) == []


def test_votes_are_judged_like_any_table_but_simulated_ones_are_not(run: Path) -> None:
    study = fake_preference()
    write_preference(run, study)
    (card,) = (card for card in cards(RunView(run), TABLES) if "Table 3" in card.claim)
    assert [(line.against, line.sentence) for line in card.lines] == [
        ("pix2pixHD", "preferred, as in the paper"),
        ("PairedMUNIT", "preferred, as in the paper"),
    ]
    lost = tuple(dataclasses.replace(vote, value=1 - vote.value) for vote in study.comparisons)
    write_preference(run, dataclasses.replace(study, comparisons=lost))
    (card,) = (card for card in cards(RunView(run), TABLES) if "Table 3" in card.claim)
    assert card.verdict == "against the paper" and card.tone == "bad"


def test_a_card_of_several_pairs_hides_none_that_speaks_against_it() -> None:
    def line(tone: str, verdict: str) -> Line:
        return Line("x", "1", "2", verdict, verdict, tone, "")

    mixed = Card("claim", "m", "x", (line("good", "as in the paper"), *[line("bad", "against the paper")] * 2))
    assert (mixed.verdict, mixed.tone) == ("1 of 3 clearly as claimed, 2 clearly against it", "open")


def test_simulated_votes_get_no_verdict_and_a_warning(run: Path) -> None:
    write_preference(run, dataclasses.replace(fake_preference(), simulated=True))
    (card,) = (card for card in cards(RunView(run), TABLES) if "Table 3" in card.claim)
    assert card.verdict == "no verdict" and "simulated" in card.reason
    assert any("simulated" in text for text in warnings(RunView(run)))


def test_the_card_speaks_of_the_study_that_stands_in_the_table(run: Path) -> None:
    study = fake_preference()
    natural = "Which image looks more natural?"
    write_preference(run, dataclasses.replace(study, question=natural))
    (card,) = (card for card in cards(RunView(run), TABLES) if "Table 3" in card.claim)
    assert (card.verdict, card.reason) == ("no verdict", f'people were asked "{natural}"')
    write_preference(run, dataclasses.replace(study, study="beef"))
    assert RunView(run).preferences[0].question == natural
    (card,) = (card for card in cards(RunView(run), TABLES) if "Table 3" in card.claim)
    table = by_name(paper_tables(RunView(run), TABLES), card.table)
    assert card.verdict == "as in the paper" and "study beef" in table.protocol
