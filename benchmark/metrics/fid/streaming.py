"""FID inside somebody's own training loop, in the manner of torchmetrics.

fid = FrechetInceptionDistance(protocol="pytorch-fid")
for images in loader:
    fid.update(images, real=True)           # uint8 (N, 3, H, W)
fid.update(generator(noise), real=False)    # or float in [-1, 1] with normalized=True
fid.compute()                               # float; fid.result() has KID and the interval beside it
fid.reset(real=False)                       # keep the real side for the next epoch
fid.merge(of_another_process)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from benchmark.errors import BenchError
from benchmark.features import FeatureNetwork
from benchmark.metrics.fid import protocols
from benchmark.metrics.fid.distance import frechet_of_moments
from benchmark.metrics.fid.extract import Vectors
from benchmark.metrics.fid.interval import frechet_interval, of_sample
from benchmark.metrics.fid.kid import kernel_distance
from benchmark.metrics.fid.moments import FeatureSet


class FrechetInceptionDistance:
    """Streams two sets of images; memory does not grow with their number.

    protocol: see `protocols.PROTOCOLS`. weights: "" for the real ones, else see `protocols.find_network`. normalized:
    images are float in [-1, 1] and are rounded to 8 bits, as a saved picture would be. preview: bfloat16.
    """

    def __init__(
        self,
        protocol: str = "pytorch-fid",
        device: str = "cpu",
        normalized: bool = False,
        weights: str = "",
        preview: bool = False,
        network: FeatureNetwork | None = None,
    ) -> None:
        self.protocol = protocols.get(protocol)
        self.network = network or protocols.find_network(self.protocol, device, weights).load()
        self.normalized = normalized
        self.label = self.protocol.label(self.network, preview)
        self._device = next(self.network.parameters()).device
        self._vectors = Vectors(lambda: self.network, self._device, preview)
        self.real, self.fake = FeatureSet(), FeatureSet()

    def update(self, images: torch.Tensor, real: bool) -> None:
        """Take in uint8 (N, 3, H, W), or float in [-1, 1] where `normalized`."""
        if images.dim() != 4 or images.shape[1] != 3:
            raise BenchError(f"FID: images of shape {tuple(images.shape)}; they should be (N, 3, H, W)")
        if self.normalized != images.is_floating_point() or not (self.normalized or images.dtype == torch.uint8):
            wanted = "float in [-1, 1]" if self.normalized else "uint8 (or give normalized=True)"
            raise BenchError(f"FID: images of type {images.dtype}; they should be {wanted}")
        if self.normalized:
            images = ((images.detach() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        rows = self._vectors(self.protocol.prepare(images.to(self._device)))
        (self.real if real else self.fake).add(rows)

    def compute(self) -> float:
        """The distance of what has been seen. BenchError below 50 images on either side."""
        from benchmark.metrics.fid.compare import FEWEST

        for name, side in (("real", self.real), ("fake", self.fake)):
            if side.count < FEWEST:
                raise BenchError(f"FID: {side.count} {name} images; below {FEWEST} a FID is noise and is not computed")
        rows = [side.all_rows for side in (self.real, self.fake)]
        both = [side.moments if r is None else r for side, r in zip((self.real, self.fake), rows, strict=True)]
        return frechet_of_moments(both[0], both[1])

    def result(self) -> dict[str, Any]:
        """Value, interval over items (the two sets taken as independent), KID, both N, protocol and weights.

        BenchError as `compute`.
        """
        value = self.compute()
        a, b = self.real.sample, self.fake.sample
        share = max(len(a) / self.real.count, len(b) / self.fake.count)
        found = of_sample(frechet_interval(a, b, paired=False), value, share)
        return {
            "protocol": self.label,
            "weights_sha256": self.network.weights_sha256,
            "N": {"real": self.real.count, "fake": self.fake.count},
            "fid": asdict(found),
            "kid": asdict(kernel_distance(a, b)),
        }

    def reset(self, real: bool = True) -> None:
        """Forget the fake side and, unless `real` is False, the real side."""
        self.fake = FeatureSet()
        if real:
            self.real = FeatureSet()

    def merge(self, other: FrechetInceptionDistance) -> None:
        """Take in what another one has seen, under the same protocol and weights."""
        mine, theirs = ((m.label, m.network.weights_sha256) for m in (self, other))
        if mine != theirs:
            raise BenchError(f"FID: {theirs[0]} ({theirs[1][:8]}) cannot be merged into {mine[0]} ({mine[1][:8]})")
        self.real.merge(other.real)
        self.fake.merge(other.fake)
