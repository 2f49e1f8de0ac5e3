"""The admin page: progress, people, drop-outs, export, close and reopen; behind the token that build printed."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import delete, insert, select

from benchmark.survey import export, progress
from benchmark.survey.folder import Study
from benchmark.survey.people import session_of
from benchmark.survey.tables import admin
from benchmark.survey.web.guard import Guard

COOKIE = "admin"
HOURS = 12


def admin_pages(study: Study, watch: Guard, *, secure: bool) -> Blueprint:
    """The blueprint; its cookie goes to /admin only."""
    pages = Blueprint("admin", __name__, url_prefix="/admin")
    name = f"{COOKIE}-{study.id}"

    def logged_in() -> bool:
        hashed = session_of(request.cookies.get(name, ""))
        with study.store.read() as connection:
            until = connection.scalar(select(admin.c.until).where(admin.c.session == hashed, admin.c.study == study.id))
        return until is not None and until > time.time()

    def private(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return view(*args, **kwargs) if logged_in() else redirect(url_for("admin.login"), 303)

        return guarded

    @pages.get("/login")
    def login() -> str:
        return render_template("admin_login.html", wrong=False)

    @pages.post("/login")
    def enter() -> Any:
        watch.spend(watch.logins, watch.address())
        watch.spend(watch.all_logins, "everybody")
        token = request.form.get("token", "")
        if not 0 < len(token) <= 128 or not study.is_admin(token):
            return render_template("admin_login.html", wrong=True), 403
        cookie, now = secrets.token_urlsafe(24), time.time()
        with study.store.write() as connection:
            connection.execute(delete(admin).where(admin.c.until < now))
            connection.execute(
                insert(admin).values(session=session_of(cookie), study=study.id, until=now + 3600 * HOURS)
            )
            study.note(connection, "admin logged in")
        answer = make_response(redirect(url_for("admin.overview"), 303))
        answer.set_cookie(
            name, cookie, max_age=3600 * HOURS, httponly=True, samesite="Strict", secure=secure, path="/admin"
        )
        return answer

    @pages.post("/logout")
    @private
    def leave() -> Response:
        with study.store.write() as connection:
            connection.execute(delete(admin).where(admin.c.session == session_of(request.cookies[name])))
        answer = make_response(redirect(url_for("admin.login"), 303))
        answer.delete_cookie(name, path="/admin")
        return answer

    @pages.get("/")
    @private
    def overview() -> str:
        return render_template("admin.html", p=progress.summary(study, time.time()), main=study.main)

    @pages.get("/progress.json")
    @private
    def numbers() -> Response:
        return _download(json.dumps(progress.summary(study, time.time()).to_dict()), "application/json", "")

    @pages.post("/state")
    @private
    def state() -> Response:
        progress.set_state(study, "closed" if request.form.get("to") == "closed" else "open")
        return make_response(redirect(url_for("admin.overview"), 303))

    @pages.get("/export/<table>.<form>")
    @private
    def download(table: str, form: str) -> Any:
        if form == "json" and table == "study":
            return _download(export.as_json(study), "application/json", "study.json")
        if form == "csv" and table in export.TABLES:
            return _download(export.as_csv(study, table), "text/csv; charset=utf-8", f"{table}.csv")
        return render_template("message.html", heading="Not found", sentence="There is no such table."), 404

    return pages


def _download(text: str, kind: str, name: str) -> Response:
    answer = make_response(text)
    answer.headers["Content-Type"] = kind
    if name:
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
