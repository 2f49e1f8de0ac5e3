"""The server that people host with, as a process of its own: what no HTTP is, what is too large, and its end."""

from __future__ import annotations

import errno
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmark.survey import export
from benchmark.survey.folder import Study
from benchmark.survey.web import serving
from benchmark.survey.web.port import authority
from tests.cli.test_bench import bench
from tests.survey.rater import ORIGIN

Make = Callable[..., Study]
REPO = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def hosted(study: Study, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`bench survey serve`, once it answers."""
    options = ["--port", str(port), "--workers", "2", "--threads", "4"]
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from benchmark.cli import main; main()",
            "survey",
            "serve",
            str(study.folder),
            *options,
        ],
        cwd=REPO,
        stdout=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while not answers(port):
            assert server.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        yield server
    finally:
        server.terminate()
        assert server.wait(30) is not None


def ask(port: int, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    finally:
        connection.close()


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/healthz") == (200, "ok")
    except OSError:
        return False


def say(port: int, data: bytes) -> bytes:
    """The first line of the answer to raw bytes; empty where the server just hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        try:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            return raw.recv(65_536).split(b"\r\n")[0]
        except OSError as error:
            if isinstance(error, ConnectionError) or error.errno == errno.ENOTCONN:
                return b""
            raise


HEAD = b"POST /vote HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"5000\r\n" + b"x" * 0x5000 + b"\r\n0\r\n\r\n"


def test_the_server_survives_what_is_no_request_and_ends_as_a_whole(make: Make) -> None:
    study, port = make(), free_port()
    with hosted(study, port) as server:
        for data in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET " + b"/" * 500_000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
            HEAD + b"Content-Length: -1\r\n\r\n",
            HEAD + b"Content-Length: 99999999999\r\n\r\n{}",
            HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
            CHUNKED,
        ):
            line = say(port, data)
            assert line == b"" or line.split(b" ")[1][:1] == b"4", (data[:60], line)
            assert answers(port)
        form = {**ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        assert ask(port, "POST", "/consent", f"agree={study.design.consent_sha}", form)[0] == 303
        assert len(export.table(study, "raters")[1]) == 1
        server.send_signal(signal.SIGKILL)  # the parent alone: its workers notice
        until = time.monotonic() + 20
        while answers(port) and time.monotonic() < until:
            time.sleep(0.1)
        assert not answers(port)


def test_a_port_or_address_that_cannot_be_had_is_one_line(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """granian would share the port of another study, and hand half of its visitors to this one."""
    served: list[str] = []
    monkeypatch.setattr(serving, "serve", lambda *_, host, **__: served.append(host))
    command = ("survey", "serve", str(make().folder))
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = bench(capsys, *command, "--port", port)
        assert (code, out) == (2, "") and err.startswith(f"bench: --port {port}: cannot be opened on 127.0.0.1: ")
    for options in (("--host", "300.1.1.1"), ("--port", "99999"), ("--workers", "0"), ("--threads", "0")):
        code, out, err = bench(capsys, *command, *options)
        assert (code, out, err.count("\n")) == (2, "", 1), err
    assert bench(capsys, *command, "--port", port, "--host", "localhost")[0] == 0 and served == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "named"),
    [("0.0.0.0", "localhost:80"), ("::", "[::1]:80"), ("fe80::1", "[fe80::1]:80"), ("lab.example", "lab.example:80")],
)
def test_an_address_that_a_browser_can_open(host: str, named: str) -> None:
    assert authority(host, 80) == named
