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
from benchmark.data.procedural.face_canvas import Canvas
from benchmark.data.procedural.face_features import outer_lips, paint_open, paint_skin
from benchmark.data.procedural.face_geometry import Head, View, landmarks, landmarks_of
from benchmark.data.procedural.face_hair import beard, hair
from benchmark.data.procedural.face_light import outlines, shade
from benchmark.data.procedural.face_sample import sample_clip, sample_person
from benchmark.data.procedural.face_strands import Lit
from benchmark.data.procedural.face_types import BoneShape, FaceAppearance, FaceSemantics
from benchmark.data.procedural.face_wear import hat, paint_ear, paint_glasses

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

RENDERER_VERSION = 2  # raise it whenever a pixel or a landmark changes
OVERSAMPLE = 2


def render(semantics: FaceSemantics, appearance: FaceAppearance, size: int) -> np.ndarray:
    """Draw one face: RGB uint8 (size, size, 3)."""
    look = appearance
    scene = backdrop(look.backdrop, look.backdrop_colours, look.seed, size * OVERSAMPLE)
    return _paint(semantics, look, size, scene)


def regions(semantics: FaceSemantics, appearance: FaceAppearance, size: int) -> dict[str, np.ndarray]:
    """Boolean (size, size) masks: "foreground" is the person with hair and clothes, "face" is inside jaw and hairline.

    The foreground is what does not change when the background turns from black to white.
    """
    side = size * OVERSAMPLE
    dark, bright = (_paint(semantics, appearance, size, np.full((side, side, 3), v, np.uint8)) for v in (0, 255))
    through = bright.astype(int).sum(axis=2) - dark.astype(int).sum(axis=2)
    head, view = Head(semantics), View(semantics, size)
    canvas = Canvas(size, OVERSAMPLE)
    canvas.fill(outlines(head, view)[1], (255.0, 255.0, 255.0))
    return {"foreground": through < 3 * 128, "face": canvas.finish()[..., 0] > 127}


def _paint(semantics: FaceSemantics, look: FaceAppearance, size: int, scene: np.ndarray) -> np.ndarray:
    """Back to front: hair behind, body, far ear, lit head, near ear, beard, eyes and mouth, hair in front, glasses."""
    head, view = Head(semantics), View(semantics, size)
    marks = landmarks_of(head, view)
    canvas = Canvas(size, OVERSAMPLE, scene)
    wide = 1.0 + 0.045 * semantics.bone.face_width
    worn = [(hair(look, wide), look.hair, 0.8), (hat(look, wide), look.hat_colour, 0.05)]
    covers = [Lit(strands, view, look, colour, gloss) for strands, colour, gloss in worn if strands is not None]
    for cover in covers:
        cover.paint(canvas, front=False, shade=0.75)
    paint_body(canvas, head, view, look)
    turned = abs(semantics.yaw) > 0.2  # then one ear lies before the head and the other behind it, out of sight
    if not turned:
        for side in (-1, 1):
            paint_ear(canvas, head, view, look, side)
    _paint_head(canvas, head, view, marks, look)
    if turned:
        paint_ear(canvas, head, view, look, -1 if semantics.yaw > 0 else 1)
    whiskers = beard(look, head)
    if whiskers is not None:
        Lit(whiskers, view, look, look.beard_colour, gloss=0.3).paint(canvas, front=True)
    paint_open(canvas, head, view, marks, look)
    for cover in covers:
        cover.paint(canvas, front=True)
    paint_glasses(canvas, head, view, look)
    return canvas.finish()


def _paint_head(canvas: Canvas, head: Head, view: View, marks: np.ndarray, look: FaceAppearance) -> None:
    """Skin colour and marks first, then the light of the 3D surface multiplied in, all inside the head's outline."""
    skull, face, jaw = outlines(head, view)
    covered = canvas.coverage([skull, face])
    if covered is None:
        return
    mask, where = covered
    paint = Canvas(view.size, canvas.oversample, np.empty_like(canvas.pixels))
    paint.pixels[:] = np.asarray(look.skin, np.float32).astype(np.uint8)
    if look.beard in ("stubble", "short", "full"):
        _stubble(paint, view, marks, jaw, look)
    paint_skin(paint, head, view, marks, look)
    light, gloss = (cv2.resize(part, (canvas.side, canvas.side))[where] for part in shade(head, view, look))
    bright = paint.pixels[where] * light + ((18.0 + 16.0 * look.light_strength) * gloss)[..., None]
    knee = 190.0  # above it brightness is compressed, as film does, so that pale skin keeps its shape
    room = 255.0 - knee
    pressed = 255.0 - room * room / (np.maximum(bright, knee) - knee + room)
    canvas.blend(mask, where, np.minimum(bright, pressed))


def _stubble(paint: Canvas, view: View, marks: np.ndarray, jaw: np.ndarray, look: FaceAppearance) -> None:
    """A beard's shadow on the skin: jaw, chin and upper lip, not the lips."""
    under_nose = [0.4 * marks[35] + 0.6 * marks[33], 0.4 * marks[31] + 0.6 * marks[33]]
    cheeks = [0.5 * marks[13] + 0.5 * marks[35], *under_nose, 0.5 * marks[3] + 0.5 * marks[31]]
    inner = np.stack([marks[14], *cheeks, marks[2]])
    low = jaw[np.linspace(6, len(jaw) - 7, 40).astype(int)]
    dense = 0.4 if look.beard == "stubble" else 0.8
    paint.fill(np.concatenate([low, inner]), look.beard_colour, dense, 0.06 * view.unit)
    lips = outer_lips(marks)
    paint.fill(lips.mean(axis=0) + 1.1 * (lips - lips.mean(axis=0)), look.skin, 0.8, 0.02 * view.unit)
