"""Group commit: changes that wait at the same time become one transaction, so one wait for the disk serves them all.

    commit = GroupCommit(store.write)
    saved = commit.run(lambda connection: ...)     # from any thread; returns after the commit

Whoever finds nobody at work leads: takes everything that waits, runs it in turn, each change under a savepoint of its
own, and commits. What arrives meanwhile is the next group, led by its first. A change that raises is taken back alone;
when the commit fails, none of its group is stored and every caller is told so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
LARGEST = 64  # changes of a group: bounds how long its first waits


class _Change:
    __slots__ = ("error", "result", "settled", "turn", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work, self.turn, self.settled = work, threading.Event(), False
        self.result: Any = None
        self.error: BaseException | None = None


class GroupCommit:
    """Runs changes in groups; `write` opens a transaction and commits on leaving."""

    def __init__(self, write: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._write, self._guard = write, threading.Lock()
        self._waiting: list[_Change] = []
        self._led = False

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once it is committed; raises what it raised, or what the commit did."""
        mine = _Change(work)
        with self._guard:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
        if not leads:
            mine.turn.wait()  # for the end of it, or to lead
        if not mine.settled:
            self._lead()
        if mine.error is not None:
            raise mine.error
        result: T = mine.result
        return result

    def _lead(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
        try:
            with self._write() as connection:
                for change in group:
                    _perform(connection, change)
        except BaseException as error:
            for change in group:
                change.error = change.error or error
        with self._guard:
            heir = self._waiting[0] if self._waiting else None
            self._led = heir is not None
        for change in group:
            change.settled = True
            change.turn.set()
        if heir:
            heir.turn.set()


def _perform(connection: Connection, change: _Change) -> None:
    _say(connection, "SAVEPOINT change")
    try:
        change.result = change.work(connection)
    except Exception as error:
        try:
            _say(connection, "ROLLBACK TO SAVEPOINT change")
        except Exception:  # the database has dropped the whole transaction (full disk): the group goes with it
            raise error from None
        change.error = error
    _say(connection, "RELEASE SAVEPOINT change")


def _say(connection: Connection, sql: str) -> None:
    connection.connection.driver_connection.execute(sql)  # type: ignore[union-attr]
