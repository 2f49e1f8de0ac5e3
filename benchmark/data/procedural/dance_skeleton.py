"""From a dancer's state to bones in space: forward kinematics for trunk and arms, two-bone reach for the legs.

    rig = pose(DanceSemantics(BodyShape()))
    rig.joints                                 # (18, 3) metres, OpenPose COCO order

At rest every bone's axes are the world's: y along the spine or up the limb, z to the front, x to the dancer's left.
Feet are asked for, not legs: a planted foot stays on the floor whatever the hips do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmark.data.procedural.dance_types import Arm, BodyShape, DanceSemantics, Leg

PELVIS, WAIST, CHEST, NECK, HEAD = range(5)
UPPER_ARM, FOREARM, HAND, THIGH, SHIN, FOOT = (np.array([k, k + 6]) for k in range(5, 11))  # [right, left]
BONES = 17
SIGN = np.array([-1.0, 1.0])  # x of the right and of the left side
REACH = 0.995  # a leg is never quite straight, or the knee would not know where to bend

# Points of the face, metres from the head bone's origin at average size: nose, right eye, left eye, right ear, left ear
FACE = np.array([[0, 0.052, 0.122], [-0.031, 0.085, 0.090], [0.031, 0.085, 0.090], [-0.077, 0.07, 0], [0.077, 0.07, 0]])


@dataclass(frozen=True)
class Measures:
    """A build in metres: where bones begin at rest, above the middle of the hips, and how long limbs are."""

    origins: np.ndarray  # (17, 3) bone origins at rest
    thigh: float
    shin: float
    ankle: float  # height of the ankle over the sole
    scale: float  # height over the average height
    head: float  # size of the head over the average head

    @property
    def leg(self) -> float:
        return self.thigh + self.shin


@dataclass(frozen=True)
class Rig:
    """Posed bones: a point p at rest goes to `rotations[b] @ (p - rest.origins[b]) + origins[b]`."""

    rest: Measures
    rotations: np.ndarray  # (17, 3, 3)
    origins: np.ndarray  # (17, 3)
    joints: np.ndarray  # (18, 3)

    @property
    def matrices(self) -> np.ndarray:
        """Affine maps (17, 3, 4) of rest positions."""
        shift = self.origins - np.einsum("bij,bj->bi", self.rotations, self.rest.origins)
        return np.concatenate([self.rotations, shift[..., None]], axis=2)


@lru_cache(maxsize=64)
def measures(shape: BodyShape) -> Measures:
    """The skeleton of a build; an average body is 1.70 m tall."""
    scale = 1.0 + 0.045 * shape.height
    legs = scale * (1.0 + 0.025 * shape.legs)
    trunk = scale * (1.0 - 0.025 * shape.legs)
    arm = scale * (1.0 + 0.03 * shape.arms)
    head = scale**0.5 * (1.07 + 0.03 * shape.head)
    shoulder = scale * (0.172 + 0.012 * shape.shoulders)
    hip = scale * (0.088 + 0.006 * shape.hips)
    thigh, shin, ankle = 0.425 * legs, 0.405 * legs, 0.078 * scale
    origins = np.zeros((BONES, 3))
    origins[WAIST, 1], origins[CHEST, 1], origins[NECK, 1], origins[HEAD, 1] = (
        np.array([0.10, 0.25, 0.51, 0.59]) * trunk
    )
    for side, sign in enumerate(SIGN):
        top = np.array([sign * shoulder, 0.455 * trunk, -0.005])
        for bone, drop in ((UPPER_ARM, 0.0), (FOREARM, 0.285 * arm), (HAND, 0.53 * arm)):
            origins[bone[side]] = top - [0, drop, 0]
        for bone, drop in ((THIGH, 0.0), (SHIN, thigh), (FOOT, thigh + shin)):
            origins[bone[side]] = [sign * hip, -drop, 0]
    return Measures(origins, thigh, shin, ankle, scale, head)


def pose(state: DanceSemantics) -> Rig:
    """Put the skeleton where the state says."""
    rest = measures(state.shape)
    rotations, origins = np.empty((BONES, 3, 3)), np.empty((BONES, 3))
    heading = turn_y(state.heading)
    leg = rest.leg
    hips = np.array([state.x, 0, state.z]) + heading @ [state.sway * leg, 0, 0]
    hips[1] = rest.ankle + leg * (REACH - state.dip + state.jump)
    _trunk(state, rest, heading, hips, rotations, origins)
    floor = np.array([state.x, 0.0, state.z])
    for side in (0, 1):
        _arm(state.arms[side], side, rest, rotations, origins)
        _leg(state.legs[side], side, state.jump * leg, rest, heading, floor, rotations, origins)
    return Rig(rest, rotations, origins, _joints(rest, rotations, origins))


def turn_x(angle: float) -> np.ndarray:
    """Rotation about x: positive bends forward and down (y towards z)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def turn_y(angle: float) -> np.ndarray:
    """Rotation about y: positive turns the front to the left (z towards x)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def turn_z(angle: float) -> np.ndarray:
    """Rotation about z: positive swings what hangs down to the left (x towards y)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _trunk(state: DanceSemantics, rest: Measures, heading, hips, rotations: np.ndarray, origins: np.ndarray) -> None:
    pelvis = heading @ turn_y(state.hip_turn) @ turn_z(state.hip_roll) @ turn_x(0.3 * state.lean)
    # half of the bend in the waist, half in the chest; the chest levels what the hips roll
    bend = turn_y(state.twist / 2) @ turn_z(state.side / 2 - 0.5 * state.hip_roll) @ turn_x(0.35 * state.lean)
    nod = turn_y(state.look / 2) @ turn_z(state.tilt / 2) @ turn_x(state.nod / 2)
    rotations[PELVIS], origins[PELVIS] = pelvis, hips
    for bone, parent, move in ((WAIST, PELVIS, bend), (CHEST, WAIST, bend), (NECK, CHEST, nod), (HEAD, NECK, nod)):
        rotations[bone] = rotations[parent] @ move
        origins[bone] = origins[parent] + rotations[parent] @ (rest.origins[bone] - rest.origins[parent])


def _arm(arm: Arm, side: int, rest: Measures, rotations: np.ndarray, origins: np.ndarray) -> None:
    upper, fore, hand = UPPER_ARM[side], FOREARM[side], HAND[side]
    sign = SIGN[side]
    shrug = np.clip(arm.lift - 1.2, 0.0, 2.0)  # a raised arm takes its shoulder along, up and inwards
    joint = rest.origins[upper] - rest.origins[CHEST] + rest.scale * shrug * np.array([-0.018 * sign, 0.035, 0.0])
    aim = turn_y(-sign * arm.forward) @ turn_z(sign * arm.lift) @ turn_y(sign * arm.roll)
    rotations[upper] = rotations[CHEST] @ aim
    origins[upper] = origins[CHEST] + rotations[CHEST] @ joint
    rotations[fore] = rotations[upper] @ turn_x(-arm.elbow)
    origins[fore] = origins[upper] + rotations[upper] @ (rest.origins[fore] - rest.origins[upper])
    rotations[hand] = rotations[fore] @ turn_x(-arm.wrist)
    origins[hand] = origins[fore] + rotations[fore] @ (rest.origins[hand] - rest.origins[fore])


def _leg(
    leg: Leg, side: int, air: float, rest: Measures, heading, floor, rotations: np.ndarray, origins: np.ndarray
) -> None:
    thigh, shin, foot = THIGH[side], SHIN[side], FOOT[side]
    sign, length = SIGN[side], rest.leg
    hip = origins[PELVIS] + rotations[PELVIS] @ rest.origins[thigh]
    below = np.array([rest.origins[thigh][0] + sign * leg.out * length, 0.0, leg.ahead * length])
    ankle = floor + heading @ below + [0, rest.ankle + max(leg.up, 0.0) * length + air, 0]
    reach = ankle - hip
    far = float(np.sqrt(reach @ reach))
    if far > REACH * length:
        reach *= REACH * length / far
        far = REACH * length
    # law of cosines: how far the thigh leaves the line from hip to ankle
    cosine = (rest.thigh**2 + far**2 - rest.shin**2) / (2 * rest.thigh * far)
    open_angle = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
    front = heading @ np.array([sign * np.sin(leg.turnout), 0.15, np.cos(leg.turnout)])
    line = reach / far
    knee_side = front - line * (front @ line)
    knee_side /= np.sqrt(knee_side @ knee_side)
    down = np.cos(open_angle) * line + np.sin(open_angle) * knee_side
    rotations[thigh], origins[thigh] = _frame(-down, knee_side), hip
    origins[shin] = hip + rest.thigh * down
    calf = hip + reach - origins[shin]
    rotations[shin] = _frame(-calf, rotations[thigh][:, 2])
    origins[foot] = hip + reach
    flat = heading @ turn_y(sign * leg.turnout)
    # a lifted foot hangs from its shin, a planted one lies on the floor
    lifted = np.clip(max(leg.up, 0.0) / 0.15 + air / length / 0.05, 0.0, 1.0)
    hang = rotations[shin]
    rotations[foot] = _frame(
        (1 - lifted) * flat[:, 1] + lifted * hang[:, 1], (1 - lifted) * flat[:, 2] + lifted * hang[:, 2]
    ) @ turn_x(leg.point * lifted)


def _frame(up: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Rotation whose y axis is `up` and whose z axis lies nearest to `front`."""
    y = up / np.sqrt(up @ up)
    z = front - y * (front @ y)
    z /= np.sqrt(z @ z)
    x = y[[1, 2, 0]] * z[[2, 0, 1]] - y[[2, 0, 1]] * z[[1, 2, 0]]  # np.cross, an order of magnitude sooner
    return np.stack([x, y, z], axis=1)


def _joints(rest: Measures, rotations: np.ndarray, origins: np.ndarray) -> np.ndarray:
    face = origins[HEAD] + rest.head * FACE @ rotations[HEAD].T
    right, left = ([origins[b[s]] for b in (UPPER_ARM, FOREARM, HAND)] for s in (0, 1))
    right_leg, left_leg = ([origins[b[s]] for b in (THIGH, SHIN, FOOT)] for s in (0, 1))
    neck = (right[0] + left[0]) / 2  # as COCO annotations give it to OpenPose
    return np.stack([face[0], neck, *right, *left, *right_leg, *left_leg, *face[1:]])
