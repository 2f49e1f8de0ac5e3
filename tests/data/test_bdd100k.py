"""BDD100K's published layouts on a tiny tree: what is read, what is refused, what is said about it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.config import PairsConfig, StreetConfig
from benchmark.data.bdd100k import BDD100K
from benchmark.data.bdd100k_scan import LAYOUTS
from benchmark.data.pairs import PairSampler
from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES, IGNORE
from benchmark.labelers.street_label import train_ids as labelled
from tests.data.bdd_maker import photo, train_ids, write_bdd

LOOSE = StreetConfig(max_bad=1.0, max_without_attributes=1.0)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_bdd(tmp_path / "bdd100k")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_kind_of_label_map_says_the_same(tmp_path: Path, layout: str) -> None:
    source = BDD100K(write_bdd(tmp_path / "bdd100k", layout), 64, StreetConfig())
    assert source.protocol.startswith(layout) and (source.width, source.height) == (64, 36)
    assert {c.id: (c.split, len(c)) for c in source.clips} == {
        "bdd100k-train-clear-daytime": ("train", 2),
        "bdd100k-train-rainy-night": ("train", 2),
        "bdd100k-val-clear-daytime": ("test", 2),
        "bdd100k-val-rainy-night": ("test", 2),
    }
    for clip in source.clips:
        for index in range(2):
            number = 3 * index + ("rainy" in clip.id)
            frame = Frame(clip.id, index)
            assert np.array_equal(source.parsing(frame), train_ids(number))
            assert np.array_equal(labelled(source.label(frame)), train_ids(number))
            assert np.abs(source.image(frame).astype(int) - photo(number)).mean() < 12  # a JPEG of it
            assert source.landmarks(frame).shape == (0, 2)
    assert source.report == ["4 of no style group: foggy, daytime (train/train02, train/train05, val/val02 and 1 more)"]


def test_pictures_shrink_and_parsings_keep_their_ids(tree: Path) -> None:
    source = BDD100K(tree, 32, StreetConfig())
    frame = Frame("bdd100k-train-clear-daytime", 0)
    assert source.image(frame).shape == (20, 32, 3)
    assert set(np.unique(source.parsing(frame))) <= set(np.unique(train_ids(0)))


def test_a_consistent_partner_is_any_photo_of_the_group(tmp_path: Path) -> None:
    source = BDD100K(write_bdd(tmp_path / "bdd100k", per_style=15), 64, StreetConfig())
    clips = tuple(clip for clip in source.clips if clip.split == "train")
    sampler = PairSampler(clips, PairsConfig(window=0, consistent_share=1.0))
    rng = np.random.default_rng(0)
    partners = {sampler.exemplar(Frame(clips[0].id, 0), rng)[0] for _ in range(300)}
    assert partners == {Frame(clips[0].id, i) for i in range(15)}


def damage(tree: Path, kind: str) -> str:
    """Spoil train00 in one way; return what must be said of it."""
    image = tree / "images/10k/train/train00.jpg"
    label = tree / "labels/sem_seg/masks/train/train00.png"
    if kind == "no photo":
        image.unlink()
        return "label map without a photo"
    if kind == "no label":
        label.unlink()
        return "photo without a label map"
    if kind == "half a photo":
        image.write_bytes(image.read_bytes()[:400])
        return "unreadable photo"
    if kind == "broken label":
        label.write_bytes(b"not a png")
        return "unreadable label map"
    if kind == "41 ids":
        Image.fromarray(np.full((36, 64), 35, np.uint8)).save(label)
        return "label ids 35 do not exist in train-19; bdd-41 would have it"
    if kind == "sizes":
        Image.fromarray(train_ids(0)[:, :60]).save(label)
        return "photo and label map differ in size"
    if kind == "colours":
        Image.fromarray(photo(0)).save(label)
        return "label map of mode RGB"
    Image.fromarray(photo(0)[:, :36]).save(image)
    Image.fromarray(train_ids(0)[:, :36]).save(label)
    return "not 16:9"


KINDS = ["no photo", "no label", "half a photo", "broken label", "41 ids", "sizes", "colours", "square"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_item_is_left_out_counted_and_named(tree: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    says = damage(tree, kind)
    source = BDD100K(tree, 64, LOOSE)
    assert sum(len(clip) for clip in source.clips) == 7
    assert any(line.startswith(f"1 {says}") and "train/train00" in line for line in source.report)
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_over_the_stated_share_the_data_is_refused(tree: Path, kind: str) -> None:
    says = damage(tree, kind)
    with pytest.raises(BenchError, match=r"1 of 1[23] items are unusable, street\.max_bad is 0\.05") as caught:
        BDD100K(tree, 64, StreetConfig())
    assert says in str(caught.value) and "\n" not in str(caught.value)
    assert BDD100K(tree, 64, replace(StreetConfig(), max_bad=0.1)).clips


def test_items_without_attributes_have_a_share_of_their_own(tree: Path) -> None:
    path = tree / "labels/det_20/det_train.json"
    path.write_text(json.dumps(json.loads(path.read_text())[1:]))
    assert any("no weather and time of day known (train/train00)" in line for line in BDD100K(tree, 64, LOOSE).report)
    with pytest.raises(BenchError, match=r"1 of 12 items have no attributes"):
        BDD100K(tree, 64, replace(StreetConfig(), max_without_attributes=0.0))


def test_attributes_may_stand_in_the_other_splits_file_or_in_one_file_a_photo(tree: Path) -> None:
    frames = [f for part in ("train", "val") for f in json.loads((tree / f"labels/det_20/det_{part}.json").read_text())]
    (tree / "labels/det_20/det_train.json").unlink()
    (tree / "labels/det_20/det_val.json").write_text(json.dumps(frames[1:]))
    (tree / "labels/100k/train").mkdir(parents=True)
    one = {"name": "train00", "attributes": frames[0]["attributes"], "frames": [{"objects": [{"category": "car"}]}]}
    (tree / "labels/100k/train/train00.json").write_text(json.dumps(one))
    assert sum(len(clip) for clip in BDD100K(tree, 64, StreetConfig()).clips) == 8


def test_train_ids_in_the_folder_of_41_ids_are_refused(tmp_path: Path) -> None:
    tree = write_bdd(tmp_path / "bdd100k", "pan_seg bitmasks")
    for part in ("train", "val"):
        for path in (tree / "labels/pan_seg/bitmasks" / part).iterdir():
            ids = np.asarray(Image.open(path))[..., 0] % len(CLASSES)  # each number by itself is a valid id of both
            Image.fromarray(ids).save(path)
    with pytest.raises(BenchError, match="these are train ids"):
        BDD100K(tree, 64, StreetConfig())


def test_groups_are_those_of_the_configuration(tree: Path) -> None:
    source = BDD100K(tree, 64, StreetConfig(groups=(("foggy", "daytime"),)))
    assert {clip.id for clip in source.clips} == {"bdd100k-train-foggy-daytime", "bdd100k-val-foggy-daytime"}


def test_the_scan_is_kept_until_a_file_changes(tree: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = BDD100K(tree, 64, StreetConfig())
    assert "left out" in capsys.readouterr().err
    again = BDD100K(tree, 64, StreetConfig())
    assert capsys.readouterr().err == "" and again.fingerprint == first.fingerprint and again.report == first.report
    assert again.clips == first.clips and len(list(cache.rglob("*.json"))) == 1
    frame = Frame("bdd100k-train-clear-daytime", 0)
    Image.fromarray(np.full((36, 64), IGNORE, np.uint8)).save(tree / "labels/sem_seg/masks/train/train00.png")
    with pytest.raises(BenchError, match=r"train00\.png: changed since"):
        first.parsing(frame)
    assert BDD100K(tree, 64, StreetConfig()).fingerprint != first.fingerprint


def test_size_and_photos_are_in_the_fingerprint(tree: Path) -> None:
    assert BDD100K(tree, 64, StreetConfig()).fingerprint != BDD100K(tree, 32, StreetConfig()).fingerprint


def test_other_folders_are_refused(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenchError, match="no label maps of BDD100K"):
        BDD100K(tmp_path / "empty", 64, StreetConfig())
    for path in (tree / "labels/det_20").iterdir():
        path.write_text("{")
    with pytest.raises(BenchError, match=r"det_train\.json: not JSON"):
        BDD100K(tree, 64, StreetConfig())
    for path in (tree / "labels/det_20").iterdir():
        path.unlink()
    with pytest.raises(BenchError, match="no attributes"):
        BDD100K(tree, 64, StreetConfig())


@pytest.mark.parametrize(
    ("groups", "says"),
    [((("sunny", "daytime"),), "sunny"), ((("clear", "noon"),), "noon"), ((), "at least one group")],
)
def test_groups_speak_bdds_words(groups: tuple[tuple[str, str], ...], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        StreetConfig(groups=groups)
