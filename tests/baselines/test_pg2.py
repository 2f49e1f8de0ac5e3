"""PG2: counts of the published networks, maps and masks in plain loops, both stages against the losses written out."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.pg2 import PG2
from baselines.pg2_networks import Critic, PoseGuided, levels_at
from baselines.pg2_pose import BODY_LIMBS, FACE_LIMBS, joint_maps, limbs, pose_mask
from benchmark.errors import BenchError
from benchmark.protocols import MethodSetup, Sample, TaskInfo
from models.networks import parameters_count
from tests.baselines.trials import JointPairs, assert_same, gradients_of_step, overfit, resumes_exactly
from tests.models.tiny import LABELS, setup

NAN = float("nan")


def given(joints: int = 18, side: tuple[int, int] = (32, 32), **options: Any) -> MethodSetup:
    made = setup("pg2", tables={"pg2": {"features": 4, "latent": 8} | options})
    return replace(made, task=TaskInfo("face", LABELS, *side, joints))


def all_consistent(sample: Sample) -> Sample:
    return replace(sample, consistent=torch.ones_like(sample.consistent))


def test_as_many_parameters_as_published() -> None:
    with torch.device("meta"):
        network, judge = PoseGuided(18, 256, 256), Critic(256, 256)
    counts = [parameters_count(module) for module in (network.coarse, network.refine, judge)]
    assert counts == [122_103_235, 12_696_067, 10_896_257]


@pytest.mark.parametrize(
    ("side", "levels"), [((256, 256), 6), ((128, 64), 4), ((64, 64), 4), ((32, 32), 3), ((144, 256), 5), ((50, 33), 1)]
)
def test_any_size(side: tuple[int, int], levels: int) -> None:
    assert levels_at(*side) == levels
    method, image = PG2(given(side=side)), torch.rand(1, 3, *side) * 2 - 1
    label, joints = torch.rand(1, LABELS, *side), torch.rand(1, 18, 2) * min(side)
    output = method.synthesize(label, image, label, joints)
    assert output.shape == image.shape and output.abs().max() <= 1
    assert not torch.equal(output, method.synthesize(label, image, label, joints.flip(1)))
    assert not torch.equal(output, method.synthesize(label, -image, label, joints))
    assert torch.equal(output, method.synthesize(1 - label, image, 1 - label, joints))
    assert Critic(*side, ndf=2)(image.expand(3, -1, -1, -1)).shape == (3,)


def plain_near(start: np.ndarray, end: np.ndarray, radius: float, side: int) -> np.ndarray:
    """Pixels within `radius` of a segment, which 1,000 points stand for."""
    points = start + (end - start) * np.linspace(0, 1, 1000)[:, None]
    y, x = np.mgrid[:side, :side]
    return np.min([np.hypot(x - px, y - py) for px, py in points], axis=0) <= radius


def test_a_joint_is_a_disc() -> None:
    joints = torch.tensor([[[10.0, 100.0], [NAN, NAN], [255.0, 0.0]]])
    maps = joint_maps(joints, 256, 256)
    assert maps.unique().tolist() == [-1, 1] and maps.shape == (1, 3, 256, 256)
    offsets = [(i, j) for i in range(-4, 5) for j in range(-4, 5) if math.hypot(i, j) <= 4]
    found = {(int(y), int(x)) for y, x in (maps[0, 0] > 0).nonzero()}
    assert found == {(100 + i, 10 + j) for i, j in offsets}
    assert (maps[0, 1] == -1).all() and maps[0, 2, 0, 255] == 1


def test_the_disc_shrinks_with_the_image_but_never_vanishes() -> None:
    for side, pixels in ((128, 13), (64, 5), (32, 1)):
        assert (joint_maps(torch.full((1, 1, 2), 9.0), side, side) > 0).sum() == pixels
    anywhere = torch.rand(1, 200, 2) * 31
    assert ((joint_maps(anywhere, 32, 32) > 0).sum((2, 3)) > 0).all()


@pytest.mark.parametrize("side", [64, 128])
def test_the_mask_is_the_limbs_closed(side: int) -> None:
    joints = torch.full((1, 18, 2), NAN)
    for joint, place in {1: (0.513, 0.307), 2: (0.41, 0.322), 5: (0.62, 0.31), 3: (0.3, 0.5), 0: (0.5, 0.1)}.items():
        joints[0, joint] = torch.tensor(place) * side
    points = joints[0].double().numpy()
    plain = np.zeros((side, side), np.uint8)
    for a, b in ((1, 2), (1, 5), (2, 3), (1, 0)):  # the limbs of OpenPose with both ends given
        plain |= plain_near(points[a], points[b], 4 * side / 256, side).astype(np.uint8)
    if side == 128:  # half of the 5x5 px at 256
        plain = cv2.morphologyEx(plain, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    assert np.array_equal(pose_mask(joints, side, side)[0, 0].numpy(), plain)


def test_limbs_of_bodies_and_faces() -> None:
    assert {joint for limb in BODY_LIMBS for joint in limb} == set(range(18))
    assert {joint for limb in FACE_LIMBS for joint in limb} == set(range(68))
    assert (36, 41) not in FACE_LIMBS and (41, 36) in FACE_LIMBS and (16, 17) not in FACE_LIMBS
    with pytest.raises(BenchError, match="not of 21 joints"):
        limbs(21)


def test_it_refuses_tasks_without_known_joints() -> None:
    assert PG2.refuses(TaskInfo("street", 20, 256, 144)) == "needs joints"
    assert PG2.refuses(TaskInfo("hands", 20, 256, 256, 21)) == "needs 18 or 68 joints, not 21"
    assert PG2.refuses(TaskInfo("face", 15, 64, 64, 68)) is None
    method, image = PG2(given()), torch.zeros(1, 3, 32, 32)
    with pytest.raises(BenchError, match="needs the joints"):
        method.synthesize(image, image, image, None)


def plain_masked(image: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    return (image - target).abs().mean() + ((image - target).abs() * mask).mean()


@pytest.mark.parametrize("masked", [True, False])
def test_the_first_stage_equals_its_equation(masked: bool) -> None:
    trainer, sample = PG2(given(mask_stage1=masked)).trainer(), all_consistent(JointPairs(18).batch(1))
    losses, seen = gradients_of_step(trainer, sample)
    assert set(losses) == {"G1_l1"} and list(seen) == ["G1"]
    coarse = copy.deepcopy(trainer.networks["G1"])
    joints = sample.joints
    assert joints is not None
    image = coarse(torch.cat([sample.I, joint_maps(joints, 32, 32)], 1))
    mask = pose_mask(joints, 32, 32) if masked else torch.zeros(2, 1, 32, 32)
    assert_same(seen["G1"], plain_masked(image, sample.z, mask), coarse)


def test_the_second_stage_equals_its_equations() -> None:
    trainer, sample = PG2(given(stage1_share=0.0, lambda_l1=7.0)).trainer(), all_consistent(JointPairs(18).batch(1))
    torch.nn.init.normal_(trainer.networks["G2"].last.weight, 0, 0.1)  # else nothing behind it has a gradient
    losses, seen = gradients_of_step(trainer, sample)
    assert set(losses) == {"G2_gan", "G2_l1", "D"} and list(seen) == ["G2", "D"]
    coarse, refine, judge = (copy.deepcopy(trainer.networks[name]) for name in ("G1", "G2", "D"))
    joints = sample.joints
    assert joints is not None
    first = coarse(torch.cat([sample.I, joint_maps(joints, 32, 32)], 1)).detach()
    fake = first + refine(torch.cat([first, sample.I], 1))

    belief = judge(torch.cat([sample.z, fake, sample.I])).sigmoid()
    real, false = belief[:2], belief[2:]
    recon = plain_masked(fake, sample.z, pose_mask(joints, 32, 32))
    assert_same(seen["G2"], -false.log().mean() + 7 * recon, refine)
    assert_same(seen["D"], 0.5 * (-(1 - false).log().mean() - real.log().mean()), judge)


def test_the_stages_follow_each_other_and_leave_each_other_alone() -> None:
    trainer = PG2(given(stage1_share=0.5)).trainer()  # of 4 + 2 steps
    order: list[list[str]] = []
    for step in range(6):
        order.append([])
        sample = all_consistent(JointPairs(18).batch(step))
        trainer.step(sample, step, lambda loss, network, order=order: order[-1].append(network))
    assert order == [["G1"]] * 3 + [["G2", "D"]] * 3


def test_until_the_second_stage_the_result_is_the_coarse_picture() -> None:
    method, sample = PG2(given()), JointPairs(18).batch(0)
    assert sample.joints is not None
    with torch.no_grad():
        coarse = method.generator.coarse(torch.cat([sample.I, joint_maps(sample.joints, 32, 32)], 1))
    assert torch.equal(method.synthesize(sample.x, sample.I, sample.F_I, sample.joints), coarse.clamp(-1, 1))


def test_only_pairs_of_one_person_are_learnt_from() -> None:
    trainer, sample = PG2(given(stage1_share=1.0)).trainer(), JointPairs(18).batch(0)
    assert sample.consistent.tolist() == [True, False] and sample.joints is not None
    spoilt = replace(sample, z=sample.z.clone())
    spoilt.z[1] = 0
    (_, first), (_, second) = (gradients_of_step(trainer, each) for each in (sample, spoilt))
    assert first["G1"][0] == second["G1"][0]
    nobody = replace(sample, consistent=torch.zeros(2, dtype=torch.bool))
    assert gradients_of_step(trainer, nobody) == ({}, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": 0}, r"pg2\.features: at least 1"),
        ({"levels": 4}, "1 to 3 at 32x32"),
        ({"stage1_share": 1.5}, "from 0 to 1"),
    ],
)
def test_user_mistakes(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        PG2(given(**options))


def test_exact_resume_across_the_stages(tmp_path: Path) -> None:
    resumes_exactly(lambda: PG2(given(stage1_share=0.4)), tmp_path, joints=18)


@pytest.mark.slow
def test_four_pairs_are_learnt_by_heart(tmp_path: Path) -> None:
    tables = {"pg2": {"features": 16, "latent": 32, "stage1_share": 0.5}}
    made = setup("pg2", tables=tables, steps=200, decay_steps=100, lr=2e-3, checkpoint_every=1000, log_every=50)
    before, after = overfit(PG2, replace(made, task=replace(made.task, joints=68)), tmp_path)
    assert before > 0.3 and after < 0.1
