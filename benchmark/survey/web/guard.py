"""What every request must pass: same origin, small bodies, rate limits; and the headers of every answer."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, request

from benchmark.survey.voting import Refused

LARGEST_BODY = 16_384
SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Robots-Tag": "noindex",
}


@dataclass
class Buckets:
    """Token buckets by name: `rate` a second, at most `burst` at once. In memory: each server process has its own."""

    rate: float
    burst: float
    clock: Callable[[], float] = time.monotonic
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str) -> bool:
        """Whether one more is allowed now."""
        now = self.clock()
        with self._lock:
            if len(self._levels) > 20_000:  # forget who would be full again by now
                self._levels = {
                    n: (v, t) for n, (v, t) in self._levels.items() if v + (now - t) * self.rate < self.burst
                }
            level, then = self._levels.get(name, (self.burst, now))
            level = min(self.burst, level + (now - then) * self.rate)
            self._levels[name] = (level - 1 if level >= 1 else level, now)
        return level >= 1


@dataclass(frozen=True)
class Limits:
    """Requests a second and bursts; generous for people, tight for programs."""

    trials: tuple[float, float] = (5.0, 40.0)  # of one session: next and vote
    entries: tuple[float, float] = (2.0, 100.0)  # new sessions of one address: a class room behind one router
    logins: tuple[float, float] = (1 / 12, 5.0)  # admin tokens tried from one address
    all_logins: tuple[float, float] = (0.5, 30.0)  # and from everywhere: scrypt makes each costly on purpose


class Guard:
    """Limits and checks of one application. Addresses are held only in memory, as hashes under a key that dies with
    the process.
    """

    def __init__(self, limits: Limits) -> None:
        self._key = secrets.token_bytes(16)
        self.trials, self.entries = Buckets(*limits.trials), Buckets(*limits.entries)
        self.logins, self.all_logins = Buckets(*limits.logins), Buckets(*limits.all_logins)

    def address(self) -> str:
        """A name for the caller's address that does not tell it."""
        return hashlib.blake2b((request.remote_addr or "").encode(), key=self._key, digest_size=12).hexdigest()

    def spend(self, buckets: Buckets, name: str) -> None:
        """Raise Refused(429) where `name` has had too much."""
        if not buckets.take(name):
            raise Refused(429, "Too many requests. Please wait a moment and try again.")


def install(app: Flask) -> None:
    """Refuse cross-site requests and large bodies, and put the security headers on every answer."""
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    app.config["MAX_FORM_PARTS"] = 100

    @app.before_request
    def _same_origin() -> None:
        if request.method not in SAFE and not same_origin(request):
            raise Refused(403, "This request did not come from a page of the study.")

    app.wsgi_app = _with_headers(app.wsgi_app)  # type: ignore[method-assign]


def _with_headers(inner: Any) -> Any:
    """Outside of the application, so that no answer goes without, and none pays for checking constants."""

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            more = [] if any(name == "Cache-Control" for name, _ in headers) else [("Cache-Control", "no-store")]
            return start(status, [*headers, *more, *HEADERS.items()], *error)

        answer: Iterable[bytes] = inner(environ, begin)
        return answer

    return application


def same_origin(asked: Request) -> bool:
    """Browsers say where a request comes from; one that says neither way is refused."""
    site = asked.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(asked.headers.get("Origin", ""))
    except ValueError:  # brackets that hold no address
        return False
    return bool(origin.netloc) and origin.netloc == asked.host and origin.scheme == asked.scheme
