"""What a rater meets: invitation, consent, questions, trials, the code at the end."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy import Row, select
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from benchmark.survey import people
from benchmark.survey.folder import Study
from benchmark.survey.tables import rater
from benchmark.survey.voting import Answer, Refused, next_trial, submit, who
from benchmark.survey.web.guard import Guard

COOKIE = "rater"
WEEK = 7 * 86_400


def rater_pages(study: Study, watch: Guard, *, simulated: bool, secure: bool) -> Blueprint:
    """The blueprint. The session is an opaque random cookie of which the database holds a hash; it is made at consent
    and never taken from the browser.
    """
    pages = Blueprint("rater", __name__)
    name = f"{COOKIE}-{study.id}"

    def session() -> str:
        cookie = request.cookies.get(name, "")
        if not 20 <= len(cookie) <= 64:
            raise Refused(403, "no session: open the link of the study again")
        return people.session_of(cookie)

    def known() -> Row[Any] | None:
        try:
            hashed = session()
        except Refused:
            return None
        with study.store.read() as connection:
            return connection.execute(select(rater).where(rater.c.session == hashed, rater.c.study == study.id)).first()

    def arrival() -> people.Arrival:
        if request.values.get("test"):
            mode = "test"
        else:
            mode = "simulated" if simulated else "live"
        pid = request.values.get(study.design.recruit.parameter, "") if study.design.recruit.parameter else ""
        return people.Arrival(pid=pid, mode=mode, device=_device(request.user_agent.string))

    def same_person(person: Row[Any], comer: people.Arrival) -> bool:
        """A browser may be shared: a link with another id, or a test link, is not the session that lies here."""
        if (comer.mode == "test") != (person.mode == "test"):
            return not request.args
        return not comer.pid or person.person == study.keyed("person", comer.pid)

    def place_of(person: Row[Any]) -> str:
        if not person.asked:
            return url_for("rater.questions")
        return url_for("rater.done" if person.finished is not None else "rater.trials")

    @pages.get("/")
    def invitation() -> Any:
        comer, person = arrival(), known()
        if person is not None and same_person(person, comer):
            return redirect(place_of(person))
        with study.store.read() as connection:
            full = comer.mode != "test" and not people.open_to_new(connection, study, time.time())
        if full and not comer.pid:  # somebody with an id may be on their way back to a study begun elsewhere
            return render_template(
                "message.html",
                heading="Thank you for your interest",
                sentence="This study has all the answers it needs, or is closed for now.",
            )
        return render_template("invitation.html", comer=comer, parameter=study.design.recruit.parameter)

    @pages.get("/consent")
    def consent() -> str:
        return render_template("consent.html", comer=arrival(), parameter=study.design.recruit.parameter)

    @pages.post("/consent")
    def agree() -> Response:
        watch.spend(watch.entries, watch.address())
        if request.form.get("agree") != study.design.consent_sha:
            raise Refused(400, "Please read the text and tick the box to take part.")
        comer = arrival()
        person = known()
        if person is not None and same_person(person, comer) and person.finished is None:
            return make_response(redirect(place_of(person), 303))
        cookie = people.enter(study, comer, time.time())
        answer = make_response(redirect(url_for("rater.questions"), 303))
        answer.set_cookie(name, cookie, max_age=WEEK, httponly=True, samesite="Lax", secure=secure)
        return answer

    @pages.get("/questions")
    def questions() -> Any:
        person = known()
        if person is None:
            return redirect(url_for("rater.invitation"))
        if person.asked:
            return redirect(place_of(person))
        return render_template("questions.html", test=person.mode == "test")

    @pages.post("/questions")
    def answers() -> Response:
        hashed = session()
        with study.store.read() as connection:
            who(connection, study, hashed)
        people.answer_questions(study, hashed, {} if "skip" in request.form else request.form)
        return make_response(redirect(url_for("rater.trials"), 303))

    @pages.get("/study")
    def trials() -> Any:
        person = known()
        if person is None:
            return redirect(url_for("rater.invitation"))
        if not person.asked or person.finished is not None:
            return redirect(place_of(person))
        return render_template("study.html", test=person.mode == "test", started=person.step > 0)

    @pages.post("/next")
    def upcoming() -> Response:
        hashed = session()
        watch.spend(watch.trials, hashed)
        return jsonify(next_trial(study, hashed, time.time()))

    @pages.post("/vote")
    def vote() -> Response:
        hashed = session()
        watch.spend(watch.trials, hashed)
        tree = _json()
        key = tree.get("key")
        if not isinstance(key, str) or not 0 < len(key) < 64:
            raise Refused(400, "key: the key of a trial")
        return jsonify(submit(study, hashed, key, Answer.parse(tree), time.time()))

    @pages.get("/done")
    def done() -> Any:
        person = known()
        if person is None:
            return redirect(url_for("rater.invitation"))
        if person.finished is None:
            return redirect(place_of(person))
        code, address = people.finish(study, person)
        return render_template(
            "done.html", code=code, address=address, said=bool(person.comment), test=person.mode == "test"
        )

    @pages.post("/comment")
    def comment() -> Response:
        hashed = session()
        with study.store.read() as connection:
            who(connection, study, hashed)
        people.comment(study, hashed, request.form.get("comment", ""))
        return make_response(redirect(url_for("rater.done"), 303))

    return pages


def _json() -> dict[str, Any]:
    """The request's body as a JSON object."""
    try:
        tree = request.get_json()
    except (BadRequest, UnsupportedMediaType, RecursionError) as error:
        raise Refused(400, "not a JSON body") from error
    if not isinstance(tree, dict):
        raise Refused(400, "not a JSON object")
    return tree


def _device(agent: str) -> str:
    """A coarse class of the device; nothing else of the browser's name is kept."""
    if "iPad" in agent or ("Android" in agent and "Mobile" not in agent):
        return "tablet"
    return "phone" if "Mobi" in agent else "desktop"
