"""The admin page and the limits: token, session, guesses and floods."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from benchmark.survey import progress
from benchmark.survey.folder import Study
from benchmark.survey.web import guard
from benchmark.survey.web.app import create_app
from tests.survey.conftest import tokens
from tests.survey.rater import ORIGIN, Rater

Make = Callable[..., Study]


def test_an_admin_session_ends(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make()
    client = create_app(study).test_client()
    client.post("/admin/login", data={"token": tokens[study.id]}, headers=ORIGIN)
    assert client.get("/admin/").status_code == 200
    later = time.time() + 13 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.get("/admin/").status_code == 303


def test_admin_needs_the_token(make: Make) -> None:
    study = make()
    client = create_app(study).test_client()
    for path in ("/admin/", "/admin/progress.json", "/admin/export/votes.csv", "/admin/export/study.json"):
        assert client.get(path).status_code == 303
    assert client.post("/admin/state", data={"to": "closed"}, headers=ORIGIN).status_code == 303
    assert progress.summary(study, 0.0).state == "open"
    statuses = [client.post("/admin/login", data={"token": f"guess{n}"}, headers=ORIGIN).status_code for n in range(8)]
    assert statuses == [403] * 5 + [429] * 3
    assert client.post("/admin/login", data={"token": tokens[study.id]}, headers=ORIGIN).status_code == 429
    assert tokens[study.id] not in "".join(path.read_text("latin-1") for path in study.folder.glob("*.*"))


def test_admin_with_the_token(make: Make) -> None:
    study = make()
    client = create_app(study).test_client()
    reply = client.post("/admin/login", data={"token": tokens[study.id]}, headers=ORIGIN)
    cookie = reply.headers["Set-Cookie"]
    assert "SameSite=Strict" in cookie and "HttpOnly" in cookie and "Path=/admin" in cookie
    assert client.get("/admin/export/votes.csv").text.startswith("rater,mode,")
    assert client.get("/admin/export/study.json").json["study"] == study.id
    assert client.get("/admin/export/nothing.csv").status_code == 404
    client.post("/admin/state", data={"to": "closed"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert progress.summary(study, 0.0).state == "open"
    client.post("/admin/state", data={"to": "closed"}, headers=ORIGIN)
    assert client.get("/admin/progress.json").json["state"] == "closed"
    client.post("/admin/logout", headers=ORIGIN)
    assert client.get("/admin/").status_code == 303


def test_floods_are_slowed(make: Make) -> None:
    study = make(pairs=4, raters=100)
    app = create_app(study, limits=guard.Limits(trials=(0.001, 5.0), entries=(0.001, 3.0)))
    rater = Rater.entering(study, app)
    assert [rater.ask("/next").status_code for _ in range(6)] == [200] * 4 + [429] * 2
    agree = {"agree": study.design.consent_sha}
    statuses = [app.test_client().post("/consent", data=agree, headers=ORIGIN).status_code for _ in range(4)]
    assert statuses == [303, 303, 429, 429]
    other = app.test_client()
    elsewhere = {"environ_base": {"REMOTE_ADDR": "10.0.0.9"}}
    assert other.post("/consent", data=agree, headers=ORIGIN, **elsewhere).status_code == 303


def test_buckets_refill() -> None:
    now = [0.0]
    buckets = guard.Buckets(rate=2.0, burst=3.0, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(4)] == [True] * 3 + [False]
    assert buckets.take("b")
    now[0] = 0.5
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    now[0] = 100.0
    assert [buckets.take("a") for _ in range(4)] == [True] * 3 + [False]
