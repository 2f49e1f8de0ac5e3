"""The renderer's short cuts give what the plain way gives: light, curves, relief, blurs, hair that is left out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from benchmark.data.procedural import face_strands
from benchmark.data.procedural.face import landmarks, render, sample_clip
from benchmark.data.procedural.face_canvas import Canvas, band
from benchmark.data.procedural.face_curves import BROWS, EYES, curves_of
from benchmark.data.procedural.face_geometry import Head
from benchmark.data.procedural.face_light import light_of, lit

STATES, LOOK = sample_clip(0, 3, 4)


def test_light_on_one_normal_is_light_on_many():
    normals = np.random.default_rng(0).normal(size=(50, 3))
    unit = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)
    together = light_of(unit.T, LOOK).T * [200.0, 150.0, 100.0]
    alone = [lit((200.0, 150.0, 100.0), normal, LOOK) for normal in normals]
    assert np.allclose(alone, np.minimum(together, 255.0), rtol=1e-5)


def test_curves_are_splines_through_their_landmarks():
    marks = landmarks(STATES[1], 256).astype(float)
    curves = curves_of(marks)

    def plain(points, per_span):
        steps = np.linspace(0, len(points) - 1, (len(points) - 1) * per_span + 1)
        return CubicSpline(np.arange(len(points)), points, bc_type="natural")(steps)

    for lid, low, brow, eye, line in zip(curves.lids, curves.low_lids, curves.brows, EYES, BROWS, strict=True):
        assert np.allclose(lid, plain(marks[list(eye[:4])], 5))
        assert np.allclose(low, plain(marks[[*eye[3:], eye[0]]], 5))
        assert np.allclose(brow, plain(marks[list(line)], 4))
    for eye, outline in zip(EYES, curves.eyes, strict=True):
        assert all(np.abs(outline - marks[i]).max(axis=1).min() < 1e-9 for i in eye)
    assert np.allclose(curves.nostrils[::4], marks[31:36])
    assert np.allclose(curves.outer_lips[:31:5], marks[48:55]) and np.allclose(curves.inner_lips[:21:5], marks[60:65])
    assert np.allclose(curves.seam[[0, -1]], marks[[48, 54]])
    assert np.allclose(curves.creases[0, :, ::4], marks[[[36, 37, 38, 39], [42, 43, 44, 45]]])


@pytest.mark.parametrize("state", STATES)
def test_relief_of_the_surface_agrees_with_the_relief_of_the_landmarks(state):
    """The grid interpolates its relief on a lattice; the landmarks have it in closed form."""
    head = Head(state)
    y = np.linspace(-0.5, 1.3, 40)
    x = np.linspace(-0.8, 0.8, 33) * np.ones((40, 1))
    exact = np.stack([head.relief(row, np.full(33, level)) for row, level in zip(x, y, strict=True)])
    close = head._relief_rows(x.astype(np.float32), y.astype(np.float32))
    assert np.abs(close - exact).max() < 0.004 * np.abs(exact).max()


@pytest.mark.parametrize("sigma", [0.6, 1.5, 4.0])
def test_soft_edges_fall_off_like_a_gaussian(sigma):
    canvas = Canvas(64, 2)
    square = np.array([[20.0, 20.0], [40.0, 20.0], [40.0, 40.0], [20.0, 40.0]])
    mask, where = canvas.coverage([square], sigma)
    got, plain = np.zeros((2, 128, 128), np.uint8)
    got[where] = mask
    hard, at = canvas.coverage([square])
    plain[at] = hard
    expected = cv2.GaussianBlur(plain, (0, 0), 2 * sigma)
    assert np.abs(got.astype(int) - expected).max() < 24 and abs(got.mean() / expected.mean() - 1) < 0.01


def test_paint_over_a_mask_is_a_weighted_mean():
    rng = np.random.default_rng(0)
    canvas = Canvas(16, 2, rng.integers(0, 256, (32, 32, 3)).astype(np.uint8))
    before, where = canvas.pixels.astype(float), (slice(4, 20), slice(6, 30))
    mask = rng.integers(0, 256, (16, 24)).astype(np.uint8)
    share = 0.6 * mask[..., None] / 255.0
    for colour in ((250.0, 20.0, 90.0), rng.uniform(0, 255, (16, 24, 3)).astype(np.float32)):
        canvas.pixels[:] = before
        canvas.blend(mask, where, colour, 0.6)
        assert np.abs(canvas.pixels[where] - (before[where] * (1 - share) + share * colour)).max() <= 1.01
        canvas.pixels[where] = before[where]
        assert (canvas.pixels == before).all()


def test_a_band_has_its_width_on_both_sides_of_its_line():
    lines = np.random.default_rng(0).uniform(0, 50, (2, 6, 2))
    widths = np.linspace(1.0, 3.0, 6)
    for line, outline in zip(lines, band(lines, widths), strict=True):
        one, other = outline[:6], outline[:5:-1]
        assert np.allclose((one + other) / 2, line)
        assert np.allclose(np.linalg.norm(one - other, axis=1), widths)
        along = np.gradient(line, axis=0)
        assert np.allclose(((one - other) * along).sum(axis=1), 0, atol=1e-6)


def test_hair_that_is_left_out_behind_the_head_would_not_be_seen(monkeypatch):
    clips = [sample_clip(0, index, 3) for index in range(16)]
    quick = [render(state, look, 64) for states, look in clips for state in states]
    monkeypatch.setattr(face_strands, "BURIED", 0.0)
    whole = [render(state, look, 64) for states, look in clips for state in states]
    assert all((a == b).all() for a, b in zip(quick, whole, strict=True))
