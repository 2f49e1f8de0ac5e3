"""Group commit: changes that wait at the same time become one transaction, so one wait for the disk serves them all.

    commit = GroupCommit(store.write)
    saved = commit.run(lambda connection: ...)     # from any thread; returns after the commit

Whoever finds nobody at work leads: takes everything that waits, runs it in turn in one transaction, and commits. What
arrives meanwhile is the next group, led by its first. A change that raises `Untouched` fails alone. One that raises
anything else spoils the transaction: all is taken back, and each change of the group runs again in one of its own.
When the database gives up (locked, disk full) or the commit fails, none of a group is stored and every caller is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
LARGEST = 64  # changes of a group: bounds how long its first waits


class Untouched(Exception):
    """Raised by a change that has not changed anything, so that the others of its group can go on."""


class _Change:
    __slots__ = ("error", "result", "settled", "turn", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work, self.turn, self.settled = work, threading.Event(), False
        self.result: Any = None
        self.error: BaseException | None = None


class GroupCommit:
    """Runs changes in groups; `write` opens a transaction and commits on leaving. `hopeless` tells of an error whether
    the database will refuse the others of the group as well.
    """

    def __init__(
        self, write: Callable[[], AbstractContextManager[Connection]], hopeless: Callable[[Exception], bool]
    ) -> None:
        self._write, self._hopeless, self._guard = write, hopeless, threading.Lock()
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
        if not self._perform(group):
            for change in group:
                self._perform([change])
        with self._guard:
            heir = self._waiting[0] if self._waiting else None
            self._led = heir is not None
        for change in group:
            change.settled = True
            change.turn.set()
        if heir:
            heir.turn.set()

    def _perform(self, group: list[_Change]) -> bool:
        """Whether all of them have an answer; False: one change spoilt it for the others, and all was taken back."""
        spoilt = False
        try:
            with self._write() as connection:
                for change in group:
                    try:
                        change.result = change.work(connection)
                    except Untouched as error:
                        change.error = error
                    except Exception as error:
                        spoilt = len(group) > 1 and not self._hopeless(error)
                        raise
        except BaseException as error:
            for change in group:
                change.error = None if spoilt else change.error or error
        return not spoilt
