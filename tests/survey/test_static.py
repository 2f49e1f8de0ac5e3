"""The zip of a study without a server: who judges what, and what a participant may learn from it."""

from __future__ import annotations

import dataclasses
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from benchmark.errors import BenchError
from benchmark.survey import export
from benchmark.survey.design import RECRUITERS, load
from benchmark.survey.folder import Study
from benchmark.survey.static import lacking
from benchmark.survey.static.blocks import Dealt, deal, keep, kept
from benchmark.survey.static.importing import import_files
from benchmark.survey.static.site import page, write_site
from benchmark.survey.tables import cell
from tests.cli.test_bench import bench
from tests.survey.conftest import NAMES
from tests.survey.filled import body_of, write
from tests.survey.test_analysis import by_chance, fill

Make = Callable[..., Study]
SIZES = {"pairs": 4, "raters": 4, "trials": 4, "catch": 1, "repeats": 1, "practice": 1}


# ---------------------------------------------------------------- who judges what


@pytest.mark.parametrize(
    "sizes",
    [
        SIZES,
        {**SIZES, "pairs": 5, "raters": 3, "trials": 2, "repeats": 0},
        {"pairs": 3, "raters": 2, "trials": 3, "durations_ms": (125, 500), "exemplar": False},
    ],
)
def test_all_participants_together_fill_every_place_once(make: Make, sizes: dict[str, Any]) -> None:
    study = make(**sizes)
    dealt = deal(study)
    times: Counter[tuple[int, int]] = Counter()
    for block in dealt.blocks:
        trials = [one for one in block if one.kind == "trial"]
        assert len(trials) == sizes["trials"] and len({one.pair for one in trials}) == len(trials)
        times.update((one.cell, one.side) for one in trials)
    with study.store.read() as connection:
        cells = connection.execute(select(cell).where(cell.c.kind == "trial")).all()
    for row in cells:  # the last block may hold more than is needed, so that everybody does the same number
        for side, need in ((0, row.need0), (1, row.need1)):
            assert need <= times[row.id, side] <= need + 1
    spare = len(dealt.blocks) * sizes["trials"] - sum(row.need0 + row.need1 for row in cells)
    assert 0 <= spare < sizes["trials"]
    assert export.table(study, "raters")[1] == []  # dealt on a copy


def test_what_is_shown_is_what_was_dealt(make: Make) -> None:
    study = make(**SIZES)
    dealt = deal(study)
    with study.store.read() as connection:
        cells = {row.id: row for row in connection.execute(select(cell))}
    for block, shown in zip(dealt.blocks, dealt.shown, strict=True):
        assert [one.kind for one in block].count("catch") == 1 and block[0].kind == "practice"
        for one, trial in zip(block, shown, strict=True):
            row = cells[one.cell]
            sides = (row.image_a, row.image_b) if one.side == 0 else (row.image_b, row.image_a)
            assert (trial["left"], trial["right"]) == tuple(f"i/{token}.webp" for token in sides)
            if one.kind == "practice":
                assert trial["meant"] == ("left" if row.right == one.side else "right")


def test_places_that_votes_fill_are_not_dealt_again(make: Make) -> None:
    study = make(**{**SIZES, "raters": 2})
    dealt = deal(study)
    keep(study, dealt)
    assert len(dealt.blocks) == 2
    file = write(study.folder / "a.json", body_of(study, dealt, 2))
    assert import_files(study, [file], 2e9).votes["counted"] == 4
    again = deal(study)
    keep(study, again)
    assert len(again.blocks) == 1 and again.id != dealt.id and set(kept(study)) == {dealt.id, again.id}
    file = write(study.folder / "b.json", {**body_of(study, again, 1), "session": "f" * 32})
    assert import_files(study, [file], 2e9).votes["counted"] == 4
    with pytest.raises(BenchError, match="nothing to deal out"):
        deal(study)
    assert lacking.lines(study) == ["every pair has all its votes"]


def test_a_changed_list_is_refused(make: Make) -> None:
    study = make(**SIZES)
    path = keep(study, deal(study))
    path.write_text(path.read_text().replace('"catch"', '"trial"', 1))
    with pytest.raises(BenchError, match="changed since"):
        kept(study)


# ---------------------------------------------------------------- the zip


def unpacked(study: Study, folder: Path, post: str = "") -> tuple[Path, Dealt]:
    dealt = deal(study)
    write_site(study, dealt, folder / "study.zip", post)
    keep(study, dealt)
    with zipfile.ZipFile(folder / "study.zip") as archive:
        archive.extractall(folder / "site")
    return folder / "site", dealt


def test_nothing_in_the_zip_tells_a_method(make: Make, tmp_path: Path) -> None:
    study = make(**SIZES, questions=load("pix2pixsc").questions)
    site, dealt = unpacked(study, tmp_path)
    words = [*NAMES, "itemname", "sqlite", "gold", "catch", "repeat", str(study.folder), *study.keys.values()]
    words += [path.stem for path in study.pictures.iterdir()]
    own = {"survey.js", "survey.css", "static.js"}  # the same in every study
    for path in site.rglob("*"):
        if path.is_file() and path.suffix != ".webp" and path.name not in own:
            for word in filter(None, words):
                assert word not in path.read_text() and word not in path.name, f"{word} in {path}"
    pictures = list((site / "i").iterdir())
    assert len({path.stat().st_size for path in pictures}) == 1
    shapes = {tuple(trial) for block in dealt.shown for trial in block if not trial["practice"]}
    assert len(shapes) == 1  # catch trials and repeats look like all others
    with zipfile.ZipFile(tmp_path / "study.zip") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        names = [entry.filename for entry in archive.infolist() if entry.filename.startswith("i/")]
    assert names == sorted(names)  # random names in their own order


def test_a_picture_has_another_name_in_every_pair(make: Make) -> None:
    dealt = deal(make(**SIZES))
    for block, shown in zip(dealt.blocks, dealt.shown, strict=True):
        first = [trial for one, trial in zip(block, shown, strict=True) if one.kind != "repeat"]
        names = [trial[place] for trial in first for place in ("left", "right", "exemplar")]
        assert len(set(names)) == len(names)


def test_the_page_asks_nothing_of_another_host(make: Make) -> None:
    text = page(make(**SIZES), "")
    policy = text.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "://" not in text and "<script>" not in text
    assert "connect-src https://a.org:8443;" in page(make(**SIZES), "https://a.org:8443/in?x=1")


def test_addresses_that_cannot_take_answers_are_refused(make: Make, tmp_path: Path) -> None:
    study = make(pairs=2, trials=2, raters=1)
    dealt = deal(study)
    for post in ("http://a.org/", "ftp://a.org", "https://", "https://a.org/;script-src *", "https://[a", "a.org"):
        with pytest.raises(BenchError, match=f"--post {re.escape(post)}"):
            write_site(study, dealt, tmp_path / "study.zip", post)
    assert not list(tmp_path.glob("*.zip"))


def test_texts_of_the_definition_are_text(make: Make) -> None:
    evil = "</script><script>alert(1)</script>"
    recruit = dataclasses.replace(RECRUITERS["open"], code=evil)
    study = make(**SIZES, recruit=recruit, texts=dataclasses.replace(load("pix2pixsc").texts, invitation=evil))
    assert "<script>" not in page(study, "")


def test_the_commands(make: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    study = make(**{**SIZES, "raters": 2})
    code, out, _ = bench(capsys, "survey", "static", str(study.folder), "--out", str(tmp_path / "x" / "s.zip"))
    assert code == 0 and "2 participants" in out and "?p=1 to p=2," in out
    dealt = next(iter(kept(study).values()))
    assert zipfile.ZipFile(tmp_path / "x" / "s.zip").read("README.txt").startswith(b"This")
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    code, out, _ = bench(capsys, "survey", "import", str(study.folder), str(bad))
    assert code == 1 and out.splitlines()[0] == f"refused {bad}: not JSON: empty, cut short or another kind of file"
    assert "4 of 4 pairs lack 8 votes" in out and f"participants 1-2 of list {dealt.id[:8]}" in out
    fill(study, by_chance(1))
    code, _, err = bench(capsys, "survey", "static", str(study.folder), "--out", str(tmp_path / "t.zip"))
    assert code == 2 and "nothing to deal out" in err
