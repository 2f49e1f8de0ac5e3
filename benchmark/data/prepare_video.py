"""One video to one folder of face crops and one record of what became of it. Runs in worker processes; see `prepare`.

A video's folder is filled under a temporary name and renamed when complete, and its record is written after that: a
record stands for finished work, so a killed run is continued by doing the videos without one.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from benchmark.data.face_crop import Dropped, FaceFinder, FaceTracker, crop_box, cut_face
from benchmark.data.video import UnreadableVideo, Video
from benchmark.errors import BenchError
from benchmark.files import sha256_file, write_atomic

MIN_FRAMES = 2  # one frame has no other to be compared with
_LANDMARKS = "landmarks.npy"


@dataclass(frozen=True)
class Settings:
    """What decides the prepared frames of a video; the split is decided afterwards."""

    size: int = 256
    every: int = 1
    detector: str = "dlib"
    min_crop: int = 128
    outside: str = "fit"


@dataclass(frozen=True)
class Job:
    """One video: where it is, what it is called, where its frames go."""

    video: Path
    name: str  # path below the videos folder, as shown to people
    clip: str  # folder name
    out: Path
    settings: Settings


def finder_for(name: str) -> FaceFinder:
    """The landmark detector `name`, which must be able to search whole frames; BenchError otherwise."""
    from benchmark.labelers.landmarks import get_detector

    detector = get_detector(name)
    if not hasattr(detector, "faces"):
        raise BenchError(f"--detector {name}: reads face crops and cannot find faces in video frames; use dlib")
    return cast(FaceFinder, detector)


def finished_record(job: Job, video_sha256: str) -> dict[str, Any] | None:
    """The record of an earlier run; None when the video or the settings are new or files are gone."""
    try:
        record = json.loads(_record_path(job).read_text())
    except (OSError, ValueError):
        return None
    if record.get("made_from") != _made_from(job, video_sha256):
        return None
    complete = all((job.out / name).is_file() for name in [*record["images"], *record["landmarks"]])
    return record if complete else None


def prepare_video(job: Job, finder: FaceFinder, video_sha256: str, tick: Callable[[], None]) -> dict[str, Any]:
    """Cut the face out of every frame of one video; write folder and record; return the record.

    The record tells how many frames were read, kept and dropped for which reason; `refused` says why a video as a whole
    gives nothing. `tick` is called once per frame read. Two runs give the same bytes.
    """
    folder = job.out / "clips" / job.clip
    partial = folder.with_name(f"{job.clip}.partial")
    for leftover in (folder, partial):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    outcome = _cut_all(job, finder, partial, tick)
    if outcome.refused:
        shutil.rmtree(partial)
    else:
        partial.replace(folder)
    names = [] if outcome.refused else [f"clips/{job.clip}/{number:06d}.png" for number in outcome.times]
    marks = [] if outcome.refused else [f"clips/{job.clip}/{_LANDMARKS}"]
    record = {
        "video": job.name,
        "video_sha256": video_sha256,
        "made_from": _made_from(job, video_sha256),
        "clip": job.clip,
        "refused": outcome.refused,
        "problem": outcome.problem,
        "read": len(outcome.times) + outcome.dropped.total(),
        "dropped": dict(outcome.dropped.most_common()),
        "times": outcome.times,
        "images": names,
        "sha256": [sha256_file(job.out / name) for name in names],
        "landmarks": marks,
        "landmarks_sha256": [sha256_file(job.out / name) for name in marks],
    }
    _record_path(job).parent.mkdir(exist_ok=True)
    write_atomic(_record_path(job), json.dumps(record).encode())
    return record


def describe(record: dict[str, Any]) -> str:
    """One line for people: what a video gave, what was dropped and why."""
    dropped = ", ".join(f"{reason} {count}" for reason, count in record["dropped"].items())
    if record["refused"]:
        return f"{record['video']}: refused: {record['refused']}"
    line = f"{record['video']}: kept {len(record['times'])} of {record['read']} frames"
    line += f"; dropped: {dropped}" if dropped else ""
    return line + (f"; {record['problem']}" if record["problem"] else "")


@dataclass
class _Outcome:
    times: list[int]  # frame numbers kept
    dropped: Counter[str]
    refused: str = ""
    problem: str | None = None


def _cut_all(job: Job, finder: FaceFinder, folder: Path, tick: Callable[[], None]) -> _Outcome:
    """Write the face crops and landmarks of a video into `folder`."""
    video, tracker = Video(job.video), FaceTracker(finder, smallest=job.settings.min_crop / 2)
    outcome, landmarks = _Outcome([], Counter()), []
    try:
        for number, frame in video.frames(job.settings.every):
            tick()
            try:
                box = crop_box(tracker.find(frame), frame.shape, job.settings.min_crop, job.settings.outside)
                image, points = cut_face(frame, box, finder, job.settings.size)
            except Dropped as reason:
                outcome.dropped[str(reason)] += 1
                continue
            Image.fromarray(image).save(folder / f"{number:06d}.png", compress_level=3)
            outcome.times.append(number)
            landmarks.append(points)
    except UnreadableVideo as error:
        outcome.refused = str(error).partition(": ")[2]
        return outcome
    outcome.problem = video.problem
    if len(landmarks) < MIN_FRAMES:
        outcome.refused = _why_nothing(len(landmarks), outcome.dropped)
    else:
        np.save(folder / _LANDMARKS, np.stack(landmarks))  # (frames, 68, 2)
    return outcome


def _why_nothing(kept: int, dropped: Counter[str]) -> str:
    total = kept + dropped.total()
    if dropped["no face"] == total:
        return f"no face in any of {total} frames"
    reasons = ", ".join(f"{reason} {count}" for reason, count in dropped.most_common())
    return f"only {kept} of {total} frames usable, {MIN_FRAMES} needed ({reasons})"


def _made_from(job: Job, video_sha256: str) -> dict[str, Any]:
    return {"video_sha256": video_sha256, **asdict(job.settings)}


def _record_path(job: Job) -> Path:
    return job.out / "records" / f"{job.clip}.json"
