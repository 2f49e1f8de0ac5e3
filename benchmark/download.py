"""One file over HTTP, so that a line which drops, stalls or lies costs a retry and never a wrong file.

    download("https://host/file.pth", Path("file.pth"), sha256="dcbb9e9d")

What has arrived is kept as file.pth.part, also over a kill, and the next attempt asks the server for the rest only. The
file gets its name when its sha256 is right, in one step.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from benchmark.errors import BenchError

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 4  # in a row that bring nothing new
PAUSE = 1.0  # seconds before the second of them, doubling
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers worth asking again

Progress = Callable[[int, int], None]  # bytes there, bytes in all (0 = not known)


class WrongContent(BenchError):
    """The whole file arrived and is not the one asked for."""


def download(
    url: str,
    target: Path,
    sha256: str,
    progress: Progress | None = None,
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
    pause: float = PAUSE,
) -> str:
    """Fetch `url` to `target`; return the sha256 (hex) of what came. `sha256` may be a prefix, "" accepts anything.

    Raises:
        WrongContent: the digest differs; nothing is kept.
        BenchError: no answer, a refusal, a full disk, or another process at it; what arrived is kept for the next try.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BenchError(f"{target.name}: another process is fetching it into {target.parent}") from None
        _fill(url, file, progress, timeout, attempts, pause)
        os.fsync(file.fileno())
        digest = _digest(part)
        if not digest.startswith(sha256):
            part.unlink()
            raise WrongContent(f"{url}: sent {file.tell()} bytes with sha256 {digest}, expected {sha256}; not kept")
        os.replace(part, target)
    return digest


def _fill(url: str, file: IO[bytes], progress: Progress | None, timeout: float, attempts: int, pause: float) -> None:
    """Ask, as often as it brings something, until the server's own count of bytes is reached."""
    idle = 0
    while True:
        before = file.tell()
        try:
            if _ask(url, file, progress, timeout):
                return
            problem = "the connection broke off"
        except urllib.error.HTTPError as error:
            error.close()
            problem = f"HTTP {error.code} {str(error.reason).partition(chr(10))[0]}"  # urllib explains a loop in a page
            if error.code not in _PASSING:
                raise BenchError(f"{url}: {problem}") from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", "") or error or type(error).__name__)
        except OSError as error:
            raise BenchError(f"{file.name}: cannot write: {error.strerror or error}; what arrived is kept") from error
        idle = 0 if file.tell() > before else idle + 1
        if idle >= attempts:
            raise BenchError(f"{url}: {problem}; {idle} attempts in a row brought nothing")
        time.sleep(pause * 2 ** max(idle - 1, 0) if idle else 0)


def _ask(url: str, file: IO[bytes], progress: Progress | None, timeout: float) -> bool:
    """One request for what is missing; True when everything is there."""
    have = file.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"User-Agent": "exemplar-bench", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        error.close()  # there is nothing after what we have: all of it, or more than there ever was
        if _total(error.headers.get("Content-Range")) == have:
            return True
        file.truncate(0)
        return False
    with answer:
        start = have if answer.status == 206 else 0
        if answer.status == 206 and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            start = -1  # a piece that was not asked for
        if start != have:
            file.truncate(0)
            if start:
                return False
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else 0
        while chunk := answer.read1(CHUNK):  # what is there, so that a stall loses nothing
            file.write(chunk)
            if progress:
                progress(file.tell(), total)
        file.flush()
        return file.tell() == total if total else True


def _total(content_range: str | None) -> int:
    """N of "bytes */N" or "bytes a-b/N"; -1 when not said."""
    _, _, total = (content_range or "").partition("/")
    return int(total) if total.isdigit() else -1


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
