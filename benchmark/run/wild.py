"""A trained method on photos from anywhere (pix2pixSC Figure 6): `bench synthesize RUN --label L --exemplar E --out O`.

What it leaves, each file whole or not at all:

    O/<name>.png, O/strips/<name>.png     the result, and label, exemplar and result side by side; where O ends in .png
                                          and there is one pair: O itself and O-strip.png
    O/failures.jsonl (O-failures.jsonl)   a line per pair and photo that could not be used, with the reason; only if any
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import BenchError
from benchmark.files import write_atomic
from benchmark.run.cell import answer
from benchmark.run.photo_pairs import PhotoPair
from benchmark.run.png import save_png
from benchmark.run.strip import strip

if TYPE_CHECKING:
    from benchmark.data.photos import PhotoReader, Reading
    from benchmark.protocols import Sample
    from benchmark.run.trained import Trained

HELD = 2048  # photos kept in memory, cut out: 0.2 MB each at 256 px


@dataclass(frozen=True)
class Failure:
    """One pair without a result."""

    name: str
    photo: str  # path of the photo that is to blame; "" where it is the method
    reason: str


@dataclass(frozen=True)
class Outcome:
    made: int
    failures: list[Failure]
    notes: dict[str, str]  # by photo: what was done that a user may not expect


@dataclass(frozen=True)
class Places:
    """Where results go: `out` is a folder, or a .png file for the one result."""

    out: Path

    @property
    def is_file(self) -> bool:
        return self.out.suffix.lower() == ".png"

    def picture(self, name: str) -> Path:
        return self.out if self.is_file else self.out / f"{name}.png"

    def strip(self, name: str) -> Path:
        return self._beside("-strip.png") if self.is_file else self.out / "strips" / f"{name}.png"

    @property
    def failures(self) -> Path:
        return self._beside("-failures.jsonl") if self.is_file else self.out / "failures.jsonl"

    def _beside(self, ending: str) -> Path:
        return self.out.with_name(self.out.stem + ending)


def synthesize_photos(
    trained: Trained,
    pairs: Sequence[PhotoPair],
    reader: PhotoReader,
    out: Path,
    progress: Callable[[int, str], Any],
) -> Outcome:
    """Make and write the result of every pair, in batches; a pair that cannot be made is recorded, the others go on.

    Raises:
        BenchError: `out` names one file for several pairs, is no PNG, or would overwrite one of the photos.
    """
    import torch

    places, failures, notes, made = _checked(Places(out), pairs), list[Failure](), dict[str, str](), 0
    method = trained.load()
    with progress(len(pairs), "synthesize") as bar, torch.no_grad():
        readable = _readable(pairs, reader, failures, notes, bar.update)
        while batch := list(islice(readable, trained.config.eval.batch)):
            sample = _sample([(label, exemplar) for _, label, exemplar in batch])
            pictures, finite = _pictures(method, sample)
            for (pair, label, exemplar), picture, good in zip(batch, pictures, finite, strict=True):
                if good:
                    asked = trained.task.label_picture(label.label())
                    save_png(places.strip(pair.name), strip([asked, exemplar.image, picture]))
                    save_png(places.picture(pair.name), picture)
                    made += 1
                else:
                    failures.append(Failure(pair.name, "", "the method's picture holds NaN or infinity"))
            bar.update(len(batch))
    _log(places.failures, failures)
    return Outcome(made, failures, notes)


def _checked(places: Places, pairs: Sequence[PhotoPair]) -> Places:
    if places.is_file and len(pairs) > 1:
        raise BenchError(f"--out {places.out}: one file for {len(pairs)} results; give a folder")
    if places.out.suffix.lower() in (".jpg", ".jpeg", ".webp", ".bmp") and not places.out.is_dir():
        raise BenchError(f"--out {places.out}: results are PNG files; call it {places.out.stem}.png, or give a folder")
    photos = {path.resolve() for pair in pairs for path in (pair.label, pair.exemplar)}
    for pair in pairs:
        for path in (places.picture(pair.name), places.strip(pair.name)):
            if path.resolve() in photos:
                raise BenchError(f"--out {places.out}: would overwrite the photo {path}; give another place")
    return places


def _readable(
    pairs: Sequence[PhotoPair],
    reader: PhotoReader,
    failures: list[Failure],
    notes: dict[str, str],
    tick: Callable[[int], Any],
) -> Iterator[tuple[PhotoPair, Reading, Reading]]:
    """The pairs whose photos F(.) can label; the others go to `failures`."""
    from benchmark.data.photos import Dropped

    @lru_cache(maxsize=HELD)
    def read(path: Path) -> Reading | str:
        try:
            reading = reader.read(path)
        except (Dropped, BenchError) as error:
            return str(error)
        if reading.note:
            notes[str(path)] = reading.note
        return reading

    for pair in pairs:
        label, exemplar = read(pair.label), read(pair.exemplar)
        if isinstance(label, str) or isinstance(exemplar, str):
            blamed = {pair.label: label, pair.exemplar: exemplar}
            failures += [Failure(pair.name, str(p), why) for p, why in blamed.items() if isinstance(why, str)]
            tick(1)
        else:
            yield pair, label, exemplar


def _sample(pairs: Sequence[tuple[Reading, Reading]]) -> Sample:
    """Labels and exemplars as a batch. Nobody knows the target: the photo of the label stands for it, as a yardstick's
    answer; partners are never used at test time.
    """
    import torch

    from benchmark.data.batches import to_signed
    from benchmark.protocols import Sample

    def labels(readings: Sequence[Reading]) -> torch.Tensor:
        return torch.from_numpy(np.stack([reading.label() for reading in readings])).float().div_(255.0)

    asked, shown = [label for label, _ in pairs], [exemplar for _, exemplar in pairs]
    photos = to_signed(np.stack([reading.image for reading in shown]))
    return Sample(
        x=labels(asked),
        z=to_signed(np.stack([reading.image for reading in asked])),
        I=photos,
        F_I=labels(shown),
        consistent=torch.zeros(len(pairs), dtype=torch.bool),
        C=photos,
        D=photos,
        joints=torch.from_numpy(np.stack([reading.joints for reading in asked])),
    )


def _pictures(method: Any, sample: Sample) -> tuple[np.ndarray, list[bool]]:
    """uint8 (N, H, W, 3), and which of them are numbers throughout."""
    from benchmark.data.batches import to_bytes

    images = answer(method, sample)
    return to_bytes(images.nan_to_num()), images.isfinite().flatten(1).all(dim=1).tolist()


def _log(path: Path, failures: Sequence[Failure]) -> None:
    """Write the failures of this call; those of an earlier call are not kept."""
    path.unlink(missing_ok=True)
    if failures:
        lines = [json.dumps(asdict(failure), sort_keys=True, ensure_ascii=False) for failure in failures]
        write_atomic(path, "".join(f"{line}\n" for line in lines).encode())
