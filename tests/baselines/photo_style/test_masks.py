"""Region masks of the three tasks, and what becomes of a region that the exemplar lacks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.photo_style import face_masks
from baselines.photo_style.masks import BODY, SCENE, TASKS, join_missing, of_task, regions
from benchmark.data.procedural.face import landmarks, sample_clip
from benchmark.errors import BenchError
from benchmark.labelers.cityscapes import CLASSES
from benchmark.labelers.face_label import face_label_unit, part_map
from benchmark.labelers.pose_label import densepose_channels
from benchmark.labelers.street_label import street_label


def points(index: int, size: int) -> np.ndarray:
    return landmarks(sample_clip(0, index, 1)[0][0], size)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_face_regions_are_the_parts_filled_from_landmarks(size: int) -> None:
    faces = [points(index, size) for index in range(6)]
    found = face_masks.face_regions(np.stack([face_label_unit(face, size) for face in faces]))
    wanted = np.minimum([part_map(face, size) for face in faces], 5)  # the tongue lies in the mouth
    assert (found == wanted).mean() > 0.96
    for number, least in ((0, 0.97), (1, 0.8), (3, 0.65), (4, 0.5), (5, 0.7)):
        both = ((found == number) & (wanted == number)).sum()
        assert both / ((found == number) | (wanted == number)).sum() > least, face_masks.NAMES[number]
    assert (found == 2).any(axis=(1, 2)).all()


def test_a_face_cut_by_the_frame_is_still_inside() -> None:
    size = 64
    face = points(0, size)
    face[:, 1] += size / 2 - face[8, 1]  # the chin in the middle: the forehead is outside
    (found,) = face_masks.face_regions(face_label_unit(face, size)[None])
    wanted = np.minimum(part_map(face, size), 5)
    assert found[-1].max() == 0 and ((found > 0) == (wanted > 0)).mean() > 0.95


def test_a_label_without_a_face_has_one_region() -> None:
    (found,) = face_masks.face_regions(np.ones((1, 15, 32, 32), np.float32))
    assert len(np.unique(found)) == 1


def test_bodies_by_part() -> None:
    parts = np.arange(25, dtype=np.uint8).reshape(5, 5)
    label = np.zeros((23, 5, 5), np.uint8)
    label[:3] = densepose_channels(np.stack([parts, parts, parts], -1))
    (masks,) = regions("dance", torch.from_numpy(label)[None].float() / 255)
    for name, members in BODY.items():
        assert sorted(parts[masks[list(BODY).index(name)].bool().numpy()]) == sorted(members), name


def test_scenes_by_class() -> None:
    train = np.array([[*range(len(CLASSES)), 255]], np.uint8)
    (masks,) = regions("street", torch.from_numpy(street_label(train))[None].float() / 255)
    assert masks.sum(0).eq(1).all()
    vehicles = masks[list(SCENE).index("vehicles"), 0, :-1].bool().tolist()
    assert [name for name, inside in zip(CLASSES, vehicles, strict=True) if inside] == list(CLASSES[13:])
    assert masks[list(SCENE).index("unknown"), 0].tolist() == [0.0] * len(CLASSES) + [1.0]


@pytest.mark.parametrize("task", TASKS)
def test_every_region_but_the_first_has_a_place_to_go(task: str) -> None:
    cut = of_task(task)
    assert {name for name, _ in cut.joins} == set(cut.names[1:])
    gone: set[str] = set()
    for name, neighbour in cut.joins:
        assert neighbour not in gone
        gone.add(name)


def strips(*widths: int) -> Tensor:
    """Face masks (1, 6, 1, sum): region k covers widths[k] px."""
    numbers = torch.repeat_interleave(torch.arange(len(widths)), torch.tensor(widths))
    return torch.nn.functional.one_hot(numbers, 6).T.float()[None, :, None]


def test_a_missing_region_joins_its_neighbour_in_both() -> None:
    content, style = join_missing("face", strips(40, 40, 5, 5, 5, 5), strips(50, 38, 1, 6, 5, 0), smallest=0.02)
    assert content.sum((0, 2, 3)).tolist() == [40, 50, 0, 5, 5, 0]
    assert style.sum((0, 2, 3)).tolist() == [50, 39, 0, 6, 5, 0]


def test_the_last_is_dropped() -> None:
    content, style = join_missing("face", strips(60, 40, 0, 0, 0, 0), strips(0, 100, 0, 0, 0, 0), smallest=0.02)
    assert content.sum((0, 2, 3)).tolist() == [0, 40, 0, 0, 0, 0] and style.sum() == 100
    content, style = join_missing("face", strips(10, 90, 0, 0, 0, 0), strips(100, 0, 0, 0, 0, 0), smallest=0.02)
    assert content.sum((0, 2, 3)).tolist() == [100, 0, 0, 0, 0, 0]


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(BenchError, match=r"task 'streets': no region masks.*did you mean 'street'"):
        regions("streets", torch.zeros(1, 20, 4, 4))
    with pytest.raises(BenchError, match="face label of 3 channels: region masks need 15"):
        regions("face", torch.zeros(1, 3, 4, 4))
