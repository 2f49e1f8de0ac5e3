"""`bench data` from the outside: exit codes, one-line errors, files written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.cli import main
from tests.data.prepared_maker import write_prepared


def bench(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    try:
        main(["data", *args])
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("prepare", "show", "verify"):
        code, out, _ = bench(capsys, command, "--help")
        assert code == 0 and f"bench data {command}" in out and "Example" in out


def test_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_prepared(tmp_path / "set")
    assert bench(capsys, "verify", str(folder)) == (0, f"{folder}: 6 frames of 2 clips, every file as prepared\n", "")
    (folder / "clips/ann/000000.png").write_bytes(b"")
    code, _, err = bench(capsys, "verify", str(folder))
    assert code == 2 and err.count("\n") == 1 and "clips/ann/000000.png: changed since prepare" in err
    manifest = folder / "manifest.jsonl"
    manifest.write_text(manifest.read_text().replace('"task": "face"', '"task": "dance"'))
    code, _, err = bench(capsys, "verify", str(folder))
    assert code == 2 and err.count("\n") == 1 and "line 1: task 'dance'" in err and "did you mean 'face'?" in err


def test_show_prepared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, sheet = write_prepared(tmp_path / "set"), tmp_path / "sub" / "sheet.png"
    code, *_ = bench(capsys, "show", "--data", str(folder), "--out", str(sheet), "--size", "32", "--states", "3")
    assert code == 0 and np.asarray(Image.open(sheet)).shape == (64, 96, 3)


def test_show_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    code, *_ = bench(capsys, "show", "--out", str(sheet), "--size", "48", "--identities", "2", "--states", "2")
    assert code == 0 and min(np.asarray(Image.open(sheet)).shape[:2]) >= 96


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["prepare", "--task", "street", "--videos", "v", "--out", "o"], "--task street: cannot be prepared"),
        (["prepare", "--videos", "v", "--out", "o", "--parts", "p"], "--parts: faces have no part maps"),
        (["prepare", "--videos", "v", "--out", "o", "--max-bad", "2"], "--max-bad 2.0: a share from 0 to 1"),
        (["show", "--task", "street", "--data", "d", "--out", "s.png"], "--task street: cannot be shown from --data"),
        (["prepare", "--videos", "absent", "--out", "o"], "absent: not a folder"),
        (["show", "--out", "s.png", "--states", "0"], "--states 0: must be 1 or more"),
        (["verify", "absent"], "absent: is not a folder; make one with"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = bench(capsys, *args)
    assert code == 2 and err.startswith("bench: ") and err.count("\n") == 1 and message in err


def test_help_imports_no_heavy_library() -> None:
    check = "import sys, benchmark.cli.data; sys.exit(bool({'torch', 'cv2', 'av', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
