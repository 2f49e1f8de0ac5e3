"""Nothing that reaches a rater's browser tells which method made a picture."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.survey.folder import Study
from benchmark.survey.material import Picture
from benchmark.survey.pictures import encode, pad
from benchmark.survey.web.app import create_app
from tests.survey.conftest import NAMES
from tests.survey.rater import FREE, Rater

Make = Callable[..., Study]


def crawl(study: Study, app: Any, choice: str) -> dict[str, tuple[dict[str, str], bytes]]:
    """Every answer that one rater gets on the way from the link to the code."""
    rater = Rater.entering(study, app)
    got: dict[str, tuple[dict[str, str], bytes]] = {}

    def keep(path: str, reply: Any) -> None:
        got[path] = (dict(reply.headers), reply.data)
        reply.close()

    for path in ("/study", "/static/survey.js", "/static/survey.css"):
        keep(path, rater.client.get(path))
    while not rater.next["end"]:
        shown = rater.next
        for which in ("left", "right", "exemplar"):
            keep(shown[which], rater.client.get(shown[which]))
        reply = rater.vote(choice)
        keep(f"/vote {shown['key']}", reply)
    for path in ("/done", "/", "/consent"):
        keep(path, rater.client.get(path))
    return got


def test_a_rater_finds_no_method_path_item_or_unequal_header(make: Make) -> None:
    study = make(pairs=6, raters=2, trials=6, catch=2, repeats=2, practice=1)
    app = create_app(study, limits=FREE)
    seen = crawl(study, app, "left") | crawl(study, app, "right")
    words = [*NAMES, "itemname", "exemplars", "sqlite", "gold", "catch", "repeat", str(study.folder)]
    words += [path.stem for path in study.pictures.iterdir()]
    for path, (headers, body) in seen.items():
        if path.startswith("/static"):
            continue
        for word in words:
            everything = path.encode() + repr(headers).encode() + body
            assert word.encode() not in everything, f"{word} in {path}"
    pictures = {path: answer for path, answer in seen.items() if path.startswith("/i/")}
    assert len(pictures) > 20
    for headers, body in pictures.values():
        assert headers == next(iter(pictures.values()))[0]  # not even the length differs
        assert len(body) == int(headers["Content-Length"])
        assert {"ETag", "Last-Modified", "Content-Disposition"} & set(headers) == set()
        with Image.open(io.BytesIO(body)) as image:
            assert image.format == "WEBP" and image.size == (32, 32)
            assert not image.info.get("exif") and not image.info.get("xmp", b"").strip()
    replies = [body for path, (_, body) in seen.items() if path.startswith("/vote")]
    shapes = {tuple(sorted(map(str, read(body)["next"]))) for body in replies}
    assert len(shapes) == 2  # a trial of any kind, and the end


def read(body: bytes) -> Any:
    return json.loads(body)


def test_a_picture_has_another_name_in_every_pair(make: Make) -> None:
    study = make(pairs=4, raters=2, trials=4)
    rater, names = Rater.entering(study), []
    while not rater.next["end"]:
        names += [rater.next["left"], rater.next["right"], rater.next["exemplar"]]
        rater.vote()
    assert len(set(names)) == len(names) == 12


@pytest.mark.parametrize("pixels", [32, 600])
def test_padding_lengthens_the_file_and_keeps_the_picture(tmp_path, pixels: int) -> None:
    draw = np.random.default_rng(0)
    Image.fromarray(draw.integers(0, 255, (40, 64, 3), dtype=np.uint8)).save(tmp_path / "a.png", dpi=(7, 7))
    data, size = encode(Picture(tmp_path / "a.png"), pixels)
    assert size == (pixels, round(pixels * 40 / 64))
    for extra in (0, 2, 1000):
        padded = pad(data, len(data) + extra)
        assert len(padded) == len(data) + extra
        assert int.from_bytes(padded[4:8], "little") == len(padded) - 8  # RIFF's own length
        with Image.open(io.BytesIO(padded)) as one, Image.open(io.BytesIO(data)) as two:
            assert (np.asarray(one) == np.asarray(two)).all() and "dpi" not in one.info
    for wrong in (len(data) + 1, len(data) - 2):
        with pytest.raises(ValueError, match="cannot pad"):
            pad(data, wrong)


def test_small_pictures_are_lossless_at_their_own_size(tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with Image.open(io.BytesIO(encode(Picture(tmp_path / "a.png"), 32)[0])) as image:
        assert (np.asarray(image.convert("RGB")) == pixels).all()
    coarse = np.asarray(Image.open(io.BytesIO(encode(Picture(tmp_path / "a.png", coarse=True), 32)[0])).convert("RGB"))
    assert coarse.std() < pixels.std() / 2
