"""A study folder.

    study.json      the definition, readable by anybody
    keys.json       the study's secrets (only its owner may read the file): HMAC keys, hash of the admin token
    pictures/       every picture under the hash of its bytes; which is whose stands in the database only
    study.sqlite    database, unless --database names another

`create(folder, design, material)` writes one, `Study.open(folder)` opens it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from benchmark.errors import BenchError
from benchmark.files import read_json, write_atomic, write_json
from benchmark.survey import tables
from benchmark.survey.design import Design, from_dict, sha_of
from benchmark.survey.material import Material, Pair, Picture
from benchmark.survey.pictures import encode, pad
from benchmark.survey.store import Store, sqlite_url

SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True)
class Study:
    """An open study. `keys`: "person" and "code" (hex HMAC keys), "salt" and "admin" (scrypt of the admin token)."""

    folder: Path
    id: str
    design: Design
    store: Store
    keys: dict[str, str]
    main: str
    comparisons: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path, database: str | None = None, sync: bool = True) -> Study:
        """Open a study folder; a missing or changed file is one clear line. `sync`: see `Store.open`."""
        if not (folder / "study.json").is_file():
            raise BenchError(f"{folder}: not a study folder; make one with: bench survey build")
        tree, keys = read_json(folder / "study.json"), read_json(folder / "keys.json")
        try:
            design = from_dict(tree["design"], f"{folder / 'study.json'}")
            known = tree["id"], tree["main"], tuple(tree["comparisons"])
        except (KeyError, TypeError) as error:
            raise BenchError(f"{folder / 'study.json'}: damaged: {error}; build the study again") from error
        store = Store.open(database or tree["database"] or sqlite_url(folder / "study.sqlite"), sync)
        with store.read() as connection:
            sha = connection.scalar(select(tables.study.c.sha).where(tables.study.c.id == known[0]))
        if sha is None:
            raise BenchError(f"{folder}: its database holds no such study; give the right one with --database")
        if sha != sha_of(tree["design"]):  # of the file: a later version may know more fields than it has
            raise BenchError(f"{folder / 'study.json'}: changed since the study was built; build another study instead")
        return cls(folder, known[0], design, store, keys, known[1], known[2])

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    def keyed(self, key: str, text: str) -> str:
        """HMAC-SHA256 of a text under one of the study's keys, hex."""
        return hmac.new(bytes.fromhex(self.keys[key]), f"{self.id}|{text}".encode(), hashlib.sha256).hexdigest()

    def is_admin(self, token: str) -> bool:
        """Whether this is the admin token that `bench survey build` printed."""
        return hmac.compare_digest(_scrypt(token, self.keys["salt"]), self.keys["admin"])

    def is_simulated(self, connection: Connection) -> bool:
        """Whether programs are among the raters: one is enough, as no sum tells its votes from people's."""
        programs = select(tables.rater.c.id).where(tables.rater.c.study == self.id, tables.rater.c.mode == "simulated")
        return connection.execute(programs.limit(1)).first() is not None

    def note(self, connection: Connection, what: str) -> None:
        """Write a line into the audit log."""
        connection.execute(insert(tables.audit).values(study=self.id, what=what, created=time.time()))


def create(folder: Path, design: Design, material: Material, database: str = "") -> tuple[Study, str]:
    """Write a study folder; returns the open study and the admin token, which is stored nowhere.

    `material` and `design` must agree: `design.study.pairs` at most the pairs of a comparison.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BenchError(f"{folder}: is not empty; build into a new folder")
    _check(design, material)
    sizes, encoded = _encode(material, design.study.pixels)  # before the folder is there: a bad picture leaves none
    if database:
        Store.open(database).engine.dispose()  # nor does a database that cannot be reached
    token, identity = secrets.token_urlsafe(24), secrets.token_hex(8)
    make_private(folder, token)
    (folder / "pictures").mkdir()
    files = _write_pictures(folder / "pictures", encoded)
    write_json(
        folder / "study.json",
        {
            "id": identity,
            "design": design.to_dict(),
            "main": material.main,
            "comparisons": list(material.rivals),
            "origin": material.origin,
            "notes": list(material.notes),
            "database": database,
        },
    )
    store = Store.open(database or sqlite_url(folder / "study.sqlite"))
    with store.write() as connection:
        connection.execute(
            insert(tables.study).values(
                id=identity,
                definition=json.dumps(design.to_dict(), sort_keys=True),
                sha=design.sha,
                state="open",
                created=time.time(),
            )
        )
        images, cells = _rows(identity, design, material, files, sizes)
        connection.execute(insert(tables.image), images)
        connection.execute(insert(tables.cell), cells)
    store.engine.dispose()
    return Study.open(folder), token


def make_private(folder: Path, token: str = "") -> None:
    """Make the folder of a study, with secrets of its own; without `token` nobody is its admin."""
    keys = {"person": secrets.token_hex(32), "code": secrets.token_hex(32), "salt": secrets.token_hex(16)}
    keys["admin"] = _scrypt(token, keys["salt"]) if token else ""
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)  # who voted what is nobody else's business
    write_atomic(folder / "keys.json", json.dumps(keys, indent=2).encode())
    os.chmod(folder / "keys.json", 0o600)


def _check(design: Design, material: Material) -> None:
    if design.study.trials > len(material.pairs):
        raise BenchError(
            f"study.trials: {design.study.trials} for each rater, but there are {len(material.pairs)} pairs: "
            f"--set study.trials={len(material.pairs)}"
        )
    needed = max(design.study.practice, design.study.catch)
    if needed > len(material.gold):
        raise BenchError(
            f"study.practice and study.catch: {needed} pairs with a known answer are needed, there are "
            f"{len(material.gold)}: set both to at most that"
        )


def _pictures_of(material: Material) -> Iterator[Picture]:
    for pair in (*material.pairs, *material.gold):
        yield from pair.pictures
        if pair.exemplar:
            yield pair.exemplar


def _encode(material: Material, pixels: int) -> tuple[dict[Picture, tuple[int, int]], dict[Picture, bytes]]:
    sizes, encoded = {}, {}
    for picture in dict.fromkeys(_pictures_of(material)):
        encoded[picture], sizes[picture] = encode(picture, pixels)
    for pair in (*material.pairs, *material.gold):
        a, b = pair.pictures
        if sizes[a] != sizes[b]:
            raise BenchError(f"{b.path}: not the proportions of {a.path}; compare pictures of one shape")
    length = max(map(len, encoded.values()))
    return sizes, {picture: pad(data, length) for picture, data in encoded.items()}


def _write_pictures(folder: Path, encoded: dict[Picture, bytes]) -> dict[Picture, str]:
    files = {}
    for picture, data in encoded.items():
        files[picture] = f"{hashlib.sha256(data).hexdigest()}.webp"
        write_atomic(folder / files[picture], data, flush=False)
    return files


def _rows(
    identity: str,
    design: Design,
    material: Material,
    files: dict[Picture, str],
    sizes: dict[Picture, tuple[int, int]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `image` and `cell`. A picture has another token in every pair, so tokens do not tell what recurs."""
    draw, images = random.Random(f"{design.study.seed}|{identity}"), []

    def token(picture: Picture | None) -> str | None:
        if picture is None:
            return None
        images.append({"token": secrets.token_urlsafe(16), "study": identity, "file": files[picture]})
        return str(images[-1]["token"])

    cells = []
    for number, pair in enumerate((*material.pairs, *material.gold)):
        common = _cell(identity, number, pair, sizes) | {
            "image_a": token(pair.pictures[0]),
            "image_b": token(pair.pictures[1]),
            "exemplar": token(pair.exemplar),
        }
        for turn, duration in enumerate(design.study.durations_ms or (None,)):
            need = [0, 0] if pair.right is not None else [design.study.raters // 2] * 2
            if pair.right is None:  # the odd vote goes to the left and to the right in turn
                need[(number + turn) % 2] += design.study.raters % 2
            cells.append(
                common
                | {"duration_ms": duration, "shuffle": draw.randrange(1, 2**31), "need0": need[0], "need1": need[1]}
            )
    return images, cells


def _cell(identity: str, number: int, pair: Pair, sizes: dict[Picture, tuple[int, int]]) -> dict[str, Any]:
    return {
        "study": identity,
        "kind": "trial" if pair.right is None else "gold",
        "pair": number,
        "comparison": pair.comparison,
        "item": pair.item,
        "method_a": pair.methods[0],
        "method_b": pair.methods[1],
        "right": pair.right,
        "width": sizes[pair.pictures[0]][0],
        "height": sizes[pair.pictures[0]][1],
    }


def _scrypt(token: str, salt: str) -> str:
    return hashlib.scrypt(token.encode(), salt=bytes.fromhex(salt), **SCRYPT).hex()  # type: ignore[arg-type]
