"""Images made small enough to live inside the page: WebP data URIs under one common budget."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from pathlib import Path

BUDGET = 9 * 2**20  # bytes of all data URIs; the page as a whole stays under 15 MB
SETTINGS = ((256, 88), (192, 84), (128, 80), (96, 74), (64, 66), (48, 50))  # longest side in pixels, WebP quality


def data_uris(paths: Iterable[Path], budget: int = BUDGET) -> dict[Path, str]:
    """{path: data URI} of every readable image in `paths`, the largest size whose sum fits `budget`.

    A path that occurs several times counts each time, as the page repeats it. Missing and damaged files have no entry.
    """
    wanted = list(paths)
    uris: dict[Path, str] = {}
    for side, quality in SETTINGS:
        uris = {path: uri for path in dict.fromkeys(wanted) if (uri := _data_uri(path, side, quality))}
        if sum(len(uris.get(path, "")) for path in wanted) <= budget:
            break
    return uris


def _data_uri(path: Path, side: int, quality: int) -> str:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError):  # Pillow raises each of these on damaged files
        return ""
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
