"""Matplotlib figures as inline SVG whose colours belong to the page's style sheet, for light and for dark."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#0a0b0c"  # stands for the page's text colour while matplotlib draws
SERIES = tuple(f"#0{i}0{i}0{i}" for i in range(1, 9))  # likewise for --c1 to --c8
DASHES = ("-", "--", "-.", ":")
LETTER, LINE = 0.068, 0.16  # inches of a letter's width and a line's height at 9 points


def svg(salt: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """The <svg> element of what `draw` puts on a figure of this size in inches. Equal calls give equal bytes; no two
    figures of a page may share their `salt`, from which ids are made.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color")
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": salt,
        "font.size": 9,
        **dict.fromkeys(inked, INK),
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size)
        draw(figure)
        out = io.StringIO()
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _themed(out.getvalue())


def margins(figure: Figure, left: float, bottom: float = 0.46, right: float = 0.2, top: float = 0.08) -> None:
    """Margins in inches. Measuring all text to find them (constrained layout) takes as long as drawing does."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)


def rows_of(figure: Figure, names: Sequence[str], label: str) -> Axes:
    """Axes with a named row for everything in `names`, the first on top."""
    wrapped = ["\n".join(textwrap.wrap(name, 24)[:2]) or " " for name in names]
    longest = max((len(part) for name in wrapped for part in name.split("\n")), default=0)
    axes = figure.add_subplot()
    margins(figure, 0.15 + LETTER * longest)
    axes.set_yticks(range(len(names)), [plain(name) for name in wrapped])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(plain(label))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", lw=0.4, alpha=0.25)
    return axes


def plain(text: str) -> str:
    """Text in which a dollar is a dollar and not the start of a formula."""
    return text.replace("$", r"\$")


def height_of(rows: int) -> float:
    """Inches for that many rows."""
    return 0.6 + 0.3 * max(1, rows)


def _themed(text: str) -> str:
    """Keep the <svg> element, let it scale, and hand its colours over to the style sheet."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r"fill: #ffffff", "fill: none", text)
    text = re.sub(r" font-family: [^;\"]*;?", "", text)
    for number, colour in enumerate(SERIES, start=1):
        text = text.replace(colour, f"var(--c{number})")
    return text.replace(INK, "currentColor")
