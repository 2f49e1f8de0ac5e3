"""A strip of a run for a README or a talk: label, exemplar, the methods, the true answer; the items are drawn by seed.

python scripts/figure.py runs/face-mini-1a2b3c4d docs/images/mini.png --methods pix2pixhd,pix2pixsc
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmark.run.results import RunView

CELL, GAP = 112, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--methods", default="pix2pixhd,pix2pixsc")
    parser.add_argument("--items", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    view = RunView(arguments.run)
    titles = {row.name: row.title for row in view.results.methods}
    order = np.random.default_rng(arguments.seed).permutation(len(view.items))[: arguments.items]
    items = [view.items[i]["id"] for i in sorted(order)]
    rows = [("Label", [view.exam_image("label", i) for i in items])]
    rows.append(("Exemplar", [view.exam_image("exemplar", i) for i in items]))
    rows += [(titles[m], [view.image(m, i) for i in items]) for m in arguments.methods.split(",")]
    rows.append(("True answer", [view.exam_image("truth", i) for i in items]))

    width, height = Image.open(rows[0][1][0]).size
    tall = round(CELL * height / width)
    font = ImageFont.load_default(15)
    margin = 16 + int(max(font.getlength(title) for title, _ in rows))
    sheet = Image.new("RGB", (margin + len(items) * (CELL + GAP), len(rows) * (tall + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for r, (title, paths) in enumerate(rows):
        draw.text((6, r * (tall + GAP) + tall // 2 - 8), title, fill="black", font=font)
        for c, path in enumerate(paths):
            picture = Image.open(path).convert("RGB").resize((CELL, tall), Image.Resampling.BICUBIC)
            sheet.paste(picture, (margin + c * (CELL + GAP), r * (tall + GAP)))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.out, optimize=True)
    print(f"wrote {arguments.out}: items {', '.join(items)}")


if __name__ == "__main__":
    main()
