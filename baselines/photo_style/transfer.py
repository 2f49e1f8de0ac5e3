"""Deep Photo Style Transfer of a batch: the colours of the style photo, region by region, on the content's structure.

    photo = transfer(layers, pictures, start, TransferOptions())

Two stages of L-BFGS, without and with the matting term, then local affine smoothing (Luan et al. 2017; spec: systems
5). The images of a batch are independent problems solved side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from baselines.photo_style.layers import Layers
from baselines.photo_style.matting import matting_graph, total_variation_graph
from baselines.photo_style.objective import Energy, Pictures, Targets
from baselines.photo_style.pyramid import minimise
from baselines.photo_style.smoothing import smooth
from benchmark.errors import BenchError


@dataclass(frozen=True)
class TransferOptions:
    """The original's values (spec: systems 5)."""

    iterations: tuple[int, int] = (1000, 1000)  # of L-BFGS, without and with the matting term
    style: float = 100.0  # weight of each of the five layers
    content: float = 5.0
    tv: float = 1e-3  # of half the sum of squared differences on 0..255
    matting: float = 1e4
    epsilon: float = 1e-7  # of the matting Laplacian
    smoothing_radius: int = 15  # px; 0 leaves the affine smoothing out
    smoothing_range: float = 0.01  # in colours of [0, 1]

    def __post_init__(self) -> None:
        where = "method.pix2pixhd-dpst"
        if min(self.iterations) < 0:
            raise BenchError(f"{where}.iterations: expected two counts of at least 0, got {list(self.iterations)}")
        for name in ("epsilon", "smoothing_range"):
            if not getattr(self, name) > 0:
                raise BenchError(f"{where}.{name}: expected more than 0, got {getattr(self, name)}")
        for name in ("style", "content", "tv", "matting", "smoothing_radius"):
            if not getattr(self, name) >= 0:
                raise BenchError(f"{where}.{name}: expected at least 0, got {getattr(self, name)}")


def transfer(layers: Layers, pictures: Pictures, start: Tensor, options: TransferOptions) -> Tensor:
    """start (N, 3, H, W) in [-1, 1] -> photos (N, 3, H, W) in [-1, 1], finite whenever the pictures are."""
    free, matted = energies(layers, pictures, options)
    image, _ = minimise(free, start, options.iterations[0])
    image, _ = minimise(matted, image, options.iterations[1])
    image = image.clamp(-1, 1)
    if options.smoothing_radius:
        guide, found = (pictures.content + 1) / 2, (image + 1) / 2
        image = smooth(guide, found, options.smoothing_radius, options.smoothing_range) * 2 - 1
    return image.clamp(-1, 1)


def energies(layers: Layers, pictures: Pictures, options: TransferOptions) -> tuple[Energy, Energy]:
    """The objectives of both stages. Their graphs are for images in [-1, 1], twice the range of [0, 1]."""
    targets = Targets.of(layers, pictures, options.style, options.content)
    variation = total_variation_graph(pictures.content) * (options.tv * 255**2 / 4)
    matting = matting_graph((pictures.content + 1) / 2, options.epsilon) * (options.matting / 4)
    return Energy(targets, variation), Energy(targets, variation + matting)
