"""How the report stands 10,000 items: time and memory to write it, its size, and how fast Chromium opens it.

python -m tests.benchmarks.report_scale [items]

A small fake run is multiplied: its pictures are linked, its score lines repeated under new names.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmark.files import read_json, write_json
from tests.reports.fake_run import write_fake_run

SEED_ITEMS = 100
WRITE = "import sys; from pathlib import Path; from reports.page import write_report; write_report(Path(sys.argv[1]))"


def enlarge(folder: Path, items: int) -> None:
    """Turn a fake run of SEED_ITEMS items into one of `items`, without drawing anything again."""
    old = read_json(folder / "items.json")
    names = {record["id"]: [f"{k:03d}-{record['id']}" for k in range(items // len(old))] for record in old}
    write_json(folder / "items.json", [{**record, "id": name} for record in old for name in names[record["id"]]])
    for path in [*folder.glob("images/*/*/*.png")]:
        for name in names[path.stem]:
            os.link(path, path.with_stem(name))
        path.unlink()
    for path in [
        folder / "scores.jsonl",
        *folder.glob("images/_exam/points.jsonl"),
        *folder.glob("cells/*/*/points.jsonl"),
    ]:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        with open(path, "w", encoding="utf-8") as file:
            for line in lines:
                for name in names[line["item"]]:
                    file.write(json.dumps({**line, "item": name}) + "\n")
    results = read_json(folder / "results.json")
    write_json(folder / "results.json", {**results, "items": items})


def opening_seconds(page: Path) -> float:
    """Until Chromium has read and laid out the page, and shown a frame of it."""
    from playwright.sync_api import sync_playwright

    from tests.conftest import CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        seconds = time.perf_counter() - began
        browser.close()
    return seconds


def main(items: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_fake_run(folder, items=SEED_ITEMS, side=32)
        enlarge(folder, items)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", WRITE, str(folder)], check=True)
        seconds = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        pages = list((folder / "items").iterdir())
        print(f"{items} items, {len(read_json(folder / 'results.json')['methods'])} rows")
        print(
            f"written in {seconds:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} CPU-s, {usage.ru_maxrss / 1024:.0f} MB"
        )
        print(f"report.html {(folder / 'report.html').stat().st_size / 2**20:.1f} MB")
        print(f"items/: {len(pages)} pages, {sum(page.stat().st_size for page in pages) / 2**20:.0f} MB")
        for name in ("report.html", "items/index.html", "items/000.html"):
            print(f"{name} opens in {opening_seconds(folder / name):.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
