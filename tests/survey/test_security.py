"""What strangers may try: forged, replayed, expired, cross-study and double votes; other origins; paths; bodies;
injection; sessions. The admin token and floods stand in test_admin.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from benchmark.survey import export, progress
from benchmark.survey.design import Question, Texts, load
from benchmark.survey.folder import Study
from benchmark.survey.tables import cell
from benchmark.survey.web import guard
from benchmark.survey.web.app import create_app
from tests.survey.conftest import tokens
from tests.survey.rater import FREE, ORIGIN, Rater

Make = Callable[..., Study]
EVIL = [
    "' OR '1'='1",
    "'; DROP TABLE vote; --",
    "../../study.sqlite",
    "%00",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "\0",
]


def votes(study: Study) -> list[dict[str, Any]]:
    return export.table(study, "votes")[1]


def test_forged_votes(make: Make) -> None:
    study = make()
    app = create_app(study, limits=FREE)
    honest, thief = Rater.entering(study, app), Rater.entering(study, app)
    assert thief.vote(key=honest.next["key"]).status_code == 403  # somebody else's trial
    for key in [*EVIL, "A" * 22]:
        assert thief.vote(key=key).status_code == 403
    stranger = app.test_client()
    body = {"key": honest.next["key"], "choice": "left", "rt_ms": 1.0}
    assert stranger.post("/vote", json=body, headers=ORIGIN).status_code == 403
    for cookie in [*EVIL[:3], "A" * 32]:
        stranger.set_cookie(f"rater-{study.id}", cookie)
        assert stranger.post("/vote", json=body, headers=ORIGIN).status_code == 403
    assert votes(study) == []


def test_cross_study_votes(make: Make) -> None:
    one, two = make(), make()
    here, there = Rater.entering(one), Rater.entering(two)
    assert here.vote(key=there.next["key"]).status_code == 403
    cookie = there.client.get_cookie(f"rater-{two.id}").value
    here.client.set_cookie(f"rater-{one.id}", cookie)
    assert here.vote(key=there.next["key"]).status_code == 403
    token = there.next["left"]
    assert here.client.get(token).status_code == 404 and there.client.get(token).status_code == 200
    assert votes(one) == votes(two) == []


def test_studies_in_one_database_stay_apart(make: Make, tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    one, two = make(database=url), make(database=url)
    here, there = Rater.entering(one), Rater.entering(two)
    here.client.set_cookie(f"rater-{one.id}", there.client.get_cookie(f"rater-{two.id}").value)
    assert here.vote(key=there.next["key"]).status_code == 403
    assert here.client.get(there.next["left"]).status_code == 404
    assert there.finish() == 4
    assert len(votes(two)) == 4 and votes(one) == [] and progress.summary(one, 0.0).done == 0


def test_a_replayed_vote_changes_nothing(make: Make) -> None:
    study = make()
    rater = Rater.entering(study)
    key = rater.next["key"]
    first = rater.vote("left").json
    again = rater.vote("right", key=key).json
    assert again == first and len(votes(study)) == 1
    assert votes(study)[0]["chosen"] == votes(study)[0]["side"]  # left, as at first
    assert progress.summary(study, time.time()).done == 1


def test_the_same_vote_many_times_at_once(make: Make) -> None:
    """Two tabs, an impatient finger, a proxy that tries again: one vote, and one answer for all."""
    study = make()
    app = create_app(study, limits=FREE)
    rater = Rater.entering(study, app)
    cookie = rater.client.get_cookie(f"rater-{study.id}").value
    body = {"key": rater.next["key"], "rt_ms": 1.0}

    def once(turn: int) -> Any:
        client = app.test_client()
        client.set_cookie(f"rater-{study.id}", cookie)
        return client.post("/vote", json=body | {"choice": ("left", "right")[turn % 2]}, headers=ORIGIN)

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(once, range(48)))
    assert {reply.status_code for reply in replies} == {200} and len({reply.text for reply in replies}) == 1
    assert len(votes(study)) == 1 and progress.summary(study, time.time()).done == 1


def test_an_expired_trial_whose_place_is_taken_is_paid_and_not_counted(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make(pairs=1, raters=1, trials=1)
    app = create_app(study, limits=FREE)
    slow = Rater.entering(study, app)
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert Rater.entering(study, app).finish() == 1
    assert slow.vote().json == {"saved": True, "next": {"end": True, "total": 1}}
    assert [vote["state"] for vote in votes(study)] == ["surplus", "counted"]
    assert slow.client.get("/done").status_code == 200


def test_nothing_that_changes_anything_takes_another_origin(make: Make) -> None:
    app = create_app(make(), limits=FREE)
    changing = {rule.rule for rule in app.url_map.iter_rules() if rule.methods and "POST" in rule.methods}
    assert {"/consent", "/questions", "/next", "/vote", "/comment", "/admin/login", "/admin/state"} <= changing
    for path in changing:
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert app.test_client().post(path, headers=headers).status_code == 403, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[localhost"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_origins(make: Make, headers: dict[str, str], status: int) -> None:
    study = make()
    rater = Rater.entering(study)
    body = {"key": rater.next["key"], "choice": "left", "rt_ms": 1.0}
    assert rater.client.post("/vote", json=body, headers=headers).status_code == status
    assert len(votes(study)) == (status == 200)
    assert rater.client.get("/vote").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/i/../study.sqlite",
        "/i/..%2f..%2fstudy.sqlite",
        "/i/%2e%2e/keys.json.webp",
        "/i/....webp",
        "/i/%00.webp",
        "/i//etc/passwd.webp",
        "/static/../../../folder.py",
        "/static/..%2f..%2fapp.py",
        f"/i/{'A' * 5000}.webp",
        "/i/' OR 1=1 --.webp",
        "/keys.json",
        "/study.json",
    ],
)
def test_paths_lead_nowhere(make: Make, path: str) -> None:
    assert create_app(make(), limits=FREE).test_client().get(path).status_code == 404


def test_a_picture_is_not_found_by_its_file(make: Make) -> None:
    study = make()
    client = create_app(study, limits=FREE).test_client()
    for file in study.pictures.iterdir():
        assert client.get(f"/i/{file.name}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 10_000, 400),
        (b'{"key": 1, "choice": "left", "rt_ms": 1}', 400),
        (b'{"key": "K", "choice": "both", "rt_ms": 1}', 400),
        (b'{"key": "K", "choice": "left"}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": -1}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": NaN}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": Infinity}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": 1e300}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": 1' + b"0" * 400 + b"}", 400),
        (b'{"key": "K", "choice": "left", "rt_ms": true}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": "1"}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": 1, "frames": -4}', 400),
        (b'{"key": "K", "choice": "left", "rt_ms": 1, "hidden": [1]}', 400),
        (b'{"key": "' + b"K" * 20_000 + b'"}', 413),
    ],
)
def test_malformed_and_oversized_bodies(make: Make, body: bytes, status: int) -> None:
    study = make()
    rater = Rater.entering(study)
    body = body.replace(b'"K"', json.dumps(rater.next["key"]).encode())
    reply = rater.client.post("/vote", data=body, headers={**ORIGIN, "Content-Type": "application/json"})
    assert reply.status_code == status and set(reply.json) == {"error"}
    assert votes(study) == []
    plain = rater.client.post("/vote", data=b'{"choice":"left"}', headers={**ORIGIN, "Content-Type": "text/plain"})
    assert plain.status_code == 400


@pytest.mark.parametrize("path", ["/consent", "/questions", "/comment", "/admin/login"])
def test_oversized_forms(make: Make, path: str) -> None:
    study = make()
    rater = Rater.entering(study)
    for form in ({"agree": "x" * 20_000}, {f"field{n}": "x" for n in range(3000)}):
        assert rater.client.post(path, data=form, headers=ORIGIN).status_code == 413
    assert len(export.table(study, "raters")[1]) == 1


@pytest.mark.parametrize("text", [*EVIL, "=HYPERLINK(1)", "x" * 200, ""])
def test_injection_by_ids(make: Make, text: str) -> None:
    study = make(recruit=load("pix2pixsc", (), "prolific").recruit)
    name = study.design.recruit.parameter
    client = create_app(study, limits=FREE).test_client()
    for path in ("/", "/consent"):
        page = client.get(path, query_string={name: text})
        assert page.status_code in (200, 400) and "<script>alert" not in page.text
    form = {"agree": study.design.consent_sha, name: text}
    assert client.post("/consent", data=form, headers=ORIGIN).status_code == 400
    assert export.table(study, "raters")[1] == [] and study.store.change(lambda c: c.scalar(select(cell.c.id).limit(1)))


def test_injection_by_free_text(make: Make) -> None:
    study = make(trials=1, questions=(Question("age", "Age?", ("1", "2")),))
    app = create_app(study, limits=FREE)
    for text in [*EVIL, "=HYPERLINK(1)", "x" * 3000]:
        rater = Rater.entering(study, app)
        assert rater.client.post("/questions", data={"age": text}, headers=ORIGIN).status_code == 400
        rater.finish()
        assert rater.client.post("/comment", data={"comment": text}, headers=ORIGIN).status_code == 303
        assert "<script>alert" not in rater.client.get("/done").text
    admin = app.test_client()
    admin.post("/admin/login", data={"token": tokens[study.id]}, headers=ORIGIN)
    page = admin.get("/admin/").text
    assert "Comparisons" in page and "<script>alert" not in page
    comments = [row["comment"] for row in export.table(study, "raters", anonymous=False)[1]]
    assert comments[1] == EVIL[1] and len(comments[-1]) == 1000  # stored as said
    assert "'=HYPERLINK" in export.as_csv(study, "raters", anonymous=False)
    assert len(votes(study)) == len(comments)


def test_texts_of_the_definition_are_escaped(make: Make) -> None:
    study = make(texts=Texts(invitation="<b>x</b>", consent="<script>alert(1)</script>"))
    client = create_app(study, limits=FREE).test_client()
    assert "<b>x" not in client.get("/").text and "<script>alert" not in client.get("/consent").text


def test_a_session_is_never_taken_from_the_browser(make: Make) -> None:
    study = make()
    client = create_app(study, limits=FREE).test_client()
    client.set_cookie(f"rater-{study.id}", "F" * 32)
    reply = client.post("/consent", data={"agree": study.design.consent_sha}, headers=ORIGIN)
    cookie = reply.headers["Set-Cookie"]
    assert "F" * 32 not in cookie and client.get_cookie(f"rater-{study.id}").value != "F" * 32
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    database = b"".join(path.read_bytes() for path in study.folder.glob("study.sqlite*"))
    assert client.get_cookie(f"rater-{study.id}").value.encode() not in database  # only its hash is kept
    behind = create_app(study, limits=FREE, secure=True).test_client()
    reply = behind.post("/consent", data={"agree": study.design.consent_sha}, headers=ORIGIN)
    assert "Secure" in reply.headers["Set-Cookie"]


def test_no_consent_no_session(make: Make) -> None:
    study = make()
    client = create_app(study, limits=FREE).test_client()
    for agree in ("", "yes", "0" * 64):
        assert client.post("/consent", data={"agree": agree}, headers=ORIGIN).status_code == 400
    assert export.table(study, "raters")[1] == []


def test_pictures_are_kept_by_the_browser_and_pages_are_not(make: Make) -> None:
    rater = Rater.entering(make())
    for name in ("left", "right", "exemplar"):
        assert rater.client.get(rater.next[name]).headers["Cache-Control"] == "private, max-age=86400, immutable"
    for path in ("/", "/study", "/healthz", "/nowhere"):
        assert rater.client.get(path).headers["Cache-Control"] == "no-store"
    assert rater.ask("/next").headers.get_all("Cache-Control") == ["no-store"]


def test_every_answer_carries_the_headers(make: Make) -> None:
    study = make()
    rater = Rater.entering(study)
    for path in ("/", "/consent", "/study", "/static/survey.js", rater.next["left"], "/nowhere", "/admin/login"):
        with rater.client.get(path) as reply:
            headers = reply.headers
        assert all(headers[name] == value for name, value in guard.HEADERS.items()), path
    assert "unsafe" not in guard.HEADERS["Content-Security-Policy"]
    for page in ("/study", "/consent", "/"):
        text = rater.client.get(page).text
        assert "style=" not in text and "onclick" not in text and "<script>" not in text
