"""What every trained method's step keeps to: it asks no value of the device, and calls what it says it calls.

On an accelerator the host would wait for a value. What asks is known by its operator, so this needs no accelerator: it
runs on the CPU under an observer that refuses.
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


class Steps:
    """A tiny training of a method, stepped by hand on one batch."""

    def __init__(self, name: str) -> None:
        given = setup(name, tables={name: SMALL.get(name, {})}, steps=4, decay_steps=0)
        self.trainer = registry.get("methods", name)(replace(given, task=replace(given.task, joints=JOINTS))).trainer()
        accelerator, networks = make_accelerator("no", "cpu"), self.trainer.networks
        adams = {key: accelerator.prepare(make_adam(net, given.config.train)) for key, net in networks.items()}
        self.minimise = Minimiser(accelerator, networks, adams, Ranks())
        choose = getattr(self.trainer, "choose", lambda sample: sample)
        self.sample = choose(JointPairs(JOINTS).batch(0))  # on the host

    def __call__(self, step: int) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = self.trainer.step(self.sample, step, self.minimise)
        return losses


@pytest.mark.parametrize("name", METHODS)
def test_a_step_asks_nothing_of_the_device(name: str) -> None:
    """Early and late in the training, as stages switch losses on; the first step may yet fill its tables."""
    take = Steps(name)
    for step in (0, 10**6):
        take(step)
        with NothingIsAsked():
            assert take(step)


@pytest.mark.parametrize("name", METHODS)
def test_what_a_step_calls_is_what_can_be_compiled(name: str) -> None:
    take = Steps(name)
    called = list(getattr(take.trainer, "called", take.trainer.networks.values()))
    seen = set()
    for module in called:
        module.register_forward_hook(lambda module, given, out: seen.add(id(module)))
    take(0)
    take(10**6)
    assert seen == {id(module) for module in called}
    reached = {id(parameter) for module in called for parameter in module.parameters()}
    assert reached == {id(parameter) for net in take.trainer.networks.values() for parameter in net.parameters()}


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
