"""Statements of the hot path: written in SQLAlchemy Core, compiled once, run on the driver's own cursor.

A vote and a lease are a dozen small statements; this saves SQLAlchemy's own work on each.

    find = Prepared(select(cell).where(cell.c.id == bindparam("which")))
    rows = find(connection, which=3)                  # named tuples; find.one(...) for the first or None
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import Executable


class Prepared:
    """A statement whose bound parameters are given by name; no expanding IN, no types that need conversion."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._compiled: dict[str, Any] = {}

    def __call__(self, connection: Connection, **values: Any) -> list[Any]:
        """Rows as named tuples; none for what returns none."""
        cursor = self._run(connection, values)
        try:
            return [self._row(cursor)._make(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            cursor.close()

    def one(self, connection: Connection, **values: Any) -> Any:
        """The first row, or None."""
        rows = self(connection, **values)
        return rows[0] if rows else None

    def changed(self, connection: Connection, **values: Any) -> int:
        """How many rows an update changed."""
        cursor = self._run(connection, values)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def _run(self, connection: Connection, values: dict[str, Any]) -> Any:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            ready = self.statement.compile(dialect=dialect)  # type: ignore[attr-defined]
            compiled = self._compiled[dialect.name] = (str(ready), ready.params, ready.positiontup)
        sql, defaults, order = compiled
        given = {**defaults, **values}
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, [given[name] for name in order] if order is not None else given)
        except dialect.dbapi.Error as error:  # type: ignore[union-attr]
            cursor.close()
            raise DBAPIError(sql, None, error) from error
        return cursor

    def _row(self, cursor: Any) -> Any:
        if "row" not in self._compiled:
            self._compiled["row"] = namedtuple("Row", [column[0] for column in cursor.description])
        return self._compiled["row"]
