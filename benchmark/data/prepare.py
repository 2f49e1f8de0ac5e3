"""Turn a folder of face videos into a prepared data set (spec: systems 1.4, 1.5): `bench data prepare`.

Layout of the result:

    out/manifest.jsonl            settings, report per video, clips with split and sha256 of every file; written last
    out/clips/<clip>/000012.png   face crops, named by frame number; beside them landmarks.npy, float32 (frames, 68, 2)
    out/records/<clip>.json       what became of each video; a video with a record is not done again
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.data.face_crop import CROP, OUTSIDE, FaceFinder
from benchmark.data.manifest import write_manifest
from benchmark.data.prepare_video import Job, Settings, describe, finder_for, finished_record, prepare_video
from benchmark.data.split import SPLITS, Part, split_videos
from benchmark.data.video import Video, find_videos
from benchmark.errors import BenchError, nearest
from benchmark.files import sha256_file, write_atomic

_SETTINGS = "settings.json"


def prepare_faces(
    videos: Path,
    out: Path,
    settings: Settings,
    *,
    split: str = "auto",
    seed: int = 0,
    workers: int = 1,
    progress: bool = True,
) -> list[str]:
    """Prepare every video below `videos` into `out`; return the report, one line per video and one on the split.

    A killed run is continued by the same call and ends in the same manifest. One video that cannot be used is
    reported and the others go on.

    Raises:
        BenchError: bad settings, no videos, no video gives a face, `out` holds something else, the disk is full.
    """
    _check(settings, split)
    jobs = _jobs(find_videos(videos), videos, out, settings)
    finder = finder_for(settings.detector)  # here too: a missing library is then said once, not by every worker
    try:
        _claim(out, settings)
        records = _run(jobs, finder, workers, progress)
        return _finish(videos, out, settings, finder.protocol, records, split, seed)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"{out}: the disk is full; free some space and run again, finished videos are kept"
            ) from None
        raise


def _check(settings: Settings, split: str) -> None:
    if not 16 <= settings.size <= CROP:
        raise BenchError(f"--size {settings.size}: must lie between 16 and {CROP}, the size faces are cropped to")
    for option, number in (("--every", settings.every), ("--min-crop", settings.min_crop)):
        if number < 1:
            raise BenchError(f"{option} {number}: must be 1 or more")
    for option, choice, choices in (("--outside", settings.outside, OUTSIDE), ("--split", split, SPLITS)):
        if choice not in choices:
            raise BenchError(f"{option} {choice}: unknown{nearest(choice, choices)}")


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
    note, ours = out / _SETTINGS, asdict(settings)
    if note.is_file():
        try:
            theirs = json.loads(note.read_text())
        except ValueError:
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


def _finish(
    videos: Path, out: Path, settings: Settings, protocol: str, records: list[dict[str, Any]], how: str, seed: int
) -> list[str]:
    report = [describe(record) for record in records]
    used = {record["clip"]: record for record in records if not record["refused"]}
    if not used:
        raise BenchError(f"{videos}: no video can be used: " + "; ".join(report))
    done, parts = split_videos({clip: len(record["times"]) for clip, record in used.items()}, how, seed)
    header = {
        "task": "face",
        **asdict(settings),
        "protocol": protocol,
        "split": done,
        "seed": seed,
        "report": report,
    }
    write_manifest(out, header, [_clip_line(part, used[part.video]) for part in parts])
    return [*report, _describe_split(done, parts)]


def _clip_line(part: Part, record: dict[str, Any]) -> dict[str, Any]:
    rows = slice(part.start, part.stop)
    return {
        "clip": part.clip,
        "split": part.split,
        "video": record["video"],
        "video_sha256": record["video_sha256"],
        "times": record["times"][rows],
        "images": record["images"][rows],
        "sha256": record["sha256"][rows],
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


def _run(jobs: list[Job], finder: FaceFinder, workers: int, progress: bool) -> list[dict[str, Any]]:
    """The records of all jobs, in their order, from earlier runs where they exist."""
    from tqdm import tqdm

    digests = [sha256_file(job.video) for job in jobs]
    records = {job.name: finished_record(job, digest) for job, digest in zip(jobs, digests, strict=True)}
    todo = [(job, digest) for job, digest in zip(jobs, digests, strict=True) if records[job.name] is None]
    total = sum(-(-Video(job.video).length() // job.settings.every) for job, _ in todo)
    with tqdm(total=total, unit="frame", disable=None if progress else True) as bar:
        alone = workers == 1 or len(todo) < 2
        for record in _in_process(todo, finder, bar.update) if alone else _in_workers(todo, workers, bar.update):
            records[record["video"]] = record
            if progress:
                bar.write(describe(record), file=sys.stderr)
    return [record for record in records.values() if record is not None]


def _in_process(
    todo: list[tuple[Job, str]], finder: FaceFinder, advance: Callable[[int], Any]
) -> Iterator[dict[str, Any]]:
    for job, digest in todo:
        yield prepare_video(job, finder, digest, lambda: advance(1))


def _in_workers(todo: list[tuple[Job, str]], workers: int, advance: Callable[[int], Any]) -> Iterator[dict[str, Any]]:
    """Fresh (spawned) processes, one video at a time each; a shared counter moves the progress bar."""
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    shown = 0
    pool = ProcessPoolExecutor(min(workers, len(todo)), context, _enter_worker, (counter,))
    try:
        pending: set[Future[dict[str, Any]]] = {pool.submit(_work, job, digest) for job, digest in todo}
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            advance(counter.value - shown)
            shown = counter.value
            for future in done:
                yield future.result()
    except BrokenProcessPool:
        raise BenchError("a worker process was killed (out of memory?); run again with fewer --workers") from None
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()  # Ctrl-C: do not wait for the videos in hand
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_counter: Any = None  # set in each worker


def _enter_worker(counter: Any) -> None:
    import cv2

    global _counter
    _counter = counter
    cv2.setNumThreads(1)  # the workers share the cores among themselves
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker without a traceback
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """After kill -9 of the main process a worker must not write on beside the run that continues."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: Job, digest: str) -> dict[str, Any]:
    return prepare_video(job, _worker_finder(job.settings.detector), digest, _tick)


@cache
def _worker_finder(name: str) -> FaceFinder:
    return finder_for(name)


def _tick() -> None:
    with _counter.get_lock():
        _counter.value += 1
