"""Checkpoints: everything a fit needs to go on, in one safetensors file.

    checkpoints = Checkpoints(folder, identity)
    state = checkpoints.restore(networks, optimizers) or State()
    checkpoints.save(state, networks, optimizers)

A file holds the weights, the optimisers' tensors and the random states; its header holds the step, the identity (what
was being trained: method, seed, configuration) and a sha256 over all of it. It is written under a temporary name,
flushed to the disk and renamed, so a run killed at any moment leaves whole files only; the last two are kept, so that a
damaged newest one costs an interval, not the run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from benchmark.errors import BenchError


@dataclass(frozen=True)
class State:
    """How far a fit has come. `forked_from`: {"folder", "checkpoint", "step", "changed": {key: [there, here]}} where it
    set out from another fit's checkpoint.
    """

    step: int = 0
    seconds: float = 0.0
    forked_from: Mapping[str, Any] | None = None


class Checkpoints:
    """The checkpoints of one fit, the last `keep` of them. `identity` is plain JSON data that must be equal for a fit
    to be continued.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], keep: int = 2) -> None:
        self.folder, self.keep = folder, keep
        self.identity = json.loads(json.dumps(identity))  # tuples become lists, as they come back from a file
        folder.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[Path]:
        """Finished checkpoint files, newest first."""
        return _files(self.folder)

    def clear(self) -> None:
        """Forget everything (a fit that is not to be resumed)."""
        for path in self.folder.glob("step-*"):
            path.unlink()

    def save(self, state: State, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]) -> None:
        """Write the state after `state.step` finished steps, then drop all but the last files.

        A write that fails (full disk) raises BenchError and leaves the earlier checkpoints as they were.
        """
        tensors = {**_weights(networks), **_optimizer_tensors(optimizers), **_random_states()}
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        header = json.dumps({**asdict(state), "identity": self.identity}, sort_keys=True)
        path = self.folder / f"step-{state.step:08d}.safetensors"
        temporary = path.with_suffix(".tmp")
        try:
            save_file(tensors, temporary, metadata={"state": header, "sha256": _digest(tensors, header)})
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _flush(self.folder)
        except (OSError, SafetensorError) as error:
            temporary.unlink(missing_ok=True)
            raise BenchError(f"checkpoint {path} cannot be written: {error}; {self.last_good()}") from error
        for old in self.files()[self.keep :]:
            old.unlink()

    def last_good(self) -> str:
        """Words for an error message."""
        files = self.files()
        return f"last good checkpoint: {files[0]}" if files else "there is no checkpoint yet"

    def restore(self, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]) -> State | None:
        """Load the newest sound checkpoint; None when there is none. Half-written files of a killed run are removed.

        Raises BenchError when files exist but none is sound, or when they belong to another configuration.
        """
        for leftover in self.folder.glob("step-*.tmp"):
            leftover.unlink(missing_ok=True)
        files = self.files()
        if not files:
            return None
        path, header, tensors = _newest_sound(files)
        for key, (before, now) in differences(header["identity"], self.identity).items():
            raise BenchError(
                f"{path}: was trained with {key} = {before!r}, this run has {now!r}; use the same configuration, or "
                "another output folder with --fork to go on from these weights"
            )
        _load(path, tensors, networks, optimizers)
        return State(header["step"], header["seconds"], header.get("forked_from"))

    def fork(self, source: Path, networks: Mapping[str, nn.Module], optimizers: Mapping[str, Optimizer]) -> State:
        """Load the newest sound checkpoint of another fit, whatever its configuration, and say what differs.

        Raises BenchError when `source` holds none, or when its networks have other shapes.
        """
        files = _files(source)
        if not files:
            raise BenchError(f"--fork: {source}: holds no checkpoint")
        path, header, tensors = _newest_sound(files)
        _load(path, tensors, networks, optimizers)
        changed = {key: list(pair) for key, pair in differences(header["identity"], self.identity).items()}
        told = {"folder": str(source), "checkpoint": path.name, "step": header["step"], "changed": changed}
        return State(header["step"], header["seconds"], told)


class _Damaged(Exception):
    """Why a file is not used."""


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.safetensors"), reverse=True)


def _newest_sound(files: list[Path]) -> tuple[Path, dict[str, Any], dict[str, Tensor]]:
    """The first whole file of a list, its header and its tensors; damaged ones before it are told of on stderr."""
    reasons = []
    for path in files:
        try:
            return path, *_read(path)
        except _Damaged as damage:
            reasons.append(f"{path} ({damage})")
            tqdm.write(f"warning: checkpoint {path} is damaged ({damage}) and is not used", file=sys.stderr)
    raise BenchError(f"no sound checkpoint: {'; '.join(reasons)}; delete the file(s) to train from the start")


def _load(
    path: Path,
    tensors: Mapping[str, Tensor],
    networks: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
) -> None:
    for name, network in networks.items():
        weights = _under(tensors, f"{name}.weights.")
        if why := misfit(network.state_dict(), weights):
            raise BenchError(f"{path}: network {name}: {why}; choose the networks.* that it was trained with")
        network.load_state_dict(weights)
    for name, optimizer in optimizers.items():
        _restore_optimizer(optimizer, _under(tensors, f"{name}.adam."))
    _restore_random(_under(tensors, "random."))


def _flush(folder: Path) -> None:
    """Make a rename outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _weights(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}.weights.{key}": v for name, network in networks.items() for key, v in network.state_dict().items()}


def _optimizer_tensors(optimizers: Mapping[str, Optimizer]) -> dict[str, Tensor]:
    tensors = {}
    for name, optimizer in optimizers.items():
        for index, slots in optimizer.state_dict()["state"].items():
            for slot, value in slots.items():
                tensors[f"{name}.adam.{index}.{slot}"] = torch.as_tensor(value)
    return tensors


def _restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, slot = key.split(".")
        state.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _random_states() -> dict[str, Tensor]:
    states = {"random.torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["random.cuda"] = torch.cuda.get_rng_state()
    kind, keys, *rest = np.random.get_state(legacy=True)
    states["random.numpy"] = torch.from_numpy(np.asarray(keys).astype(np.int64))
    states["random.numpy_rest"] = _text_tensor(json.dumps([kind, *rest]))
    states["random.python"] = _text_tensor(json.dumps(random.getstate()))
    return states


def _restore_random(states: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    kind, *rest = json.loads(_tensor_text(states["numpy_rest"]))
    np.random.set_state((kind, states["numpy"].numpy().astype(np.uint32), *rest))
    version, internal, gauss = json.loads(_tensor_text(states["python"]))
    random.setstate((version, tuple(internal), gauss))


def _text_tensor(text: str) -> Tensor:
    return torch.tensor(list(text.encode()), dtype=torch.uint8)


def _tensor_text(tensor: Tensor) -> str:
    return bytes(tensor.tolist()).decode()


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _digest(tensors: Mapping[str, Tensor], header: str) -> str:
    digest = hashlib.sha256(header.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError) as error:
        raise _Damaged(f"unreadable: {error}") from error
    header = metadata.get("state", "")
    if metadata.get("sha256") != _digest(tensors, header):
        raise _Damaged("its content does not match its sha256")
    return json.loads(header), tensors


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{"train.lr": (there, here)} of two identities, by key."""
    there, here = _flat(before), _flat(now)
    keys = sorted(there.keys() | here.keys())
    return {key: (there.get(key), here.get(key)) for key in keys if there.get(key) != here.get(key)}


def misfit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """The first weight whose shape differs, as "conv.weight is (4, 3) there and absent here"; "" where all fit."""
    for key in sorted(wanted.keys() | found.keys()):
        here, there = (tuple(d[key].shape) if key in d else "absent" for d in (wanted, found))
        if here != there:
            return f"{key} is {there} there and {here} here"
    return ""


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
