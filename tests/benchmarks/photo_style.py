"""CPU seconds per image of photo style transfer, ours against the plain way, to the same value of the objective.

    python -m tests.benchmarks.photo_style [--size 128] [--images 8] [--iterations 60] [--threads 1]

The plain way solves one image at a time with `torch.optim.LBFGS`: contiguous float32 features of the same network, a
loop over masks, the matting term as autograd through a sparse product (its matrix is built beforehand, off the clock).
It runs both stages; ours then runs each stage until every image is within 1 % of the plain value, its own preparation
on the clock. Both objectives must give the same value at the start. Ends with exit code 1 below a ratio of 3.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from baselines.photo_style import masks
from baselines.photo_style.layers import Layers, transfer_layers
from baselines.photo_style.matting import OFFSETS, Graph, matting_graph
from baselines.photo_style.objective import Pictures
from baselines.photo_style.pyramid import minimise
from baselines.photo_style.transfer import TransferOptions, energies
from benchmark import efficientnet_lite0, weights
from benchmark.data.procedural.world import ProceduralFaces
from benchmark.data.source import Frame
from benchmark.features import LITE0_SCALE, load_features
from benchmark.labelers.face_label import face_label


class ContiguousLite0:
    """The same folded network in PyTorch's default layout."""

    name = "efficientnet-lite0"

    def __init__(self) -> None:
        path = weights.require(self.name)
        self.network = efficientnet_lite0.load(path).requires_grad_(False)

    def loss_layers(self, images: Tensor) -> list[Tensor]:
        maps = [images, *self.network.stages(images, count=4)]
        return [found / scale for found, scale in zip(maps, LITE0_SCALE, strict=True)]


class Plain:
    """The objective of one image as one would write it down."""

    def __init__(self, layers: Layers, pictures: Pictures, matrix: Tensor, options: TransferOptions) -> None:
        self.layers, self.matrix, self.options = layers, matrix, options
        self.content = layers.maps(pictures.content)[1] * layers.content_scale
        features = self.style_maps(layers.maps(pictures.style)[0])
        sizes = [(f.shape[-2], f.shape[-1]) for f in features]
        self.masks = layers.carry(pictures.content_masks, sizes)
        style_masks = layers.carry(pictures.style_masks, sizes)
        self.grams = [
            [self.gram(f, m[:, k : k + 1]) for k in range(m.shape[1])]
            for f, m in zip(features, style_masks, strict=True)
        ]

    def style_maps(self, maps: list[Tensor]) -> list[Tensor]:
        return [scale * found for found, scale in zip(maps, self.layers.style_scales, strict=True)]

    def gram(self, features: Tensor, mask: Tensor) -> Tensor:
        rows = (features * mask)[0].flatten(1)
        return rows @ rows.T / (features[0].numel() * mask.mean()).clamp_min(1e-12)

    def value(self, image: Tensor, matted: bool) -> Tensor:
        """(1, 3, H, W) in [-1, 1] -> a scalar."""
        options = self.options
        maps, content = self.layers.maps(image)
        total = options.content * (content * self.layers.content_scale - self.content).square().mean()
        for features, mask, grams in zip(self.style_maps(maps), self.masks, self.grams, strict=True):
            for k, gram in enumerate(grams):
                one = mask[:, k : k + 1]
                error = (self.gram(features, one) - gram).square().mean()
                total = total + options.style * one.mean() * error
        pixels = (image + 1) / 2
        across, down = pixels.diff(dim=3) * 255, pixels.diff(dim=2) * 255
        total = total + options.tv * (across.square().sum() + down.square().sum()) / 2
        if matted:
            columns = pixels[0].flatten(1).T  # (P, 3)
            total = total + options.matting * (columns * torch.sparse.mm(self.matrix, columns)).sum()
        return total

    def solve(self, image: Tensor, matted: bool, iterations: int) -> tuple[Tensor, float]:
        image = image.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [image],
            max_iter=iterations,
            max_eval=2 * iterations,
            history_size=10,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = self.value(image, matted)
            loss.backward()
            return loss

        optimizer.step(closure)
        with torch.no_grad():
            return image.detach(), float(self.value(image, matted))


def sparse(graph: Graph) -> Tensor:
    """The graph of one image as a sparse CSR matrix (P, P)."""
    height, width = graph.weights.shape[-2:]
    rows, columns, values = [], [], []
    for k, (dy, dx) in enumerate(OFFSETS):
        step = dy * width + dx
        here = torch.arange(height * width - step)
        weight = graph.weights[0, k].flatten()[:-step].double()
        rows += [here, here + step]
        columns += [here + step, here]
        values += [-weight, -weight]
    shape = (height * width, height * width)
    triple = (torch.cat(values).numpy(), (torch.cat(rows).numpy(), torch.cat(columns).numpy()))
    off = scipy.sparse.csr_matrix(triple, shape)
    full = (off - scipy.sparse.diags(np.asarray(off.sum(1))[:, 0])).tocsr()
    parts = (torch.from_numpy(p) for p in (full.indptr.astype(np.int64), full.indices.astype(np.int64), full.data))
    return torch.sparse_csr_tensor(*parts, size=shape).float()


def draw(count: int, size: int) -> Pictures:
    """Rendered faces and other people as exemplars."""
    world = ProceduralFaces(2 * count + 2, 2, size, label_fn=face_label)
    frames = [Frame(clip.id, 0) for clip in world.clips[: 2 * count]]
    images = np.ascontiguousarray(np.stack([world.image(f) for f in frames]).transpose(0, 3, 1, 2))
    photos = torch.from_numpy(images).float() / 127.5 - 1
    cut = masks.regions("face", torch.from_numpy(np.stack([world.label(f) for f in frames])).float() / 255)
    here, there = masks.join_missing("face", cut[:count], cut[count:], 0.0008)
    return Pictures(photos[:count], photos[count:], here, there)


def single(pictures: Pictures, k: int) -> Pictures:
    return Pictures(*(part[k : k + 1] for part in vars(pictures).values()))


def clocked(work: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, float]:
    began = time.process_time()
    images, values = work()
    return images, values, time.process_time() - began


def plain_way(
    layers: Layers, pictures: Pictures, options: TransferOptions, iterations: int
) -> tuple[list[Tensor], list[float]]:
    """Values (N,) after both stages and CPU seconds per image of each."""
    matrices = [sparse(matting_graph((c[None] + 1) / 2, options.epsilon)) for c in pictures.content]
    reached: list[list[float]] = [[], []]
    seconds = [0.0, 0.0]
    for k, matrix in enumerate(matrices):
        image, began = pictures.content[k : k + 1], time.process_time()
        plain = Plain(layers, single(pictures, k), matrix, options)
        for stage in (0, 1):
            image, value = plain.solve(image, bool(stage), iterations)
            now = time.process_time()
            seconds[stage] += (now - began) / len(matrices)
            reached[stage].append(value)
            began = now
    return [torch.tensor(values) for values in reached], seconds


def our_way(
    layers: Layers, pictures: Pictures, options: TransferOptions, goals: list[Tensor]
) -> tuple[list[int], list[float]]:
    """Iterations that bring every image within 1 % of the goal, and CPU seconds per image of each stage."""
    began = time.process_time()
    stages = energies(layers, pictures, options)
    seconds = [time.process_time() - began, 0.0]
    image, counts = pictures.content, []
    for stage, energy in enumerate(stages):

        def solve(count: int, energy=energy, image=image) -> tuple[Tensor, Tensor]:
            return minimise(energy, image, count)

        count = fewest(lambda n, solve=solve, goal=goals[stage]: bool((solve(n)[1] <= 1.01 * goal).all()))
        image, _, spent = clocked(lambda solve=solve, count=count: solve(count))
        seconds[stage] += spent
        counts.append(count)
    return counts, [total / len(pictures) for total in seconds]


def fewest(enough: Callable[[int], bool]) -> int:
    """The smallest count that is enough, by doubling and halving (values only fall with more iterations)."""
    high = 8
    while not enough(high):
        high *= 2
        if high > 4096:
            raise SystemExit("ours does not reach the plain way's value")
    low = high // 2 if high > 8 else 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def check_same(plain_layers: Layers, layers: Layers, pictures: Pictures, options: TransferOptions) -> None:
    """Both codings of the objective agree on the style picture, where no term vanishes."""
    matrix = sparse(matting_graph((pictures.content[:1] + 1) / 2, options.epsilon))
    plain = Plain(plain_layers, single(pictures, 0), matrix, options)
    for stage, energy in enumerate(energies(layers, pictures, options)):
        theirs, ours = float(plain.value(pictures.style[:1], bool(stage))), float(energy(pictures.style)[0][0])
        if abs(theirs - ours) > 1e-4 * theirs:
            raise SystemExit(f"stage {stage + 1}: our objective is {ours}, the plain one {theirs}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, default in (("size", 128), ("images", 8), ("iterations", 60), ("threads", 1)):
        parser.add_argument(f"--{flag}", type=int, default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.filterwarnings("ignore", message="Sparse")
    options, pictures = TransferOptions(), draw(args.images, args.size)
    layers = transfer_layers(load_features("efficientnet-lite0"))
    plain_layers = transfer_layers(ContiguousLite0())
    check_same(plain_layers, layers, pictures, options)

    goals, plain = plain_way(plain_layers, pictures, options, args.iterations)
    counts, ours = our_way(layers, pictures, options, goals)
    print(f"{vars(args)}; torch {torch.__version__}; CPU seconds per image, ours until all are within 1 %")
    for stage in (0, 1):
        print(
            f"stage {stage + 1}: plain {plain[stage]:.2f} s for {args.iterations} iterations, "
            f"ours {ours[stage]:.2f} s for {counts[stage]}, mean goal {float(goals[stage].mean()):.0f}"
        )
    ratio = sum(plain) / sum(ours)
    print(f"both: plain {sum(plain):.2f} s, ours {sum(ours):.2f} s, ratio {ratio:.2f}")
    if ratio < 3:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
