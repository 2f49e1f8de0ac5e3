"""Preparing dance videos: crops, joints and part maps belong together, bad input is counted, and the result trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.cli import main
from benchmark.data.manifest import changed_files, read_manifest
from benchmark.data.prepare import prepare_videos
from benchmark.data.prepare_dance import DanceSettings
from benchmark.data.prepared_dance import PreparedDance
from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.labelers.pose_label import parts_of, pose_label
from tests.data.dance_maker import (
    figure,
    part_map,
    write_dancers,
    write_figures,
    write_joints,
    write_parts,
)

FRAMES = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One figure that moves a little and one that does not, with joints and part maps."""
    for name, step in (("ann", 5), ("bob", 0)):
        people = [figure(100 + step * n, 50) for n in range(FRAMES)]
        write_figures(tmp_path, name, [[person] for person in people])
        for number, person in enumerate(people):
            write_parts(tmp_path / "parts", name, number, part_map(person))
    return tmp_path


def prepared(folder: Path, parts: bool = False, max_bad: float = 0.5, **options: object) -> list[str]:
    settings = DanceSettings(
        size=64,
        detector=f"openpose-json:{folder / 'joints'}",
        parts=str(folder / "parts") if parts else "",
        **options,  # type: ignore[arg-type]
    )
    return prepare_videos(folder / "videos", folder / "out", settings, max_bad=max_bad, progress=False)


def frames_of(source: PreparedDance) -> list[Frame]:
    return [Frame(clip.id, index) for clip in source.clips for index in range(len(clip))]


def test_first_halves_train_and_second_halves_test(folder: Path) -> None:
    report = prepared(folder)
    assert report[:2] == ["ann.mp4: kept 6 of 6 frames", "bob.mp4: kept 6 of 6 frames"]
    assert report[2].startswith("split by time") and report[2].endswith("test 6 frames of 2 clips")
    source = PreparedDance(folder / "out", 64)
    assert [(clip.id, clip.split, clip.times) for clip in source.clips if clip.id.startswith("ann")] == [
        ("ann.1", "train", (0, 1, 2)),
        ("ann.2", "test", (3, 4, 5)),
    ]


@pytest.mark.parametrize("size", [64, 32])
def test_joints_lie_where_the_crop_shows_them(folder: Path, size: int) -> None:
    prepared(folder, parts=True)
    source = PreparedDance(folder / "out", size)
    for frame in frames_of(source):
        image, joints, parts = source.image(frame).astype(int), source.landmarks(frame), source.densepose(frame)
        ys, xs = np.nonzero((image[..., 0] > 150) & (image[..., 1] < 110))  # the red square on the neck
        assert np.hypot(*(joints[1] - (xs.mean(), ys.mean()))) < 1
        bright = image.max(axis=2) > 125
        body = parts[..., 0] == 1
        assert (bright & body).sum() / (bright | body).sum() > 0.85
        assert set(np.unique(parts.reshape(-1, 3), axis=0).ravel()) <= {0, 1, 100, 200}
        np.testing.assert_array_equal(source.label(frame), pose_label(joints, parts))


def test_a_crop_stands_still_while_the_body_stays_inside(folder: Path) -> None:
    prepared(folder)
    source = PreparedDance(folder / "out", 64)
    necks = np.stack([source.landmarks(frame)[1] for frame in frames_of(source) if frame.clip.startswith("ann")])
    side = 1.3 * 120  # px of the video that the crop shows
    np.testing.assert_allclose(np.diff(necks[:, 0]), 5 * 64 / side, atol=0.02)


def test_without_part_maps_labels_are_empty_there_and_results_will_say_so(folder: Path) -> None:
    prepared(folder)
    bare = PreparedDance(folder / "out", 64)
    label = bare.label(Frame("ann.1", 0))
    assert not label[:3].any() and label[3:6].any()
    assert "no DensePose part maps" in bare.cautions[0]
    prepared(folder)  # a second call changes nothing
    assert PreparedDance(folder / "out", 64).fingerprint == bare.fingerprint


def test_part_maps_reach_the_label(folder: Path) -> None:
    prepared(folder, parts=True)
    source = PreparedDance(folder / "out", 64)
    assert source.cautions == () and set(np.unique(parts_of(source.label(Frame("bob.2", 1))))) == {0, 1}
    assert list(changed_files(folder / "out")) == []
    name = read_manifest(folder / "out").clips[0]["parts"][1]
    Image.new("RGB", (64, 64)).save(folder / "out" / name)
    with pytest.raises(BenchError, match=f"{name}: changed since prepare"):
        source.densepose(Frame("ann.1", 1))
    with pytest.raises(BenchError, match=f"{name}: changed since prepare"):
        source.verify()


# Bad input -----------------------------------------------------------------------------------------------------------


def json_of(folder: Path, number: int) -> Path:
    return folder / "joints" / f"ann_{number:012d}_keypoints.json"


def edit(folder: Path, number: int, change: Callable[[list[float]], list[float]]) -> None:
    tree = json.loads(json_of(folder, number).read_text())
    tree["people"][0]["pose_keypoints_2d"] = change(tree["people"][0]["pose_keypoints_2d"])
    json_of(folder, number).write_text(json.dumps(tree))


BAD: dict[str, Callable[[Path], object]] = {
    "no joint file": lambda f: json_of(f, 2).unlink(),
    "unreadable joint file": lambda f: json_of(f, 2).write_text('{"people": [{"pose_k'),
    "joint file with another number of joints": lambda f: edit(f, 2, lambda row: row[:-3]),
    "joints outside the frame": lambda f: edit(f, 2, lambda row: [4 * value for value in row]),
    "nobody": lambda f: write_joints(f / "joints", "ann", 2),
    "too few joints": lambda f: edit(f, 2, lambda row: row[: 7 * 3] + [0.0] * (11 * 3)),
    "lost among several people": lambda f: write_joints(
        f / "joints", "ann", 2, figure(10, 100, 30, 60), figure(250, 50, 40, 90)
    ),
    "no part map": lambda f: (f / "parts/ann/000002_IUV.png").unlink(),
    "unreadable part map": lambda f: (f / "parts/ann/000002_IUV.png").write_bytes(b"\x89PNG"),
    "part map of another size than the frame": lambda f: write_parts(
        f / "parts", "ann", 2, np.zeros((64, 64, 3), np.uint8)
    ),
    "part map with parts above 24": lambda f: write_parts(f / "parts", "ann", 2, part_map(figure(90, 50))[..., ::-1]),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_frame_is_counted_and_named(folder: Path, reason: str) -> None:
    BAD[reason](folder)
    report = prepared(folder, parts=True)
    assert report[0] == f"ann.mp4: kept 5 of 6 frames; dropped: {reason} 1"
    assert [line["times"] for line in read_manifest(folder / "out").clips][:2] == [[0, 1], [3, 4, 5]]
    with pytest.raises(BenchError, match=rf"1 of 12 frames are bad, --max-bad is 0\.05: ann\.mp4: .*{reason}"):
        prepared(folder, parts=True, max_bad=0.05)


def test_what_is_kept_all_the_same_is_noted(folder: Path) -> None:
    write_joints(folder / "joints", "ann", 2, figure(30, 40, 20, 40), figure(110, 50))
    write_joints(folder / "joints", "ann", 5, figure(10, 90))
    write_joints(folder / "joints", "ann", 9, figure(90, 50))
    report = prepared(folder)
    assert report[0] == (
        "ann.mp4: kept 6 of 6 frames; noted: several people 1, suddenly elsewhere, perhaps somebody else 1, "
        "joint file without a frame 1"
    )
    neck = PreparedDance(folder / "out", 64).landmarks(Frame("ann.1", 2))[1]
    assert abs(neck[0] - 32) < 8  # still the one who was followed


def test_frames_passed_over_by_a_rule_are_not_bad(folder: Path) -> None:
    for number in range(FRAMES):
        write_joints(folder / "joints", "ann", number, figure(0, 0, 60, 120))
    report = prepared(folder, outside="drop", max_bad=0.5)
    assert report[0] == "ann.mp4: refused: only 0 of 6 frames usable, 2 needed (outside frame 6)"
    with pytest.raises(BenchError, match=r"1 of 2 videos are bad, --max-bad is 0\.2"):
        prepared(folder, outside="drop", max_bad=0.2)


def test_new_joints_for_an_old_video_are_noticed(folder: Path) -> None:
    prepared(folder)
    before = PreparedDance(folder / "out", 64).landmarks(Frame("bob.1", 0))
    write_joints(folder / "joints", "bob", 0, figure(100, 50, 90, 120))
    prepared(folder)
    assert np.abs(PreparedDance(folder / "out", 64).landmarks(Frame("bob.1", 0)) - before).max() > 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (DanceSettings(detector="openpose-json"), "give the folder of JSON files after the colon"),
        (DanceSettings(detector="openpose-json:absent"), "openpose-json:absent: give the folder"),
        (DanceSettings(detector="dlib"), "--detector dlib: finds no people in photos; use keypoint-rcnn"),
        (DanceSettings(detector="keypoint-rcn"), "did you mean 'keypoint-rcnn'"),
        (DanceSettings(detector="keypoint-rcnn:50"), "keypoint-rcnn takes nothing after the colon"),
        (DanceSettings(parts="absent"), "--parts absent: not a folder"),
        (DanceSettings(size=2000), "--size 2000: must lie between 16 and 1024"),
    ],
)
def test_bad_settings_are_named(folder: Path, settings: DanceSettings, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        prepare_videos(folder / "videos", folder / "out", settings, progress=False)


def test_a_folder_of_another_task_is_refused(folder: Path) -> None:
    from benchmark.data.prepared import PreparedFaces

    prepared(folder)
    with pytest.raises(BenchError, match="holds dancers, of no use to the face task"):
        PreparedFaces(folder / "out", 64)


# From videos to results ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_rendered_dancers_from_video_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dancers(tmp_path)
    out, run = tmp_path / "out", tmp_path / "run"
    joints, parts = f"openpose-json:{tmp_path / 'joints'}", str(tmp_path / "parts")
    given = ["--videos", str(tmp_path / "videos"), "--detector", joints, "--parts", parts, "--min-crop", "64"]
    main_exits(0, "data", "prepare", "--task", "dance", *given, "--out", str(out), "--size", "64", "--quiet")
    assert f"bench run --task dance --data {out}" in capsys.readouterr().out
    main_exits(0, "data", "verify", str(out))
    assert "12 frames of 4 clips" in capsys.readouterr().out
    main_exits(0, "data", "show", "--task", "dance", "--data", str(out), "--out", str(tmp_path / "s.png"))
    sheet = np.asarray(Image.open(tmp_path / "s.png"))
    assert sheet.shape == (4 * 128, 6 * 128, 3) and (sheet.max(axis=2) - sheet.min(axis=2) > 150).any()
    chosen = ["--set", "eval.items=4", "--set", "train.steps=2", "--set", "eval.detector=procedural-pose"]
    methods = ["--methods", "copy-exemplar,pix2pixhd", "--preset", "smoke", *chosen]
    main_exits(0, "run", "--task", "dance", "--data", str(out), *methods, "--out", str(run))
    results = json.loads((run / "results.json").read_text())
    assert {row["name"]: row["problem"] for row in results["methods"]}["pix2pixhd"] in (None, "")
    assert (run / "report.html").is_file() and not any("Rendered data" in text for text in results["cautions"])


def main_exits(code: int, *args: str) -> None:
    try:
        main(list(args))
        ended = 0
    except SystemExit as stop:
        ended = int(stop.code or 0)
    assert ended == code, args
