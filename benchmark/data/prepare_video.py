"""One video to one folder of crops and one record of what became of it. Runs in worker processes; see `prepare`.

What a crop is, is the task's own: `Settings` names a `Cutter`, which makes a `Follower` per video (`prepare_face`,
`prepare_dance`). A video's folder is filled under a temporary name and renamed when complete, and its record is written
after that: a record stands for finished work, so a killed run is continued by doing the videos without one.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from PIL import Image

from benchmark.data.dropped import BadInput, Dropped
from benchmark.data.video import UnreadableVideo, Video
from benchmark.files import sha256_file, write_atomic

MIN_FRAMES = 2  # one frame has no other to be compared with
POINTS_FILE = "landmarks.npy"


@dataclass(frozen=True)
class Cut:
    """What is kept of one frame, at the prepared size."""

    image: np.ndarray  # uint8 (S, S, 3) RGB
    points: np.ndarray  # float32 (J, 2) px, NaN where not seen
    parts: np.ndarray | None = None  # uint8 (S, S, 3) DensePose part, U, V
    notes: tuple[str, ...] = ()  # what a reader of the report should know though the frame is kept


class Follower(Protocol):
    """Goes through one video from its first frame to its last."""

    def cut(self, number: int, frame: np.ndarray) -> Cut:
        """The crop of frame `number` (uint8 (H, W, 3) RGB). Raises `Dropped` with the reason."""

    def strays(self, last: int) -> Counter[str]:
        """What was given for frames beyond the `last` one read, counted by kind."""


class Cutter(Protocol):
    """A task's way from frames to crops. Built once per process: it holds the detector."""

    protocol: str  # of the points: names the detector's weights

    def follow(self, video: str) -> Follower: ...


class Settings(Protocol):
    """What decides the prepared frames of a video: a frozen dataclass per task. The split is decided afterwards."""

    task: ClassVar[str]
    nobody: ClassVar[str]  # the reason given for a frame without its subject
    auto_split: ClassVar[str]  # what --split auto means

    @property
    def size(self) -> int: ...

    @property
    def every(self) -> int: ...

    @property
    def detector(self) -> str: ...

    def check(self) -> None:
        """BenchError for settings that cannot be."""

    def cutter(self) -> Cutter:
        """BenchError when a library or weights are missing."""

    def inputs(self, video: str) -> str:
        """Changes whenever something besides the video changes that its crops are made from; "" for nothing."""


@dataclass(frozen=True)
class Job:
    """One video: where it is, what it is called, where its frames go."""

    video: Path
    name: str  # path below the videos folder, as shown to people
    clip: str  # folder name
    out: Path
    settings: Settings


def finished_record(job: Job, video_sha256: str) -> dict[str, Any] | None:
    """The record of an earlier run; None when the video or the settings are new or files are gone."""
    try:
        record = json.loads(_record_path(job).read_text())
    except (OSError, ValueError):
        return None
    if record.get("made_from") != _made_from(job, video_sha256):
        return None
    files = [*record["images"], *record["landmarks"], *record.get("parts", [])]
    return record if all((job.out / name).is_file() for name in files) else None


def prepare_video(job: Job, cutter: Cutter, video_sha256: str, tick: Callable[[], None]) -> dict[str, Any]:
    """Cut the subject out of every frame of one video; write folder and record; return the record.

    The record tells how many frames were read, kept and dropped for which reason; `refused` says why a video as a whole
    gives nothing. `tick` is called once per frame read. Two runs give the same bytes.
    """
    folder = job.out / "clips" / job.clip
    partial = folder.with_name(f"{job.clip}.partial")
    for leftover in (folder, partial):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    outcome = _cut_all(job, cutter.follow(job.name), partial, tick)
    if outcome.refused:
        shutil.rmtree(partial)
    else:
        partial.replace(folder)
    record = {
        "video": job.name,
        "video_sha256": video_sha256,
        "made_from": _made_from(job, video_sha256),
        "clip": job.clip,
        "refused": outcome.refused,
        "problem": outcome.problem,
        "read": len(outcome.times) + outcome.dropped.total(),
        "dropped": dict(outcome.dropped.most_common()),
        "bad": outcome.bad,
        "noted": dict(outcome.noted.most_common()),
        "times": outcome.times,
        **_listed(job, outcome),
    }
    _record_path(job).parent.mkdir(exist_ok=True)
    write_atomic(_record_path(job), json.dumps(record).encode())
    return record


def describe(record: dict[str, Any]) -> str:
    """One line for people: what a video gave, what was dropped and why."""
    if record["refused"]:
        return f"{record['video']}: refused: {record['refused']}"
    line = f"{record['video']}: kept {len(record['times'])} of {record['read']} frames"
    for what in ("dropped", "noted"):
        counts = ", ".join(f"{reason} {count}" for reason, count in record.get(what, {}).items())
        line += f"; {what}: {counts}" if counts else ""
    return line + (f"; {record['problem']}" if record["problem"] else "")


@dataclass
class _Outcome:
    times: list[int] = field(default_factory=list)  # frame numbers kept
    dropped: Counter[str] = field(default_factory=Counter)
    bad: int = 0  # of those dropped and of the strays
    noted: Counter[str] = field(default_factory=Counter)
    parts: bool = False  # every kept frame has a part map
    refused: str = ""
    problem: str | None = None


def _cut_all(job: Job, follower: Follower, folder: Path, tick: Callable[[], None]) -> _Outcome:
    """Write the crops and points of a video into `folder`."""
    video, outcome, points = Video(job.video), _Outcome(), list[np.ndarray]()
    number = -1
    try:
        for number, frame in video.frames(job.settings.every):
            tick()
            try:
                cut = follower.cut(number, frame)
            except Dropped as reason:
                outcome.dropped[str(reason)] += 1
                outcome.bad += isinstance(reason, BadInput)
                continue
            outcome.noted.update(cut.notes)
            _save(cut, folder, number)
            outcome.times.append(number)
            points.append(cut.points)
            outcome.parts = cut.parts is not None
    except UnreadableVideo as error:
        outcome.refused = str(error).partition(": ")[2]
        return outcome
    strays = follower.strays(number + job.settings.every - 1)
    outcome.noted.update(strays)
    outcome.bad += strays.total()
    outcome.problem = video.problem
    if len(points) < MIN_FRAMES:
        outcome.refused = _why_nothing(len(points), outcome.dropped, job.settings.nobody)
    else:
        np.save(folder / POINTS_FILE, np.stack(points))  # (frames, J, 2)
    return outcome


def _save(cut: Cut, folder: Path, number: int) -> None:
    Image.fromarray(cut.image).save(folder / f"{number:06d}.png", compress_level=3)
    if cut.parts is not None:
        # V, U, part as red, green, blue: how OpenCV writes DensePose's own part, U, V files.
        Image.fromarray(np.ascontiguousarray(cut.parts[..., ::-1])).save(folder / f"{number:06d}_IUV.png")


def _listed(job: Job, outcome: _Outcome) -> dict[str, list[str]]:
    """Names and sha256 of what a video left in the folder."""
    place, times = f"clips/{job.clip}", [] if outcome.refused else outcome.times
    names = {
        "images": [f"{place}/{number:06d}.png" for number in times],
        "landmarks": [f"{place}/{POINTS_FILE}"] if times else [],
    }
    if outcome.parts:
        names["parts"] = [f"{place}/{number:06d}_IUV.png" for number in times]
    digests = {kind: [sha256_file(job.out / name) for name in listed] for kind, listed in names.items()}
    keys = {"images": "sha256", "landmarks": "landmarks_sha256", "parts": "parts_sha256"}
    return names | {keys[kind]: listed for kind, listed in digests.items()}


def _why_nothing(kept: int, dropped: Counter[str], nobody: str) -> str:
    total = kept + dropped.total()
    if dropped[nobody] == total:
        return f"{nobody} in any of {total} frames"
    reasons = ", ".join(f"{reason} {count}" for reason, count in dropped.most_common())
    return f"only {kept} of {total} frames usable, {MIN_FRAMES} needed ({reasons})"


def _made_from(job: Job, video_sha256: str) -> dict[str, Any]:
    inputs = job.settings.inputs(job.name)
    made = {"video_sha256": video_sha256, **asdict(job.settings)}  # type: ignore[call-overload]
    return made | ({"inputs": inputs} if inputs else {})


def _record_path(job: Job) -> Path:
    return job.out / "records" / f"{job.clip}.json"
