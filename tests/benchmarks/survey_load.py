"""Lease-and-vote requests a second of `bench survey serve`, on loopback, generator on the same machine.

    python -m tests.benchmarks.survey_load --connections 100 --seconds 20 --workers 2

Every connection is a rater that answers at once; a request stores a vote and leases the next trial (SQLite, on the disk
before it is acknowledged). Prints requests a second, p50, p99 and errors, and checks that every acknowledged vote is
there once and no pair has too many.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmark.survey.folder import Study, create
from tests.survey.conftest import material, pictures, small_design
from tests.survey.rater import FREE

HEAD = "POST {path} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {kind}\r\n"


class Client:
    """One keep-alive connection of one rater."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie = port, ""

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def post(self, path: str, body: str, kind: str = "application/json") -> tuple[int, str, bytes]:
        head = HEAD.format(path=path, kind=kind) + f"Cookie: {self.cookie}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write((head + body).encode())
        headers = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(x.split(":")[1]) for x in headers.split("\r\n") if x.lower().startswith("content-length:"))
        return int(headers.split(" ")[1]), headers, await self.reader.readexactly(length)


async def enter(client: Client, agree: str) -> dict:
    """Consent and fetch the first trial."""
    await client.open()
    status, headers, _ = await client.post("/consent", f"agree={agree}", "application/x-www-form-urlencoded")
    assert status == 303, status
    client.cookie = next(x[12:].split(";")[0] for x in headers.split("\r\n") if x.startswith("Set-Cookie: "))
    return json.loads((await client.post("/next", "{}"))[2])


async def vote(client: Client, shown: dict, until: float, times: list[float], errors: list[str]) -> int:
    """Answer until the time or the trials are up; how many votes were acknowledged."""
    done = 0
    while not shown["end"] and time.monotonic() < until:
        start = time.monotonic()
        status, _, body = await client.post("/vote", f'{{"key":"{shown["key"]}","choice":"left","rt_ms":1}}')
        times.append(1000 * (time.monotonic() - start))
        if status != 200:
            errors.append(f"vote {status}")
            continue
        done += 1
        shown = json.loads(body)["next"]
    return done


async def load(study: Study, port: int, connections: int, seconds: float) -> int:
    clients = [Client(port) for _ in range(connections)]
    shown = [await enter(client, study.design.consent_sha) for client in clients]
    times: list[float] = []
    errors: list[str] = []
    start = time.monotonic()
    voting = (vote(c, s, start + seconds, times, errors) for c, s in zip(clients, shown, strict=True))
    done = sum(await asyncio.gather(*voting))
    took = time.monotonic() - start
    times.sort()
    middle, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(
        f"{connections} connections: {done / took:.0f} lease-and-vote requests/s in {took:.0f} s, p50 {middle:.0f} ms, "
    )
    print(f"p99 {late:.0f} ms, {len(errors)} errors {errors[:3]}, load average {os.getloadavg()[0]:.1f}")
    return done


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=240)
    parser.add_argument("--no-sync", action="store_true", help="as that of `bench survey serve`")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        from benchmark.survey.web.serving import serve

        sys.argv = sys.argv[:1]  # gunicorn reads them too
        settings = {"workers": args.workers, "threads": args.threads, "sync": not args.no_sync}
        serve(args.serve, None, host="127.0.0.1", port=args.port, limits=FREE, **settings)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        design = small_design(pairs=args.pairs, raters=1000, trials=args.pairs)
        pictures(folder / "pictures", args.pairs)
        study, _ = create(folder / "study", design, material(folder / "pictures", design))
        study.store.engine.dispose()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "tests.benchmarks.survey_load"]
        command += ["--serve", str(folder / "study"), "--port", str(port)]
        command += ["--workers", str(args.workers), "--threads", str(args.threads), *(["--no-sync"] * args.no_sync)]
        server = subprocess.Popen(command)
        try:
            _await(port)
            done = asyncio.run(load(study, port, args.connections, args.seconds))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = used.ru_utime + used.ru_stime
        print(f"server: {1000 * seconds / max(done, 1):.2f} ms of CPU a vote, its start and the consents included")
        _check(folder / "study" / "study.sqlite", done, args.connections)


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not answer")


def _check(database: Path, done: int, connections: int) -> None:
    with sqlite3.connect(database) as connection:
        votes, distinct, counted = connection.execute(
            "SELECT count(*), count(DISTINCT a.rater || '-' || a.pair), sum(a.state = 'counted') "
            "FROM vote v JOIN assignment a ON a.id = v.assignment"
        ).fetchone()
        (of_cells,) = connection.execute("SELECT sum(done0 + done1) FROM cell").fetchone()
    assert done <= votes <= done + connections and votes == distinct and counted == of_cells, (done, votes, of_cells)
    print(f"{votes} votes stored, all distinct, as many as the cells count")


if __name__ == "__main__":
    main()
