"""One modelled rater on one connection, from the invitation to the code, by the requests that a browser makes.

Pages are read as a browser reads them: the hidden fields and choices of a form are what is sent.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from benchmark.errors import BenchError
from benchmark.survey.simulate.crowd import Mind
from benchmark.survey.voting import exposed

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
AGREE = re.compile(r'name="agree" value="([^"]+)"')
CODE = re.compile(r"<output>([^<]+)</output>")
TRIES = 12  # a server that is restarted, or too busy, is asked again as the page does
FULL = 410


@dataclass(frozen=True)
class Shown:
    """What a picture's token stands for; the simulation may look it up, a browser cannot."""

    against: str
    pair: int
    first: bool  # the main method's picture, or the right one of a pair with a known answer
    known: bool  # has a known answer


@dataclass
class Traffic:
    """What all visitors asked: milliseconds of every request, how many had to be repeated, and how long it all took."""

    times_ms: list[float] = field(default_factory=list)
    repeated: int = 0
    finished: int = 0
    left: int = 0
    seconds: float = 0.0

    @property
    def came(self) -> int:
        return self.finished + self.left


class Visitor:
    """A connection with its cookies."""

    def __init__(self, port: int, traffic: Traffic) -> None:
        self.port, self.traffic = port, traffic
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: str = "", kind: str = "") -> tuple[int, str]:
        """Status and text; redirects are not followed."""
        headers = dict(SAME_ORIGIN) | ({"Content-Type": kind} if kind else {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        for attempt in range(TRIES):
            start = time.perf_counter()
            try:
                self.connection.request(method, path, body or None, headers)
                reply = self.connection.getresponse()
                data = reply.read()
            except (OSError, http.client.HTTPException):
                self.connection.close()
            else:
                self.traffic.times_ms.append(1000 * (time.perf_counter() - start))
                if reply.status not in (429, 503):
                    self._keep(reply.headers.get_all("Set-Cookie") or [])
                    return reply.status, data.decode("utf-8", "replace")
            self.traffic.repeated += 1
            time.sleep(min(2.0, 0.05 * 2**attempt))
        raise BenchError(f"{method} {path}: the server did not answer {TRIES} times; see its own messages above")

    def page(self, path: str) -> str:
        return self._expect("GET", path, 200)

    def form(self, path: str, fields: Mapping[str, str]) -> int:
        return self.ask("POST", path, urlencode(fields), "application/x-www-form-urlencoded")[0]

    def post(self, path: str, tree: Any) -> Any:
        return json.loads(self._expect("POST", path, 200, json.dumps(tree), "application/json"))

    def _expect(self, method: str, path: str, wanted: int, body: str = "", kind: str = "") -> str:
        status, text = self.ask(method, path, body, kind)
        if status != wanted:
            raise BenchError(f"{method} {path}: answered {status}, not {wanted}: {text[:200]!r}")
        return text

    def _keep(self, given: list[str]) -> None:
        for cookie in given:
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self.cookies[name] = value


def visit(
    port: int,
    traffic: Traffic,
    mind: Mind,
    look_up: Mapping[str, Shown],
    query: str = "",
    pictures: bool = False,
    answered: Callable[[], object] = lambda: None,
) -> bool:
    """Take part once, or until the mind leaves; False where the study lets nobody in. `answered` after each trial."""
    visitor = Visitor(port, traffic)
    try:
        invitation = visitor.page(f"/?{query}" if query else "/")
        if "/consent" not in invitation:
            return False
        agree = AGREE.search(visitor.page(f"/consent?{query}" if query else "/consent"))
        if agree is None:
            raise BenchError("/consent: holds no box to tick")
        fields = dict(pair.split("=", 1) for pair in query.split("&") if pair) | {"agree": agree.group(1)}
        status = visitor.form("/consent", fields)
        if status == FULL:
            return False
        if status != 303:
            raise BenchError(f"POST /consent: answered {status}, not 303")
        if visitor.ask("GET", "/questions")[0] == 200:
            visitor.form("/questions", {"skip": "1"})
        visitor.page("/study")
        if _trials(visitor, mind, look_up, pictures, answered):
            if CODE.search(visitor.page("/done")) is None:
                raise BenchError("/done: shows no code after the last trial")
            traffic.finished += 1
        else:
            traffic.left += 1
        return True
    finally:
        visitor.connection.close()


def _trials(
    visitor: Visitor, mind: Mind, look_up: Mapping[str, Shown], pictures: bool, answered: Callable[[], object]
) -> bool:
    """Whether they came to the end."""
    shown = visitor.post("/next", {})
    while not shown["end"]:
        if not shown["practice"] and shown["number"] - 1 >= mind.stays * shown["total"]:
            return False
        if pictures:
            for place in ("left", "right", "exemplar"):
                if shown[place]:
                    visitor.page(shown[place])
        choice = "left" if _takes_left(mind, look_up, shown) else "right"
        vote = {"key": shown["key"], "choice": choice, "rt_ms": mind.milliseconds()}
        shown = visitor.post("/vote", vote | exposed(shown["duration_ms"]))["next"]
        answered()
    return True


def _takes_left(mind: Mind, look_up: Mapping[str, Shown], shown: Mapping[str, Any]) -> bool:
    left = look_up[shown["left"].removeprefix("/i/").removesuffix(".webp")]
    if left.known:
        return mind.chooses_right_one(left.first) == left.first
    return mind.chooses_first(left.against, left.pair, left.first) == left.first
