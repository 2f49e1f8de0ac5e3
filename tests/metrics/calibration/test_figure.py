"""The figure says what was claimed, whether it holds, and what is missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from benchmark.errors import BenchError
from benchmark.metrics.calibration import draw


def level(amount: float | None, value: float | None) -> dict[str, Any]:
    ends = (None, None) if value is None else (value - 0.1, value + 0.1)
    return {"amount": amount, "missing": 0, "value": value, "low": ends[0], "high": ends[1]}


def score(metric: str, title: str, *curves: tuple[str | None, bool | None, list[float | None]]) -> dict[str, Any]:
    names = ("blur", "identity")
    return {
        "metric": metric,
        "title": title,
        "better": "lower",
        "untouched": level(None, 1.0),
        "curves": [
            {
                "damage": name,
                "claim": claim,
                "holds": holds,
                "rank_correlation": None,
                "levels": [level(n + 1, v) for n, v in enumerate(values)],
            }
            for name, (claim, holds, values) in zip(names, curves, strict=True)
        ],
    }


CALIBRATION = {
    "task": "face",
    "N": 24,
    "px": 32,
    "damages": [
        {"name": "blur", "title": "blur", "unit": "σ", "steps": [1, 2]},
        {"name": "identity", "title": "swapped identity", "unit": "% of items", "steps": [50, 100]},
    ],
    "scores": [
        score("lepe[x,32px]", "LEPE", (None, None, [1.5, None]), ("flat", False, [2.0, 3.0])),
        score("eye-patch[x]", "Eye-patch distance", ("reacts", True, [2.0, 3.0]), ("reacts", None, [None, None])),
        score("lepe-failures[x,32px]", "LEPE failures", (None, None, [1.0, 1.0]), (None, None, [1.0, 1.0])),
    ],
}


def texts(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def test_panels_say_what_must_be_and_what_is(tmp_path: Path) -> None:
    draw(CALIBRATION, tmp_path / "c.svg")
    found = texts(tmp_path / "c.svg")
    assert [t for t in found if t[-1] in "✓✗?"] == ["flat ✗", "reacts ✓", "reacts ?"]
    assert "swapped identity" in found and "% of items" in found
    assert "face, 24 true answers at 32 px" in found
    assert "Eye-patch distance" in found and "LEPE failures" not in found  # nothing is claimed of failures


def test_equal_content_is_equal_bytes_and_png_is_written(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg", "c.png"):
        draw(CALIBRATION, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_scores_of_a_plug_in_are_drawn_without_a_claim(tmp_path: Path) -> None:
    (own,) = [s for s in CALIBRATION["scores"] if s["title"] == "LEPE failures"]
    draw({**CALIBRATION, "scores": [own]}, tmp_path / "c.svg")
    assert "LEPE failures" in texts(tmp_path / "c.svg")


def test_an_unknown_format_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot draw a \.gif; valid: png"):
        draw(CALIBRATION, tmp_path / "c.gif")
