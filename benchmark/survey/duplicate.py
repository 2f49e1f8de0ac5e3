"""A second study folder of the same definition and pictures, without any rater or vote.

    copy = duplicate(study, Path("study-simulated"))

Simulation works on one, so that programs never come near people's votes; `bench survey static` deals out trials on one.
"""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from benchmark.errors import BenchError
from benchmark.files import read_json, write_json
from benchmark.survey import tables
from benchmark.survey.folder import Study, make_private
from benchmark.survey.store import Store, sqlite_url


def duplicate(study: Study, folder: Path, *, pictures: bool = True, counts: bool = False) -> Study:
    """Write the copy (its database is SQLite, in the folder) and open it.

    It has an identity and keys of its own, and nobody is its admin. `pictures`: copy them too. `counts`: places that
    votes fill in the original stay filled; else all are free.

    Raises BenchError where the folder holds anything.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BenchError(f"{folder}: is not empty; name another with --out")
    identity = secrets.token_hex(8)
    make_private(folder)
    if pictures:
        shutil.copytree(study.pictures, folder / "pictures")
    tree = read_json(study.folder / "study.json")
    notes = [*tree["notes"], f"a copy of study {study.id}, without its votes"]
    write_json(folder / "study.json", {**tree, "id": identity, "database": "", "notes": notes})
    _copy_rows(study, Store.open(sqlite_url(folder / "study.sqlite"), sync=False), identity, counts)
    return Study.open(folder, sync=False)


def _copy_rows(study: Study, store: Store, identity: str, counts: bool) -> None:
    """The definition, pictures' names and cells; cells keep their numbers."""
    with study.store.read() as connection:
        definition = connection.execute(select(tables.study).where(tables.study.c.id == study.id)).one()
        images = connection.execute(select(tables.image).where(tables.image.c.study == study.id)).all()
        cells = connection.execute(select(tables.cell).where(tables.cell.c.study == study.id)).all()

    def free(row: Any) -> dict[str, Any]:
        done = (row.done0, row.done1) if counts else (0, 0)
        return {"study": identity, "done0": done[0], "done1": done[1], "held0": done[0], "held1": done[1]}

    with store.write() as connection:
        own = {"id": identity, "state": "open", "created": time.time()}
        connection.execute(insert(tables.study).values({**definition._mapping, **own}))
        connection.execute(insert(tables.image), [{**row._mapping, "study": identity} for row in images])
        connection.execute(insert(tables.cell), [{**row._mapping, **free(row)} for row in cells])
    store.engine.dispose()
