"""The definition of a study: what is asked, of how many people, about how many pairs.

    design = load("pix2pixsc", ["study.pairs=40"])

A preset is a TOML file in benchmark/survey/presets; a copy of it with other texts is as good (`--preset my.toml`).
`bench survey build` freezes the definition into the study folder, and its hash into the database.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.resources
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.config import build, merge, parse_override
from benchmark.errors import BenchError, nearest
from benchmark.survey.exclusions import Rules


@dataclass(frozen=True)
class StudyConfig:
    """The table [study]."""

    title: str = "Comparing images"
    question: str = "Which image is closer to the exemplar in terms of style?"  # pix2pixSC Table 3
    exemplar: bool = True  # show the exemplar above the two results
    main: str = ""  # the method that the others are compared with; where a run lacks it, the run's first
    rivals: tuple[str, ...] = ()  # those of them that a run has; where it has none, every other method
    pairs: int = 80  # pictures of each comparison; spec: studies 1 infers 80 x 30 from the printed percentages
    raters: int = 30  # distinct people for every pair (and duration)
    durations_ms: tuple[int, ...] = ()  # exposure times, each pair at each of them; empty: unlimited
    trials: int = 60  # counted trials of one rater
    catch: int = 3  # trials with a known answer, strewn among them
    repeats: int = 3  # earlier trials shown again with the sides exchanged
    practice: int = 3  # trials with a known answer and feedback, before the others
    break_every: int = 30  # trials between breaks
    lease_minutes: float = 10.0  # after so long without an answer a trial goes to somebody else
    pixels: int = 256  # longest side of a picture as encoded and, at most, as shown
    minutes: int = 10  # what the invitation says the study takes
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("pairs", "raters", "trials", "break_every", "pixels", "minutes"):
            if getattr(self, name) < 1:
                raise BenchError(f"study.{name}: at least 1, got {getattr(self, name)}")
        for name in ("catch", "repeats", "practice"):
            if getattr(self, name) < 0:
                raise BenchError(f"study.{name}: at least 0, got {getattr(self, name)}")
        if self.lease_minutes <= 0:
            raise BenchError(f"study.lease_minutes: more than 0, got {self.lease_minutes}")
        if self.repeats * 2 > self.trials:
            raise BenchError(f"study.repeats: at most half of the {self.trials} trials, got {self.repeats}")
        if any(not 50 <= ms <= 60_000 for ms in self.durations_ms) or len(set(self.durations_ms)) < len(
            self.durations_ms
        ):
            raise BenchError(f"study.durations_ms: different times from 50 to 60000, got {list(self.durations_ms)}")


@dataclass(frozen=True)
class Texts:
    """The table [texts]; an empty line starts a paragraph. The consent text is stored and versioned by its hash."""

    invitation: str = ""
    consent: str = ""
    instructions: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Question:
    """One of [[questions]]: optional, one choice."""

    key: str
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Recruiting:
    """The table [recruit]: where people come from and what they take back."""

    source: str = "open"  # "open" link, or the name of a platform; shares of each are told beside the whole
    parameter: str = ""  # name of the address parameter with the person's id; "" = nobody is identified
    code: str = ""  # the completion code; "" = a code of each person's own
    return_address: str = ""  # link on the last page; {code} stands for the code
    keep_ids: bool = False  # store the ids themselves, for payment; else only their keyed hash
    purge_days: int = 30  # days after which stored ids are deleted

    def __post_init__(self) -> None:
        if self.return_address and not self.return_address.startswith(("https://", "http://")):
            raise BenchError(f"recruit.return_address: begins with https://, got {self.return_address!r}")
        if self.purge_days < 1:
            raise BenchError(f"recruit.purge_days: at least 1, got {self.purge_days}")


RECRUITERS = {
    "open": Recruiting(),
    "prolific": Recruiting(
        source="prolific",
        parameter="PROLIFIC_PID",
        code="CHANGE-ME",
        return_address="https://app.prolific.com/submissions/complete?cc={code}",
    ),
}


@dataclass(frozen=True)
class Design:
    """A whole definition."""

    preset: str = "pix2pixsc"
    study: StudyConfig = field(default_factory=StudyConfig)
    texts: Texts = field(default_factory=Texts)
    recruit: Recruiting = field(default_factory=Recruiting)
    exclusions: Rules = field(default_factory=Rules)
    questions: tuple[Question, ...] = ()

    @cached_property
    def sha(self) -> str:
        """Hex sha256 of the definition."""
        return sha_of(self.to_dict())

    @property
    def consent_sha(self) -> str:
        """Which version of the consent text a person agreed to."""
        return hashlib.sha256(self.texts.consent.encode()).hexdigest()

    @property
    def cells(self) -> int:
        """Conditions of one comparison: pairs times durations."""
        return self.study.pairs * max(1, len(self.study.durations_ms))

    def people(self, comparisons: int) -> int:
        """How many people fill the study when nobody drops out."""
        return max(self.study.raters, -(-self.cells * comparisons * self.study.raters // self.study.trials))

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def sha_of(tree: Any) -> str:
    """Hex sha256 of a definition as plain data, the same before and after a file of JSON."""
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def presets() -> list[str]:
    """Names of the embedded presets."""
    folder = importlib.resources.files("benchmark") / "survey" / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(preset: str, overrides: Sequence[str] = (), recruiter: str | None = None) -> Design:
    """The definition of a preset (a name, or a TOML file), a recruiter's settings and `a.b=c` overrides on top."""
    path = Path(preset)
    if preset.endswith(".toml"):
        if not path.is_file():
            raise BenchError(f"preset file {preset}: no such file")
        text, label = path.read_text(encoding="utf-8"), path.stem
    elif preset in presets():
        entry = importlib.resources.files("benchmark") / "survey" / "presets" / f"{preset}.toml"
        text, label = entry.read_text(encoding="utf-8"), preset
    else:
        raise BenchError(f"unknown survey preset {preset!r}{nearest(preset, presets())}")
    try:
        tree: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BenchError(f"preset {preset}: not valid TOML: {error}") from error
    if recruiter is not None:
        if recruiter not in RECRUITERS:
            raise BenchError(f"unknown recruiter {recruiter!r}{nearest(recruiter, RECRUITERS)}")
        tree = merge(tree, {"recruit": dataclasses.asdict(RECRUITERS[recruiter])})
    for override in overrides:
        tree = merge(tree, parse_override(override))
    return from_dict({**tree, "preset": label}, f"preset {label}")


def from_dict(tree: dict[str, Any], where: str) -> Design:
    """The inverse of `Design.to_dict`."""
    return build(Design, tree, where)
