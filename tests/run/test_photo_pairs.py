"""Which photo goes with which: by name, each with each, or as a table says; and what cannot be paired is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.run.photo_pairs import list_pairs, read_pairs


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return photos(tmp_path / "labels", "b.png", "a.JPG", "far/c.jpeg", "notes.txt", "._a.jpg")


def test_two_folders_are_paired_by_name_whatever_the_suffix(labels: Path, tmp_path: Path) -> None:
    exemplars = photos(tmp_path / "exemplars", "a.webp", "b.png", "far/c.bmp")
    pairs = list_pairs(labels, exemplars)
    assert [pair.name for pair in pairs] == ["a", "b", "far__c"]
    assert [(pair.label.name, pair.exemplar.name) for pair in pairs][::2] == [("a.JPG", "a.webp"), ("c.jpeg", "c.bmp")]


def test_every_label_with_every_exemplar(labels: Path, tmp_path: Path) -> None:
    exemplars = photos(tmp_path / "exemplars", "x.png", "y.png")
    names = [pair.name for pair in list_pairs(labels, exemplars, "product")]
    assert names == ["a__x", "a__y", "b__x", "b__y", "far__c__x", "far__c__y"]


def test_one_photo_goes_with_a_whole_folder(labels: Path) -> None:
    one = labels / "b.png"
    assert [pair.name for pair in list_pairs(one, labels)] == ["b__a", "b__b", "b__far__c"]
    assert [pair.name for pair in list_pairs(labels, one)] == ["a__b", "b__b", "far__c__b"]
    assert [(pair.label, pair.exemplar) for pair in list_pairs(one, one)] == [(one, one)]


@pytest.mark.parametrize(
    ("exemplars", "words"),
    [
        (("a.png", "z.png"), r"3 photos have no partner of the same name: b\.png, c\.jpeg, z\.png; .*--pairs product"),
        (("notes.txt",), "no photos"),
        (("a.png", "a.jpg"), r"two photos called a: a\.jpg and a\.png"),
        ((), "no such file or folder"),
    ],
)
def test_what_cannot_be_paired_is_named(labels: Path, tmp_path: Path, exemplars: tuple[str, ...], words: str) -> None:
    with pytest.raises(BenchError, match=words):
        list_pairs(labels, photos(tmp_path / "exemplars", *exemplars))


def test_results_never_overwrite_each_other(tmp_path: Path) -> None:
    one, other = photos(tmp_path / "l", "a.png", "a__b.png"), photos(tmp_path / "e", "c.png", "b__c.png")
    with pytest.raises(BenchError, match=r"1 results share a name \(a__b__c\); rename a photo"):
        list_pairs(one, other, "product")


def test_a_table_names_photos_from_its_own_folder_and_results(labels: Path) -> None:
    (labels / "pairs.csv").write_text(
        "\ufefflabel, exemplar, out\na.JPG, far/c.jpeg, best/one.png\nb.png, a.JPG,\n\n", encoding="utf-8"
    )
    first, second = read_pairs(labels / "pairs.csv")
    assert (first.label, first.exemplar, first.name) == (labels / "a.JPG", labels / "far/c.jpeg", "best/one")
    assert second.name == "b__a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lable,exemplar\n", "unknown column 'lable'; did you mean 'label'"),
        ("label\na.JPG\n", "no column 'exemplar'"),
        ("", "no column 'label'"),
        ("label,exemplar\n", "holds no pairs"),
        ("label,exemplar\na.JPG,gone.jpg\n", r"line 2: exemplar: gone\.jpg: no such file"),
        ("label,exemplar\na.JPG\n", r"line 2: exemplar: \(empty\): no such file"),
        ("label,exemplar,out\na.JPG,b.png,../up\n", r"line 2: out: \.\./up: must be a name inside"),
        ("label,exemplar,out\na.JPG,b.png,x\nb.png,b.png,x.png\n", r"1 results share a name \(x\)"),
    ],
)
def test_a_table_that_is_not_right_is_told_with_its_line(labels: Path, text: str, words: str) -> None:
    (labels / "pairs.csv").write_text(text)
    with pytest.raises(BenchError, match=words):
        read_pairs(labels / "pairs.csv")


def test_a_table_that_is_no_text_is_one_line(labels: Path) -> None:
    (labels / "pairs.csv").write_bytes(b"\xff\xfe\x00label")
    with pytest.raises(BenchError, match="cannot be read"):
        read_pairs(labels / "pairs.csv")
    with pytest.raises(BenchError, match="cannot be read: No such file"):
        read_pairs(labels / "gone.csv")
