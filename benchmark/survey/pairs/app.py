"""The page on which one labeller marks pairs of frames, at one computer; the survey's look, a small server of its own.

    serve(Marking(source, pairs, PairLabels(Path("labels.csv"), "anna"), question), port=8710)

Every answer is in the file before the page shows the next pair. The page holds no state: reload, or stop and start.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template, request
from PIL import Image
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from benchmark.data.pair_labels import ANSWERS, PairLabels, key
from benchmark.data.source import Frame, Source
from benchmark.errors import BenchError
from benchmark.survey.voting import Refused
from benchmark.survey.web import guard
from benchmark.survey.web.port import listening


@dataclass(frozen=True)
class Marking:
    """What one labeller is at."""

    source: Source
    pairs: Sequence[tuple[Frame, Frame]]
    labels: PairLabels
    question: str

    def state(self) -> dict[str, Any]:
        """What the page shows: the first pair without an answer, how far it is, and what to load ahead."""
        said = self.labels.mine()
        answers = [said.get(key(pair)) for pair in self.pairs]
        open_ones = [number for number, answer in enumerate(answers) if answer is None]
        counts = Counter(answers)
        return {
            "total": len(self.pairs),
            "done": len(self.pairs) - len(open_ones),
            "counts": {answer: counts[answer] for answer in ANSWERS},
            "width": self.source.width,
            "height": self.source.height,
            "pair": _pair(open_ones[0]) if open_ones else None,
            "ahead": _pair(open_ones[1]) if len(open_ones) > 1 else None,
        }

    def answer(self, number: Any, said: Any) -> None:
        """Store an answer; of a request that makes no sense, Refused."""
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(self.pairs):
            raise Refused(400, "pair: no pair of that number")
        if said not in ANSWERS:
            raise Refused(400, f"said: one of {', '.join(ANSWERS)}")
        self.labels.answer(self.pairs[number], said)


def _pair(number: int) -> dict[str, Any]:
    return {"number": number, "left": f"/frame/{number}/0.webp", "right": f"/frame/{number}/1.webp"}


def create_app(marking: Marking) -> Flask:
    """A WSGI application for one labeller."""
    app = Flask("benchmark.survey.web", static_folder="static", template_folder="templates")
    guard.install(app)

    @lru_cache(maxsize=64)
    def encoded(frame: Frame) -> bytes:
        out = io.BytesIO()
        Image.fromarray(marking.source.image(frame)).save(out, "WEBP", lossless=True)
        return out.getvalue()

    @app.get("/")
    def page() -> str:
        return render_template("pairs.html", question=marking.question, labels=marking.labels)

    @app.get("/frame/<int:number>/<int:which>.webp")
    def frame(number: int, which: int) -> Response:
        if number >= len(marking.pairs) or which > 1:
            abort(404)
        answer = Response(encoded(marking.pairs[number][which]), mimetype="image/webp")
        answer.headers["Cache-Control"] = "private, max-age=3600"
        return answer

    @app.post("/next")
    def following() -> Response:
        return jsonify(marking.state())

    @app.post("/answer")
    def take() -> Response:
        tree = request.get_json()
        if not isinstance(tree, dict):
            raise Refused(400, "expected an object")
        marking.answer(tree.get("pair"), tree.get("said"))
        return jsonify(marking.state())

    @app.post("/undo")
    def undo() -> Response:
        taken_back = marking.labels.undo(marking.pairs)
        return jsonify({**marking.state(), "undone": taken_back})

    @app.errorhandler(Refused)
    def refused(error: Refused) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), error.status

    @app.errorhandler(BenchError)
    def failed(error: BenchError) -> tuple[Response, int]:
        return jsonify({"error": str(error)}), 500

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[Response, int]:
        return jsonify({"error": error.description or error.name}), error.code or 500

    return app


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not every picture deserves a line on the terminal."""


def serve(marking: Marking, port: int) -> None:
    """Serve on this computer alone until stopped; a port that is taken is one clear line."""
    app = create_app(marking)
    with listening("127.0.0.1", port) as opened:
        handle = opened.fileno()
        make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet, fd=handle).serve_forever()
