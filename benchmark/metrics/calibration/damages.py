"""What is done to perfect answers, in steps: a table, weakest step first.

    for damage in applicable(world):
        for amount in damage.steps:
            images = damage.apply(answers, amount)      # uint8 (N, H, W, 3), like answers.images

Blur, noise, JPEG and colour shift change pixels. The others are mistakes of the kind that methods make: a picture of
the wrong person, of a neighbouring moment, of another layout; there a step is the share of items that show the mistake,
each in a perfect rendering, and a larger share contains the smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmark.data.source import Frame
from benchmark.errors import BenchError

if TYPE_CHECKING:
    from benchmark.data.pairs import Item
    from benchmark.run.world import World

SEED = 0xDA3A
SHARES = (25.0, 50.0, 75.0, 100.0)  # % of the items


@dataclass(frozen=True)
class Answers:
    """The true answers of a rendered world's test items, and their mistaken siblings, rendered when asked for."""

    world: World
    images: np.ndarray  # uint8 (N, H, W, 3)

    @cached_property
    def another_style(self) -> np.ndarray:
        """The asked label in the style of another item's exemplar; every exemplar still serves once."""
        items = self.world.items
        styles = _exchanged([item.exemplar for item in items])
        return self._render([item.label for item in items], styles)

    @cached_property
    def neighbouring_label(self) -> np.ndarray:
        """The exemplar's style with the points of the asked clip's frame that is nearest to what was asked."""
        items = self.world.items
        lengths = {clip.id: len(clip) for clip in self.world.clips("test")}
        labels = [_nearest(self.world, item, lengths[item.label.clip]) for item in items]
        return self._render(labels, [item.exemplar for item in items])

    @cached_property
    def another_layout(self) -> np.ndarray:
        """The exemplar's style over the layout of another item; every layout still serves once."""
        items = self.world.items
        return self._render(_exchanged([item.label for item in items]), [item.exemplar for item in items])

    def _render(self, labels: Sequence[Frame], styles: Sequence[Frame]) -> np.ndarray:
        truths = [self.world.source.truth(label, style) for label, style in zip(labels, styles, strict=True)]
        return np.stack([truth for truth in truths if truth is not None])


@dataclass(frozen=True)
class Damage:
    """One kind of damage. `steps` run from weak to strong; `unit` says what their numbers count."""

    name: str
    title: str
    unit: str
    steps: tuple[float, ...]
    apply: Callable[[Answers, float], np.ndarray]
    applies: Callable[[World], bool] = lambda world: True


def blurred(image: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian of deviation `amount` % of the longer side."""
    sigma = amount / 100 * max(image.shape[:2])
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def noisy(image: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """White noise of deviation `amount`, of 255."""
    return _to_bytes(image + rng.normal(0.0, amount, image.shape))


def compressed(image: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """JPEG of quality `amount`."""
    done, code = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(amount)])
    picture = cv2.imdecode(code, cv2.IMREAD_COLOR) if done else None
    if picture is None:
        raise BenchError(f"calibration: cannot make a JPEG of quality {amount:g}")
    return picture[..., ::-1]


def tinted(image: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Warmer: red up and blue down by `amount`, of 255."""
    return _to_bytes(image + np.array([amount, 0.0, -amount]))


def _to_bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(image, 0, 255)).astype(np.uint8)


def _pixelwise(
    change: Callable[[np.ndarray, float, np.random.Generator], np.ndarray],
) -> Callable[[Answers, float], np.ndarray]:
    """Every picture on its own; an item's random numbers are the same at every step, so steps differ in degree only."""

    def apply(answers: Answers, amount: float) -> np.ndarray:
        rngs = (np.random.default_rng([SEED, n]) for n in range(len(answers.images)))
        return np.stack([change(image, amount, rng) for image, rng in zip(answers.images, rngs, strict=True)])

    return apply


def _mistaken(siblings: Callable[[Answers], np.ndarray]) -> Callable[[Answers, float], np.ndarray]:
    """A share of the items shows the sibling instead."""

    def apply(answers: Answers, amount: float) -> np.ndarray:
        count = len(answers.images)
        chosen = np.random.default_rng(SEED).permutation(count)[: round(amount / 100 * count)]
        images = answers.images.copy()
        images[chosen] = siblings(answers)[chosen]
        return images

    return apply


def _exchanged(frames: list[Frame]) -> list[Frame]:
    """The same frames in another order, in which each place has a frame of another clip."""
    count = len(frames)
    order = sorted(range(count), key=lambda n: frames[n])  # by clip: half a turn leaves a clip of at most half of them
    turned = dict(zip(order, order[count // 2 :] + order[: count // 2], strict=True))
    result = [frames[turned[n]] for n in range(count)]
    if any(old.clip == new.clip for old, new in zip(frames, result, strict=True)):
        raise BenchError(
            f"calibration: more than half of {count} test items share one clip, so they cannot be exchanged; "
            "raise data.identities or --items"
        )
    return result


def _nearest(world: World, item: Item, length: int) -> Frame:
    """The frame of the asked clip whose points lie nearest to the asked ones without being them."""
    if length < 2:
        raise BenchError(f"calibration: clip {item.label.clip} has no second frame; raise data.frames")
    asked = world.store.joints(item.label)
    others = [Frame(item.label.clip, n) for n in range(length) if n != item.label.index]
    return min(others, key=lambda frame: _displacement(asked, world.store.joints(frame)))


def _displacement(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the points (J, 2) that both show, in px; infinite where there is none."""
    distance = np.linalg.norm(a - b, axis=1)
    seen = ~np.isnan(distance)
    return float(distance[seen].mean()) if seen.any() else float("inf")


def _has_points(world: World) -> bool:
    return world.task.info(world.config).joints > 0


def _has_parsing(world: World) -> bool:
    return hasattr(world.source, "parsing")


DAMAGES = (
    Damage("blur", "blur", "σ, % of the side", (1.5, 3, 5, 8), _pixelwise(blurred)),
    Damage("noise", "noise", "σ, of 255", (8, 16, 32, 64), _pixelwise(noisy)),
    Damage("jpeg", "JPEG", "quality", (80, 50, 20, 5), _pixelwise(compressed)),
    Damage("colour", "colour shift", "of 255", (8, 16, 32, 64), _pixelwise(tinted)),
    Damage("identity", "swapped identity", "% of items", SHARES, _mistaken(lambda a: a.another_style)),
    Damage("landmarks", "shifted points", "% of items", SHARES, _mistaken(lambda a: a.neighbouring_label), _has_points),
    Damage("parsing", "wrong parsing", "% of items", SHARES, _mistaken(lambda a: a.another_layout), _has_parsing),
)


def applicable(world: World) -> list[Damage]:
    """The damages that a world's answers can take."""
    return [damage for damage in DAMAGES if damage.applies(world)]
