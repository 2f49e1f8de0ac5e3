"""Weight files: found by name, verified, and never silently wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmark import registry, weights
from benchmark.errors import BenchError
from tests.liar import serving


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


UNPUBLISHED = ("mediapipe-pose", "segformer-b0-cityscapes")  # nobody ever told these digests


def test_every_entry_can_be_got_somehow() -> None:
    for entry in weights.table().values():
        assert entry.files and entry.licence and entry.needed_by
        assert len(entry.sha256) >= 8 or entry.name in UNPUBLISHED
        assert set(entry.sha256) <= set("0123456789abcdef")
        assert entry.tasks and set(entry.tasks) <= {"face", "dance", "street"}
        assert bool(entry.urls) != bool(entry.package), entry.name
        assert entry.inside.endswith(entry.files[0]) == bool(entry.package)


def test_licences_are_told_by_what_is_chosen() -> None:
    told = weights.licences(["vgg19", "dlib", "procedural", ""])
    assert set(told) == {"vgg19", "dlib-68"} and "bars commercial use" in told["dlib-68"]
    assert set(weights.licences(["danet:2048x1024"])) == {"danet-r50-cityscapes"}


def test_whatever_chooses_a_file_is_registered() -> None:
    known = {*registry.names("labelers"), *registry.names("metrics")}
    assert {choice for row in weights.table().values() for choice in row.chosen_by} <= known


def test_prefix_hashes_are_those_in_the_file_names() -> None:
    for entry in weights.table().values():
        if 0 < len(entry.sha256) < 64:
            assert all(f"-{entry.sha256}." in name for name in entry.files)


def test_the_embedded_network_is_found_inside_its_package(folder: Path) -> None:
    path = weights.require("efficientnet-lite0")
    assert path.stat().st_size == weights.table()["efficientnet-lite0"].size


def test_missing_weights_name_file_address_hash_and_folder(folder: Path) -> None:
    assert weights.find("vgg19") is None
    with pytest.raises(BenchError) as caught:
        weights.require("vgg19")
    for part in ("vgg19-dcbb9e9d.pth", "https://download.pytorch.org/models/", "sha256 dcbb9e9d", str(folder)):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_either_name_is_accepted_and_torchs_folder_is_looked_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = weights.table()["inception-2015-12-05"]
    content = b"weights"
    monkeypatch.setitem(
        weights.table(), entry.name, dataclasses.replace(entry, sha256=hashlib.sha256(content).hexdigest())
    )
    hub = folder / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / entry.files[1]).write_bytes(content)
    assert weights.find(entry.name) == hub / entry.files[1]
    (folder / entry.files[0]).write_bytes(content)
    assert weights.require(entry.name) == folder / entry.files[0]


def test_a_wrong_file_is_an_error_that_names_it(folder: Path) -> None:
    wrong = folder / "vgg19-dcbb9e9d.pth"
    wrong.write_bytes(b"an error page")
    with pytest.raises(BenchError, match="sha256 is"):
        weights.require("vgg19")
    assert weights.find("vgg19", verify=False) == wrong
    row = next(row for row in weights.status(verify=True) if row.file.name == "vgg19")
    assert row.path is None and str(wrong) in row.problem


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first = weights.sha256(path)
    path.write_bytes(b"three")
    assert weights.sha256(path) == hashlib.sha256(b"three").hexdigest() != first


def test_status_lists_all(folder: Path) -> None:
    rows = {row.file.name: row for row in weights.status()}
    assert rows.keys() == weights.table().keys()
    assert rows["efficientnet-lite0"].path is not None
    assert rows["vgg19"].path is None and not rows["vgg19"].problem


def test_unknown_name_says_the_nearest() -> None:
    with pytest.raises(BenchError, match="vgg19"):
        weights.find("vgg-19")


def test_import_is_light() -> None:
    code = "import sys, benchmark.weights, benchmark.stats; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def entry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., weights.WeightFile]:
    """`entry(content, urls=..., ...)` puts a file "net" of that content into the table."""

    def put(content: bytes, **changes: object) -> weights.WeightFile:
        row = weights.WeightFile("net", ("net.pth",), hashlib.sha256(content).hexdigest(), "MIT", "tests", ("face",))
        row = dataclasses.replace(row, **changes)
        monkeypatch.setitem(weights.table(), "net", row)
        return row

    return put


QUICK = {"timeout": 0.5, "attempts": 1, "pause": 0.01}


def test_fetch_goes_to_the_next_address_when_one_lies(folder: Path, entry) -> None:
    with serving(b"content") as server:
        entry(b"content", urls=tuple(server.url(how) for how in ("gone", "lie", "good", "busy")))
        assert weights.fetch("net", **QUICK) == folder / "net.pth" == weights.require("net")
        assert len(server.requests) == 3
        weights.fetch("net", **QUICK)
        assert len(server.requests) == 3  # it is here: nobody is asked


def test_without_a_network_the_error_names_file_address_and_folder(folder: Path, entry) -> None:
    with serving(b"") as server:
        url = server.url("good")
    entry(b"content", urls=(url,))
    with pytest.raises(BenchError) as caught:
        weights.fetch("net", **QUICK)
    for part in ("net.pth", url, str(folder), "bench weights import"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_a_package_is_not_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        weights.table(), "dlib-68", dataclasses.replace(weights.table()["dlib-68"], inside="no_such_package/x")
    )
    with pytest.raises(BenchError, match="pip install face-recognition-models"):
        weights.fetch("dlib-68")


def test_a_digest_nobody_told_is_kept_from_the_first_file_on(folder: Path, entry) -> None:
    with serving(b"content") as server:
        entry(b"", sha256="", urls=(server.url("good"),))
        path = weights.fetch("net", **QUICK)
    assert (folder / "net.pth.sha256").read_text().split() == [hashlib.sha256(b"content").hexdigest(), "net.pth"]
    path.write_bytes(b"changed")
    with pytest.raises(BenchError, match="must be ed7002b4"):
        weights.require("net")


def test_import_takes_what_is_right_and_names_what_is_not(folder: Path, entry, tmp_path: Path) -> None:
    entry(b"content", urls=("http://nowhere/net.pth",))
    stick = tmp_path / "stick" / "below"
    stick.mkdir(parents=True)
    (stick / "net.pth").write_bytes(b"content")
    (stick / "vgg19-dcbb9e9d.pth").write_bytes(b"an error page")
    (stick / "holiday.jpg").write_bytes(b"")
    imported, refused = weights.import_folder(tmp_path / "stick")
    assert imported == ["net"] and weights.require("net").read_bytes() == b"content"
    assert len(refused) == 1 and "vgg19" in refused[0] and "dcbb9e9d" in refused[0]
    assert weights.find("vgg19", verify=False) is None


def test_import_of_nothing_is_an_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, says in ((tmp_path / "empty", "no weight file"), (tmp_path / "nowhere", "not a folder")):
        with pytest.raises(BenchError, match=says):
            weights.import_folder(place)


def test_a_file_that_a_library_looks_for_goes_where_it_looks(folder: Path, entry) -> None:
    with serving(b"content") as server:
        entry(b"content", urls=(server.url("good"),), into="torch-hub")
        (folder / "net.pth").write_bytes(b"content")  # the library would not see it here
        assert weights.fetch("net", **QUICK) == folder / "torch" / "hub" / "checkpoints" / "net.pth"


class Innocent:
    """Runs code when unpickled: writes the file it names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "gotcha")


def test_torch_files_run_no_code(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "meta": {"epoch": 3}}, tmp_path / "good.pth")
    assert weights.load_torch(tmp_path / "good.pth")["meta"] == {"epoch": 3}
    torch.save({"a": torch.ones(2), "history": Innocent(tmp_path / "trace")}, tmp_path / "bad.pth")
    with pytest.raises(BenchError, match=r"bad\.pth: refused"):
        weights.load_torch(tmp_path / "bad.pth")
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 half a zip"])
def test_what_is_no_torch_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(BenchError, match=r"x\.pth: (not a torch file|refused)") as caught:
        weights.load_torch(tmp_path / "x.pth")
    assert "\n" not in str(caught.value)
