"""What every trained method shares: a generator, one fit through the training loop, saving and loading.

class Mine(TrainedMethod):
    title = "Mine"
    Options = MyOptions
    def build(self): return GlobalGenerator(...)                  # the generator
    def assemble(self, x, I, F_I): return torch.cat([x, I], 1)    # what it is fed
    def trainer(self): return MyTrainer(self)                     # see models/training.py
"""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmark.config import NetworksConfig
from benchmark.errors import BenchError
from benchmark.features import FeatureNetwork, loaded
from benchmark.protocols import FitReport, FitRun, MethodSetup, Pairs, TaskInfo, honours
from models.checkpoint import misfit
from models.networks import parameters_count
from models.training import Trainer, train

WEIGHTS, OPTIONS = "weights.safetensors", "options.json"


class TrainedMethod(ABC):
    """Base of the trained methods; see `benchmark.protocols.Method` for what the suite calls."""

    title: ClassVar[str]
    reference: ClassVar[bool] = False
    Options: ClassVar[type]

    def __init__(self, setup: MethodSetup) -> None:
        self.setup = setup
        self.options: Any = self.read_options(setup)
        with torch.random.fork_rng():
            torch.manual_seed(setup.seed)
            self.generator = self.build()
        self.generator.to(setup.device)

    @classmethod
    def refuses(cls, task: TaskInfo) -> str | None:
        return None

    @classmethod
    def read_options(cls, setup: MethodSetup) -> Any:
        """The method's own table of the configuration, as its `Options`."""
        return setup.config.options(setup.name, cls.Options)

    @abstractmethod
    def build(self) -> nn.Module:
        """A new generator with random weights (the seed is set by the caller)."""

    def assemble(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741 - the paper's name
        """The generator's input (N, C_in, H, W). Not asked of a method that has a `synthesize` of its own."""
        raise NotImplementedError(f"{type(self).__name__}: define assemble, or synthesize")

    @abstractmethod
    def trainer(self) -> Trainer:
        """The networks to train and their step."""

    @property
    def networks_config(self) -> NetworksConfig:
        return self.setup.config.networks

    def parameters_count(self) -> int:
        return parameters_count(self.generator)

    def features(self) -> FeatureNetwork:
        """The shared perceptual network, loaded now if nobody asked before, or an error that says it is missing."""
        if self.setup.features is None:
            raise BenchError(f"{self.setup.name}: needs a perceptual network (loss.features) and was given none")
        return loaded(self.setup.features)

    @honours("fork", "devices")
    def fit(self, pairs: Pairs, run: FitRun) -> FitReport:
        with torch.random.fork_rng():
            torch.manual_seed(self.setup.seed + 1)  # discriminators differ from the generator's stream
            trainer = self.trainer()
            return train(
                trainer, pairs, self.setup.config.train, run, self.identity(), self.setup.device, self.generator
            )

    def identity(self) -> dict[str, Any]:
        """Everything a fit's result depends on; a checkpoint of another identity is not continued."""
        config = self.setup.config.to_dict()
        free = ("log_every", "grid_every", "checkpoint_every", "keep_last", "explode")  # how one looks changes nothing
        return {
            "method": self.setup.name,
            "seed": self.setup.seed,
            "task": dataclasses.asdict(self.setup.task),
            **{section: config[section] for section in ("data", "pairs", "networks", "loss")},
            "train": {key: value for key, value in config["train"].items() if key not in free},
            "options": dataclasses.asdict(self.options),
            "features_sha256": getattr(self.setup.features, "weights_sha256", ""),
        }

    @torch.no_grad()
    def synthesize(self, x: Tensor, I: Tensor, F_I: Tensor) -> Tensor:  # noqa: E741
        """x (N, C, H, W) in [0, 1], I (N, 3, H, W) in [-1, 1], F_I (N, C, H, W) -> (N, 3, H, W) in [-1, 1]."""
        given = self.assemble(x, I, F_I).to(self.setup.device)
        return self.generator(given).to(x.device)

    def save(self, folder: Path) -> None:
        """Write weights.safetensors and options.json."""
        weights = {key: value.detach().cpu().contiguous() for key, value in self.generator.state_dict().items()}
        save_file(weights, folder / WEIGHTS)
        (folder / OPTIONS).write_text(json.dumps(self.identity(), indent=1, sort_keys=True), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote; BenchError names the file and the first weight that does not fit."""
        path = folder / WEIGHTS
        try:
            found = load_file(path)
        except (OSError, SafetensorError) as error:
            raise BenchError(f"{path}: no readable weights: {error}") from error
        if why := misfit(self.generator.state_dict(), found):
            raise BenchError(
                f"{path}: {why} in {self.setup.name}; the networks.* settings it was saved with are in "
                f"{folder / OPTIONS}"
            )
        self.generator.load_state_dict(found)
