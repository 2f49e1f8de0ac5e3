"""Eyes, brows, nose, lips and skin marks, painted through splines of the projected landmarks.

Every outline passes through its landmarks by construction. Painting happens before the light is multiplied in
(`paint_skin`), except for eyes and mouth (`paint_open`), which bring their own shading.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from benchmark.data.procedural.face_canvas import Canvas, band, disc
from benchmark.data.procedural.face_geometry import UNIT, Head, View
from benchmark.data.procedural.face_types import RGB, FaceAppearance

EYEBALL = 0.155  # radius in head units
IRIS = 0.066
FINE = 30.0  # pixels per head unit below which lines as thin as a lash or a wrinkle cannot be seen
EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))


def spline(points: np.ndarray, per_span: int = 5) -> np.ndarray:
    """Smooth curve through (N, 2) points, which stay on it."""
    return _spline_matrix(len(points), per_span) @ points


@lru_cache(maxsize=32)
def _spline_matrix(count: int, per_span: int) -> np.ndarray:
    return CubicSpline(np.arange(count), np.eye(count), bc_type="natural")(
        np.linspace(0, count - 1, (count - 1) * per_span + 1)
    )


def loop(marks: np.ndarray, upper: list[int], lower: list[int]) -> np.ndarray:
    """Closed outline of two splines that meet in the corners."""
    return np.concatenate([spline(marks[upper]), spline(marks[lower])[1:-1]])


def eye_outline(marks: np.ndarray, eye: int) -> np.ndarray:
    """The opening between the lids, image left eye (0) or right (1), as a polygon."""
    a, b, c, d, e, f = EYES[eye]
    return loop(marks, [a, b, c, d], [d, e, f, a])


def outer_lips(marks: np.ndarray) -> np.ndarray:
    """Outline of the lips as a polygon."""
    return loop(marks, [48, 49, 50, 51, 52, 53, 54], [54, 55, 56, 57, 58, 59, 48])


def inner_lips(marks: np.ndarray) -> np.ndarray:
    """Outline of the mouth opening as a polygon."""
    return loop(marks, [60, 61, 62, 63, 64], [64, 65, 66, 67, 60])


def tone(colour: RGB, factor: float, towards: RGB = (0.0, 0.0, 0.0)) -> RGB:
    """`colour` darkened (factor < 1) towards `towards`."""
    return tuple(t + (c - t) * factor for c, t in zip(colour, towards, strict=True))  # type: ignore[return-value]


def lift(colour: RGB, amount: float) -> RGB:
    """`colour` lightened towards white by `amount`."""
    return tone(colour, 1 - amount, (255.0, 250.0, 244.0))


def paint_skin(canvas: Canvas, head: Head, view: View, marks: np.ndarray, look: FaceAppearance) -> None:
    """Everything on the skin that the light falls on: blush, age, freckles, sockets, nose, brows, lips."""
    u = view.unit
    skin = look.skin
    shadow = tone(skin, 0.62, (60.0, 20.0, 16.0))
    cheeks = view.project(_on(head, np.array([-0.47, 0.47]), np.array([0.34, 0.34])))
    canvas.fill_all(
        [disc(c, 0.17 * u, 0.14 * u) for c in cheeks],
        tone(skin, 0.62, (222.0, 62.0, 62.0)),
        0.35 * look.blush,
        0.07 * u,
    )
    _marks_of_time(canvas, head, view, marks, look, shadow)
    _sockets(canvas, view, marks, look, shadow)
    _nose(canvas, view, marks, look, shadow)
    _lips(canvas, head, view, marks, look)


def _on(head: Head, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points (N, 3) of the face's surface at x, y."""
    return np.column_stack([x, y, head.depth(x, y)])


def _marks_of_time(
    canvas: Canvas, head: Head, view: View, marks: np.ndarray, look: FaceAppearance, shadow: RGB
) -> None:
    u = view.unit
    if look.freckles:
        rng = np.random.default_rng(look.seed)
        count = int(60 * look.freckles)
        x, y = rng.normal(0, 0.32, count).clip(-0.62, 0.62), rng.normal(0.3, 0.12, count)
        spots = view.project(_on(head, x, y))
        radii = rng.uniform(0.010, 0.018, count) * u
        canvas.fill_all(
            [disc(c, r, r) for c, r in zip(spots, radii, strict=True)], tone(look.skin, 0.7, (110.0, 50.0, 20.0)), 0.55
        )
    smile = max(head.semantics.smile, 0.0)
    canvas.fill_all(
        [band(f, 0.045 * u) for f in _folds(view, marks)],
        shadow,
        0.5 * (0.10 + 0.4 * look.age + 0.35 * smile),
        0.02 * u,
    )
    if look.age > 0.5 and u >= FINE:
        strength = 0.6 * (look.age - 0.5) / 0.5 + 0.2 * max(head.semantics.brow_left, 0)
        canvas.fill_all([band(line, 0.016 * u) for line in _wrinkles(head, view, marks)], shadow, strength, 0.007 * u)


def _folds(view: View, marks: np.ndarray) -> list[np.ndarray]:
    """The two lines from the nose to the mouth's corners."""
    lines = []
    for wing, corner in ((31, 48), (35, 54)):
        start = marks[wing] + 0.25 * (marks[wing] - marks[33])
        away = marks[corner] - marks[66]
        away = away / max(float(np.hypot(*away)), 1e-6) * view.unit
        end = marks[corner] + 0.07 * away + 0.05 * (marks[8] - marks[27])
        lines.append(spline(np.stack([start, (start + marks[corner]) / 2 + 0.075 * away, end])))
    return lines


def _wrinkles(head: Head, view: View, marks: np.ndarray) -> list[np.ndarray]:
    """Lines of the forehead and crow's feet."""
    x = np.linspace(-1, 1, 9)
    wide, level = np.repeat([0.36, 0.42, 0.34], 9), np.repeat([-0.46, -0.55, -0.64], 9)
    forehead = view.project(_on(head, wide * np.tile(x, 3), level + 0.02 * np.cos(4 * np.tile(x, 3))))
    lines = list(forehead.reshape(3, 9, 2))
    reach = np.linspace(0.06, 0.16, 4)[:, None]
    for outer, inner in ((36, 39), (45, 42)):
        away = marks[outer] - marks[inner]
        for slope in (-0.5, 0.0, 0.5):
            lines.append(marks[outer] + 3.2 * reach * (away + slope * away[::-1] * [-1, 1]))
    return lines


def _sockets(canvas: Canvas, view: View, marks: np.ndarray, look: FaceAppearance, shadow: RGB) -> None:
    u = view.unit
    down = view.rotation[:2, 1] * u
    arcs = [spline(marks[list(eye[:4])], 4) for eye in EYES]
    brows = [spline(marks[17:22], 4), spline(marks[22:27], 4)]

    def between(share: float) -> list[np.ndarray]:
        return [(1 - share) * arc + share * brow[2:15] for arc, brow in zip(arcs, brows, strict=True)]

    def lids(share: float) -> list[np.ndarray]:
        return [np.concatenate([arc, edge[::-1]]) for arc, edge in zip(arcs, between(share), strict=True)]

    bags = [disc(marks[list(eye)].mean(axis=0) + 0.1 * down, 0.15 * u, 0.05 * u) for eye in EYES]
    canvas.fill_all(lids(0.42), shadow, 0.36, 0.035 * u)
    canvas.fill_all(bags, shadow, 0.10 + 0.28 * look.age, 0.03 * u)
    if look.make_up:
        canvas.fill_all(lids(0.26), look.eye_shadow, 0.7 * look.make_up, 0.02 * u)
    if u >= FINE:
        canvas.fill_all([band(line, 0.02 * u) for line in between(0.16)], shadow, 0.6, 0.008 * u)
    _brows(canvas, view, brows, look)


def _brows(canvas: Canvas, view: View, lines: list[np.ndarray], look: FaceAppearance) -> None:
    """A soft band along each brow line, then single hairs where the picture is large enough to show them."""
    u = view.unit
    share = np.linspace(0, 1, len(lines[0]))
    width = 0.105 * u * look.brow_thickness * (0.25 + 0.75 * np.sin(np.pi * (0.12 + 0.78 * share)) ** 0.8)
    widths = (width, width[::-1])
    canvas.fill_all([band(line, w) for line, w in zip(lines, widths, strict=True)], look.brow, 0.75, 0.014 * u)
    rng = np.random.default_rng(look.seed + 5)
    for line, w, lean in zip(lines, widths, (-1.0, 1.0), strict=True):
        along = (line[-1] - line[0]) / max(float(np.hypot(*(line[-1] - line[0]))), 1e-6)
        across = along[::-1] * [1.0, -1.0]
        for i in np.linspace(0, len(line) - 1, int(np.clip(0.5 * (u - 24), 0, 26))).astype(int):
            root = line[i] + across * rng.uniform(-0.42, 0.22) * w[i]
            tip = root + (across * rng.uniform(0.0, 0.018) + lean * along * 0.05) * u
            canvas.stroke(np.stack([root, tip]), tone(look.brow, float(rng.uniform(0.7, 1.15))), 0.006 * u)


def _nose(canvas: Canvas, view: View, marks: np.ndarray, look: FaceAppearance, shadow: RGB) -> None:
    u = view.unit
    right, down = view.rotation[:2, 0] * u, view.rotation[:2, 1] * u
    canvas.fill(np.concatenate([spline(marks[31:36], 4), marks[35:30:-1] + 0.07 * down]), shadow, 0.6, 0.03 * u)
    wings, holes = [], []
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for wing, inner, sign in ((31, 32, -1), (35, 34, 1)):
        side = marks[wing] - 0.03 * down + sign * 0.012 * right
        curve = np.stack(
            [side - 0.09 * down - sign * 0.02 * right, side - 0.03 * down + sign * 0.015 * right, side + 0.03 * down]
        )
        wings.append(band(spline(curve), 0.03 * u))
        centre = 0.35 * marks[wing] + 0.65 * marks[inner] - 0.012 * down
        holes.append(
            centre + np.outer(np.cos(turn), 0.045 * right + 0.01 * sign * down) + np.outer(np.sin(turn), 0.02 * down)
        )
    canvas.fill_all(wings, shadow, 0.7, 0.012 * u)
    canvas.fill_all(holes, (46.0, 18.0, 16.0), 0.85, 0.008 * u)


def _lips(canvas: Canvas, head: Head, view: View, marks: np.ndarray, look: FaceAppearance) -> None:
    u = view.unit
    outer = outer_lips(marks)
    canvas.fill(outer, look.lips, 0.95, 0.01 * u)
    upper = np.concatenate([spline(marks[48:55]), spline(marks[[64, 63, 62, 61, 60]])])
    canvas.fill(upper, tone(look.lips, 0.76), 0.8, 0.008 * u)
    middle = 0.55 * marks[66] + 0.45 * marks[57]
    height = 0.25 * float(np.linalg.norm(marks[57] - marks[66]))
    canvas.fill(disc(middle, 0.12 * u, max(height, 0.2)), lift(look.lips, 0.45), 0.5 + 0.3 * look.make_up, 0.02 * u)
    seam = np.concatenate([marks[48:49], spline(marks[60:65]), marks[54:55]])
    if head.semantics.mouth_open < 0.25:
        canvas.ribbon(seam, 0.022 * u, tone(look.lips, 0.35, (40.0, 8.0, 10.0)), 0.85, 0.006 * u)


def paint_open(canvas: Canvas, head: Head, view: View, marks: np.ndarray, look: FaceAppearance) -> None:
    """Eyeballs, mouth cavity and teeth, seen through the lids and lips; then the lashes."""
    light = float(np.mean(look.light_colour)) * (0.86 + 0.14 * max(look.light[2], 0.0))
    u = view.unit
    behind = canvas.copy()  # painted without regard to the openings, and then shown through them
    holes = []
    for eye in (0, 1):
        outline = eye_outline(marks, eye)
        if _area(outline) > 0.0015 * u * u:
            _eyeball(behind, head, view, marks, look, eye, light)
            holes.append(outline)
    mouth = inner_lips(marks)
    if _area(mouth) > 0.004 * u * u:
        _mouth(behind, view, marks, light)
        holes.append(mouth)
    covered = canvas.coverage(holes, 0.004 * u) if holes else None
    if covered is not None:
        mask, where = covered
        canvas.blend(mask, where, behind.pixels[where])
    _lashes(canvas, view, marks, look)


def _gaze(head: Head, view: View, centre: np.ndarray, look: FaceAppearance) -> np.ndarray:
    """Unit vector of sight in the camera frame: towards the gaze point, as far as the lids allow."""
    origin = (view.middle - (view.size - 1) / 2) / (view.size * UNIT)
    target = np.asarray(look.gaze) - np.array([origin[0], origin[1], 0.0])
    sight = view.rotation.T @ (target - view.camera(centre))
    sight /= np.linalg.norm(sight)
    sight[:2] = np.clip(sight[:2], [-0.42, -0.22], [0.42, 0.26])
    sight[2] = np.sqrt(max(1 - sight[0] ** 2 - sight[1] ** 2, 0.2))
    return view.rotation @ sight


def _eyeball(
    canvas: Canvas, head: Head, view: View, marks: np.ndarray, look: FaceAppearance, eye: int, light: float
) -> None:
    u = view.unit
    points, corners = head.points[list(EYES[eye])], marks[list(EYES[eye])]
    canvas.fill(disc(corners.mean(axis=0), 0.22 * u, 0.16 * u), tuple(light * c for c in (232.0, 226.0, 222.0)))
    centre = np.array([points[:, 0].mean(), 0.02, points[:, 2].mean() - EYEBALL + 0.02])
    sight = _gaze(head, view, centre, look)
    pupil = view.pixels(view.camera(centre) + EYEBALL * sight)
    across = IRIS * u
    tilt = sight[:2]
    squeeze = np.eye(2) - np.outer(tilt, tilt) * (1 - sight[2]) / max(tilt @ tilt, 1e-9)
    ring = disc((0.0, 0.0), across, across) @ squeeze
    canvas.fill(pupil + 1.08 * ring, tone(look.iris, 0.35), 0.95, 0.006 * u)
    canvas.fill(pupil + 0.92 * ring, look.iris, 1.0, 0.008 * u)
    if u >= FINE:
        canvas.fill(pupil + [0.0, 0.3 * across] + 0.6 * ring, lift(look.iris, 0.3), 0.5, 0.015 * u)
    canvas.fill(pupil + 0.44 * ring, (14.0, 10.0, 10.0), 0.97, 0.004 * u)
    canvas.ribbon(spline(corners[:4], 5), 0.07 * u, (70.0, 46.0, 44.0), 0.5, 0.02 * u)
    glint = pupil + np.array([look.light[0], look.light[1] - 0.25]) * 0.5 * across
    canvas.fill(disc(glint, 0.2 * across, 0.2 * across), (255.0, 255.0, 250.0), 0.95, 0.003 * u)
    if u >= FINE:
        inner = corners[3] if eye == 0 else corners[0]
        canvas.fill(disc(inner, 0.028 * u, 0.022 * u), (206.0, 130.0, 124.0), 0.7, 0.01 * u)


def _lashes(canvas: Canvas, view: View, marks: np.ndarray, look: FaceAppearance) -> None:
    u = view.unit
    lash = tone(look.brow, 0.35)
    lids = [spline(marks[list(eye[:4])], 5) for eye in EYES]
    if u >= FINE:
        lows = [band(spline(marks[[eye[3], eye[4], eye[5], eye[0]]], 5), 0.014 * u) for eye in EYES]
        canvas.fill_all(lows, tone(look.skin, 0.55, (90.0, 30.0, 26.0)), 0.5, 0.004 * u)
    taper = (0.030 + 0.016 * look.make_up) * np.sin(np.linspace(0.25, np.pi - 0.25, len(lids[0]))) + 0.006
    strokes = [band(lid, taper * u) for lid in lids]
    if look.make_up > 0.3:
        for outer, sign in ((marks[36], -1), (marks[45], 1)):
            wing = outer + sign * view.rotation[:2, 0] * 0.05 * u - view.rotation[:2, 1] * 0.03 * u
            strokes.append(band(np.stack([outer, (outer + wing) / 2, wing]), np.array([0.03, 0.02, 0.004]) * u))
    canvas.fill_all(strokes, lash, 0.92, 0.004 * u)


def _area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def _mouth(canvas: Canvas, view: View, marks: np.ndarray, light: float) -> None:
    u = view.unit
    down = view.rotation[:2, 1] * u
    top = spline(marks[60:65], 4)
    gape = float(np.hypot(*(marks[66] - marks[62]))) / u
    canvas.fill(outer_lips(marks), (62.0, 16.0, 18.0))
    canvas.fill(disc(marks[66] - 0.01 * down, 0.15 * u, 0.3 * gape * u), (170.0, 72.0, 76.0), 0.85, 0.025 * u)
    reach = min(0.62 * gape, 0.085)
    teeth = np.concatenate([top - 0.03 * down, (top + reach * down)[::-1]])
    canvas.fill(teeth, tuple(light * c for c in (236.0, 230.0, 216.0)), 0.95, 0.006 * u)
    if u >= FINE:
        canvas.fill(band(top, 0.05 * u), (90.0, 40.0, 40.0), 0.4, 0.02 * u)
    corners = [disc(marks[i] * 0.75 + marks[66] * 0.25, 0.06 * u, 0.06 * u) for i in (48, 54)]
    canvas.fill_all(corners, (50.0, 14.0, 16.0), 0.6, 0.03 * u)
