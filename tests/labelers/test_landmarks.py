"""Landmark detectors: chosen by name, right on what they are for, and silent (NaN) where there is no face."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.data.procedural.face import landmarks, render, sample_clip
from benchmark.data.video import Video
from benchmark.errors import BenchError
from benchmark.labelers.landmarks import get_detector
from benchmark.labelers.procedural import WEIGHTS, ProceduralDetector


def rendered(size: int, people: int = 10, frames: int = 2) -> tuple[np.ndarray, np.ndarray]:
    clips = [sample_clip(0, 500 + person, frames) for person in range(people)]
    photos = [render(state, appearance, size) for states, appearance in clips for state in states]
    return np.stack(photos), np.stack([landmarks(state, size) for states, _ in clips for state in states])


def faceless(size: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, size).astype(np.uint8)[:, None], (size, size, 3))
    return np.stack([np.full((size, size, 3), level, np.uint8) for level in (0, 128, 255)] + [noise, ramp])


@pytest.mark.parametrize("size", [32, 64, 256])
def test_procedural_finds_the_rendered_points(size: int) -> None:
    photos, points = rendered(size)
    found = get_detector("procedural").detect(photos)
    assert found.shape == points.shape and found.dtype == np.float32
    distance = np.linalg.norm(found - points, axis=2).mean(axis=1) / size
    assert np.isfinite(distance).mean() >= 0.9
    assert np.nanmedian(distance) < 0.02  # 1.3 px of 64


def test_procedural_reads_pixels_not_names() -> None:
    """A photo moved by 4 px moves the points by 4 px: nothing but the pixels can have said so."""
    photos, _ = rendered(64)
    detector = get_detector("procedural")
    still, moved = detector.detect(photos), detector.detect(np.roll(photos, 4, axis=2))
    assert np.nanmedian((moved - still)[..., 0]) == pytest.approx(4, abs=0.6)
    assert np.nanmedian((moved - still)[..., 1]) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("size", [32, 64, 256])
def test_procedural_sees_no_face_in_grey_or_noise(size: int) -> None:
    assert np.isnan(ProceduralDetector().detect(faceless(size))).all()


def test_procedural_batches_are_independent() -> None:
    photos, _ = rendered(64, people=3)
    mixed = np.concatenate([photos, faceless(64)])
    detector = get_detector("procedural")
    alone = np.concatenate([detector.detect(photo[None]) for photo in mixed])
    np.testing.assert_allclose(detector.detect(mixed), alone, atol=1e-3)
    assert detector.detect(photos[:0]).shape == (0, 68, 2)


def test_procedural_weights_are_small_and_named_in_the_protocol(tmp_path: Path) -> None:
    assert WEIGHTS.stat().st_size <= 2 * 2**20
    shipped = get_detector("procedural").protocol
    damaged = tmp_path / "weights.safetensors"
    damaged.write_bytes(WEIGHTS.read_bytes()[:1000])
    with pytest.raises(BenchError, match=r"weights\.safetensors: not the weights of this network"):
        ProceduralDetector(damaged)
    with pytest.raises(BenchError, match="is missing; python scripts/train"):
        ProceduralDetector(tmp_path / "absent")
    assert shipped.startswith("procedural-68[") and len(shipped) == len("procedural-68[") + 9


def test_dlib_finds_the_face_at_every_size(clips: Path) -> None:
    import cv2

    pytest.importorskip("dlib", reason="needs the extra `face`")
    detector = get_detector("dlib")
    _, frame = next(Video(clips / "faces" / "man.mp4").frames())
    crop = cv2.resize(frame[14:354, 136:450], (256, 256), interpolation=cv2.INTER_AREA)
    large = detector.detect(crop[None])[0] / 256
    for size, tolerance in ((64, 0.01), (128, 0.008)):
        small = detector.detect(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)[None])[0] / size
        assert np.linalg.norm(small - large, axis=1).mean() < tolerance
    assert 0.2 < large[36, 0] < large[45, 0] < 0.8  # the right eye is the one on the image's left
    assert large[27, 1] < large[33, 1] < large[57, 1] < large[8, 1]  # nose root, nose, lip, chin
    assert np.isnan(detector.detect(faceless(64))).all()


def test_dlib_takes_the_largest_face(clips: Path) -> None:
    pytest.importorskip("dlib", reason="needs the extra `face`")
    import cv2

    _, frame = next(Video(clips / "faces" / "man.mp4").frames())
    face = frame[14:354, 136:450]
    both = np.full((340, 500, 3), 200, np.uint8)
    both[:, :314] = face
    both[100:270, 330:487] = cv2.resize(face, (157, 170), interpolation=cv2.INTER_AREA)
    detector = get_detector("dlib")
    assert detector.detect(both[None])[0, :, 0].mean() < 314


def test_face_alignment_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its weights need a network, so a stand-in with its interface answers: one face, two faces, none."""
    import types

    small, large = np.zeros((68, 2)), np.linspace(0, 50, 136).reshape(68, 2)
    answers = iter([[small], [small, large], None])

    class FaceAlignment:
        def __init__(self, kind: int, *, flip_input: bool, device: str, compile: bool) -> None:
            assert (kind, flip_input, compile) == (1, False, False)

        def get_landmarks_from_image(self, image: np.ndarray) -> list[np.ndarray] | None:
            return next(answers)

    module = types.ModuleType("face_alignment")
    module.FaceAlignment = FaceAlignment  # type: ignore[attr-defined]
    module.LandmarksType = types.SimpleNamespace(TWO_D=1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "face_alignment", module)
    found = get_detector("face-alignment").detect(np.zeros((3, 8, 8, 3), np.uint8))
    np.testing.assert_array_equal(found[0], small)
    np.testing.assert_allclose(found[1], large, rtol=1e-6)
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(("name", "module"), [("dlib", "dlib"), ("face-alignment", "face_alignment")])
def test_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch, name: str, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # makes the import fail
    with pytest.raises(BenchError, match=r"pip install 'exemplar-bench\[face"):
        get_detector(name)


def test_unknown_detector_names_the_nearest() -> None:
    with pytest.raises(BenchError, match="did you mean 'dlib'"):
        get_detector("dlibs")
