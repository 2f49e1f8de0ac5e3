"""The two inputs of the face renderer: what the landmarks carry (semantics) and everything else (appearance).

Import these names from `benchmark.data.procedural.face`. Keeping the two apart is what makes the true answer of
exemplar-guided synthesis computable: the appearance of I under the semantics of x (spec: systems 1.4).
"""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[float, float, float]  # display values in [0, 255]
Vec3 = tuple[float, float, float]


@dataclass(frozen=True)
class BoneShape:
    """Shape of the skull and soft parts, in standard deviations from the mean face (0 is average, +-2 is rare)."""

    face_width: float = 0.0
    face_length: float = 0.0
    jaw_width: float = 0.0
    chin_width: float = 0.0
    eye_spacing: float = 0.0
    eye_width: float = 0.0
    eye_height: float = 0.0
    eye_tilt: float = 0.0
    brow_height: float = 0.0
    brow_arch: float = 0.0
    nose_length: float = 0.0
    nose_width: float = 0.0
    nose_depth: float = 0.0
    mouth_width: float = 0.0
    mouth_height: float = 0.0
    upper_lip: float = 0.0
    lower_lip: float = 0.0


@dataclass(frozen=True)
class FaceSemantics:
    """Everything the 68 landmarks carry, and nothing else. "Left" and "right" are the image's.

    Angles in radians: yaw > 0 turns to the image's right, pitch > 0 looks down, roll > 0 tilts clockwise. `scale`
    multiplies the size of the head; shifts are fractions of the image side. Expressions run from 0 to 1, except `smile`
    and the brows, which go from -1 (frown, lowered) to 1.
    """

    bone: BoneShape
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    blink_left: float = 0.0
    blink_right: float = 0.0
    brow_left: float = 0.0
    brow_right: float = 0.0
    furrow: float = 0.0
    smile: float = 0.0
    mouth_open: float = 0.0
    pucker: float = 0.0


HAIR_STYLES = (
    "bald", "balding", "buzz", "crop", "side-part", "quiff", "slick-back", "afro", "curly-long", "bob", "bob-fringe",
    "long-straight", "long-wavy", "long-fringe", "bun", "ponytail",
)  # fmt: skip
GLASSES = ("none", "round", "square", "aviator", "cat-eye", "rimless")
BEARDS = ("none", "stubble", "moustache", "goatee", "short", "full")
COLLARS = ("crew", "v-neck", "shirt", "turtleneck", "jacket", "hoodie")
PATTERNS = ("plain", "stripes", "checks", "dots")
BACKDROPS = ("plain", "gradient", "room", "bokeh", "foliage", "window")
EARRINGS = ("none", "stud", "hoop")
HATS = ("none", "beanie")


@dataclass(frozen=True)
class FaceAppearance:
    """The style of one clip: it never moves a landmark. Strengths lie in [0, 1], colours in [0, 255]."""

    skin: RGB
    blush: float
    freckles: float
    age: float
    hair_style: str  # one of HAIR_STYLES
    hair: RGB
    hair_volume: float
    brow: RGB
    brow_thickness: float
    iris: RGB
    glasses: str  # one of GLASSES
    frame: RGB
    lens: RGB
    lens_tint: float
    beard: str  # one of BEARDS
    beard_colour: RGB
    lips: RGB
    eye_shadow: RGB
    make_up: float
    earrings: str  # one of EARRINGS
    hat: str  # one of HATS
    hat_colour: RGB
    clothes: RGB
    clothes_accent: RGB
    collar: str  # one of COLLARS
    pattern: str  # one of PATTERNS
    backdrop: str  # one of BACKDROPS
    backdrop_colours: tuple[RGB, RGB, RGB]
    light: Vec3  # unit vector towards the lamp: x right, y down, z to the viewer
    light_colour: Vec3  # multiplies the colours, about 1
    light_strength: float  # 0 is flat, 1 is hard
    gaze: Vec3  # the point the eyes look at, in head units around the image centre (z to the viewer)
    seed: int  # for the fine detail: strands, freckles, backdrop shapes
