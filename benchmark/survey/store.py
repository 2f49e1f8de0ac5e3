"""Opening the database. Every change is one write transaction, and writers of a study come one after another.

    store = Store.open("sqlite:////path/study.sqlite")
    with store.write() as connection: ...
    store.change(lambda connection: ...)           # the same, sharing the wait for the disk with others that wait

SQLite: write-ahead log, BEGIN IMMEDIATE, and a commit is on the disk before it is acknowledged (synchronous=FULL).
Its own waiting is polling, which starves some of many writers, so writers queue at a lock file first; the system frees
it when its holder is killed.
PostgreSQL: a transaction-wide advisory lock stands for BEGIN IMMEDIATE, so both run the same code. Writers are READ
COMMITTED: having waited for the lock, they must see what its last holder stored. Readers get one snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

try:
    import fcntl
except ImportError:  # Windows: SQLite's own waiting
    fcntl = None  # type: ignore[assignment]

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from benchmark.errors import BenchError
from benchmark.survey.group import GroupCommit
from benchmark.survey.tables import metadata

T = TypeVar("T")

BUSY_SECONDS = 30
SYNCHRONOUS = "FULL"
SQLITE_BUSY = ("database is locked", "database or disk is full", "disk I/O error", "readonly database")
POSTGRESQL_BUSY = ("55P03", "53100", "57P01")  # lock timeout, disk full, shutting down
LOCK = 7_305_514  # of all studies in one PostgreSQL database


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"


class Store:
    """A database that holds studies. `queue`: for SQLite, the file at which writers queue."""

    def __init__(self, engine: Engine, queue: Path | None = None) -> None:
        self.engine, self.queue = engine, queue
        self._group = GroupCommit(self.write, busy)

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
                # The hot statements are few and all by index; planning one anew takes longer than running it.
                options = {
                    "options": f"-c lock_timeout={int(1000 * BUSY_SECONDS)} -c plan_cache_mode=force_generic_plan"
                }
                engine = create_engine(
                    url, pool_size=20, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=options
                )
                _postgresql(engine)
            metadata.create_all(engine)
        except (SQLAlchemyError, ImportError) as error:
            raise BenchError(f"{url.rsplit('@')[-1]}: cannot be opened: {str(error).splitlines()[0]}") from error
        database = engine.url.database if engine.dialect.name == "sqlite" else None
        return cls(engine, Path(f"{database}.lock") if database and fcntl else None)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database and waits for no writer."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
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

    def change(self, work: Callable[[Connection], T]) -> T:
        """Run `work` as a writer and return what it returns, once that is committed; for what many do at once."""
        return self._group.run(work)


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
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in POSTGRESQL_BUSY or any(w in str(error.orig) for w in SQLITE_BUSY)


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
