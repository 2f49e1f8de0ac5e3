"""Configuration: frozen dataclasses, TOML presets, `--set a.b=c`.

    config = load("demo", task="face", overrides=["train.steps=100"])

Field defaults are the paper's values (256 px, pix2pixSC sec 4.1); a preset states what it changes. An unknown key is an
error that names the nearest one. The effective configuration is written into the run, so the saved file *is* the run.
A preset may hold `[task.face.train]` and the like: those tables apply to that task only. A table `[method.munit]`
holds a method's own options, `[method.munit.train]` what it trains with instead of `[train]`; both also apply to
methods whose names continue it (`[method.pix2pixsc]` to `pix2pixsc-no-sc`), whose own tables overrule it.
"""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from benchmark.errors import BenchError, nearest

T = TypeVar("T")
DECAYS = ("linear", "none", "halve")
WEATHERS = ("clear", "partly cloudy", "overcast", "rainy", "snowy", "foggy", "undefined")  # BDD100K's words
TIMES = ("daytime", "dawn/dusk", "night", "undefined")


@dataclass(frozen=True)
class DataConfig:
    """Which frames. `identities`, `frames` and `seed` describe a rendered world; a prepared folder brings its own."""

    size: int = 256  # image side in pixels
    identities: int = 1000  # clips of a rendered world
    frames: int = 24  # frames per rendered clip
    seed: int = 0


@dataclass(frozen=True)
class PairsConfig:
    """Pair sampling (pix2pixSC sec 3.3; spec: systems 1.4)."""

    window: int = 10  # T: a consistent exemplar lies at most this far from the target
    unit: str = "frames"  # "frames" of the source video (paper) or "positions" in the clip's list (official code)
    consistent_share: float = 0.5  # probability that the exemplar is drawn as consistent
    inconsistent: str = "other-clip"  # else draw from "other-clip" (paper) or "any-frame" of the split (official code)
    flip: bool = True  # mirror the whole sample with probability 1/2 (training only)
    swap_left_right: bool = (
        False  # exchange left and right label channels of a mirrored sample; the official code does not
    )
    labels: str = ""  # file of manual consistency labels that overrides the sampler ("" = none)


@dataclass(frozen=True)
class NetworksConfig:
    """Generator and PatchGAN sizes (spec: systems 1.1, 1.2)."""

    ngf: int = 64  # filters of the generator's first convolution
    n_downsample: int = 4
    n_blocks: int = 9
    ndf: int = 64  # filters of a discriminator's first convolution
    n_layers: int = 3


@dataclass(frozen=True)
class TrainConfig:
    """Schedule and optimiser (pix2pixSC sec 4.1)."""

    steps: int = 500_000  # before `decay_steps`
    decay_steps: int = 500_000  # over which "linear" decay takes the learning rate to zero
    decay: str = "linear"  # "linear" over decay_steps, "none", or "halve" every `halve_every` steps (MUNIT)
    halve_every: int = 100_000
    batch: int = 1  # items of one update, over all devices
    accumulate: int = 1  # parts in which each device works through its share of a batch, to need less memory
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    weight_decay: float = 0.0  # L2 term of Adam (MUNIT)
    precision: str = "no"  # accelerate's mixed_precision: "no" | "bf16" | "fp16"
    compile: str = ""  # backend of torch.compile for the networks, e.g. "inductor"; "" = none
    threads: int = 0  # CPU threads of the network maths; 0 leaves PyTorch's own choice
    log_every: int = 100  # steps between log lines
    grid_every: int = 5000  # steps between sample grids
    checkpoint_every: int = 5000  # steps between checkpoints
    keep_last: int = 2  # checkpoints kept; with one, a damaged file costs the whole training
    explode: float = 1e4  # a loss above so many times its median so far ends the training; 0 = never
    ema: float = 0.0  # decay of the moving average of the generator's weights that then synthesizes; 0 = none
    keep_best: str = ""  # score, e.g. "lepe", by which the best weights are kept and used; "" = the last weights
    evaluate_every: int = 5000  # steps between evaluations by keep_best
    evaluate_items: int = 32  # items of the validation split that an evaluation synthesizes

    def __post_init__(self) -> None:
        positive = "steps batch accumulate halve_every log_every grid_every checkpoint_every keep_last evaluate_every"
        for name in (*positive.split(), "evaluate_items"):
            if getattr(self, name) < 1:
                raise BenchError(f"train.{name}: at least 1, got {getattr(self, name)}")
        if self.decay not in DECAYS:
            raise BenchError(f"train.decay: unknown rule {self.decay!r}{nearest(self.decay, DECAYS)}")
        if self.decay_steps < 0 or self.threads < 0:
            raise BenchError(f"train: decay_steps and threads are at least 0, got {self.decay_steps}, {self.threads}")
        if not 0 <= self.ema < 1:
            raise BenchError(f"train.ema: from 0 (none) to below 1, got {self.ema}")
        if self.explode and self.explode <= 1:
            raise BenchError(f"train.explode: above 1, or 0 for never, got {self.explode}")
        if self.batch % self.accumulate:
            raise BenchError(f"train.accumulate: {self.batch} items cannot be cut into {self.accumulate} equal parts")

    @property
    def total(self) -> int:
        """Steps of a whole training."""
        return self.steps + self.decay_steps


@dataclass(frozen=True)
class EvalConfig:
    """The exam. Protocol names, never fall-backs: a network that is not here is an error, not another network."""

    items: int = 2500  # test items (spec: systems 1.9)
    consistent_share: float = 0.3  # share of items whose exemplar shares the target's style (official lists)
    features: str = "vgg19"  # feature distances: counterfactual and eye patches
    frechet: str = "inception-2015-12-05"  # Frechet distance
    detector: str = "source"  # landmark detector of LEPE and eye patches; "source": the one the data's labels suit
    parser: str = (
        "source"  # scene parser of SPS, "name" or "name:argument" (docs/labelers.md); "source": the data's own
    )
    extra_metrics: tuple[str, ...] = ()  # scored beside the task's own, e.g. "identity", which needs an extra
    bootstrap: int = 2000  # resamples behind every interval
    batch: int = 16  # images per forward pass in synthesis and scoring


@dataclass(frozen=True)
class StreetConfig:
    """The street task's styles, and how much of a data set may be unusable.

    `groups`: (weather, time of day); two frames have one style when their pairs are in one group. The paper says 13 and
    not which: these are spec: systems 1.7's proposal. Frames of no group are left out.
    """

    groups: tuple[tuple[str, str], ...] = (
        ("clear", "daytime"),
        ("clear", "dawn/dusk"),
        ("clear", "night"),
        ("rainy", "daytime"),
        ("rainy", "dawn/dusk"),
        ("rainy", "night"),
        ("snowy", "daytime"),
        ("snowy", "dawn/dusk"),
        ("snowy", "night"),
        ("partly cloudy", "daytime"),
        ("partly cloudy", "dawn/dusk"),
        ("overcast", "daytime"),
        ("overcast", "dawn/dusk"),
    )
    max_bad: float = 0.05  # share of a data set's items that may be unusable before it is refused
    # BDD100K's 10k images are no subset of the 100k that its attributes are for: a large part has none, and is left out
    max_without_attributes: float = 0.8

    def __post_init__(self) -> None:
        for weather, time in self.groups:
            if weather not in WEATHERS:
                raise BenchError(f"street.groups: unknown weather {weather!r}{nearest(weather, WEATHERS)}")
            if time not in TIMES:
                raise BenchError(f"street.groups: unknown time of day {time!r}{nearest(time, TIMES)}")
        if not self.groups or len(set(self.groups)) < len(self.groups):
            raise BenchError("street.groups: at least one group, and none twice")
        for name in ("max_bad", "max_without_attributes"):
            if not 0 <= getattr(self, name) <= 1:
                raise BenchError(f"street.{name}: a share from 0 to 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class LossConfig:
    """The perceptual network that training losses use."""

    features: str = "vgg19"
    resize_below: int = (
        224  # images with a side below this are resized to it (square, bilinear) first; 0 = never (spec: systems 1.3)
    )


@dataclass(frozen=True)
class Config:
    """One run's whole configuration. `method` holds each method's own options, checked by the method's `Options`
    class.
    """

    preset: str = "paper"
    data: DataConfig = field(default_factory=DataConfig)
    pairs: PairsConfig = field(default_factory=PairsConfig)
    networks: NetworksConfig = field(default_factory=NetworksConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    eval: EvalConfig = field(default_factory=EvalConfig)
    street: StreetConfig = field(default_factory=StreetConfig)
    method: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def options(self, name: str, schema: type[T], changes: Mapping[str, Any] | None = None) -> T:
        """A method's own options as `schema`, a frozen dataclass; unknown keys are errors.

        `changes` are a variant's own defaults: they overrule the tables it inherits, and its own table overrules them.
        """
        inherited, own = self.tables(name)
        merged = {**inherited, **(changes or {}), **own}
        merged.pop("train", None)
        return build(schema, merged, f"{self.preset}: method.{name}")

    def for_method(self, name: str) -> Config:
        """The configuration as one method trains with it: `[method.<name>.train]` has gone into `[train]`."""
        inherited, own = self.tables(name)
        over = merge(inherited.get("train", {}), own.get("train", {}))
        tree = merge(dataclasses.asdict(self.train), over)
        return dataclasses.replace(
            self,
            train=build(TrainConfig, tree, f"{self.preset}: method.{name}.train"),
            method={key: {k: v for k, v in table.items() if k != "train"} for key, table in self.method.items()},
        )

    def tables(self, name: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """What a method inherits (from the tables of shorter names that its own continues), and its own table."""
        inherited: dict[str, Any] = {}
        for parent in sorted((p for p in self.method if name.startswith(p + "-")), key=len):
            inherited = merge(inherited, self.method[parent])
        return inherited, self.method.get(name, {})

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict, as written to manifest.json."""
        return dataclasses.asdict(self)


def presets() -> dict[str, str]:
    """Preset names and the first comment of each file: what to expect of it."""
    folder = importlib.resources.files("benchmark") / "presets"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".toml"):
            lines = entry.read_text(encoding="utf-8").splitlines()
            comment = [
                line.lstrip("# ").strip() for line in lines[: next(i for i, v in enumerate(lines) if v[:1] != "#")]
            ]
            found[entry.name.removesuffix(".toml")] = " ".join(comment)
    return found


def load(preset: str, task: str, overrides: Sequence[str] = (), data: Mapping[str, Any] | None = None) -> Config:
    """Build the effective configuration.

    `preset` is a name from `presets()` or the path of a TOML file. `overrides` are `a.b=c` strings, applied last.
    Raises BenchError naming file, key and nearest valid key.
    """
    label, tree = _read_preset(preset)
    tasks = tree.pop("task", {})
    tree = merge(tree, tasks.get(task, {}))
    tree = merge(tree, data or {})
    for text in overrides:
        tree = merge(tree, parse_override(text))
    tree["preset"] = label
    return build(Config, tree, f"preset {label}")


def from_dict(tree: Mapping[str, Any], where: str = "config") -> Config:
    """The inverse of `Config.to_dict`."""
    return build(Config, tree, where)


def build(schema: type[T], tree: Mapping[str, Any], where: str) -> T:
    """Make a (nested) dataclass from plain data, refusing unknown keys and wrong types in one line."""
    hints = typing.get_type_hints(schema)
    known = [f.name for f in dataclasses.fields(schema)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in known:
            raise BenchError(f"{where}: unknown key {key!r}{nearest(key, known)}")
        values[key] = _convert(hints[key], value, f"{where}: {key}")
    return schema(**values)


def _convert(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, Mapping):
            raise BenchError(f"{where}: expected a table, got {value!r}")
        return build(kind, value, where)
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise BenchError(f"{where}: expected a list, got {value!r}")
        kinds = typing.get_args(kind)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(kinds) != len(value):
            raise BenchError(f"{where}: expected {len(kinds)} values, got {value!r}")
        return tuple(_convert(inner, v, where) for inner, v in zip(kinds, value, strict=True))
    if origin is not None or kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BenchError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value


def _read_preset(preset: str) -> tuple[str, dict[str, Any]]:
    path = Path(preset)
    if preset.endswith(".toml") or path.is_file():
        if not path.is_file():
            raise BenchError(f"preset file {preset}: no such file")
        text, label = path.read_text(encoding="utf-8"), path.stem
    else:
        entry = importlib.resources.files("benchmark") / "presets" / f"{preset}.toml"
        if not entry.is_file():
            raise BenchError(f"unknown preset {preset!r}{nearest(preset, presets())}")
        text, label = entry.read_text(encoding="utf-8"), preset
    try:
        return label, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BenchError(f"preset {preset}: not valid TOML: {error}") from error


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`, table by table."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def parse_override(text: str) -> dict[str, Any]:
    """ "a.b=1" -> {"a": {"b": 1}}; the value is TOML, a bare word a string."""
    key, equals, raw = text.partition("=")
    if not equals or not key.strip():
        raise BenchError(f"--set {text!r}: expected a.b=value, e.g. --set train.steps=100")
    try:
        value = tomllib.loads(f"v = {raw}")["v"]
    except tomllib.TOMLDecodeError:
        value = raw  # a bare word is a string
    tree: Any = value
    for part in reversed(key.strip().split(".")):
        tree = {part: tree}
    return dict(tree)
