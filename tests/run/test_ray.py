"""Cells on a Ray cluster of three nodes, one of which is lost in the middle of a cell: the same results, byte for byte,
as on this machine alone. Once through a run folder that all see, once through the object store.

The nodes are processes of this machine. The first has no core to give: it stands for where `bench run` runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmark.run.results import RunView

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning", "ignore::DeprecationWarning:ray"),
]
METHOD = "pix2pixhd"
PATIENCE = 600.0  # seconds, for a busy machine; ten are enough on a quiet one
SMALL = {"object_store_memory": 80 << 20, "include_dashboard": False}
RUN = ["run", "--task", "face", "--preset", "smoke", "--methods", f"copy-exemplar,{METHOD}"]
RUN += ["--set", "train.steps=60", "--set", "train.checkpoint_every=5", "--out"]
COMMAND = "import sys; from benchmark.cli import main; main(sys.argv[1:])"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **SMALL})
    for _ in range(2):
        found.add_node(num_cpus=1, **SMALL)
    yield found
    found.shutdown()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run by the local engine."""
    folder = tmp_path_factory.mktemp("runs") / "alone"
    done = subprocess.run([sys.executable, "-c", COMMAND, *RUN, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("place", ["folder", "store"])
def test_a_node_is_lost_in_the_middle_of_a_cell(cluster: Any, alone: Path, tmp_path: Path, place: str) -> None:
    folder = tmp_path / "run"
    options = [str(folder), "--engine", "ray", "--address", cluster.address]
    environment = os.environ | ({"BENCH_RAY_SHARED": "no"} if place == "store" else {})
    command = [sys.executable, "-c", COMMAND, *RUN, *options]
    with open(tmp_path / "said", "w", encoding="utf-8") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
    try:
        checkpoints = folder / "cells" / METHOD / "0" / "checkpoints"
        wait_for(lambda: any(checkpoints.glob("step-*.safetensors")), process)
        cluster.remove_node(node_of(f"ray::{METHOD}@0", cluster), allow_graceful=False)
        assert process.wait(timeout=PATIENCE) == 0, (tmp_path / "said").read_text()
        cluster.add_node(num_cpus=1, **SMALL)  # for whatever comes next
    finally:
        process.kill()
        process.wait()
    assert (folder / "results.json").read_bytes() == (alone / "results.json").read_bytes()
    records = RunView(folder).cells
    assert max(record["attempt"] for record in records[METHOD, 0].values()) == 2
    assert {record["attempt"] for record in records["copy-exemplar", 0].values()} == {1}
    weights = Path("cells") / METHOD / "0" / "weights" / "weights.safetensors"
    assert (folder / weights).read_bytes() == (alone / weights).read_bytes()


COMPARE = """
import json, sys
from pathlib import Path
from benchmark.metrics.fid.compare import compare
from benchmark.metrics.fid.shards import ray_shards
from benchmark.run.engines.ray_engine import connected
folders = [Path(name) for name in sys.argv[1:3]]
found = [compare(*folders, "efficientnet-lite0", cache=False)]
with connected(sys.argv[3]):
    for count in (1, 2, 4):
        with ray_shards(sys.argv[3], count) as shards:
            found.append(compare(*folders, "efficientnet-lite0", cache=False, shards=shards))
print(json.dumps(found))
"""


def test_a_frechet_distance_over_1_2_and_4_shards(cluster: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folders = [tmp_path / "real", tmp_path / "fake"]
    for folder in folders:
        folder.mkdir()
        for index in range(52):
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    command = [sys.executable, "-c", COMPARE, *map(str, folders), cluster.address]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here, *over_shards = json.loads(done.stdout.splitlines()[-1])
    for found in over_shards:
        assert found["fid"]["value"] == pytest.approx(here["fid"]["value"], rel=1e-10)
        assert found["real"]["list_sha256"] == here["real"]["list_sha256"] and found["kid"] == here["kid"]


def wait_for(arrived: Any, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE
    while not arrived():
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.02)


def node_of(title: str, cluster: Any) -> Any:
    """The cluster's node whose worker process bears this title; Ray gives a worker its task's name."""
    (parent,) = (
        int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal() and (folder / "cmdline").read_bytes().startswith(title.encode())
    )
    (node,) = (n for n in cluster.worker_nodes if parent in [p.process.pid for p in n.all_processes["raylet"]])
    return node
