"""Two folders compared: value, what stands beside it, the cache, statistics files and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_fid.fid_score import compute_statistics_of_path

from benchmark.errors import BenchError
from benchmark.features import FeatureNetwork
from benchmark.metrics.fid import statistics_file
from benchmark.metrics.fid.compare import compare
from benchmark.metrics.fid.distance import frechet_distance
from benchmark.metrics.fid.extract import Vectors, extract
from benchmark.metrics.fid.folders import scan
from benchmark.metrics.fid.moments import Moments
from benchmark.metrics.fid.protocols import get
from tests.metrics.fid.conftest import Thumbnail

Draw = Callable[..., Path]


def vectors(network: FeatureNetwork) -> Vectors:
    return Vectors(lambda: network, torch.device("cpu"))


def rows(folder: Path, network: FeatureNetwork) -> np.ndarray:
    found = extract(scan(folder), get("pytorch-fid"), vectors(network)).features.all_rows
    assert found is not None
    return found


def test_everything_that_stands_beside_a_value(thumbnail: Thumbnail, draw: Draw) -> None:
    real, fake = draw("real", 60, seed=1), draw("fake", 60, seed=2)
    result = compare(real, fake)
    a, b = rows(real, thumbnail), rows(fake, thumbnail)
    fid, kid = result["fid"], result["kid"]
    assert fid["value"] == frechet_distance(a, b) and fid["low"] < fid["value"] < fid["high"]
    assert fid["name"] == "Frechet distance" and result["protocol"] == "pytorch-fid,thumbnail"
    assert fid["floor"]["N"] == 30 and fid["floor"]["value"] > 0
    assert kid["low"] < kid["value"] < kid["high"] and (kid["subsets"], kid["subset_size"]) == (1, 60)
    assert result["pairs"] == 60 and fid["interval"].startswith("paired")
    for side, folder in (("real", real), ("fake", fake)):
        about = result[side]
        assert about["N"] == 60 and about["path"] == str(folder) and about["sizes"] == {"20x20": 60}
        assert len(about["list_sha256"]) == 64
    assert result["weights_sha256"] == "7" * 64 and "torch" in result["versions"]
    assert len(result["warnings"]) == 2 and "below 2048" in result["warnings"][0]


def test_a_set_against_itself_is_at_zero(thumbnail: Thumbnail, draw: Draw) -> None:
    real = draw("real", 50)
    assert compare(real, real)["fid"]["value"] == 0.0


def test_the_second_time_nothing_is_computed_and_nothing_changes(thumbnail: Thumbnail, draw: Draw) -> None:
    real, fake = draw("real", 50, seed=1), draw("fake", 50, seed=2)
    first, seen = compare(real, fake), thumbnail.seen
    second = compare(real, fake)
    assert (seen, thumbnail.seen, thumbnail.loads) == (100, 100, 1)  # not even loaded the second time
    assert second["real"].pop("features_from_cache") == second["fake"].pop("features_from_cache") == 50
    assert first["real"].pop("features_from_cache") == first["fake"].pop("features_from_cache") == 0
    assert first == second
    compare(real, fake, protocol="torchmetrics")
    assert thumbnail.seen == 200  # another resize is another feature
    thumbnail.weights_sha256 = "8" * 64
    compare(real, fake)
    assert thumbnail.seen == 300  # and so are other weights under the same name
    compare(real, fake, cache=False)
    assert thumbnail.seen == 400


def test_a_changed_picture_is_computed_again(thumbnail: Thumbnail, draw: Draw) -> None:
    real, fake = draw("real", 50, seed=1), draw("fake", 50, seed=2)
    before = compare(real, fake)
    Image.new("RGB", (20, 20)).save(fake / "even" / "000.png")
    after = compare(real, fake)
    assert thumbnail.seen == 101 and after["fid"]["value"] != before["fid"]["value"]
    assert after["fake"]["list_sha256"] != before["fake"]["list_sha256"]


def test_names_pair_or_are_said_not_to(thumbnail: Thumbnail, draw: Draw) -> None:
    real = draw("real", 60, seed=1)
    assert compare(real, draw("others", 55, seed=2, start=100))["pairs"] == 0
    result = compare(real, draw("some", 52, seed=3))
    assert result["pairs"] == 0 and result["fid"]["interval"].startswith("unpaired")
    assert any("8 real and 0 fake" in line and "even/052" in line for line in result["warnings"])


def test_sizes_shapes_and_conversions_are_said(thumbnail: Thumbnail, draw: Draw) -> None:
    real, fake = draw("real", 50, seed=1), draw("fake", 50, seed=2, size=(30, 20))
    Image.new("L", (20, 20)).save(real / "even" / "000.png")
    Image.new("RGB", (24, 24)).save(real / "even" / "002.png")
    (fake / "odd" / "photo.heic").write_bytes(b"of a kind that is not read")
    said = "\n".join(compare(real, fake)["warnings"])
    for part in (
        "real: pictures of 2 sizes",
        "fake: pictures are not square",
        "1 pictures of type L",
        "differ in size",
        "left out as no pictures by their extension: 1, e.g. odd/photo.heic",
    ):
        assert part in said


def test_batches_workers_and_order_do_not_matter(thumbnail: Thumbnail, draw: Draw, network: FeatureNetwork) -> None:
    """To the last bit on a CPU, where every picture goes through the network alone."""
    pictures = scan(draw("real", 3))
    known = extract(pictures, get("pytorch-fid"), vectors(network), workers=1).features.all_rows
    found = extract(pictures[::-1], get("pytorch-fid"), vectors(network), workers=3).features.all_rows
    assert known is not None and found is not None
    np.testing.assert_array_equal(found[::-1], known)


def test_statistics_of_the_real_side_are_kept_and_read(thumbnail: Thumbnail, draw: Draw, tmp_path: Path) -> None:
    real, fake = draw("real", 60, seed=1), draw("fake", 60, seed=2)
    whole = compare(real, fake, save_stats=tmp_path / "real.npz")
    again = compare(tmp_path / "real.npz", fake, metrics=["fid"])
    assert again["fid"]["value"] == pytest.approx(whole["fid"]["value"], rel=1e-9)
    assert again["real"]["N"] == 60 and again["real"]["list_sha256"] == whole["real"]["list_sha256"]
    with pytest.raises(BenchError, match="not comparable"):
        compare(tmp_path / "real.npz", fake, protocol="clean-fid", metrics=["fid"])
    np.savez(tmp_path / "wide.npz", mu=np.zeros(64), sigma=np.eye(64))
    with pytest.raises(BenchError, match=r"wide\.npz and .*: features of 64 and of 12 values"):
        compare(tmp_path / "wide.npz", fake, metrics=["fid"])
    with pytest.raises(BenchError, match="KID needs the pictures"):
        compare(tmp_path / "real.npz", fake)


def test_pytorch_fid_reads_our_statistics_and_we_its(thumbnail: Thumbnail, draw: Draw, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    moments = Moments.of(rng.normal(size=(60, 12)))
    statistics_file.save(tmp_path / "ours.npz", moments, {})
    mu, sigma = compute_statistics_of_path(str(tmp_path / "ours.npz"), None, 1, 2048, "cpu")
    np.testing.assert_array_equal(mu, moments.mean)
    np.testing.assert_array_equal(sigma, moments.covariance)
    np.savez(tmp_path / "theirs.npz", mu=mu, sigma=sigma)  # as pytorch-fid's save_fid_stats does
    found, about = statistics_file.load(tmp_path / "theirs.npz")
    assert found.count is None and about == {}
    said = "\n".join(compare(tmp_path / "theirs.npz", draw("fake", 50), metrics=["fid"])["warnings"])
    assert "does not say how many" in said and "does not say its protocol" in said


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"other": np.ones(3)}, "no `mu` and `sigma`"),
        ({"mu": np.ones(3), "sigma": np.ones((3, 2))}, r"should be \(D,\) and \(D, D\)"),
        ({"mu": np.full(3, np.nan), "sigma": np.eye(3)}, "NaN"),
        ({"mu": np.ones(2), "sigma": np.array([[1.0, 2.0], [0.0, 1.0]])}, "no covariance"),
        ({"mu": np.ones(2), "sigma": -np.eye(2)}, "no covariance"),
        ({"mu": np.array(["a"]), "sigma": np.eye(1)}, "not real numbers"),
        ({"mu": np.ones(1), "sigma": np.eye(1), "about": "not JSON"}, "cannot be read"),
        ({"mu": np.ones(1), "sigma": np.eye(1), "about": "7"}, "`about` is no table"),
        ({"mu": np.ones(1), "sigma": np.eye(1), "count": np.ones(2, int)}, "`count` no whole number"),
        ({"mu": np.ones(0), "sigma": np.ones((0, 0))}, r"should be \(D,\) and \(D, D\)"),
    ],
)
def test_nonsense_statistics(arrays: dict[str, np.ndarray], reason: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BenchError, match=reason):
        statistics_file.load(tmp_path / "a.npz")
    for data in (b"text", b"", (tmp_path / "a.npz").read_bytes()[:90]):
        (tmp_path / "b.npz").write_bytes(data)
        with pytest.raises(BenchError, match="cannot be read"):
            statistics_file.load(tmp_path / "b.npz")
    with (tmp_path / "b.npz").open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(BenchError, match="holds one array"):
        statistics_file.load(tmp_path / "b.npz")


def test_too_few_unknown_and_damaged(thumbnail: Thumbnail, draw: Draw) -> None:
    real, few = draw("real", 50, seed=1), draw("few", 49)
    with pytest.raises(BenchError, match="49 pictures; below 50"):
        compare(real, few)
    with pytest.raises(BenchError, match="did you mean 'fid'"):
        compare(real, real, metrics=["fidd"])
    with pytest.raises(BenchError, match=r"end in \.npz"):
        compare(real, real, save_stats=real / "stats")
    assert thumbnail.seen == 0  # all of this is said before any work
    (real / "even" / "000.png").write_bytes(b"")
    with pytest.raises(BenchError, match=r"even/000\.png: is empty"):
        compare(real, real)
