"""The two inputs of the dance renderer: what joints and body parts carry (semantics) and everything else (appearance).

Import these names from `benchmark.data.procedural.dance`. Lengths are metres, angles radians. World axes: x to the
image's right, y up from the floor, z towards the camera. A dancer with heading 0 faces the camera; "left" is the
dancer's own.
"""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[float, float, float]  # display values in [0, 255]
Vec3 = tuple[float, float, float]
SIDES = ("right", "left")  # the order of every pair below; x is negative on the right


@dataclass(frozen=True)
class BodyShape:
    """Build, in standard deviations from the mean (0 is average, +-2 is rare)."""

    height: float = 0.0
    legs: float = 0.0  # their share of the height
    arms: float = 0.0
    shoulders: float = 0.0
    hips: float = 0.0
    girth: float = 0.0
    muscle: float = 0.0
    bust: float = 0.0
    head: float = 0.0


@dataclass(frozen=True)
class Arm:
    """Shoulder, elbow and wrist. All zero: hanging straight down."""

    lift: float = 0.0  # away from the body: 0 down, pi/2 level, pi up
    forward: float = 0.0  # turns the raised arm from the side to the front
    roll: float = 0.0  # about its own axis; with the arm level, pi/2 bends the elbow upwards
    elbow: float = 0.0
    wrist: float = 0.0


@dataclass(frozen=True)
class Leg:
    """Where the foot is asked to be, in leg lengths from below its own hip; the knee follows."""

    out: float = 0.0
    ahead: float = 0.0
    up: float = 0.0
    turnout: float = 0.0  # radians
    point: float = 0.0  # of the toes, radians


@dataclass(frozen=True)
class DanceSemantics:
    """Everything that joints and body parts carry: build, place and pose."""

    shape: BodyShape
    x: float = 0.0  # where on the floor
    z: float = 0.0
    heading: float = 0.0  # > 0 turns to the dancer's left
    dip: float = 0.0  # how far the hips sink, in leg lengths
    jump: float = 0.0  # in leg lengths
    sway: float = 0.0  # of the hips to the side, in leg lengths
    hip_roll: float = 0.0
    hip_turn: float = 0.0
    lean: float = 0.0  # of the trunk: forward, to the side, about its axis
    side: float = 0.0
    twist: float = 0.0
    nod: float = 0.0
    look: float = 0.0
    tilt: float = 0.0
    arms: tuple[Arm, Arm] = (Arm(), Arm())
    legs: tuple[Leg, Leg] = (Leg(), Leg())


@dataclass(frozen=True)
class Garment:
    """Cloth: colours, pattern, and how far it hangs from the body in metres."""

    colour: RGB
    accent: RGB
    pattern: str = "plain"  # one of PATTERNS
    loose: float = 0.008
    gloss: float = 0.0


@dataclass(frozen=True)
class DancerLook:
    """Appearance: constant over a clip, and free of anything that moves a joint or a body part."""

    skin: RGB
    lips: RGB
    iris: RGB
    hair: RGB
    hair_style: str  # one of HAIR_STYLES
    beard: float  # 0 none .. 1 full
    cap: str  # one of CAPS
    cap_colour: RGB
    top: Garment
    sleeve: float  # share of the arm that is covered
    hem: float  # where the top ends, metres above the hip joints
    neckline: float  # depth in metres
    bottom: Garment
    leg_cover: float  # share of the leg that trousers cover; of a skirt's legs: tights
    skirt: float  # length in metres; 0: trousers
    shoe: RGB
    sole: RGB
    sock: RGB
    backdrop: str  # one of BACKDROPS
    floor: str  # one of FLOORS
    backdrop_colours: tuple[RGB, RGB, RGB]
    light: Vec3  # unit vector towards the lamp
    light_colour: Vec3
    ambient: Vec3
    rim: Vec3  # colour of a second lamp behind the dancer
    seed: int  # of creases, planks and leaves


PATTERNS = ("plain", "hoops", "stripes", "checks", "dots", "camouflage", "panel", "print")
HAIR_STYLES = ("bald", "buzz", "short", "afro", "bob", "long", "ponytail", "bun")
CAPS = ("none", "beanie", "cap")
BACKDROPS = ("studio", "hall", "brick", "stage", "park", "club")
FLOORS = ("planks", "tiles", "concrete")
