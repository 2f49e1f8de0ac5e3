"""Group commit: those who wait share a transaction, and nothing else."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from benchmark.survey.group import GroupCommit, Untouched
from benchmark.survey.store import Store, busy, sqlite_url
from benchmark.survey.tables import consent

THREADS = 8


class Held:
    """A store whose first writer waits at a gate, so that the others' changes gather behind it."""

    def __init__(self, folder: Path) -> None:
        self.store, self.gate = Store.open(sqlite_url(folder / "x.sqlite")), threading.Event()
        self.commits, self.fails = 0, False
        self.group = GroupCommit(self._write, busy)

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self.store.write() as connection:
            yield connection
            assert self.gate.wait(10)
            self.commits += 1
            if self.fails and self.commits > 1:
                raise OSError("the disk is gone")

    def together(self, works: list[Callable[[Connection], Any]]) -> list[Any]:
        """What each of them returned or raised: the first in a group of its own, the others in the next."""
        outcomes: list[Any] = [None] * len(works)

        def one(place: int) -> None:
            try:
                outcomes[place] = self.group.run(works[place])
            except Exception as error:
                outcomes[place] = error

        threads = [threading.Thread(target=one, args=(place,)) for place in range(len(works))]
        threads[0].start()
        until = time.monotonic() + 10
        while not self.group._led and time.monotonic() < until:
            time.sleep(0.001)
        for thread in threads[1:]:
            thread.start()
        while len(self.group._waiting) < len(works) - 1 and time.monotonic() < until:
            time.sleep(0.001)
        self.gate.set()
        for thread in threads:
            thread.join()
        return outcomes

    def stored(self) -> set[str]:
        with self.store.read() as connection:
            return set(connection.scalars(select(consent.c.sha)))


def adding(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(insert(consent).values(sha=name, text=""))
        return name

    return work


def test_those_who_wait_share_one_commit(tmp_path: Path) -> None:
    held = Held(tmp_path)
    names = [str(place) for place in range(THREADS)]
    assert held.together([adding(name) for name in names]) == names
    assert held.commits == 2 and held.stored() == set(names)


def test_a_change_that_raises_is_taken_back_alone(tmp_path: Path) -> None:
    held = Held(tmp_path)

    def half(connection: Connection) -> None:
        adding("half")(connection)
        raise ValueError("not this one")

    works = [adding("a"), adding("b"), half, adding("b"), adding("c")]
    outcomes = held.together(works)
    assert held.stored() == {"a", "b", "c"} and held.commits == 3  # a's, and of their own b's and c's
    assert isinstance(outcomes[2], ValueError) and outcomes[4] == "c"
    assert {type(outcomes[1]), type(outcomes[3])} == {str, IntegrityError}  # one of the two b's was second


def test_a_change_that_changed_nothing_costs_the_others_nothing(tmp_path: Path) -> None:
    held = Held(tmp_path)

    def refuse(_connection: Connection) -> None:
        raise Untouched("no")

    outcomes = held.together([adding("a"), adding("b"), refuse, adding("c")])
    assert [str(outcome) for outcome in outcomes] == ["a", "b", "no", "c"]
    assert held.stored() == {"a", "b", "c"} and held.commits == 2


def test_a_failed_commit_is_told_to_everybody_in_it(tmp_path: Path) -> None:
    held = Held(tmp_path)
    held.fails = True
    outcomes = held.together([adding(str(place)) for place in range(4)])
    assert outcomes[0] == "0" and [str(outcome) for outcome in outcomes[1:]] == ["the disk is gone"] * 3
    assert held.stored() == {"0"}
    held.fails = False
    assert held.group.run(adding("5")) == "5"  # and it goes on afterwards


def test_a_lost_transaction_fails_its_whole_group(tmp_path: Path) -> None:
    """SQLite drops a transaction when the disk is full; what ran before in the group must not look stored."""
    held = Held(tmp_path)

    def lose(connection: Connection) -> None:
        connection.connection.driver_connection.rollback()  # type: ignore[union-attr]
        raise DBAPIError("", None, sqlite3.OperationalError("database or disk is full"))

    outcomes = held.together([adding("a"), adding("b"), lose, adding("c")])
    assert outcomes[0] == "a" and all("disk is full" in str(outcome) for outcome in outcomes[1:])
    assert held.stored() == {"a"}


@pytest.mark.parametrize("threads", [1, 20])
def test_more_than_a_group_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    from benchmark.survey import group

    monkeypatch.setattr(group, "LARGEST", 3)
    held = Held(tmp_path)
    names = [str(place) for place in range(threads)]
    assert held.together([adding(name) for name in names]) == names
    assert held.stored() == set(names) and held.commits == 1 + -(-(threads - 1) // 3)
