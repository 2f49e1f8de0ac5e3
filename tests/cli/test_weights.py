"""`bench weights` as a user meets it."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from benchmark import weights
from benchmark.cli import main
from tests.liar import serving

CONTENT = b"weights" * 1000


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def call(*args: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(["weights", *args])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out = capsys.readouterr()
        return code, out.out, out.err

    return call


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch):
    def put(name: str, url: str) -> None:
        digest = hashlib.sha256(CONTENT).hexdigest()
        row = dataclasses.replace(weights.table()[name], sha256=digest, urls=(url,))
        monkeypatch.setitem(weights.table(), name, row)

    return put


def test_list_says_what_is_missing_and_how_to_get_it(bench) -> None:
    code, out, _ = bench("list", "--task", "street")
    assert code == 0
    for word in ("danet-r50-cityscapes", "missing", "openmmlab.com", "licence", "vgg19", "548 MiB"):
        assert word in out
    assert "keypoint-rcnn" not in out


def test_fetch_verify_and_a_damaged_file(bench, pretend, tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        pretend("vgg19", server.url("drop"))
        code, out, _ = bench("fetch", "vgg19")
    path = tmp_path / "weights" / "vgg19-dcbb9e9d.pth"
    assert code == 0 and str(path) in out and path.read_bytes() == CONTENT
    code, out, _ = bench("verify")
    assert code == 0 and "ok       vgg19" in out
    path.write_bytes(b"damaged")
    code, out, err = bench("verify")
    assert code == 2 and str(path) in out and "1 weight file is not" in err


def test_what_cannot_be_fetched_does_not_stop_the_others(bench, pretend) -> None:
    with serving(CONTENT) as server:
        pretend("vgg19", server.url("gone"))
        pretend("keypoint-rcnn", server.url("good"))
        code, out, err = bench("fetch", "vgg19", "keypoint-rcnn")
    assert code == 2 and "ok       keypoint-rcnn" in out
    assert "HTTP 404" in err and "1 of 2 could not be fetched" in err


def test_import_from_a_folder(bench, pretend, tmp_path: Path) -> None:
    pretend("danet-r50-cityscapes", "http://nowhere/")
    stick = tmp_path / "stick"
    stick.mkdir()
    name = weights.table()["danet-r50-cityscapes"].files[0]
    (stick / name).write_bytes(CONTENT)
    code, out, _ = bench("import", str(stick))
    assert code == 0 and "ok       danet-r50" in out and (tmp_path / "weights" / name).read_bytes() == CONTENT
    (stick / "vgg19-dcbb9e9d.pth").write_bytes(b"no")
    code, _, err = bench("import", str(stick))
    assert code == 2 and "vgg19-dcbb9e9d.pth: sha256 is" in err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["fetch"], "give names, or --task"),
        (["fetch", "vgg-19"], "did you mean 'vgg19'"),
        (["fetch", "--task", "sreet"], "did you mean 'street'"),
        (["import", "/nonexistent"], "not a folder"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(bench, args: list[str], says: str) -> None:
    code, _, err = bench(*args)
    assert code == 2 and says in err and len(err.strip().splitlines()) == 1
