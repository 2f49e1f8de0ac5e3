"""Rows made of finished pictures: scored like a method's own images, checked first, never mistaken for a method."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.errors import BenchError
from benchmark.run.export import export
from benchmark.run.pictures import add_pictures, plan_of
from benchmark.run.results import RunView, read_results
from tests import toy
from tests.run.test_runner import Silent, go, plan, toy_registry

__all__ = ["toy_registry"]  # a fixture that every test here uses

METRIC = "toy-l1[8px]"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    go(tmp_path / "run", "real,toy-good,toy-bad", (0, 1))
    return tmp_path / "run"


@pytest.fixture
def theirs(run: Path) -> Path:
    """Copies of what toy-good made under its first seed."""
    return Path(shutil.copytree(run / "images" / "toy-good" / "0", run.parent / "theirs"))


def add(run: Path, folder: Path, name: str = "theirs", **options) -> bool:
    return add_pictures(run, name, folder, Silent, lambda line: None, **options)


def test_the_pictures_of_a_method_score_as_the_method(run: Path, theirs: Path) -> None:
    before = read_results(run)
    assert add(run, theirs, title="Their net")
    view = RunView(run)
    after, row = view.results, view.results.methods[-1]
    assert (row.name, row.title, row.kind, row.parameters) == ("theirs", "Their net", "pictures", 0)
    assert row.note == "evaluated from pictures"
    by_item = {(s["method"], s["seed"], s["item"]): s["value"] for s in view.scores}
    for item in (str(item["id"]) for item in view.items):
        assert by_item["theirs", 0, item] == by_item["toy-good", 0, item]
    assert ("theirs", 1) not in view.cells and after.value("theirs", METRIC).seeds == 1
    assert [v for v in after.values if v.method != "theirs"] == list(before.values)
    assert view.image("theirs", "0000").exists()


def test_one_set_of_pictures_is_compared_with_every_seed_of_the_main_method(run: Path, theirs: Path) -> None:
    add(run, theirs)
    view = RunView(run)
    found = next(d for d in view.results.differences if d.method == "theirs")
    values = {(s["method"], s["seed"], s["item"]): s["value"] for s in view.scores}
    items = [str(item["id"]) for item in view.items]
    gaps = [values["theirs", 0, i] - values["toy-good", seed, i] for seed in (0, 1) for i in items]
    assert found.against == "toy-good" and found.value == pytest.approx(np.mean(gaps)) and found.n == len(items)


def test_the_record_names_the_listing_and_the_same_pictures_are_scored_once(run: Path, theirs: Path) -> None:
    add(run, theirs)
    view = RunView(run)
    (entry,) = view.manifest["pictures"]
    assert view.cells["theirs", 0]["synthesize"]["sha256"] == entry["sha256"] and len(entry["sha256"]) == 64
    lines, results = (run / "cells.jsonl").read_text(), (run / "results.json").read_bytes()
    add(run, theirs)
    assert (run / "cells.jsonl").read_text() == lines and (run / "results.json").read_bytes() == results
    moved = Path(shutil.copytree(theirs, run.parent / "moved"))
    add(run, moved)  # the same bytes elsewhere are the same pictures
    assert (run / "cells.jsonl").read_text() == lines


def test_rows_follow_one_another_and_survive_a_run(run: Path, theirs: Path) -> None:
    add(run, theirs, "b")
    add(run, theirs, "a", title="A")
    go(run, "toy-borrower")
    rows = {row.name: row.kind for row in read_results(run).methods}
    assert rows == dict.fromkeys(("toy-good", "toy-bad", "toy-borrower"), "method") | {
        "real": "reference",
        "a": "pictures",
        "b": "pictures",
    }
    pictures = [(row["name"], row["title"]) for row in RunView(run).manifest["pictures"]]
    assert pictures == [("b", "b"), ("a", "A")] and list(rows)[-2:] == ["b", "a"]  # in the order they came


def test_other_pictures_need_another_name_or_replace(run: Path, theirs: Path) -> None:
    add(run, theirs)
    first = read_results(run).value("theirs", METRIC)
    shutil.copy(theirs / "0000.png", theirs / "0001.png")
    with pytest.raises(BenchError, match="has that row from other pictures; take another name, or --replace"):
        add(run, theirs)
    assert read_results(run).value("theirs", METRIC) == first
    add(run, theirs, replace=True)
    assert read_results(run).value("theirs", METRIC) != first
    assert RunView(run).image("theirs", "0001").read_bytes() == RunView(run).image("theirs", "0000").read_bytes()


def test_a_kill_between_the_stages_is_resumed(run: Path, theirs: Path, monkeypatch) -> None:
    def killed(self, exam, images):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(toy.ToyMetric, "score", killed)
        with pytest.raises(KeyboardInterrupt):
            add(run, theirs)
    assert add(run, theirs)
    assert read_results(run).value("theirs", METRIC) is not None


def test_a_metric_that_fails_on_them_is_a_reason_in_the_row(run: Path, theirs: Path, monkeypatch) -> None:
    def fails(self, exam, images):
        raise RuntimeError("no face in sight")

    monkeypatch.setattr(toy.ToyMetric, "score", fails)
    assert add(run, theirs) is False
    assert read_results(run).methods[-1].problem == "RuntimeError: no face in sight"


def spoil_missing(folder: Path) -> None:
    for name in ("0001", "0003"):
        (folder / f"{name}.png").unlink()


def spoil_size(folder: Path) -> None:
    Image.new("RGB", (16, 12)).save(folder / "0002.png")


def spoil_bytes(folder: Path) -> None:
    (folder / "0002.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")


def spoil_twice(folder: Path) -> None:
    Image.new("RGB", (8, 8)).save(folder / "0002.jpg")


def spoil_alpha(folder: Path) -> None:
    Image.new("RGBA", (8, 8), (1, 2, 3, 100)).save(folder / "0002.png")


def spoil_depth(folder: Path) -> None:
    Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(folder / "0002.png")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_missing, r"no picture for 2 of 8 items: 0001, 0003; expected 0001\.png or \.jpg"),
        (spoil_size, r"0002\.png: is 16x12, the task's images are 8x8; make it that size, or add --resize"),
        (spoil_bytes, r"0002\.png: cannot be read as a picture"),
        (spoil_twice, r"two pictures for item 0002: 0002\.jpg and 0002\.png"),
        (spoil_alpha, r"0002\.png: is partly transparent"),
        (spoil_depth, r"0002\.png: has pixels of type I;16; save it as 8-bit RGB"),
        (shutil.rmtree, r"--outputs .*theirs: no such folder"),
    ],
)
def test_a_mistake_is_named_before_anything_is_written(run: Path, theirs: Path, spoil, words: str) -> None:
    spoil(theirs)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(BenchError, match=words):
        add(run, theirs)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_many_missing_items_are_counted(run: Path, theirs: Path) -> None:
    for path in list(theirs.iterdir())[1:]:
        path.unlink()
    with pytest.raises(BenchError, match=r"no picture for 7 of 8 items: .* and 2 more"):
        add(run, theirs)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("toy-shape", "is a registered method"),
        ("toy-good", "is a registered method"),
        ("_exam", "letters, digits"),
        ("../up", "letters, digits"),
        ("", "letters, digits"),
    ],
)
def test_taken_and_impossible_names(run: Path, theirs: Path, name: str, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        add(run, theirs, name)


def test_a_name_given_to_pictures_is_no_longer_free_for_a_method(run: Path, theirs: Path) -> None:
    add(run, theirs, "later-a-plug-in")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["pictures"][0]["name"] = "toy-shape"
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BenchError, match="'toy-shape' is a row of pictures there"):
        go(run, "toy-shape")


def test_resized_pictures_say_so(run: Path, theirs: Path) -> None:
    for path in theirs.iterdir():
        Image.open(path).resize((32, 32), Image.Resampling.BICUBIC).save(path)
    add(run, theirs, resize=True)
    assert read_results(run).methods[-1].note == "evaluated from pictures, resized from 32x32"
    assert np.asarray(Image.open(RunView(run).image("theirs", "0000"))).shape == (8, 8, 3)


def test_jpg_and_palette_pictures_are_read(run: Path, theirs: Path) -> None:
    Image.open(theirs / "0000.png").save(theirs / "0000.JPG", quality=95)
    (theirs / "0000.png").unlink()
    Image.open(theirs / "0001.png").convert("P").save(theirs / "0001.png")
    Image.open(theirs / "0002.png").convert("RGBA").save(theirs / "0002.png")  # opaque: nothing is lost
    assert add(run, theirs)


def test_a_damaged_or_foreign_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"--run .*: not a run folder"):
        plan_of(tmp_path)


def test_the_export_is_the_exam_without_its_answers(tmp_path: Path) -> None:
    made = plan("real")
    assert export(made, tmp_path / "exam", Silent) == len(made.world.items)
    lines = list(csv.DictReader((tmp_path / "exam" / "items.csv").read_text().splitlines()))
    assert [line["id"] for line in lines] == [item.id for item in made.world.items]
    for line, item in zip(lines, made.world.items, strict=True):
        label = np.load(tmp_path / "exam" / line["label"])
        assert np.array_equal(label, made.world.store.label(item.label))
        shown = np.asarray(Image.open(tmp_path / "exam" / line["exemplar"]))
        assert np.array_equal(shown, made.world.store.image(item.exemplar))
        points = np.loadtxt(tmp_path / "exam" / line["joints"], delimiter=",", skiprows=1)
        assert np.allclose(points, made.world.store.joints(item.label))
        assert (line["target_clip"], int(line["target_frame"])) == (item.label.clip, item.label.index)
        assert (line["width"], line["height"]) == ("8", "8")
    answers = {made.world.store.image(item.label).tobytes() for item in made.world.items}
    pictures = {np.asarray(Image.open(p)).tobytes() for p in (tmp_path / "exam").rglob("*.png")}
    shown = {made.world.store.image(item.exemplar).tobytes() for item in made.world.items}
    assert not pictures & (answers - shown)


def test_an_export_goes_into_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(BenchError, match="holds other files"):
        export(plan("real"), tmp_path, Silent)
    export(plan("real"), tmp_path / "new", Silent)
    assert export(plan("real"), tmp_path / "new", Silent) == 8  # again, into its own
