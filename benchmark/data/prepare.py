"""Turn a folder of videos into a prepared data set (spec: systems 1.4 to 1.6): `bench data prepare`.

Layout of the result:

    out/manifest.jsonl            settings, report per video, clips with split and sha256 of every file; written last
    out/clips/<clip>/000012.png   crops, named by frame number; beside them landmarks.npy, float32 (frames, J, 2),
                                  and for dancers 000012_IUV.png where part maps were given
    out/records/<clip>.json       what became of each video; a video with a record is not done again
"""

from __future__ import annotations

import errno
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmark.data.manifest import write_manifest
from benchmark.data.prepare_pool import in_process, in_workers
from benchmark.data.prepare_video import Cutter, Job, Settings, describe, finished_record
from benchmark.data.split import SPLITS, Part, split_videos
from benchmark.data.video import Video, find_videos
from benchmark.errors import BenchError, nearest
from benchmark.files import sha256_file, write_atomic

MAX_BAD = 0.5  # videos off the web lose many frames; a set that loses most of them is not what somebody meant to give
_SETTINGS = "settings.json"


def prepare_videos(
    videos: Path,
    out: Path,
    settings: Settings,
    *,
    split: str = "auto",
    seed: int = 0,
    workers: int = 1,
    max_bad: float = MAX_BAD,
    progress: bool = True,
) -> list[str]:
    """Prepare every video below `videos` into `out`; return the report, one line per video and one on the split.

    A killed run is continued by the same call and ends in the same manifest. One video that cannot be used is
    reported and the others go on.

    Raises:
        BenchError: bad settings, no videos, none that can be used, more than `max_bad` of the videos or of their frames
            bad, `out` holds something else, the disk is full.
    """
    settings.check()
    if split not in SPLITS:
        raise BenchError(f"--split {split}: unknown{nearest(split, SPLITS)}")
    if not 0 <= max_bad <= 1:
        raise BenchError(f"--max-bad {max_bad}: a share from 0 to 1")
    jobs = _jobs(find_videos(videos), videos, out, settings)
    cutter = settings.cutter()  # here too: a missing library is then said once, not by every worker
    try:
        _claim(out, settings)
        records = _run(jobs, cutter, workers, progress)
        report = [describe(record) for record in records]
        _judge(videos, records, report, max_bad)
        how = settings.auto_split if split == "auto" else split
        return [*report, _finish(out, settings, cutter.protocol, records, report, how, seed)]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"{out}: the disk is full; free some space and run again, finished videos are kept"
            ) from None
        raise


def _jobs(paths: list[Path], videos: Path, out: Path, settings: Settings) -> list[Job]:
    """One job per video; the clip is called after the file, with its suffix where two files differ in nothing else."""
    stems = Counter(path.relative_to(videos).with_suffix("") for path in paths)
    jobs = []
    for path in paths:
        name = path.relative_to(videos)
        stem = name.with_suffix("")
        unique = stem if stems[stem] == 1 else name
        jobs.append(Job(path, name.as_posix(), "__".join(unique.parts).replace(".", "_"), out, settings))
    return jobs


def _claim(out: Path, settings: Settings) -> None:
    """Make `out` ours: empty, or begun by an earlier run with the same settings."""
    note, ours = out / _SETTINGS, {"task": settings.task, **asdict(settings)}  # type: ignore[call-overload]
    if note.is_file():
        try:
            theirs = {"task": "face", **json.loads(note.read_text())}  # faces were the only ones once
        except (ValueError, TypeError):
            raise BenchError(f"{note}: damaged; choose another --out") from None
        for field, value in ours.items():
            if theirs.get(field) != value:
                raise BenchError(
                    f"{out}: was prepared with {field} {theirs.get(field)}, not {value}; choose another --out"
                )
        return
    if out.is_dir() and any(out.iterdir()):
        raise BenchError(f"{out}: is not empty and was not made by prepare; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(note, json.dumps(ours).encode())


def _run(jobs: list[Job], cutter: Cutter, workers: int, progress: bool) -> list[dict[str, Any]]:
    """The records of all jobs, in their order, from earlier runs where they exist."""
    from tqdm import tqdm

    digests = [sha256_file(job.video) for job in jobs]
    records = {job.name: finished_record(job, digest) for job, digest in zip(jobs, digests, strict=True)}
    todo = [(job, digest) for job, digest in zip(jobs, digests, strict=True) if records[job.name] is None]
    lengths = {job.name: Video(job.video).length() for job, _ in todo}
    total = sum(-(-lengths[job.name] // job.settings.every) for job, _ in todo)
    with tqdm(total=total, unit="frame", disable=None if progress else True) as bar:
        if workers == 1 or len(todo) < 2:
            done = in_process(todo, cutter, bar.update)
        else:
            todo.sort(key=lambda entry: -lengths[entry[0].name])  # the longest first, or a worker is left alone with it
            done = in_workers(todo, workers, bar.update)
        for record in done:
            records[record["video"]] = record
            if progress:
                bar.write(describe(record), file=sys.stderr)
    return [record for record in records.values() if record is not None]


def _judge(videos: Path, records: list[dict[str, Any]], report: list[str], max_bad: float) -> None:
    """Refuse data of which too much is unusable. Frames that a rule of selection passes over are not bad."""
    refused = sum(bool(record["refused"]) for record in records)
    if refused == len(records):
        raise BenchError(f"{videos}: no video can be used: " + "; ".join(report))
    read, bad = (sum(record[key] for record in records) for key in ("read", "bad"))
    for count, total, what in ((refused, len(records), "videos"), (bad, read, "frames")):
        if count > max_bad * total:
            raise BenchError(
                f"{videos}: {count} of {total} {what} are bad, --max-bad is {max_bad:g}: " + "; ".join(report)
            )


def _finish(
    out: Path,
    settings: Settings,
    protocol: str,
    records: list[dict[str, Any]],
    report: list[str],
    how: str,
    seed: int,
) -> str:
    """Write the manifest; the line on the split."""
    used = {record["clip"]: record for record in records if not record["refused"]}
    done, parts = split_videos({clip: len(record["times"]) for clip, record in used.items()}, how, seed)
    header = {
        "task": settings.task,
        **asdict(settings),  # type: ignore[call-overload]
        "protocol": protocol,
        "split": done,
        "seed": seed,
        "report": report,
    }
    write_manifest(out, header, [_clip_line(part, used[part.video]) for part in parts])
    return _describe_split(done, parts)


def _clip_line(part: Part, record: dict[str, Any]) -> dict[str, Any]:
    rows = slice(part.start, part.stop)
    frame_wise = [key for key in ("times", "images", "sha256", "parts", "parts_sha256") if key in record]
    return {
        "clip": part.clip,
        "split": part.split,
        "video": record["video"],
        "video_sha256": record["video_sha256"],
        **{key: record[key][rows] for key in frame_wise},
        "landmarks": record["landmarks"][0],
        "landmarks_sha256": record["landmarks_sha256"][0],
        "rows": [part.start, part.stop],  # of the landmarks file
    }


def _describe_split(how: str, parts: list[Part]) -> str:
    frames: Counter[str] = Counter()
    for part in parts:
        frames[part.split] += part.stop - part.start
    clips = Counter(part.split for part in parts)
    counts = ", ".join(f"{split} {frames[split]} frames of {clips[split]} clips" for split in ("train", "val", "test"))
    why = "" if how == "video" else " (first half of every video trains, second half tests: the same people in both)"
    return f"split by {how}{why}: {counts}"
