"""Lease-and-vote requests a second of `bench survey serve`, on loopback, generator on the same machine.

    python -m tests.benchmarks.survey_load --connections 100 --seconds 20
    python -m tests.benchmarks.survey_load --connections 100 --postgresql      # one made for it, and thrown away
    python -m tests.benchmarks.survey_load --connections 300 --database postgresql+psycopg://user@host/name

Every connection is a rater that answers at once; a request stores a vote and leases the next trial, and is answered
when both are on the disk. Prints requests a second, p50, p99, errors, and the CPU time of a vote; checks that every
acknowledged vote is there once and that the pairs count as many. The generator is one thread whose replies are
searched, not parsed; what it costs is printed too.
"""

from __future__ import annotations

import argparse
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import distinct, func, select

from benchmark.survey.folder import Study, create
from benchmark.survey.tables import assignment, cell, rater, vote
from tests.survey.conftest import material, pictures, small_design
from tests.survey.postgresql import cluster, programs
from tests.survey.rater import FREE

HEAD = b"POST %s HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: %s\r\nCookie: %s\r\n"
LENGTH, KEY = re.compile(rb"\r\ncontent-length: (\d+)", re.I), re.compile(rb'"key":"([^"]+)"')
COOKIE = re.compile(rb"\r\nset-cookie: ([^;\r]+)", re.I)


@dataclass
class Rater:
    """One keep-alive connection of one rater."""

    port: int
    cookie: bytes = b""
    key: bytes = b""
    sent: float = 0.0
    got: bytes = b""

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, path: bytes, body: bytes, kind: bytes = b"application/json") -> None:
        self.sent = time.monotonic()
        head = HEAD % (path, kind, self.cookie)
        self.socket.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def vote(self) -> None:
        self.send(b"/vote", b'{"key":"%s","choice":"left","rt_ms":1}' % self.key)

    def receive(self) -> bytes | None:
        """The reply, or None while some of it is missing."""
        more = self.socket.recv(65_536)
        if not more:
            raise ConnectionError("closed by the server")
        self.got += more
        end = self.got.find(b"\r\n\r\n")
        length = LENGTH.search(self.got, 0, end + 2) if end >= 0 else None
        if length is None or len(self.got) < end + 4 + int(length[1]):
            return None
        reply, self.got = self.got, b""
        return reply

    def ask(self, path: bytes, body: bytes, kind: bytes = b"application/json") -> bytes:
        self.send(path, body, kind)
        while (reply := self.receive()) is None:
            pass
        return reply

    def enter(self, agree: str) -> None:
        """Connect, consent and fetch the first trial."""
        self.open()
        reply = self.ask(b"/consent", b"agree=" + agree.encode(), b"application/x-www-form-urlencoded")
        self.cookie = COOKIE.search(reply)[1]  # type: ignore[index]
        self.key = KEY.search(self.ask(b"/next", b"{}"))[1]  # type: ignore[index]


@dataclass
class Result:
    """What the requests came to. `times` in ms."""

    done: int = 0
    took: float = 0.0
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def load(raters: list[Rater], seconds: float) -> Result:
    """All raters vote as fast as they are answered until the time or their trials are up."""
    result, at_it = Result(), len(raters)
    with selectors.DefaultSelector() as ready:
        start = time.monotonic()
        for person in raters:
            ready.register(person.socket, selectors.EVENT_READ, person)
            person.vote()
        while at_it:
            for event, _ in ready.select():
                person = event.data
                reply = person.receive()
                if reply is None:
                    continue
                now = time.monotonic()
                result.times.append(1000 * (now - person.sent))
                key = KEY.search(reply)
                if reply.startswith(b"HTTP/1.1 200"):
                    result.done += 1
                    person.key = key[1] if key else b""
                else:
                    result.errors.append(reply[9:12].decode())
                if now < start + seconds and person.key:
                    person.vote()
                else:
                    ready.unregister(person.socket)
                    at_it -= 1
        result.took = time.monotonic() - start
    return result


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + sum(map(cpu_seconds, map(int, children)))


def tell(result: Result, connections: int, server: float, own: float) -> None:
    times, rate = sorted(result.times), result.done / result.took
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"{connections} connections: {rate:.0f} lease-and-vote requests/s in {result.took:.0f} s")
    print(f"p50 {middle:.0f} ms, p99 {late:.0f} ms, longest {times[-1]:.0f} ms")
    print(f"{len(result.errors)} errors {result.errors[:3]}, load average {os.getloadavg()[0]:.1f}")
    print(f"CPU a vote: server {1000 * server / result.done:.2f} ms, generator {1000 * own / result.done:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=240)
    parser.add_argument("--database", help="PostgreSQL; default: SQLite")
    parser.add_argument("--postgresql", action="store_true", help="a PostgreSQL made for this; it waits for the disk")
    parser.add_argument("--no-sync", action="store_true", help="as that of `bench survey serve`")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        from benchmark.survey.web.serving import serve

        settings = {"workers": args.workers, "threads": args.threads, "sync": not args.no_sync}
        serve(args.serve, args.database, host="127.0.0.1", port=args.port, limits=FREE, **settings)
        return
    with tempfile.TemporaryDirectory() as place, ExitStack() as until_then:
        if args.postgresql:
            args.database = until_then.enter_context(cluster(_installed(), fsync=True))
        folder = Path(place)
        design = small_design(pairs=args.pairs, raters=1000, trials=args.pairs)
        pictures(folder / "pictures", args.pairs)
        study, _ = create(folder / "study", design, material(folder / "pictures", design), args.database or "")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "tests.benchmarks.survey_load", *sys.argv[1:]]
        command += ["--database", args.database] if args.database else []
        server = subprocess.Popen([*command, "--serve", str(folder / "study"), "--port", str(port)])
        try:
            _await(port)
            raters = [Rater(port) for _ in range(args.connections)]
            for person in raters:
                person.enter(design.consent_sha)
            before, own = cpu_seconds(server.pid), time.process_time()
            result = load(raters, args.seconds)
            tell(result, args.connections, cpu_seconds(server.pid) - before, time.process_time() - own)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        _check(study, result.done)
        study.store.engine.dispose()


def _installed() -> Path:
    binaries = programs()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed: no initdb on PATH or in /usr/lib/postgresql")
    return binaries


def _await(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def _check(study: Study, done: int) -> None:
    """Every acknowledged vote is there once, and the pairs count as many."""
    pair = assignment.c.rater * 1_000_000 + assignment.c.pair
    mine = select(func.count(), func.count(distinct(pair))).select_from(vote.join(assignment).join(rater))
    with study.store.read() as connection:
        votes, pairs = connection.execute(mine.where(rater.c.study == study.id)).one()
        counted = connection.scalar(select(func.sum(cell.c.done0 + cell.c.done1)).where(cell.c.study == study.id))
    assert votes == pairs == counted == done, (votes, pairs, counted, done)
    print(f"{votes} votes stored: as many as were acknowledged, all distinct, as many as the pairs count")


if __name__ == "__main__":
    main()
