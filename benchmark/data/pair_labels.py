"""The file of pairs marked by hand, as `bench pairs label` writes it and `benchmark.data.consistency` reads it.

    a,b,consistent,who,when
    vid_003:12,vid_017:4,yes,anna,2026-11-22T10:15:02+00:00

Several people may write into one file, each from a process of their own: every change is read, made and written under
a lock, and the file is replaced in one step, so that a kill at any moment loses nothing that was acknowledged.
"""

from __future__ import annotations

import csv
import datetime
import fcntl
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmark.data.source import Frame
from benchmark.errors import BenchError
from benchmark.files import write_atomic

COLUMNS = ("a", "b", "consistent", "who", "when")
ANSWERS = ("yes", "no", "skip")

Line = dict[str, str]
Key = frozenset[str]


def side(frame: Frame) -> str:
    """A frame as the file names it."""
    return f"{frame.clip}:{frame.index}"


def key(pair: tuple[Frame, Frame]) -> Key:
    """A pair without its order."""
    return frozenset(map(side, pair))


class PairLabels:
    """One labeller's hand on the file. Lines of others, and those written without a name, are left as they are."""

    def __init__(self, path: Path, who: str) -> None:
        if not who.strip() or any(c in who for c in "\r\n"):
            raise BenchError(f"--who: a name of one line, got {who!r}")
        self.path, self.who = Path(path), who.strip()

    def lines(self) -> list[Line]:
        """Every line, oldest first; none where there is no file yet."""
        return read_lines(self.path) if self.path.exists() else []

    def mine(self) -> dict[Key, str]:
        """What this labeller said, by pair."""
        return {frozenset((line["a"], line["b"])): line["consistent"] for line in self.lines() if self._is_mine(line)}

    def answer(self, pair: tuple[Frame, Frame], said: str) -> None:
        """Store "yes", "no" or "skip" for a pair, in place of what this labeller said before."""
        if said not in ANSWERS:
            raise BenchError(f"consistent: expected one of {', '.join(ANSWERS)}, got {said!r}")
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        new = dict(zip(COLUMNS, (*map(side, pair), said, self.who, now), strict=True))
        with self._changing() as change:
            change(lambda lines: [*(line for line in lines if not self._says(line, {key(pair)})), new])

    def undo(self, among: Sequence[tuple[Frame, Frame]]) -> bool:
        """Take back this labeller's newest answer about one of these pairs; False where there is none."""
        pairs = {key(pair) for pair in among}
        with self._changing() as change:
            lines = self.lines()
            last = max((n for n, line in enumerate(lines) if self._says(line, pairs)), default=None)
            if last is not None:
                change(lambda lines: lines[:last] + lines[last + 1 :])
        return last is not None

    def _is_mine(self, line: Line) -> bool:
        return line["who"] == self.who

    def _says(self, line: Line, pairs: set[Key]) -> bool:
        return self._is_mine(line) and frozenset((line["a"], line["b"])) in pairs

    @contextmanager
    def _changing(self) -> Iterator[Callable[[Callable[[list[Line]], list[Line]]], None]]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path.with_name(f".{self.path.name}.lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, also by a kill
                yield lambda change: _write(self.path, change(self.lines()))
        except OSError as error:
            raise BenchError(f"{self.path}: cannot write: {error.strerror or error}") from error


def read_lines(path: Path) -> list[Line]:
    """The lines of a file as text, columns that it lacks empty; a file without the first three is one clear line."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames is None or not set(COLUMNS[:3]) <= set(rows.fieldnames):
                raise BenchError(f"{path}: line 1: expected the header {','.join(COLUMNS[:3])}, got {rows.fieldnames}")
            return [{name: (row.get(name) or "").strip() for name in COLUMNS} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BenchError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _write(path: Path, lines: Sequence[Line]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_atomic(path, out.getvalue().encode())
