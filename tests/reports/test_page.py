"""The page: well-formed, offline, small, deterministic, and honest about holes; hostile names are shown, never run."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.run.results import Results, RunView, write_results
from reports import html
from reports.grid import grids
from reports.page import write_report
from reports.thumbnails import data_uris
from tests.reports.fake_run import METHODS, write_fake_run

VOID = {"meta", "link", "img", "br", "input", "hr"}
PARTS = (
    "5 methods and 2 references",
    "Read the numbers",
    "Table 1.",
    "Table 5.",
    "As in Figure 5",
    "drawn by seed 0",
    "Best 3 and worst 3 of pix2pixSC",
    "LEPE to the asked points against Counterfactual L1 (face)",
    "Training losses",
    "Scores during training",
    "What it cost",
    "Effective configuration",
    "How to read",
)
EVIL = "<script>alert(1)</script>\"'&{{ 7*7 }} ünï " + "x" * 260


class Reader(HTMLParser):
    """Checks nesting and unique ids, collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]
        assert len({key for key, _ in attrs}) == len(attrs), f"<{tag}>: an attribute twice"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for key, value in attrs if key == "id" and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader


def test_the_page_is_well_formed_and_complete(run: Path) -> None:
    reader = read(write_report(run))
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    targets = [
        attrs["href"][1:] for tag, attrs in reader.tags if tag == "a" and (attrs.get("href") or "").startswith("#")
    ]
    assert targets and set(targets) <= set(reader.ids)
    assert all(attrs.get("alt") for tag, attrs in reader.tags if tag == "img")
    text = " ".join(" ".join(reader.text).split())
    for part in PARTS:
        assert part in text


def test_nothing_is_fetched(run: Path) -> None:
    reader = read(write_report(run))
    assert not [tag for tag, _ in reader.tags if tag in ("iframe", "object", "embed")]
    assert [attrs for tag, attrs in reader.tags if tag == "script"] == [{}]
    assert not [key for _, attrs in reader.tags for key in attrs if key.startswith("on")]
    sources = [
        attrs[key] or "" for _, attrs in reader.tags for key in ("src", "srcset", "data", "poster") if key in attrs
    ]
    assert sources and all(source.startswith("data:image/webp;base64,") for source in sources)
    links = [(tag, attrs.get("href") or attrs.get("xlink:href") or "") for tag, attrs in reader.tags]
    assert not [href for tag, href in links if href.startswith(("http", "//")) and tag != "a"]
    assert "url(http" not in (run / "report.html").read_text() and "@import" not in (run / "report.html").read_text()


def test_links_lead_to_files_of_the_run_folder(run: Path) -> None:
    reader = read(write_report(run))
    local = {attrs["href"] for tag, attrs in reader.tags if tag == "a" and not attrs["href"].startswith("#")}
    local = {href.partition("#")[0] for href in local}
    assert len(local) > 20
    assert not [href for href in local if not (run / href).is_file()]


def test_writing_twice_gives_the_same_bytes(run: Path) -> None:
    first = write_report(run).read_bytes()
    tables = {path.name: path.read_bytes() for path in (run / "tables").iterdir()}
    assert write_report(run).read_bytes() == first
    assert {path.name: path.read_bytes() for path in (run / "tables").iterdir()} == tables
    assert {path.suffix for path in (run / "tables").iterdir()} == {".csv", ".json", ".md", ".tex", ".bib"}


def test_hostile_names_are_shown_not_executed(tmp_path: Path) -> None:
    methods = (dataclasses.replace(METHODS[0], title=EVIL, unfinished=EVIL), *METHODS[1:])
    results = write_fake_run(tmp_path, items=6, side=16, methods=methods)
    write_results(tmp_path, dataclasses.replace(results, cautions=(EVIL,)))
    reader = read(write_report(tmp_path))
    assert sum(tag == "script" for tag, _ in reader.tags) == 1  # our own
    assert sum(EVIL in text for text in reader.text) >= 3
    assert "<script>" not in (tmp_path / "tables" / "cost.md").read_text()


def test_holes_are_marked(run: Path, results: Results) -> None:
    methods = tuple(
        dataclasses.replace(m, problem="out of memory" if m.name == "pix2pixhd" else "") for m in results.methods
    )
    write_results(run, dataclasses.replace(results, methods=methods))
    for image in (run / "images/pix2pixhd/0").iterdir():
        image.unlink()
    item = grids(RunView(run))[0].lines[0].item
    (run / f"images/pix2pixsc/0/{item}.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (run / f"images/_exam/target/{item}.png").unlink()
    line = grids(RunView(run))[0].lines[0]
    holes = {picture.alt.split(",")[0]: picture.hole for picture in line.pictures if not picture.src}
    assert holes == {"pix2pixHD": "out of memory", "pix2pixSC": "damaged file", "Target": "no image"}
    assert read(write_report(run)).open == []


def test_real_data_without_truth_rank_by_eye_patches(tmp_path: Path) -> None:
    write_fake_run(tmp_path, items=8, side=16, truth=False, seeds=(3, 4))
    found = grids(RunView(tmp_path))
    assert "True answer" not in found[0].columns and "drawn by seed 3" in found[0].explanation
    assert found[1].explanation == "Best 3 and worst 3 of pix2pixSC by Eye-patch distance, lower is better."
    html = write_report(tmp_path).read_text()
    assert "Against the true answer" not in html and "2 seeds (3, 4)" in html


def test_best_and_worst_follow_the_scores(clean_run: Path) -> None:
    view = RunView(clean_run)
    scores = {
        record["item"]: record["value"]
        for record in view.scores
        if record["method"] == "pix2pixsc" and record["metric"] == "counterfactual-l1[face]"
    }
    order = sorted(scores, key=lambda item: (scores[item], item))
    extremes = grids(view)[1]
    assert [line.item for line in extremes.lines] == order[:3] + order[-3:][::-1]
    assert extremes.lines[0].note.startswith("best, 1 of 14") and extremes.lines[3].note.startswith("worst, 14 of 14")


def test_a_run_without_pictures_logs_or_costs_still_has_a_page(run: Path) -> None:
    import shutil

    shutil.rmtree(run / "images")
    shutil.rmtree(run / "cells")
    (run / "cells.jsonl").unlink()
    (run / "scores.jsonl").unlink()
    text = write_report(run).read_text()
    assert read(run / "report.html").open == []
    assert "no image" in text and "not recorded" in text and "Training losses" not in text


def test_scores_during_training_are_drawn_of_those_methods_that_kept_them(run: Path) -> None:
    text = write_report(run).read_text()
    assert text.count('aria-label="Validation scores of') == 1
    assert 'aria-label="Validation scores of pix2pixSC' in text and "lepe[dlib-68,64px]</li>" in text


def test_no_results_is_one_clear_line(run: Path) -> None:
    (run / "results.json").unlink()
    with pytest.raises(BenchError, match=r"results\.json: no such file"):
        write_report(run)
    assert not (run / "report.html").exists()


def test_a_page_over_the_limit_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LIMIT", 10_000)
    with pytest.raises(BenchError, match="more than"):
        write_report(run)


def test_thumbnails_shrink_until_they_fit(clean_run: Path) -> None:
    paths = sorted((clean_run / "images/_exam/exemplar").iterdir()) * 3
    full = data_uris(paths)
    total = sum(len(full[path]) for path in paths)
    assert total == sum(len(uri) for uri in full.values()) * 3
    from PIL import Image

    big = clean_run.parent / "big.png"
    Image.effect_noise((256, 256), 80).save(big)
    loose, tight = data_uris([big] * 4)[big], data_uris([big] * 4, budget=40_000)[big]
    assert len(tight) * 4 <= 40_000 < len(loose) * 4


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1])
def test_colours_meet_wcag_aa(theme: int) -> None:
    css = (Path(html.__file__).parent / "templates" / "style.css").read_text()
    colours = dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css.split("@media screen and (prefers-color-scheme: dark)")[theme])
    )

    def contrast(a: str, b: str) -> float:
        high, low = sorted((luminance(colours[a]), luminance(colours[b])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for ink in ("ink", "soft", "link", "good", "bad", "open"):
        assert contrast(ink, "paper") >= 4.5, ink
    assert contrast("ink", "band") >= 4.5 and contrast("ink", "raised") >= 4.5
    for curve in range(1, 9):
        assert contrast(f"c{curve}", "paper") >= 3, curve  # graphics (WCAG 1.4.11)
