"""A small study of 32 px pictures, its application, and a server for tests that need a real one."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.survey import store
from benchmark.survey.design import Design, load
from benchmark.survey.folder import Study, create
from benchmark.survey.material import Material, from_folders
from tests.survey import postgresql as throw_away
from tests.survey.rater import Rater

NAMES = ("secretours", "secretrival")


def pictures(folder: Path, count: int, side: int = 32) -> None:
    """Folders of pictures that differ by folder and item."""
    for place, name in enumerate((*NAMES, "exemplars")):
        (folder / name).mkdir(parents=True)
        for item in range(count):
            draw = np.random.default_rng(100 * item + place)
            small = draw.integers(0, 255, (side // 8, side // 8, 3), dtype=np.uint8)
            Image.fromarray(small).resize((side, side)).save(folder / name / f"itemname{item:02d}.png")


def small_design(**study: Any) -> Design:
    """The pix2pixsc preset, small."""
    settings = {"pairs": 4, "raters": 4, "trials": 4, "catch": 0, "repeats": 0, "practice": 0, "pixels": 32}
    settings |= {"break_every": 3, "lease_minutes": 10.0, **study}
    design = load("pix2pixsc")
    return dataclasses.replace(design, study=dataclasses.replace(design.study, **settings), questions=())


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests care about kills, not about power cuts."""
    monkeypatch.setattr(store, "SYNCHRONOUS", "OFF")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """postgresql() makes an empty database of a PostgreSQL that lives as long as the tests; its URL."""
    binaries = throw_away.programs()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: no initdb on PATH or in /usr/lib/postgresql")
    with throw_away.cluster(binaries) as url:
        yield partial(throw_away.empty_database, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def make_on_each(request: pytest.FixtureRequest, make: Callable[..., Study]) -> Callable[..., Study]:
    """`make`, on SQLite and on PostgreSQL."""
    return make if request.param == "sqlite" else partial(make, database=request.getfixturevalue("postgresql")())


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Study]]:
    """make(pairs=4, ..., recruit=..., questions=...) builds a study; its admin token is in `tokens[study.id]`."""
    studies = []

    def build(
        recruit: Any = None,
        questions: Any = (),
        texts: Any = None,
        exclusions: Any = None,
        database: str = "",
        side: int = 32,
        **study: Any,
    ) -> Study:
        number = len(list(tmp_path.iterdir()))
        design = small_design(**study)
        changes = {"questions": questions}
        changes |= {"recruit": recruit} if recruit else {}
        changes |= {"texts": texts} if texts else {}
        changes |= {"exclusions": exclusions} if exclusions else {}
        design = dataclasses.replace(design, **changes)
        pictures(tmp_path / f"pictures{number}", design.study.pairs, side)
        made, token = create(
            tmp_path / f"study{number}", design, material(tmp_path / f"pictures{number}", design), database
        )
        tokens[made.id] = token
        studies.append(made)
        return made

    yield build
    for made in studies:
        made.store.engine.dispose()


def material(folder: Path, design: Design) -> Material:
    return from_folders({name: folder / name for name in NAMES}, folder / "exemplars", design)


tokens: dict[str, str] = {}


@pytest.fixture
def rater() -> Callable[..., Rater]:
    """rater(study) is somebody with a browser's cookies who has consented."""
    return Rater.entering


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Run an application on a free port; yields its address."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
