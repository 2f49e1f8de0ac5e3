"""Frames kept on disk: what comes back is what was put, whatever happens to the file; and each is rendered once."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmark import config as configuration
from benchmark.data import frame_cache
from benchmark.data.frame_cache import FrameCache, SlotFile, open_cache
from benchmark.data.source import Frame
from benchmark.data.store import FrameStore
from benchmark.errors import BenchError
from benchmark.run.world import World
from benchmark.tasks.face import FaceTask
from tests.toy import ToySource


@pytest.fixture(autouse=True)
def frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_FRAMES", str(tmp_path / "frames"))
    return tmp_path / "frames"


class Counting(ToySource):
    """Counts what it has to draw."""

    drawn = 0

    def image(self, frame: Frame) -> np.ndarray:
        if not 0 <= frame.index < 6:
            raise BenchError(f"{frame.clip}: no frame {frame.index}")
        Counting.drawn += 1
        return super().image(frame)


def pictures(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 4, 6, 3)).astype(np.uint8)


def test_what_was_put_comes_back_also_to_another_reader(tmp_path: Path) -> None:
    first, arrays = SlotFile(tmp_path / "image.npy", 5), pictures()
    assert first.get(2) is None
    for slot in (4, 2):
        assert first.put(slot, arrays[slot])
    second = SlotFile(tmp_path / "image.npy", 5)
    for slot in range(5):
        got = second.get(slot)
        assert (got is None) if slot not in (4, 2) else (got == arrays[slot]).all()
    assert not second.get(2).flags.writeable  # type: ignore[union-attr]
    assert second.put(0, arrays[0]) and (first.get(0) == arrays[0]).all()  # type: ignore[union-attr]
    assert not list(tmp_path.glob(".*"))


def test_a_picture_of_zeros_is_a_picture(tmp_path: Path) -> None:
    file = SlotFile(tmp_path / "image.npy", 3)
    assert file.put(0, np.ones((4, 4), np.float32)) and file.get(1) is None
    assert file.put(1, np.zeros((4, 4), np.float32)) and (file.get(1) == 0).all()  # type: ignore[union-attr]


@pytest.mark.parametrize("damage", ["half a slot", "another slot", "cut", "empty", "rubbish", "other arrays"])
def test_damage_costs_time_never_a_pixel(tmp_path: Path, damage: str) -> None:
    path, arrays = tmp_path / "image.npy", pictures()
    file = SlotFile(path, 5)
    for slot in (1, 2):
        file.put(slot, arrays[slot])
    whole = path.read_bytes()
    size = 4 + arrays[0].nbytes
    start = len(whole) - 5 * size
    damaged = {
        "half a slot": whole[: start + 2 * size + 20] + bytes(size - 20) + whole[start + 3 * size :],
        "another slot": whole[: start + 2 * size] + whole[start + size : start + 2 * size] + whole[start + 3 * size :],
        "cut": whole[: start + 2 * size + 20],
        "empty": b"",
        "rubbish": b"rubbish" * 40,
        "other arrays": whole[:start].replace(b"(5,)", b"(4,)") + whole[start : start + 4 * size],
    }[damage]
    path.unlink()
    path.write_bytes(damaged)
    again = SlotFile(path, 5)
    assert again.get(2) is None
    assert again.put(2, arrays[2]) and (again.get(2) == arrays[2]).all()  # type: ignore[union-attr]
    known = again.get(1)
    assert known is None or (known == arrays[1]).all()


def test_the_limit_and_a_full_disk_leave_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = pictures()
    with monkeypatch.context() as patch:
        patch.setattr(frame_cache, "LIMIT", 5 * arrays[0].nbytes)
        assert not SlotFile(tmp_path / "image.npy", 5).put(0, arrays[0])
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 10**12, 0))
        assert not SlotFile(tmp_path / "image.npy", 5).put(0, arrays[0])
    assert not list(tmp_path.iterdir())
    file = SlotFile(tmp_path / "image.npy", 5)
    assert file.put(0, arrays[0])
    (tmp_path / "image.npy").unlink()
    assert not file.put(1, arrays[1])  # its folder was cleared under it
    assert (file.get(0) == arrays[0]).all()  # type: ignore[union-attr]


def test_each_frame_is_drawn_once_for_all_stores(frames: Path) -> None:
    source, plain = Counting(), ToySource()
    Counting.drawn, drawn = 0, []
    everything = [Frame(clip.id, i) for clip in source.clips for i in range(6)]
    for _ in range(2):  # as in two processes: nothing is shared but the folder
        store = FrameStore(source, cache=open_cache(source))
        for frame in everything * 2:
            assert (store.image(frame) == plain.image(frame)).all()
            assert (store.label(frame) == plain.label(frame)).all()
            assert (store.joints(frame) == plain.landmarks(frame)).all()
        assert not store._held
        with pytest.raises(BenchError, match="no frame 6"):
            store.image(Frame("t0", 6))
        drawn.append(Counting.drawn)
    assert 0 < drawn[0] == drawn[1]
    assert {p.name for p in frames.glob("*/*")} == {"image.npy", "label.npy", "joints.npy"}


def _fill(folder: str, seed: int) -> None:
    cache = FrameCache(Path(folder), ToySource())
    frames = [Frame(clip.id, i) for clip in ToySource.clips for i in range(6)]
    for k in np.random.default_rng(seed).permutation(len(frames)):
        cache.put("image", frames[k], ToySource().image(frames[k]))


def test_processes_that_write_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_fill, args=(str(tmp_path), seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    cache = FrameCache(tmp_path, ToySource())
    for clip in ToySource.clips:
        for i in range(6):
            assert (cache.get("image", Frame(clip.id, i)) == ToySource().image(Frame(clip.id, i))).all()
    assert [p.name for p in tmp_path.iterdir()] == ["image.npy"]


def test_other_data_or_other_code_is_another_world(frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def folders() -> set[str]:
        return {p.name for p in frames.iterdir()}

    open_cache(ToySource("a"))
    open_cache(ToySource("a"))
    assert len(folders()) == 1
    open_cache(ToySource("b"))
    assert len(folders()) == 2
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + b"# changed" * (path.name == "face_label.py"))
    open_cache(ToySource("a"))
    assert len(folders()) == 3


def test_worlds_unused_for_longest_go_first(frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, name in enumerate("abc"):
        cache = open_cache(ToySource(name))
        assert cache is not None and cache.put("image", Frame("t0", 0), ToySource().image(Frame("t0", 0)))
        folder = max(frames.iterdir(), key=lambda p: p.stat().st_mtime)
        os.utime(folder, (10**9 + age, 10**9 + age))
    oldest, newest = (f(frames.iterdir(), key=lambda p: p.stat().st_mtime) for f in (min, max))
    taken = sum(file.stat().st_blocks * 512 for file in oldest.iterdir())
    monkeypatch.setattr(frame_cache, "LIMIT", 2 * taken + 1)
    open_cache(ToySource("d"))
    assert not oldest.exists() and newest.exists() and len(list(frames.iterdir())) == 3


def test_off_an_unusable_folder_and_real_photos_are_served_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    for choice in ("off", str(tmp_path / "file" / "below")):
        monkeypatch.setenv("BENCH_FRAMES", choice)
        assert open_cache(ToySource()) is None
    monkeypatch.setenv("BENCH_FRAMES", str(tmp_path / "frames"))
    config = configuration.load("smoke", "face")
    monkeypatch.setattr(FaceTask, "source", lambda self, config, data: ToySource())
    assert World(FaceTask(), config, "a-folder").store._cache is None
    assert World(FaceTask(), config).store._cache is not None
