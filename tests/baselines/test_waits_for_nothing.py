"""No step of any trained method asks a value of the device: on an accelerator, the host would wait for it.

What asks is known by its operator, so this needs no accelerator: it runs on the CPU under an observer that refuses.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from benchmark import registry
from models.method import TrainedMethod
from models.minimise import Minimiser, make_adam
from models.ranks import Ranks
from models.training import make_accelerator
from tests.baselines.munit_tiny import TABLE
from tests.baselines.trials import JointPairs
from tests.models.tiny import setup

JOINTS = 18
SMALL = {
    "crn": {"features": 8, "images": 2},
    "munit": TABLE,
    "paired-munit": TABLE,
    "pg2": {"features": 4, "latent": 8},
}
METHODS = [
    name
    for name in registry.names("methods")
    if isinstance(cls := registry.get("methods", name), type) and issubclass(cls, TrainedMethod)
]
ASKS = ("_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "unique", "_unique2", "equal")
COPIES = ("lift_fresh",)  # torch.tensor and new_tensor: made on the host, copied to the device


class Asked(Exception):
    """An operator whose answer the host needs."""


class NothingIsAsked(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name in ("index", "index_put", "index_put_", "_unsafe_index") and any(
            i is not None and i.dtype == torch.bool for i in args[1]
        )
        if name in ASKS + COPIES or by_mask:
            raise Asked(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", METHODS)
def test_a_step_asks_nothing_of_the_device(name: str) -> None:
    """Early and late in the training, as stages switch losses on; the first step may yet fill its tables."""
    given = setup(name, tables={name: SMALL.get(name, {})}, steps=4, decay_steps=0)
    method = registry.get("methods", name)(replace(given, task=replace(given.task, joints=JOINTS)))
    trainer, accelerator = method.trainer(), make_accelerator("no", "cpu")
    adams = {key: accelerator.prepare(make_adam(net, given.config.train)) for key, net in trainer.networks.items()}
    minimise = Minimiser(accelerator, trainer.networks, adams, Ranks())
    choose = getattr(trainer, "choose", lambda sample: sample)
    for step in (0, 10**6):
        sample = choose(JointPairs(JOINTS).batch(0))  # on the host
        trainer.step(sample, step, minimise)
        with NothingIsAsked():
            assert trainer.step(sample, step, minimise)


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.any().item(),
        lambda x: bool(x.any()),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.new_tensor([1.0]),
        lambda x: float(x.sum()),
    ],
)
def test_the_observer_notices(ask: Any) -> None:
    given: Tensor = torch.arange(3.0)
    with pytest.raises(Asked), NothingIsAsked():
        ask(given)
