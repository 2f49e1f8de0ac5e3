"""Identity: the distance of dlib's own embeddings, failures, what it refuses, and how a run asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmark.config import load
from benchmark.data.procedural.world import ProceduralFaces
from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.labelers.face_label import face_label
from benchmark.metrics.identity import FaceNetwork, IdentityDistance
from benchmark.protocols import Exam, TaskInfo
from benchmark.run.cell import metric_names
from benchmark.run.plan import make_plan
from benchmark.tasks.face import FaceTask

dlib = pytest.importorskip("dlib", reason="dlib is not installed (extra: face)")


@cache
def faces() -> tuple[np.ndarray, np.ndarray]:
    """Two frames of one rendered person and one of another: uint8 (3, 64, 64, 3), points (3, 68, 2)."""
    source = ProceduralFaces(4, 3, 64, 0, label_fn=face_label)
    frames = [Frame(source.clips[clip].id, index) for clip, index in ((0, 0), (0, 2), (1, 0))]
    return np.stack([source.image(f) for f in frames]), np.stack([source.landmarks(f) for f in frames])


@cache
def embedded() -> np.ndarray:
    return FaceNetwork().embed(*faces())


def by_dlib(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The same in dlib's other way: cut out and align the face first, then describe the chip."""
    network = FaceNetwork()
    large = cv2.resize(image, (256, 256), interpolation=cv2.INTER_CUBIC)
    marks = [dlib.point(round(4 * x + 1.5), round(4 * y + 1.5)) for x, y in points.astype(float)]
    xs, ys = [m.x for m in marks], [m.y for m in marks]
    shape = dlib.full_object_detection(dlib.rectangle(min(xs), min(ys), max(xs), max(ys)), dlib.points(marks))
    chip = dlib.get_face_chip(large, shape, size=150, padding=0.25)
    return np.array(network._network.compute_face_descriptor(chip))


def test_embedding_is_dlibs_of_the_aligned_chip() -> None:
    images, points = faces()
    assert embedded().shape == (3, 128)
    assert embedded()[0] == pytest.approx(by_dlib(images[0], points[0]), abs=1e-6)


def test_one_person_is_nearer_than_another() -> None:
    first, again, other = embedded()
    assert np.linalg.norm(first - again) < np.linalg.norm(first - other)


def test_scores_are_distances_to_the_exemplar_and_failures_none(
    make_exam: Callable[..., Exam], monkeypatch: pytest.MonkeyPatch, detector: object
) -> None:
    exam = make_exam(items=3, side=64)
    table = {picture.tobytes(): vector for picture, vector in zip(faces()[0], embedded(), strict=True)}
    monkeypatch.setattr(
        FaceNetwork,
        "_one",
        lambda self, image, face: np.full(128, np.nan) if np.isnan(face).any() else table[image.tobytes()],
    )
    results, exemplars = faces()[0][[0, 1, 2]], faces()[0][[0, 2, 2]]
    for pictures in (results, exemplars):
        pictures[:, 0, 0, 0] = 0
    table = {picture.tobytes(): vector for picture, vector in zip(results, embedded(), strict=True)}
    exam.exemplars[:] = exemplars
    blind = results.copy()
    blind[2, 0, 0, 0] = 255  # the detector of the tests finds nothing there
    [score] = IdentityDistance().score(exam, blind)
    assert score.values == [0.0, pytest.approx(np.linalg.norm(embedded()[1] - embedded()[2])), None]
    assert score.metric == "identity[dlib-resnet-55533b28,pixel-68[test],64px]"
    assert (score.better, score.notes["N"], score.notes["failures"]) == ("lower", 2, 1)
    assert score.notes["weights_sha256"].startswith("55533b28")


def test_other_points_than_a_faces_are_refused() -> None:
    with pytest.raises(BenchError, match="needs 68 landmarks, the detector finds 18"):
        FaceNetwork().embed(np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 18, 2), np.float32))
    assert IdentityDistance.refuses(TaskInfo("dance", 3, 64, 64, joints=18)) == "needs the 68 landmarks of a face"
    assert IdentityDistance.refuses(TaskInfo("face", 15, 64, 64, joints=68)) is None


def plan(task: str, metrics: str) -> object:
    return make_plan(task, load("smoke", task, [f"eval.extra_metrics={metrics}"]), "real", [0], None)


def test_a_run_asks_for_it_by_name() -> None:
    plan("face", '["identity"]')
    config = load("smoke", "face", ['eval.extra_metrics=["identity", "lepe"]'])
    assert metric_names(FaceTask(), config) == [*FaceTask.metrics, "identity"]
    assert metric_names(FaceTask(), load("smoke", "face")) == list(FaceTask.metrics)


def test_what_cannot_be_scored_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchError, match=r"extra_metrics: unknown metric 'identiti'.*identity"):
        plan("face", '["identiti"]')
    with pytest.raises(BenchError, match="'identity' cannot score the task dance: needs the 68 landmarks"):
        plan("dance", '["identity"]')
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install" in str(IdentityDistance.refuses(TaskInfo("face", 15, 64, 64, joints=68)))


@pytest.mark.slow
def test_a_run_has_the_column(tmp_path: Path) -> None:
    from benchmark.cli import main

    asked = ["--set", 'eval.extra_metrics=["identity"]', "--set", "eval.items=4", "--out", str(tmp_path / "run")]
    main(["run", "--task", "face", "--preset", "smoke", "--methods", "real", *asked])  # raises where a cell fails
    assert "identity[dlib-resnet-55533b28" in (tmp_path / "run" / "results.json").read_text(encoding="utf-8")
