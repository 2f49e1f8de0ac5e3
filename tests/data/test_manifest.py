"""The manifest file: round trip, damage named by line, atomic writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.data.manifest import MANIFEST, changed_files, read_manifest, write_manifest
from benchmark.errors import BenchError
from benchmark.files import write_atomic
from tests.data.prepared_maker import write_prepared


def test_round_trip(tmp_path: Path) -> None:
    folder = write_prepared(tmp_path)
    manifest = read_manifest(folder)
    before = (folder / MANIFEST).read_bytes()
    header = {key: value for key, value in manifest.header.items() if key not in ("format", "version")}
    write_manifest(folder, header, manifest.clips)
    assert (folder / MANIFEST).read_bytes() == before
    assert list(changed_files(folder)) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [], "line 1: the file is empty"),
        (lambda lines: [lines[0], lines[1][:50], lines[2]], "line 2: not a JSON object"),
        (lambda lines: [*lines[:2], "[1, 2]"], "line 3: not a JSON object"),
        (lambda lines: ['{"format": "other"}', *lines[1:]], "line 1: not a version 1 manifest"),
        (lambda lines: [lines[0].replace('"task"', '"tusk"'), *lines[1:]], "line 1: field 'task' is missing"),
        (
            lambda lines: [lines[0].replace('"task": "face"', '"task": "faces"'), *lines[1:]],
            "line 1: task 'faces' in exemplar-bench prepared faces; did you mean 'face'",
        ),
        (lambda lines: [*lines[:2], lines[2].replace('"rows"', '"row"')], "line 3: field 'rows' is missing"),
    ],
)
def test_damage_is_named_by_line(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    path = write_prepared(tmp_path) / MANIFEST
    path.write_text("\n".join(damage(path.read_text().splitlines())))
    with pytest.raises(BenchError, match=message):
        read_manifest(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(BenchError, match="file: cannot write: No space"):
        write_atomic(path, b"new and longer")
    assert path.read_bytes() == b"old"
