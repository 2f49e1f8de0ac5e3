"""Statements of the hot path: written in SQLAlchemy Core, compiled once, run on the driver's own cursor.

A vote and a lease are a dozen small statements; this saves SQLAlchemy's own work on each.

    find = Prepared(select(cell).where(cell.c.id == bindparam("which")))
    rows = find(connection, which=3)                  # named tuples; find.one(...) for the first or None
    both = Together(find_place, fill_place)           # one message to PostgreSQL
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.expression import Executable


class Prepared:
    """A statement whose bound parameters are given by name; no expanding IN, no types that need conversion."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: dict[str, Any] = {}

    def __call__(self, connection: Connection, **values: Any) -> list[Any]:
        """Rows as named tuples; none for what returns none."""
        cursor = self._run(connection, values)
        return [self._row(cursor)._make(row) for row in cursor.fetchall()] if cursor.description else []

    def one(self, connection: Connection, **values: Any) -> Any:
        """The first row, or None."""
        cursor = self._run(connection, values)
        row = cursor.fetchone()
        return None if row is None else self._row(cursor)._make(row)

    def changed(self, connection: Connection, **values: Any) -> int:
        """How many rows an update changed."""
        count: int = self._run(connection, values).rowcount
        return count

    def _run(self, connection: Connection, values: dict[str, Any]) -> Any:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            ready = self.statement.compile(dialect=dialect)  # type: ignore[attr-defined]
            compiled = self._compiled[dialect.name] = (str(ready), ready.params, ready.positiontup)
        sql, defaults, order = compiled
        given = {**defaults, **values}
        try:  # both drivers' connections make a cursor and execute in one step
            return connection.connection.driver_connection.execute(  # type: ignore[union-attr]
                sql, [given[name] for name in order] if order is not None else given
            )
        except dialect.dbapi.Error as error:  # type: ignore[union-attr]
            raise DBAPIError(sql, None, error) from error

    def _row(self, cursor: Any) -> Any:
        if "row" not in self._compiled:
            self._compiled["row"] = namedtuple("Row", [column[0] for column in cursor.description])
        return self._compiled["row"]


class Together:
    """Changes that share their parameters' names and touch no row of each other's. PostgreSQL gets all as one
    statement: there a message costs more than what it says. SQLite, which is no server, gets one after the other.
    """

    def __init__(self, *changes: UpdateBase) -> None:
        *others, last = changes
        self._each = [Prepared(change) for change in changes]
        self._all = Prepared(last.add_cte(*(change.cte(f"change_{n}") for n, change in enumerate(others))))

    def __call__(self, connection: Connection, **values: Any) -> None:
        if connection.dialect.name == "postgresql":
            self._all(connection, **values)
        else:
            for change in self._each:
                change(connection, **values)
