"""The server killed under load: no acknowledged vote is lost, none counted twice. And a full disk, a locked database,
a clock set back.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import random
import resource
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any

import pytest
from sqlalchemy import select

from benchmark.survey import export, store
from benchmark.survey.folder import Study
from benchmark.survey.tables import assignment, cell
from benchmark.survey.tables import vote as votes
from benchmark.survey.web.app import create_app
from tests.survey.rater import FREE, ORIGIN, Rater
from tests.survey.test_allocation import enter, vote

Make = Callable[..., Study]
KILLS = {"sqlite": 200, "postgresql": 20}  # of the web server; PostgreSQL itself lives on


def _serve(study: Study, listening: socket.socket, ready: int) -> None:
    from werkzeug.serving import make_server

    app = create_app(Study.open(study.folder), limits=FREE)
    server = make_server("127.0.0.1", 0, app, threaded=True, fd=listening.fileno())
    os.write(ready, b"!")
    server.serve_forever()


def _kill_again_and_again(study: Study, listening: socket.socket, begun: Event, kills: int) -> None:
    """A process without threads, so that its forks start clean. The port stays open, as behind a proxy; the first
    server lives until everybody has begun.
    """
    draw = random.Random(0)
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 2)  # the server's log
    for kill in range(kills + 1):
        waiting, ready = os.pipe()
        child = os.fork()
        if child == 0:
            _serve(study, listening, ready)
        if kill == 0:
            begun.wait(120)
        elif kill % 10:  # every tenth dies as it starts, or soon after
            os.read(waiting, 1)
        time.sleep(draw.uniform(0.01, 0.12) if kill < kills else 3.0)  # the last may finish what it has begun
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(waiting)
        os.close(ready)


class Persistent:
    """A rater whose page tries again until it is answered."""

    def __init__(self, port: int, study: Study, stop: threading.Event) -> None:
        self.port, self.study, self.stop = port, study, stop
        self.cookie, self.acknowledged = "", dict[str, str]()
        self.begun = threading.Event()

    def ask(self, path: str, body: str, kind: str = "application/json") -> Any:
        while not self.stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
            try:
                headers = {**ORIGIN, "Content-Type": kind, "Cookie": self.cookie}
                connection.request("POST", path, body, headers)
                reply = connection.getresponse()
                data = reply.read()
            except (OSError, http.client.HTTPException):
                continue
            finally:
                connection.close()
            if reply.status < 500:
                return reply, data
        return None, b""

    def run(self) -> None:
        form = "application/x-www-form-urlencoded"
        reply, _ = self.ask("/consent", f"agree={self.study.design.consent_sha}", form)
        if reply is None:
            return
        self.cookie = reply.headers["Set-Cookie"].split(";")[0]
        shown = json.loads(self.ask("/next", "{}")[1] or '{"end": true}')
        self.begun.set()
        while not self.stop.is_set() and not shown["end"]:
            choice = random.choice(("left", "right"))
            reply, data = self.ask("/vote", json.dumps({"key": shown["key"], "choice": choice, "rt_ms": 1.0}))
            if reply is not None:
                assert reply.status == 200, data
                self.acknowledged[shown["key"]] = choice
                shown = json.loads(data)["next"]


@pytest.mark.slow
def test_killed_again_and_again_under_load(make_on_each: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SYNCHRONOUS", "FULL")
    study = make_on_each(pairs=300, raters=30, trials=300)
    study.store.engine.dispose()
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    fork = multiprocessing.get_context("fork")
    begun = fork.Event()
    kills = KILLS[study.store.engine.dialect.name]
    killer = fork.Process(target=_kill_again_and_again, args=(study, listening, begun, kills))
    killer.start()
    stop = threading.Event()
    people = [Persistent(listening.getsockname()[1], study, stop) for _ in range(8)]
    threads = [threading.Thread(target=person.run) for person in people]
    for thread in threads:
        thread.start()
    assert all(person.begun.wait(120) for person in people)
    begun.set()
    killer.join()
    stop.set()
    listening.close()
    for thread in threads:
        thread.join()
    assert killer.exitcode == 0
    acknowledged = {key: choice for person in people for key, choice in person.acknowledged.items()}
    with study.store.read() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept = connection.execute(
            select(assignment.c.key, votes.c.chosen == assignment.c.side).join_from(assignment, votes)
        ).all()
    stored = {key: "left" if left else "right" for key, left in kept}
    assert len(stored) == len(kept) and len(acknowledged) > 20
    assert {key: stored.get(key) for key in acknowledged} == acknowledged
    assert len(stored) - len(acknowledged) <= len(people)  # stored, and the answer lost on its way
    assert_counts_agree(study)


def assert_counts_agree(study: Study) -> None:
    """What the cells count is what the votes are."""
    rows = export.table(study, "votes")[1]
    of_votes = Counter((r["pair"], r["side"]) for r in rows if r["kind"] == "trial" and r["state"] == "counted")
    with study.store.read() as connection:
        cells = connection.execute(select(cell)).all()
    assert {(c.pair, side): (c.done0, c.done1)[side] for c in cells for side in (0, 1)} == {
        (c.pair, side): of_votes[c.pair, side] for c in cells for side in (0, 1)
    }


def test_a_full_disk_is_said_and_nothing_is_half_stored(make: Make) -> None:
    study = make()
    app = create_app(study, limits=FREE)
    rater = Rater.entering(study, app)
    with study.store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    from sqlalchemy import event

    @event.listens_for(study.store.engine, "begin")
    def _full(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit[0]}")

    limit = [pages]
    statuses = set()
    for _ in range(60):  # until the last page is full
        other = app.test_client()
        reply = other.post("/consent", data={"agree": study.design.consent_sha, "test": "1"}, headers=ORIGIN)
        statuses.add(reply.status_code)
        if reply.status_code == 503:
            break
    assert statuses == {303, 503} and "cannot store" in reply.text
    key = rater.next["key"]
    limit[0] = 1_000_000
    assert rater.vote(key=key).json["saved"]
    assert_counts_agree(study)


def test_a_write_that_fails_takes_back_all_that_waited_for_it(make: Make) -> None:
    """The log of the database may not grow, as on a full disk, while many vote at once."""
    study = make(pairs=4, raters=16, trials=4)
    app = create_app(study, limits=FREE)
    people = [Rater.entering(study, app) for _ in range(8)]
    keys = [person.next["key"] for person in people]
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (study.folder / "study.sqlite-wal").stat().st_size
    with ThreadPoolExecutor(len(people)) as pool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, largest[1]))
        try:
            refused = list(pool.map(lambda person: person.vote(), people))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, largest)
        assert {reply.status_code for reply in refused} == {503}
        assert export.table(study, "votes")[1] == []
        again = list(pool.map(lambda person: person.vote(), people))
    assert [person.next["number"] for person in people] == [2] * len(people)
    assert all(reply.json["saved"] for reply in again) and len({*keys}) == len(export.table(study, "votes")[1])
    assert_counts_agree(study)


def test_a_locked_database_is_said_and_tried_again(make_on_each: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    made = make_on_each()
    study = Study.open(made.folder)
    rater = Rater.entering(study)
    key = rater.next["key"]
    with locked(made):
        reply = rater.vote(key=key)
    assert reply.status_code == 503 and "try again" in reply.json["error"]
    assert rater.vote(key=key).json["saved"]
    assert_counts_agree(study)
    study.store.engine.dispose()


@contextmanager
def locked(study: Study) -> Iterator[None]:
    """Somebody else's transaction, which does not end: a backup, a forgotten console."""
    if study.store.engine.dialect.name == "postgresql":
        with study.store.write():
            yield
        return
    other = sqlite3.connect(study.folder / "study.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_a_clock_set_back_changes_no_count(make_on_each: Make) -> None:
    study = make_on_each(pairs=4, raters=2, trials=4)
    session = enter(study, 1e6)
    vote(study, session, 1e6)
    vote(study, session, 5e5)
    other = enter(study, 4e5)
    for now in (3e5, 1e6, 2e5, 1.0):
        vote(study, other, now)
    vote(study, session, 0.0), vote(study, session, 2e6)
    assert len(export.table(study, "votes")[1]) == 8
    assert_counts_agree(study)
