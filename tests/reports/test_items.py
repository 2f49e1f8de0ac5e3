"""Sheets, choices of items, points over pictures: ranks against a plain restatement, hostile names, damaged files."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from justhtml import JustHTML

from benchmark.run.results import MetricRow, PairVotes, RunView, write_preference, write_results
from reports import items
from reports.item_scores import ItemScores, item_scores, rankers
from reports.items import Sheets
from reports.overlays import points
from reports.page import write_report
from reports.selection import choices
from tests.reports.fake_run import METHODS, fake_preference, write_fake_run
from tests.reports.test_page import EVIL, read


def errors(path: Path) -> list[str]:
    return [str(error) for error in JustHTML(path.read_text(encoding="utf-8"), collect_errors=True).errors]


def test_the_parser_of_html_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<!DOCTYPE html><title>x</title><p></b>")
    assert errors(tmp_path / "bad.html")


def test_every_page_is_html_without_an_error_whatever_the_names(tmp_path: Path) -> None:
    methods = (dataclasses.replace(METHODS[0], title=EVIL), *METHODS[1:])
    results = write_fake_run(tmp_path, items=6, side=16, methods=methods)
    metrics = tuple(dataclasses.replace(metric, title=EVIL) for metric in results.metrics)
    write_results(tmp_path, dataclasses.replace(results, metrics=metrics))
    write_preference(tmp_path, fake_preference())
    pages = [write_report(tmp_path), *(tmp_path / "items").iterdir()]
    assert len(pages) == 3
    for page in pages:
        assert errors(page) == []
        reader = read(page)
        assert sum(tag == "script" for tag, _ in reader.tags) == 1
        assert any(EVIL in text for text in reader.text)
        assert not [key for _, attrs in reader.tags for key in attrs if key.startswith("on")]


def test_sheets_link_to_files_that_exist_and_to_each_other(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "PER_PAGE", 5)
    (run / "items").mkdir()
    (run / "items/007.html").write_text("of a longer test set")
    index = Sheets(RunView(run), item_scores(RunView(run))).write()
    assert sorted(path.name for path in index.parent.iterdir()) == ["000.html", "001.html", "002.html", "index.html"]
    write_report(run)
    for page in index.parent.iterdir():
        for tag, attrs in read(page).tags:
            address = attrs.get("src") or (attrs.get("href") if tag == "a" else None)
            if address and not address.startswith("#"):
                assert (page.parent / address.partition("#")[0]).is_file(), address
    assert "images/pix2pixsc/0/0006.png" in (run / "items/001.html").read_text()


def test_ranks_count_the_better_items(run: Path) -> None:
    view = RunView(run)
    scores = item_scores(view)
    for metric in (m for m in view.results.metrics if not m.whole_set):
        found = {
            str(line["item"]): line["value"]
            for line in view.scores
            if (line["metric"], line["method"]) == (metric.id, "pix2pixhd")
        }
        sign = 1 if metric.better == "lower" else -1
        for at, item in enumerate(scores.items):
            better = sum(sign * other < sign * found[item] for other in found.values())
            assert scores.ranks(metric, "pix2pixhd")[at] == 1 + better


def test_missing_scores_have_no_rank_and_seeds_are_averaged(run: Path) -> None:
    metric = MetricRow("m[x]", "M", "lower", False)
    lines = [("0000", 0, 1.0), ("0000", 1, 3.0), ("0001", 0, 1.5), ("0001", 1, None), ("0002", 0, None), ("no", 0, 1)]
    records = [f'{{"method":"a","seed":{s},"metric":"m[x]","item":"{i}","value":{v}}}' for i, s, v in lines]
    (run / "scores.jsonl").write_text("\n".join(records).replace("None", "null") + "\nhalf a li")
    scores = item_scores(RunView(run))
    assert scores.of("m[x]", "a")[:2].tolist() == [2.0, 1.5] and np.isnan(scores.of("m[x]", "a")[2:]).all()
    assert scores.ranks(metric, "a")[:3].tolist() == [2, 1, 0]
    assert np.isnan(scores.of("m[x]", "nobody")).all()


def test_the_page_shows_every_metric_and_the_widest_disagreement(run: Path) -> None:
    view = RunView(run)
    scores = item_scores(view)
    found = choices(view, scores)
    titles = [choice.title for choice in found]
    assert len(titles) == 1 + len(rankers(view, scores)) + 1
    assert not any("failures" in title for title in titles)
    a, b = (m for m in rankers(view, scores) if m.title in ("LEPE to the asked points", "Counterfactual L1 (face)"))
    gap = np.abs(scores.ranks(a, "pix2pixsc") - scores.ranks(b, "pix2pixsc"))
    assert found[-1].items[0] == scores.items[int(gap.argmax())]


@pytest.mark.parametrize(
    ("task", "title"), [("dance", "As in Figure 7"), ("street", "As in Figure 10"), ("cats", "Drawn by seed")]
)
def test_drawn_items_are_named_by_the_figure_of_their_task(run: Path, task: str, title: str) -> None:
    write_results(run, dataclasses.replace(RunView(run).results, task=task))
    assert choices(RunView(run), item_scores(RunView(run)))[0].title == title


def test_people_against_a_metric_are_those_who_chose_the_worse_picture(run: Path) -> None:
    view = RunView(run)
    scores = item_scores(view)
    metric = rankers(view, scores)[0]
    ours, theirs = scores.of(metric.id, "pix2pixsc"), scores.of(metric.id, "pix2pixhd")
    assert (ours < theirs).all()  # the metric is always for ours
    votes = (PairVotes("0003", 2, 10), PairVotes("0004", 9, 10), PairVotes("0005", 0, 10), PairVotes("gone", 0, 9))
    study = fake_preference()
    study = dataclasses.replace(study, comparisons=(dataclasses.replace(study.comparisons[0], pairs=votes),))
    write_preference(run, study)
    last = choices(RunView(run), scores)[-1]
    assert last.items == ("0005", "0003") and last.notes["0003"] == "2 of 10 votes for pix2pixSC"


def test_points_lie_where_they_were_found(run: Path) -> None:
    view = RunView(run)
    kept = points(view)
    assert kept is not None
    line = next(line for line in view.seen_points("pix2pixsc", 0) if line["item"] == "0003")
    overlay = kept.overlay("pix2pixsc", "0003")
    assert overlay is not None
    drawn = re.findall(r"M(-?\d+) (-?\d+)h0", overlay.found)
    assert [(int(x), int(y)) for x, y in drawn] == [(round(10 * x), round(10 * y)) for x, y in line["points"]]
    nothing = kept.overlay("pix2pixsc", "0000")
    assert nothing is not None and nothing.found == nothing.drift == "" and nothing.asked
    assert kept.overlay("nobody", "0003") is None


def test_damaged_points_leave_their_item_without(run: Path) -> None:
    path = run / "cells/pix2pixsc/0/points.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = '{"item": "0001", "points": [["<b>", 2]]}'
    lines[2] = '{"item": "0002", "points": "none"}'
    lines[3] = '{"item": "0003", "poi'
    path.write_text("\n".join(lines))
    kept = points(RunView(run))
    assert kept is not None
    found = [kept.overlay("pix2pixsc", f"000{i}") for i in range(5)]
    assert [bool(overlay and overlay.found) for overlay in found] == [False, False, False, False, True]
    (run / "images/_exam/points.jsonl").unlink()
    assert points(RunView(run)) is None
    assert (
        'class="asked"'
        not in Path(Sheets(RunView(run), item_scores(RunView(run))).write().parent / "000.html").read_text()
    )


def test_equal_scores_have_no_rank(run: Path) -> None:
    view = RunView(run)
    flat = ItemScores(("a", "b"), {"m[x]": {"pix2pixsc": np.array([0.5, 0.5])}})
    sheets = Sheets(view, flat)
    metric = MetricRow("m[x]", "M", "lower", False)
    object.__setattr__(view.results, "metrics", (metric,))
    assert sheets._cells(metric, 0) == "<td>0.500</td>"


@pytest.mark.slow
def test_many_items_cost_the_page_little(tmp_path: Path) -> None:
    from tests.benchmarks.report_scale import SEED_ITEMS, enlarge

    write_fake_run(tmp_path, items=SEED_ITEMS, side=16, methods=METHODS[1:3])
    before = write_report(tmp_path).stat().st_size
    enlarge(tmp_path, 6 * SEED_ITEMS)
    page = write_report(tmp_path)
    assert page.stat().st_size < 1.2 * before + 50_000 < 15 * 2**20
    assert len(list((tmp_path / "items").glob("[0-9]*.html"))) == 12
    assert (tmp_path / "items/index.html").read_text().count(" hidden>") == 100
