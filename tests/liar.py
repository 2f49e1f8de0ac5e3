"""An HTTP server that misbehaves on request, for tests of downloads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Liar(ThreadingHTTPServer):
    """Serves `content` at every path; the first part of the path says how.

    /good, /drop (half, then hangs up; the rest on the next request), /stall (half, then silence; likewise),
    /no-range (ignores Range), /wrong-range (answers another range than asked), /lie (other bytes, of the same length),
    /longer (too many bytes, no length), /redirect (to /good), /loop (to itself), /gone (404), /busy (503, then good),
    /always-busy, /half-for-ever (a byte more, each time).
    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.requests: list[tuple[str, str | None]] = []  # path, Range header
        self.patience = threading.Event()  # set when the test is over: stalled answers end

    def url(self, how: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{how}/weights.pth"

    def asked(self, how: str) -> list[str | None]:
        """The Range headers of all requests for /how, in order."""
        return [header for path, header in self.requests if path.startswith(f"/{how}/")]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    server: Liar

    def log_message(self, *_args: object) -> None: ...

    def do_GET(self) -> None:
        how, header = self.path.split("/")[1], self.headers.get("Range")
        self.server.requests.append((self.path, header))
        first = len(self.server.asked(how)) == 1
        content = self.server.content
        start = int(header.removeprefix("bytes=").rstrip("-")) if header else 0
        if how == "redirect" or how == "loop":
            self.send_response(302)
            self.send_header("Location", self.path.replace("/redirect/", "/good/"))
            self.end_headers()
        elif how == "gone":
            self.send_error(404)
        elif how == "always-busy" or (how == "busy" and first):
            self.send_error(503)
        elif how == "lie":
            self._send(bytes(255 - b for b in content), 0)
        elif how == "no-range":
            self._send(content, 0)
        elif how == "longer":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content + b"more")
        elif how == "wrong-range" and start:
            self._send(content, 0, answer=206)
        elif start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
        elif how in ("drop", "stall") and first:
            self._send(content, 0, stop=len(content) // 2)
            self.wfile.flush()
            if how == "stall":
                self.server.patience.wait(20)
        elif how == "half-for-ever":
            self._send(content, start, stop=start + 1)
        else:
            self._send(content, start)

    def _send(self, content: bytes, start: int, stop: int | None = None, answer: int = 0) -> None:
        self.send_response(answer or (206 if start else 200))
        if start or answer:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:stop])


@contextmanager
def serving(content: bytes) -> Iterator[Liar]:
    """A server in a thread, gone at the end."""
    server = Liar(content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.patience.set()
        server.shutdown()
        thread.join()
        time.sleep(0)
        server.server_close()
