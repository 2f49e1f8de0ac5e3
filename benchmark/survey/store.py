"""Opening the database. Every change is one write transaction, and writers of a study come one after another.

    store = Store.open("sqlite:////path/study.sqlite")
    with store.write() as connection: ...

SQLite: write-ahead log, BEGIN IMMEDIATE, and a commit is on the disk before it is acknowledged (synchronous=FULL).
Its own waiting is polling, which starves some of many writers, so writers queue at a lock file first; the system frees
it when its holder is killed.
PostgreSQL: a transaction-wide advisory lock stands for BEGIN IMMEDIATE, so both run the same code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: SQLite's own waiting
    fcntl = None  # type: ignore[assignment]

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from benchmark.errors import BenchError
from benchmark.survey.tables import metadata

BUSY_SECONDS = 30
SYNCHRONOUS = "FULL"
LOCK = 7_305_514  # of all studies in one PostgreSQL database


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"


@dataclass(frozen=True)
class Store:
    """A database that holds studies."""

    engine: Engine
    queue: Path | None = None  # SQLite: the file at which writers queue

    @classmethod
    def open(cls, url: str, sync: bool = True) -> Store:
        """Open it, and make the tables where they are missing. Without `sync`, SQLite does not wait for the disk: a
        power cut may lose the last votes, a kill may not.
        """
        try:
            if url.startswith("sqlite:"):
                engine = create_engine(
                    url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, pool_size=20
                )
                _sqlite(engine, SYNCHRONOUS if sync else "NORMAL")
            else:
                engine = create_engine(url, pool_size=20)
                _postgresql(engine)
            metadata.create_all(engine)
        except (SQLAlchemyError, ImportError) as error:
            raise BenchError(f"{url.rsplit('@')[-1]}: cannot be opened: {str(error).splitlines()[0]}") from error
        database = engine.url.database if engine.dialect.name == "sqlite" else None
        return cls(engine, Path(f"{database}.lock") if database and fcntl else None)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database and waits for no writer."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one writer at a time. Leaving it commits; an exception takes everything back."""
        with (
            _turn(self.queue),
            self.engine.connect().execution_options(write=True) as connection,
            connection.begin(),
        ):
            yield connection


@contextmanager
def _turn(queue: Path | None) -> Iterator[None]:
    if queue is None:
        yield
        return
    with open(queue, "a") as file:  # closing gives it back
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def busy(error: Exception) -> bool:
    """Whether the database refused because another writer held it too long, or the disk is full: worth a retry."""
    words = ("database is locked", "database or disk is full", "disk I/O error", "lock timeout", "readonly database")
    return isinstance(error, DBAPIError) and any(word in str(error.orig) for word in words)


def _sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "cache_size=-20000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN")


def _postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("write"):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
