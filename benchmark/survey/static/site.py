"""The zip of a study without a server.

    write_site(study, dealt, Path("study.zip"), post="https://example.org/collect")

Its one page holds the hosted study's own pages, rendered from their templates; trials are run by the hosted study's own
survey.js. assets/static.js stands in for the server: it keeps answers in the browser and hands them in at the end.
Nothing is asked of another host, unless answers are to be posted to one.
"""

from __future__ import annotations

import importlib.resources
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from sqlalchemy import select

from benchmark.errors import BenchError
from benchmark.survey.folder import Study
from benchmark.survey.static.blocks import Dealt
from benchmark.survey.tables import image
from benchmark.survey.web.app import paragraphs

PAGES = {"invitation": "main", "consent": "main", "questions": "main", "study": "body"}  # template -> its block
DATE = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: a date would tell when which picture was made
HOW = """This folder is a preference study ({title}). Put all of it on any static web host, over https if you can, and
give each participant the address with a number of their own from 1 to {people}: {link}
Without a number the page draws one. `?test=1` tries the study; a test's answers are refused by the import.
Answers {way}. Read them with: bench survey import STUDY FILES
"""


def write_site(study: Study, dealt: Dealt, out: Path, post: str = "") -> int:
    """Write the zip; returns its bytes. `post`: an https address that takes the answers by POST; else they are
    downloaded by the participant.
    """
    if post:
        _check(post)
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name, data in _small_files(study, dealt, post).items():
                archive.writestr(zipfile.ZipInfo(name, DATE), data, zipfile.ZIP_DEFLATED)
            for token, file in _pictures(study, dealt):
                archive.writestr(zipfile.ZipInfo(f"i/{token}.webp", DATE), (study.pictures / file).read_bytes())
        temporary.replace(out)
    except OSError as error:
        raise BenchError(f"{out}: cannot write: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return out.stat().st_size


def _small_files(study: Study, dealt: Dealt, post: str) -> dict[str, bytes | str]:
    web = importlib.resources.files("benchmark.survey.web") / "static"
    files: dict[str, bytes | str] = {
        name: (web / name).read_bytes() for name in ("survey.css", "survey.js", "icon.svg")
    }
    files["static.js"] = (importlib.resources.files(__package__) / "assets" / "static.js").read_bytes()
    files["index.html"] = page(study, post)
    files["config.js"] = f"window.STUDY = {_script(_config(study, dealt, post))};\n"
    for number, block in enumerate(dealt.shown, 1):
        files[f"blocks/{number}.js"] = f"window.BLOCK = {_script(block)};\n"
    way = f"are posted to {post}" if post else "are downloaded by each participant, who hands the file in"
    files["README.txt"] = HOW.format(
        title=study.design.study.title, people=len(dealt.shown), way=way, link=link_of(study, 1)
    )
    return files


def link_of(study: Study, number: int) -> str:
    """What a participant is given."""
    parameter = study.design.recruit.parameter
    return f"https://your.host/folder/?{f'{parameter}=ID&' if parameter else ''}p={number}"


def page(study: Study, post: str) -> str:
    """The one page: the blocks of the hosted pages' templates, one after another."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("benchmark.survey.static", "assets"),
                jinja2.PackageLoader("benchmark.survey.web", "templates"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
    )
    environment.filters["paragraphs"] = paragraphs
    known = {"design": study.design, "comer": {}, "parameter": "", "started": False}
    parts = {}
    for name, block in PAGES.items():
        template = environment.get_template(f"{name}.html")
        parts[name] = jinja2.utils.markupsafe.Markup("".join(template.blocks[block](template.new_context(known))))
    return environment.get_template("page.html").render(known, parts=parts, post=post, post_origin=_origin(post))


def _config(study: Study, dealt: Dealt, post: str) -> Mapping[str, Any]:
    recruit = study.design.recruit
    return {
        "study": study.id,
        "list": dealt.id,
        "people": len(dealt.shown),
        "consent": study.design.consent_sha,
        "questions": bool(study.design.questions),
        "timed": bool(study.design.study.durations_ms),
        "parameter": recruit.parameter,
        "code": recruit.code,
        "returnAddress": recruit.return_address,
        "post": post,
    }


def _pictures(study: Study, dealt: Dealt) -> list[tuple[str, str]]:
    """(token, file) of every picture that some block shows, in the order of the random tokens."""
    places = ("left", "right", "exemplar")
    addresses = {trial[place] for block in dealt.shown for trial in block for place in places if trial[place]}
    tokens = {address.removeprefix("i/").removesuffix(".webp") for address in addresses}
    with study.store.read() as connection:
        rows = connection.execute(select(image.c.token, image.c.file).where(image.c.study == study.id)).all()
    return sorted((row.token, row.file) for row in rows if row.token in tokens)


def _script(tree: Any) -> str:
    """JSON that is also JavaScript and ends no script element."""
    return json.dumps(tree).replace("<", "\\u003c")


def _check(post: str) -> None:
    try:
        parts = urlsplit(post)
    except ValueError as error:
        raise BenchError(f"--post {post}: not an address") from error
    local = parts.hostname in ("localhost", "127.0.0.1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise BenchError(f"--post {post}: an address that begins with https://")
    if not parts.hostname or set(post) & set(" ;,'\"<>\\"):
        raise BenchError(f"--post {post}: not an address")


def _origin(post: str) -> str:
    parts = urlsplit(post)
    return f"{parts.scheme}://{parts.netloc}" if post else ""
