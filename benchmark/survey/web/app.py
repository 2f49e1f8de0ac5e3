"""The application: one factory, errors as plain pages or JSON, pictures by table look-up."""

from __future__ import annotations

import logging
from functools import lru_cache

from flask import Flask, Response, abort, jsonify, render_template, request
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from benchmark.survey import store
from benchmark.survey.folder import Study
from benchmark.survey.tables import image
from benchmark.survey.tables import study as studies
from benchmark.survey.voting import Refused
from benchmark.survey.web import guard
from benchmark.survey.web.admin import admin_pages
from benchmark.survey.web.rater import rater_pages

LOG = logging.getLogger("benchmark.survey")
PICTURE_SECONDS = 86_400


def create_app(
    study: Study, *, simulated: bool = False, secure: bool = False, proxies: int = 0, limits: guard.Limits | None = None
) -> Flask:
    """A WSGI application for one study.

    simulated: whoever comes is a program, marked as such for ever. secure: served by https, so cookies say Secure.
    proxies: how many reverse proxies stand before it and tell the caller's address.
    """
    app = Flask("benchmark.survey.web", static_folder="static", template_folder="templates")
    app.json.compact = True  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    watch = guard.Guard(limits or guard.Limits())
    guard.install(app)
    app.register_blueprint(rater_pages(study, watch, simulated=simulated, secure=secure))
    app.register_blueprint(admin_pages(study, watch, secure=secure))
    app.context_processor(lambda: {"design": study.design})
    app.template_filter("paragraphs")(paragraphs)
    _pictures(app, study)
    _errors(app)
    return app


def paragraphs(text: str) -> list[str]:
    """A text of the definition by its empty lines."""
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def _pictures(app: Flask, study: Study) -> None:
    @lru_cache(maxsize=16_384)
    def file_of(token: str) -> str | None:
        with study.store.read() as connection:
            found: str | None = connection.scalar(
                select(image.c.file).where(image.c.token == token, image.c.study == study.id)
            )
        return found

    @app.get("/i/<token>.webp")
    def picture(token: str) -> Response:
        """A picture by its token. No path, hash or date of the file is told, and all answers are alike."""
        name = file_of(token) if len(token) < 64 else None
        if name is None:
            abort(404)
        answer = Response((study.pictures / name).read_bytes(), mimetype="image/webp")
        answer.headers["Cache-Control"] = f"private, max-age={PICTURE_SECONDS}, immutable"
        return answer

    @app.get("/healthz")
    def health() -> str:
        with study.store.read() as connection:
            connection.execute(select(studies.c.id).limit(1))
        return "ok"


def _errors(app: Flask) -> None:
    def reply(status: int, sentence: str) -> tuple[Response | str, int]:
        if request.is_json or request.path in ("/vote", "/next"):
            return jsonify({"error": sentence}), status
        return render_template("message.html", sentence=sentence, heading="Not possible"), status

    @app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[Response | str, int]:
        return reply(error.status, str(error))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[Response | str, int]:
        return reply(error.code or 500, error.description or error.name)

    @app.errorhandler(DBAPIError)
    def database(error: DBAPIError) -> tuple[Response | str, int]:
        if not store.busy(error):
            LOG.exception("database")
        return reply(503, "The server cannot store anything just now. Please try again in a moment.")
