"""`bench synthesize` with a really trained (if hardly) method, on rendered faces that lie there as photos."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.data.batches import to_signed
from benchmark.data.boxes import resized
from benchmark.labelers.face_label import face_label
from benchmark.labelers.procedural import ProceduralDetector
from benchmark.run.photo_pairs import PhotoPair
from benchmark.run.trained import find_trained
from benchmark.run.wild import synthesize_photos
from tests.cli.test_bench import bench
from tests.labelers.test_landmarks import rendered
from tests.run.test_runner import Silent

SIZE, GAP = 32, 4
READ = ("--detector", "procedural")  # knows rendered faces


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from benchmark.cli import main

    folder = tmp_path_factory.mktemp("wild") / "run"
    small = ("train.steps=2", "train.decay_steps=0", "eval.items=2", "eval.bootstrap=20")
    overrides = [word for setting in small for word in ("--set", setting)]
    main(["run", "--preset", "smoke", "--methods", "copy-exemplar,pix2pixsc", *overrides, "--out", str(folder)])
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four faces, a grey wall and half a file."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, pixels in zip("abcd", rendered(96, people=4, frames=1)[0], strict=True):
        Image.fromarray(pixels).save(folder / f"{name}.png")
    Image.new("RGB", (96, 96), "grey").save(folder / "wall.png")
    (folder / "half.png").write_bytes((folder / "a.png").read_bytes()[:500])
    return folder


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def by_hand(photo: Path) -> tuple[np.ndarray, np.ndarray]:
    """Photo and label as the issue says them: enlarged to 512 px, landmarks, reduced."""
    crop = resized(pixels(photo), (512, 512))
    points = (ProceduralDetector().detect(crop[None])[0] + 0.5) * (SIZE / 512) - 0.5
    return resized(crop, (SIZE, SIZE)), face_label(points, SIZE)


def test_one_pair_is_what_the_method_makes_of_both_labels(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    pair = ("--label", str(photos / "a.png"), "--exemplar", str(photos / "b.png"))
    code, said, err = bench(capsys, "synthesize", str(run), "--method", "pix2pixsc", *pair, "--out", str(out), *READ)
    assert (code, err) == (0, "") and "pix2pixsc@0: labels by procedural-68" in said and "1 of 1 pictures" in said

    (_, label), (exemplar, exemplar_label) = by_hand(photos / "a.png"), by_hand(photos / "b.png")
    x, f_i = (torch.from_numpy(each[None]).float() / 255 for each in (label, exemplar_label))
    answer = find_trained(run, "pix2pixsc").load().synthesize(x, to_signed(exemplar[None]), f_i)
    expected = ((answer[0].permute(1, 2, 0) + 1) * 127.5).detach().round().numpy()
    np.testing.assert_allclose(pixels(out), expected, atol=1)

    strip = pixels(tmp_path / "out-strip.png")
    assert strip.shape == (SIZE + 2 * GAP, 3 * SIZE + 4 * GAP, 3)
    panels = [strip[GAP:-GAP, GAP + n * (SIZE + GAP) :][:, :SIZE] for n in range(3)]
    for panel, picture in zip(panels, (label[0][..., None].repeat(3, 2), exemplar, pixels(out)), strict=True):
        np.testing.assert_array_equal(panel, picture)
    assert (strip[:GAP] == 255).all() and (strip[:, -GAP:] == 255).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-strip.png", "out.png", "photos"]


def test_photos_that_fail_are_named_and_the_others_go_on(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, exemplar = tmp_path / "out", photos / "a.png"
    command = ("synthesize", str(run / "cells" / "pix2pixsc" / "0"), "--exemplar", str(exemplar), "--out", str(out))
    code, said, err = bench(capsys, *command, "--label", str(photos), *READ)
    assert code == 1 and "4 of 6 pictures" in said
    assert f"failed: no face on the crop: {photos}/wall.png" in err
    assert f"failed: not a readable picture: {photos}/half.png" in err
    assert {path.name for path in out.glob("*.png")} == {f"{name}__a.png" for name in "abcd"}
    assert {path.name for path in out.glob("strips/*")} == {path.name for path in out.glob("*.png")}
    records = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    assert records == [
        {"name": "half__a", "photo": str(photos / "half.png"), "reason": "not a readable picture"},
        {"name": "wall__a", "photo": str(photos / "wall.png"), "reason": "no face on the crop"},
    ]
    # Once nothing fails, no list of failures is left to mislead.
    assert bench(capsys, *command, "--label", str(photos / "c.png"), *READ)[0] == 0
    assert not (out / "failures.jsonl").exists() and (out / "d__a.png").exists()


def test_one_pair_that_fails_leaves_its_reason_beside_the_place_of_the_picture(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ("--label", str(photos / "a.png"), "--exemplar", str(photos / "wall.png"))
    start = ("synthesize", str(run), "--method", "pix2pixsc")
    assert bench(capsys, *start, *pair, "--out", str(tmp_path / "out.png"), *READ)[0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-failures.jsonl", "photos"]


def test_a_table_of_pairs_gives_the_same_pictures_as_one_by_one(
    run: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "pairs.csv").write_text("label,exemplar,out\na.png,b.png,x/1\nb.png,c.png,x/2\nc.png,a.png,3\n")
    start = ("synthesize", "--method", str(run), *READ)
    out = tmp_path / "out"
    assert bench(capsys, *start, "--pairs-list", str(photos / "pairs.csv"), "--out", str(out))[0] == 0
    one = tmp_path / "one.png"
    pair = ("--label", str(photos / "b.png"), "--exemplar", str(photos / "c.png"))
    assert bench(capsys, *start, *pair, "--out", str(one))[0] == 0
    np.testing.assert_allclose(pixels(out / "x" / "2.png").astype(int), pixels(one).astype(int), atol=1)
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.png")} == {
        *("x/1.png", "x/2.png", "3.png"),
        *("strips/x/1.png", "strips/x/2.png", "strips/3.png"),
    }


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--label", "photos/a.png"], "--label and --exemplar belong together"),
        (["--pairs", "product"], "--label and --exemplar belong together"),
        (["--pairs-list", "p.csv", "--label", "photos/a.png"], "--pairs-list: names all photos"),
        (["--label", "photos", "--exemplar", "photos", "--items", "3"], "--data, --items: choose test items"),
        (["--detector", "dlib"], "--detector, --parser: read photos"),
        (["--label", "gone", "--exemplar", "photos"], "--label gone: no such file"),
        (
            ["--label", "photos", "--exemplar", "photos", "--parser", "danet"],
            "the face task reads photos with --detector",
        ),
        (
            ["--label", "photos", "--exemplar", "photos", "--detector", "dlip"],
            "unknown labeler 'dlip'; did you mean 'dlib'",
        ),
        (["--label", "photos", "--exemplar", "photos", "--detector", "danet"], "danet"),
        (["--label", "photos", "--exemplar", "photos", "--out", "o.png", *READ], "one file for 6 results"),
        (["--label", "photos/a.png", "--exemplar", "photos/b.png", "--out", "o.jpg", *READ], "call it o.png"),
        (
            ["--label", "photos", "--exemplar", "photos", "--out", "photos", *READ],
            "would overwrite the photo photos/a.png",
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_2_before_anything_is_made(
    run: Path, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, args, words: str
) -> None:
    monkeypatch.chdir(photos.parent)
    before = sorted(photos.parent.rglob("*"))
    out = () if "--out" in args else ("--out", "out")
    code, _, err = bench(capsys, "synthesize", str(run), "--method", "pix2pixsc", *args, *out)
    assert code == 2 and err.startswith("bench: ") and len(err.splitlines()) == 1 and words in err
    assert sorted(photos.parent.rglob("*")) == before


def test_test_items_again_are_the_pictures_of_the_run(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, _ = bench(capsys, "synthesize", str(run), "--method", "pix2pixsc", "--out", str(tmp_path / "again"))
    assert code == 0 and "2 images" in said
    made = sorted((run / "images" / "pix2pixsc" / "0").glob("*.png"))
    assert [path.read_bytes() for path in made] == [(tmp_path / "again" / path.name).read_bytes() for path in made]
    assert len(list((tmp_path / "again" / "strips").iterdir())) == 2


@pytest.mark.parametrize(
    ("work", "args", "said"),
    [
        ("run.trained.find_trained", ("synthesize", "run", "--out", "o"), "bench: stopped"),
        (
            "data.prepare.prepare_videos",
            ("data", "prepare", "--videos", "v", "--out", "o"),
            "bench: stopped; the same command goes on from here",
        ),
    ],
)
def test_only_a_command_that_goes_on_says_so_when_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], work: str, args: tuple[str, ...], said: str
) -> None:
    def stopped(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"benchmark.{work}", stopped)
    code, _, err = bench(capsys, *args)
    assert (code, err.strip()) == (130, said)


def test_a_picture_that_is_no_number_is_a_failure_not_a_file(tmp_path: Path) -> None:
    class Method:
        reference = False

        def synthesize(self, x, I, F_I):  # noqa: E741
            I[0, 0, 0, 0] = float("nan")
            return I

    class Reader:
        def read(self, path: Path):
            image, label = np.zeros((8, 8, 3), np.uint8), np.zeros((2, 8, 8), np.uint8)
            return SimpleNamespace(image=image, joints=np.zeros((1, 2), np.float32), label=lambda: label, note="dim")

    config = SimpleNamespace(eval=SimpleNamespace(batch=2))
    trained = SimpleNamespace(
        load=Method,
        config=config,
        task=SimpleNamespace(label_picture=lambda label: label.repeat(3).reshape(8, 8, 6)[..., :3]),
    )
    pairs = [PhotoPair(Path("l"), Path("e"), name) for name in ("first", "second", "third")]
    outcome = synthesize_photos(trained, pairs, Reader(), tmp_path, Silent)  # type: ignore[arg-type]
    assert outcome.made == 1 and [failure.name for failure in outcome.failures] == ["first", "third"]
    assert [path.name for path in tmp_path.glob("*.png")] == ["second.png"]
    assert outcome.notes == {"l": "dim", "e": "dim"}
