"""F(.) on single photos: opened as cameras mean them, cropped as the training data, refused with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmark import config as configuration
from benchmark.data.face_crop import crop_box, cut_face
from benchmark.data.photos import DancePhotos, Dropped, FacePhotos, StreetPhotos, open_reader
from benchmark.data.photos.dance import JointFiles
from benchmark.data.photos.reading import middle_box, read_photo
from benchmark.data.video import Video
from benchmark.errors import BenchError
from benchmark.labelers.face_label import face_label
from benchmark.labelers.parsing import get_parser
from benchmark.labelers.pose_label import pose_label
from benchmark.labelers.street_label import train_ids
from benchmark.protocols import TaskInfo
from tests.benchmarks.face_label import example_face

FACE = TaskInfo("face", 15, 64, 64, joints=68)
DANCE = TaskInfo("dance", 23, 64, 64, joints=18)
STREET = TaskInfo("street", 20, 36, 64)
NOISE = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", NOISE)


class Faces:
    """A finder that knows where the faces are: `sides` in px, side by side from the left."""

    name = protocol = "faces"

    def __init__(self, *sides: int) -> None:
        self.sides, self.asked = sides, list[float]()

    def faces(self, image: np.ndarray, smallest: float) -> list[np.ndarray]:
        self.asked.append(smallest)
        lefts = np.cumsum([0, *self.sides])
        return [
            (example_face(side) + np.array([left, 60])).astype(np.float32)
            for side, left in zip(self.sides, lefts, strict=False)
            if np.ptp(example_face(side)[:, 0]) >= smallest
        ]

    def detect(self, images: np.ndarray) -> np.ndarray:
        return np.stack([example_face(image.shape[0]) for image in images]).astype(np.float32)


def test_the_largest_face_is_cropped_as_in_the_preparation(photo: Path) -> None:
    finder = Faces(100, 180)
    reading = FacePhotos(finder, FACE, as_is=False).read(photo)
    box = crop_box(finder.faces(NOISE, 0)[1], NOISE.shape, min_crop=64)
    image, points = cut_face(NOISE, box, finder, 64)
    np.testing.assert_array_equal(reading.image, image)
    np.testing.assert_array_equal(reading.joints, points)
    np.testing.assert_array_equal(reading.label(), face_label(points, 64))
    assert reading.note == "2 faces, the largest was taken"
    assert FacePhotos(Faces(180), FACE, as_is=False).read(photo).note == ""


def test_small_faces_are_looked_for_where_there_are_no_larger_ones(tmp_path: Path) -> None:
    photo, nobody, small = save(tmp_path / "large.png", np.tile(NOISE, (2, 2, 1))), Faces(), Faces(90)
    with pytest.raises(Dropped, match=r"^no face$"):
        FacePhotos(nobody, FACE, as_is=False).read(photo)
    assert nobody.asked == [600 / 8, 600 / 16]
    assert 600 / 16 < np.ptp(example_face(90)[:, 0]) < 600 / 8
    assert FacePhotos(small, FACE, as_is=False).read(photo).image.shape == (64, 64, 3)


def test_a_real_face_is_found_cropped_and_drawn(clips: Path, tmp_path: Path) -> None:
    _, frame = next(Video(clips / "faces" / "man.mp4").frames())
    path = save(tmp_path / "man.jpg", frame, quality=95)
    reader = open_reader("face", config(), FACE)
    assert reader.protocol.startswith("dlib-68[")
    reading = reader.read(path)
    middle = reading.joints[27:36].mean(axis=0)  # the nose
    assert np.abs(middle - (32, 35)).max() < 6 and (reading.label()[0] > 0).mean() > 0.02


@pytest.mark.parametrize(("orientation", "turned"), [(1, NOISE), (6, np.rot90(NOISE, -1)), (2, NOISE[:, ::-1])])
def test_photos_stand_upright_as_the_camera_says(tmp_path: Path, orientation: int, turned: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(read_photo(save(tmp_path / "p.png", NOISE, exif=exif)), turned)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (NOISE[..., 0].astype(np.uint16) << 8, "pixels of type I;16"),
        (np.dstack([NOISE, NOISE[..., :1]]), "partly transparent"),
        (None, "not a readable picture"),
    ],
)
def test_pictures_that_need_a_guess_are_refused(tmp_path: Path, pixels: np.ndarray | None, reason: str) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(b"\x89PNG") if pixels is None else save(path, pixels)
    with pytest.raises(Dropped, match=reason):
        read_photo(path)


def test_grey_and_opaque_pictures_are_photos_too(tmp_path: Path) -> None:
    opaque = np.dstack([NOISE, np.full_like(NOISE[..., :1], 255)])
    np.testing.assert_array_equal(read_photo(save(tmp_path / "a.png", opaque)), NOISE)
    grey = read_photo(save(tmp_path / "g.png", NOISE[..., 0]))
    np.testing.assert_array_equal(grey, np.repeat(NOISE[..., :1], 3, axis=2))


class Halves:
    """A parser that calls the brighter half of each picture sky (10), the other road (0)."""

    name, protocol = "halves", "halves-1"
    seen: tuple[int, ...] = ()

    def parse(self, images: np.ndarray) -> np.ndarray:
        self.seen = images.shape[1:3]
        return np.where(images[..., 0] > 127, 10, 0).astype(np.uint8)


def test_a_street_is_the_middle_of_the_photo_in_sixteen_to_nine(tmp_path: Path) -> None:
    photo = np.zeros((2000, 3200, 3), np.uint8)
    photo[:1000] = 255
    parser = Halves()
    reading = StreetPhotos(parser, STREET, as_is=False).read(save(tmp_path / "p.png", photo))
    assert parser.seen == (720, 1280) and reading.image.shape == (36, 64, 3) and reading.joints.shape == (0, 2)
    ids = train_ids(reading.label())
    assert (ids[:17] == 10).all() and (ids[19:] == 0).all()
    assert (reading.image[:17] == 255).all() and (reading.image[19:] == 0).all()


def test_a_precomputed_parsing_is_found_by_the_whole_photo(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "protocol.txt").write_text("mine")
    photo = save(tmp_path / "images" / "p.png", NOISE[:, :, :])
    ids = np.repeat(np.arange(4, dtype=np.uint8), 100)[None].repeat(300, axis=0)  # four columns of 100 px
    save(tmp_path / "labels" / "p.png", ids)
    reading = open_reader("street", config(), STREET, parser=f"precomputed:{tmp_path}").read(photo)
    assert train_ids(reading.label())[7].tolist() == np.repeat(range(4), 16).tolist()
    with pytest.raises(BenchError, match="not among the 1 there"):
        open_reader("street", config(), STREET, parser=f"precomputed:{tmp_path}").read(save(tmp_path / "q.png", ~NOISE))
    get_parser.cache_clear()


class Bodies:
    """One joint detector that sees the same dancer everywhere, at `joints` px of the photo."""

    name, protocol = "bodies", "bodies-1"

    def __init__(self, joints: np.ndarray) -> None:
        self.joints = joints

    def detect(self, images: np.ndarray) -> np.ndarray:
        return np.repeat(self.joints[None], len(images), axis=0)


def dancer() -> np.ndarray:
    """18 joints between x 150 and 190, y 100 and 200."""
    rng = np.random.default_rng(1)
    joints = rng.uniform((150, 100), (190, 200), (18, 2)).astype(np.float32)
    joints[:2] = (150, 100), (190, 200)
    return joints


def test_a_dancer_is_cropped_to_a_square_and_keeps_the_joints_places(photo: Path) -> None:
    joints = dancer()
    joints[17] = np.nan
    reading = DancePhotos(Bodies(joints), DANCE, as_is=False).read(photo)
    assert reading.image.shape == (64, 64, 3) and reading.joints.dtype == np.float32
    scale = np.ptp(reading.joints[:2, 1]) / 100
    np.testing.assert_allclose(np.diff(reading.joints[:17], axis=0), np.diff(joints[:17], axis=0) * scale, atol=1e-3)
    assert 0.4 < scale < 0.6 and np.isnan(reading.joints[17]).all()  # 130 px become 64
    np.testing.assert_allclose(np.nanmin(reading.joints, axis=0) + np.nanmax(reading.joints, axis=0), 63, atol=1)
    expected = pose_label(reading.joints, np.zeros((64, 64, 3), np.uint8))
    np.testing.assert_array_equal(reading.label(), expected)
    assert (expected[:3] == 0).all() and expected[3:6].any()


@pytest.mark.parametrize(
    ("joints", "reason"),
    [
        (np.full((18, 2), np.nan, np.float32), "^nobody$"),
        (np.where(np.arange(18)[:, None] < 3, dancer(), np.nan).astype(np.float32), "too few joints"),
        (dancer() / 8, "too small"),
    ],
)
def test_photos_without_a_dancer_are_refused(photo: Path, joints: np.ndarray, reason: str) -> None:
    with pytest.raises(Dropped, match=reason):
        DancePhotos(Bodies(joints), DANCE, as_is=False).read(photo)


def test_openpose_files_lie_beside_the_photos(photo: Path) -> None:
    reader = open_reader("dance", config(), DANCE, detector="openpose-json")
    with pytest.raises(Dropped, match=r"no photo\.json beside it"):
        reader.read(photo)
    rows = np.column_stack([dancer(), np.full(18, 0.9)])
    faint = np.column_stack([dancer() + 50, np.full(18, 0.2)])
    people = [{"pose_keypoints_2d": person.ravel().tolist()} for person in (faint, rows)]
    photo.with_name("photo_keypoints.json").write_text(json.dumps({"people": people}))
    reading = reader.read(photo)
    expected = DancePhotos(Bodies(dancer()), DANCE, as_is=False).read(photo)
    np.testing.assert_allclose(reading.joints, expected.joints, atol=1e-4)
    assert reading.note == "2 people, the surest was taken" and JointFiles.protocol == reader.protocol


def test_a_detector_of_something_else_is_told(photo: Path) -> None:
    reader = DancePhotos(Bodies(np.zeros((68, 2), np.float32)), DANCE, as_is=False)
    with pytest.raises(BenchError, match="finds 68 points, a body has 18"):
        reader.read(photo)
    with pytest.raises(BenchError, match="cannot find faces in whole photos"):
        FacePhotos(SimpleNamespace(name="crops", protocol=""), FACE, as_is=False)


def test_an_own_labeler_of_rendered_pictures_is_not_used_on_photos() -> None:
    base = config()
    rendered = replace(base, eval=replace(base.eval, detector="procedural"))
    assert open_reader("face", rendered, FACE).protocol.startswith("dlib-68[")
    assert open_reader("face", rendered, FACE, detector="procedural").protocol.startswith("procedural-68[")


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("toy", {}, "the toy task cannot label photos; face, dance, street can"),
        ("face", {"parser": "danet"}, "--parser danet: the face task reads photos with --detector, e.g. dlib"),
        ("street", {"detector": "dlib"}, "--detector dlib: the street task reads photos with --parser, e.g. danet"),
        ("street", {"parser": "dlib"}, "'dlib' finds points"),
        ("street", {"parser": "dlib:x"}, "'dlib' finds points"),
        ("face", {"detector": "dlib:x"}, "take no argument"),
        ("dance", {"detector": "openpose-json:folder"}, r"put NAME\.json beside each photo"),
        ("dance", {"detector": "danet"}, "--detector danet: finds no joints; take keypoint-rcnn"),
        ("dance", {"detector": "mediapipe:x"}, "mediapipe takes nothing after the colon"),
        ("dance", {"detector": "procedural-pose:x"}, "procedural-pose takes nothing after the colon"),
    ],
)
def test_a_wrong_labeler_is_told_at_once(task: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(BenchError, match=words):
        open_reader(task, config(), TaskInfo(task, 1, 64, 64), **options)


def test_the_middle_of_tall_and_wide_photos() -> None:
    assert middle_box(np.empty((90, 200, 3)), (16, 9)) == (20, 0, 180, 90)
    assert middle_box(np.empty((200, 160, 3)), (16, 9)) == (0, 55, 160, 145)


def config() -> configuration.Config:
    return configuration.load("smoke", "face", [])
