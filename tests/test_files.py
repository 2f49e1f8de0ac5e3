"""Lines of many writers, and files that are whole or not there."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path

import pytest

from benchmark.errors import BenchError
from benchmark.files import append_line, read_json, read_lines, write_json


def test_no_line_of_many_writers_is_lost_or_mixed(tmp_path: Path) -> None:
    path, long = tmp_path / "lines.jsonl", "x" * 9000  # longer than a page

    def write(writer: int) -> None:
        for number in range(20):
            append_line(path, {"writer": writer, "number": number, "long": long})

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [(line["writer"], line["number"]) for line in read_lines(path) if line["long"] == long]
    assert sorted(found) == [(writer, number) for writer in range(8) for number in range(20)]


def test_a_line_waits_for_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    with open(path, "a", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer = threading.Thread(target=append_line, args=(path, {"a": 1}))
        writer.start()
        writer.join(0.3)
        assert writer.is_alive() and not path.read_bytes()
    writer.join(10)
    assert list(read_lines(path)) == [{"a": 1}]


def test_a_half_written_line_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": 1}\n{"b": ')
    append_line(path, {"c": 3})
    assert list(read_lines(path)) == [{"a": 1}, {"c": 3}]


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "tree.json"
    write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        write_json(path, {"new": object()})
    with pytest.raises(BenchError, match=r"folder: cannot write: "):
        (tmp_path / "folder" / "in").mkdir(parents=True)
        write_json(tmp_path / "folder", {})
    assert read_json(path) == {"old": 1} and sorted(p.name for p in tmp_path.iterdir()) == ["folder", "tree.json"]
