"""Weight files: found by name, verified, and never silently wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark import weights
from benchmark.errors import BenchError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


def test_every_entry_can_be_got_somehow() -> None:
    for entry in weights.table().values():
        assert entry.files and entry.licence and entry.needed_by
        assert len(entry.sha256) >= 8 and set(entry.sha256) <= set("0123456789abcdef")
        assert bool(entry.urls) != bool(entry.package), entry.name
        assert entry.inside.endswith(entry.files[0]) == bool(entry.package)


def test_prefix_hashes_are_those_in_the_file_names() -> None:
    for entry in weights.table().values():
        if len(entry.sha256) < 64:
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
