"""Files of answers as a browser would write them."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.survey.folder import Study
from benchmark.survey.static.blocks import Dealt

Choose = Callable[[dict[str, Any]], str]


def body_of(study: Study, dealt: Dealt, number: int, choose: Choose = lambda shown: "left") -> dict[str, Any]:
    """What participant `number` gives: a choice and good measurements for every trial."""
    now = 1000 * time.time()
    votes = []
    for shown in dealt.shown[number - 1]:
        vote = {"key": shown["key"], "choice": choose(shown), "rt_ms": 900.5, "hidden": 0, "at": now}
        if shown["duration_ms"] is not None:
            vote |= {"on_ms": 100.0, "off_ms": 100.0 + shown["duration_ms"], "frames": 9, "refresh_hz": 60.0}
        votes.append(vote | {"left": shown["left"], "right": shown["right"]})
    return {
        "study": study.id,
        "list": dealt.id,
        "test": False,
        "device": "phone",
        "session": f"{number:032x}",
        "p": number,
        "person": f"person{number}",
        "consent": study.design.consent_sha,
        "started": now - 60_000,
        "answers": {},
        "votes": votes,
        "comment": "",
    }


def packed(body: Any) -> dict[str, Any]:
    """With format and checksum."""
    text = json.dumps(body)
    return {"format": "exemplar-bench answers", "version": 1, "crc32": f"{zlib.crc32(text.encode()):08x}", "body": text}


def write(path: Path, body: Any) -> Path:
    path.write_text(json.dumps(packed(body)))
    return path
