"""Faces from two separate inputs: semantics (what the 68 landmarks carry) and appearance (everything else).

    bone, look = sample_person(seed=0, index=3)
    picture = render(FaceSemantics(bone, yaw=0.3), look, 256)      # uint8 (256, 256, 3)
    points = landmarks(FaceSemantics(bone, yaw=0.3), 256)          # float32 (68, 2)

The true answer G*(x, I) is `render(semantics of x, appearance of I)`. Everything is a vector description, so any size
works. Look at the people with `benchmark.data.procedural.sheet`.
"""

from __future__ import annotations

import cv2
import numpy as np

from benchmark.data.procedural.face_backdrop import backdrop
from benchmark.data.procedural.face_body import paint_body
from benchmark.data.procedural.face_canvas import Canvas, plain
from benchmark.data.procedural.face_curves import Curves, curves_of
from benchmark.data.procedural.face_features import paint_skin
from benchmark.data.procedural.face_geometry import UNIT, Pose, landmarks, pose
from benchmark.data.procedural.face_hair import beard, covers
from benchmark.data.procedural.face_light import outlines, shade
from benchmark.data.procedural.face_open import paint_open
from benchmark.data.procedural.face_sample import sample_clip, sample_person
from benchmark.data.procedural.face_strands import Lit
from benchmark.data.procedural.face_types import BoneShape, FaceAppearance, FaceSemantics
from benchmark.data.procedural.face_wear import paint_ear, paint_glasses

__all__ = [
    "BoneShape",
    "FaceAppearance",
    "FaceSemantics",
    "landmarks",
    "regions",
    "render",
    "sample_clip",
    "sample_person",
]

RENDERER_VERSION = 3  # raise it whenever a pixel or a landmark changes
OVERSAMPLE = 2


def render(semantics: FaceSemantics, appearance: FaceAppearance, size: int) -> np.ndarray:
    """Draw one face: RGB uint8 (size, size, 3)."""
    look = appearance
    scene = backdrop(look.backdrop, look.backdrop_colours, look.seed, size * OVERSAMPLE)
    return _paint(pose(semantics, size), look, scene.copy())


def regions(semantics: FaceSemantics, appearance: FaceAppearance, size: int) -> dict[str, np.ndarray]:
    """Boolean (size, size) masks: "foreground" is the person with hair and clothes, "face" is inside jaw and hairline.

    The foreground is what does not change when the background turns from black to white.
    """
    side, posed = size * OVERSAMPLE, pose(semantics, size)
    dark, bright = (_paint(posed, appearance, plain(side, side, (v, v, v))) for v in (0, 255))
    through = bright.astype(int).sum(axis=2) - dark.astype(int).sum(axis=2)
    canvas = Canvas(size, OVERSAMPLE)
    canvas.fill(outlines(posed.head, posed.view)[1], (255.0, 255.0, 255.0))
    return {"foreground": through < 3 * 128, "face": canvas.finish()[..., 0] > 127}


def _paint(posed: Pose, look: FaceAppearance, scene: np.ndarray) -> np.ndarray:
    """Back to front: hair behind, body, far ear, lit head, near ear, beard, eyes and mouth, hair in front, glasses."""
    head, view = posed.head, posed.view
    curves = curves_of(posed.marks)
    canvas = Canvas(view.size, OVERSAMPLE, scene)
    bone, yaw = head.semantics.bone, head.semantics.yaw
    detail = min(1.0, UNIT * view.size / 70)
    worn = covers(look, 1.0 + 0.045 * bone.face_width, detail)
    strands = [Lit(cover, view, look, colour, gloss) for cover, colour, gloss in worn]
    for cover in strands:
        cover.paint(canvas, front=False, shade=0.75)
    paint_body(canvas, posed, look)
    turned = abs(yaw) > 0.2  # then one ear lies before the head and the other behind it, out of sight
    if not turned:
        for side in (-1, 1):
            paint_ear(canvas, posed, look, side)
    _paint_head(canvas, posed, curves, look)
    if turned:
        paint_ear(canvas, posed, look, -1 if yaw > 0 else 1)
    whiskers = beard(look, head, detail)
    if whiskers is not None:
        Lit(whiskers, view, look, look.beard_colour, gloss=0.3).paint(canvas, front=True)
    paint_open(canvas, posed, curves, look)
    for cover in strands:
        cover.paint(canvas, front=True)
    paint_glasses(canvas, posed, look)
    return canvas.finish()


def _paint_head(canvas: Canvas, posed: Pose, curves: Curves, look: FaceAppearance) -> None:
    """Skin colour and marks first, then the light of the 3D surface multiplied in, all inside the head's outline."""
    skull, face, jaw = outlines(posed.head, posed.view)
    covered = canvas.coverage([skull, face])
    if covered is None:
        return
    mask, where = covered
    paint = Canvas(canvas.size, canvas.oversample, plain(canvas.side, canvas.side, look.skin))
    if look.beard in ("stubble", "short", "full"):
        _stubble(paint, posed, curves, jaw, look)
    paint_skin(paint, posed, curves, look)
    light = canvas.enlarge(shade(posed.head, posed.view, look), where)
    gloss = cv2.extractChannel(light, 3)
    bright = paint.pixels[where] * cv2.cvtColor(light, cv2.COLOR_RGBA2RGB)
    cv2.scaleAdd(cv2.merge([gloss, gloss, gloss]), 18.0 + 16.0 * look.light_strength, bright, dst=bright)
    knee = 190.0  # above it brightness is compressed, as film does, so that pale skin keeps its shape
    room = 255.0 - knee
    pressed = 255.0 - room * room / (np.maximum(bright, knee) - (knee - room))
    canvas.blend(mask, where, np.minimum(bright, pressed))


def _stubble(paint: Canvas, posed: Pose, curves: Curves, jaw: np.ndarray, look: FaceAppearance) -> None:
    """A beard's shadow on the skin: jaw, chin and upper lip, not the lips."""
    marks, unit = posed.marks, posed.view.unit
    under_nose = [0.4 * marks[35] + 0.6 * marks[33], 0.4 * marks[31] + 0.6 * marks[33]]
    cheeks = [0.5 * marks[13] + 0.5 * marks[35], *under_nose, 0.5 * marks[3] + 0.5 * marks[31]]
    inner = np.stack([marks[14], *cheeks, marks[2]])
    low = jaw[np.linspace(6, len(jaw) - 7, 40).astype(int)]
    dense = 0.4 if look.beard == "stubble" else 0.8
    paint.fill(np.concatenate([low, inner]), look.beard_colour, dense, 0.06 * unit)
    lips = curves.outer_lips
    middle = lips.sum(axis=0) / len(lips)
    paint.fill(middle + 1.1 * (lips - middle), look.skin, 0.8, 0.02 * unit)
