"""A rater who speaks HTTP to the application in this process."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from benchmark.survey.folder import Study
from benchmark.survey.web.app import create_app
from benchmark.survey.web.guard import Limits

ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FREE = Limits(trials=(1e6, 1e6), entries=(1e6, 1e6), logins=(1e6, 1e6), all_logins=(1e6, 1e6))


class Rater:
    """One session. `next` is the trial in hand."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.next = client, {}

    @classmethod
    def entering(cls, study: Study, app: Flask | None = None, **form: str) -> Rater:
        """Consent and fetch the first trial."""
        client = (app or create_app(study, limits=FREE)).test_client()
        reply = client.post("/consent", data={"agree": study.design.consent_sha, **form}, headers=ORIGIN)
        assert reply.status_code == 303, reply.text
        made = cls(client)
        made.next = made.ask("/next").json
        return made

    def ask(self, path: str, json: Any = None) -> Any:
        return self.client.post(path, json={} if json is None else json, headers=ORIGIN)

    def vote(self, choice: str = "left", key: str | None = None, **more: Any) -> Any:
        """Answer the trial in hand; the reply, whose `next` is taken in hand."""
        body = {"key": self.next["key"] if key is None else key, "choice": choice, "rt_ms": 900.0, **more}
        reply = self.ask("/vote", body)
        if reply.status_code == 200:
            self.next = reply.json["next"]
        return reply

    def finish(self, choice: str = "left") -> int:
        """Answer to the end; how many trials that took."""
        trials = 0
        while not self.next["end"]:
            assert self.vote(choice).status_code == 200
            trials += 1
        return trials
