"""Which pictures a study shows: from a finished run, or from folders that anybody filled.

    from_run(RunView(folder), design)                     from_folders({"ours": DIR, "theirs": DIR}, exemplars, design)

Besides the compared pairs there are pairs with a known answer, for practice and for catch trials, made from data and
not from any method: style, a real frame of the exemplar's own clip against one of another clip; naturalness, a real
image against a coarse copy of itself. Without real images the exemplar stands for itself.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.errors import BenchError, nearest
from benchmark.run.results import RunView
from benchmark.survey.design import Design

REAL = "real"  # run rows of this name are the targets themselves
SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class Picture:
    """A file, or a coarse copy of it (an eighth of its size, enlarged again)."""

    path: Path
    coarse: bool = False


@dataclass(frozen=True)
class Pair:
    """Two pictures to compare. `right`: 0 or 1 where the answer is known, the place of the better one in `pictures`."""

    comparison: str
    item: str
    methods: tuple[str, str]
    pictures: tuple[Picture, Picture]
    exemplar: Picture | None
    right: int | None = None


@dataclass(frozen=True)
class Material:
    """What a study is about: compared pairs, pairs with known answers, and what a reader must be told."""

    main: str
    rivals: tuple[str, ...]
    pairs: tuple[Pair, ...]
    gold: tuple[Pair, ...]
    notes: tuple[str, ...] = ()
    origin: str = ""


def from_run(view: RunView, design: Design, main: str = "", rivals: Sequence[str] = ()) -> Material:
    """The main method against each rival on the same items of a finished run, first seed."""
    study, results = design.study, view.results
    ranked = {row.name: row for row in results.methods if row.kind != "reference" and not row.problem}
    allowed = [*ranked, *(row.name for row in results.methods if row.kind == "reference")]
    main = main or (study.main if study.main in ranked else next(iter(ranked), ""))
    if main not in allowed:
        raise BenchError(f"--main {main}: {view.folder} has no finished method of that name{nearest(main, allowed)}")
    others = tuple(name for name in ranked if name != main)
    against = tuple(rivals) or tuple(name for name in study.rivals if name in others) or others
    for name in against:
        if name not in allowed or name == main:
            raise BenchError(f"--against {name}: not another method of {view.folder}{nearest(name, allowed)}")
    if not against:
        raise BenchError(f"{view.folder}: {main} has nobody to be compared with; run more methods into it")
    ids = [item["id"] for item in view.items]
    chosen, notes = _choose(ids, design)
    absent = () if rivals else tuple(name for name in study.rivals if name not in against)
    if absent:
        notes += (f"without {', '.join(absent)}, which the run does not have",)
    consistent = {item["id"] for item in view.items if item["consistent"]}
    if consistent and study.exemplar:
        share = len(consistent & set(chosen)) / len(chosen)
        notes += (f"{share:.0%} of the exemplars come from the target's own clip, the rest from others",)
    show = (lambda item: Picture(view.exam_image("exemplar", item))) if study.exemplar else (lambda item: None)
    pairs = tuple(
        Pair(
            rival, item, (main, rival), (Picture(view.image(main, item)), Picture(view.image(rival, item))), show(item)
        )
        for rival in against
        for item in chosen
    )
    gold = _gold_of_run(view, design) if study.catch or study.practice else ()
    return Material(main, against, pairs, gold, notes, f"run {view.manifest['id']} ({results.task})")


def from_folders(
    folders: Mapping[str, Path], exemplars: Path | None, design: Design, main: str = "", rivals: Sequence[str] = ()
) -> Material:
    """Folders of equally named pictures, one folder a method; the first (or `main`) against the others."""
    found = {name: _pictures(folder) for name, folder in folders.items()}
    main = main or next(iter(found))
    against = tuple(rivals) or tuple(name for name in found if name != main)
    for name in (main, *against):
        if name not in found:
            raise BenchError(f"{name}: no folder was given under that name{nearest(name, found)}")
    if not against:
        raise BenchError("survey build: give at least two folders of results, --a DIR and --b DIR")
    shared = set.intersection(*(set(found[name]) for name in (main, *against)))
    shown: dict[str, Path] = {}
    if design.study.exemplar:
        if exemplars is None:
            raise BenchError("--exemplars: this preset shows an exemplar; give the folder that holds them")
        shown = _pictures(exemplars)
        shared &= set(shown)
    if not shared:
        raise BenchError(f"{', '.join(map(str, folders.values()))}: no picture has the same name in every folder")
    chosen, notes = _choose(sorted(shared), design)
    missing = len(set.union(*(set(found[name]) for name in (main, *against)))) - len(shared)
    if missing:
        notes += (f"{missing} pictures are left out: not in every folder",)
    pairs = tuple(
        Pair(
            rival,
            item,
            (main, rival),
            (Picture(found[main][item]), Picture(found[rival][item])),
            Picture(shown[item]) if shown else None,
        )
        for rival in against
        for item in chosen
    )
    gold = _gold_of_folders(shown or found[main], design)
    return Material(main, against, pairs, gold, notes, "folders")


def _choose(ids: list[str], design: Design) -> tuple[list[str], tuple[str, ...]]:
    wanted = design.study.pairs
    if len(ids) < wanted:
        return ids, (f"{len(ids)} pairs in each comparison, not {wanted}: there are no more items",)
    return sorted(random.Random(design.study.seed).sample(ids, wanted)), ()


def _gold_of_run(view: RunView, design: Design) -> tuple[Pair, ...]:
    draw, items = random.Random(design.study.seed + 1), view.items
    wanted = max(design.study.catch + design.study.practice, 12)
    if not design.study.exemplar:
        targets = {item["id"]: view.exam_image("target", item["id"]) for item in items}
        return _coarse_gold(targets, wanted, draw)
    own = [item for item in items if item["consistent"]]
    gold = []
    for item in draw.sample(own, min(wanted, len(own))):
        others = [other for other in items if other["label"][0] not in (item["exemplar"][0], item["label"][0])]
        if others:
            wrong = draw.choice(others)
            gold.append((view.exam_image("exemplar", item["id"]), item["id"], wrong["id"]))
    if not gold:
        return _gold_of_folders({item["id"]: view.exam_image("exemplar", item["id"]) for item in items}, design)
    return tuple(
        Pair(
            "",
            right,
            ("own clip", "other clip"),
            (Picture(view.exam_image("target", right)), Picture(view.exam_image("target", wrong))),
            Picture(exemplar),
            right=0,
        )
        for exemplar, right, wrong in gold
    )


def _gold_of_folders(pictures: Mapping[str, Path], design: Design) -> tuple[Pair, ...]:
    draw, wanted = random.Random(design.study.seed + 1), design.study.catch + design.study.practice
    if not wanted:
        return ()
    if not design.study.exemplar:
        return _coarse_gold(pictures, max(wanted, 12), draw)
    if len(pictures) < 2:
        raise BenchError("--exemplars: at least two, or --set study.catch=0 --set study.practice=0")
    gold = []
    for item in draw.sample(sorted(pictures), min(max(wanted, 12), len(pictures))):
        own = Picture(pictures[item])
        other = draw.choice([name for name in sorted(pictures) if name != item])
        gold.append(Pair("", item, ("exemplar", "other exemplar"), (own, Picture(pictures[other])), own, right=0))
    return tuple(gold)


def _coarse_gold(pictures: Mapping[str, Path], wanted: int, draw: random.Random) -> tuple[Pair, ...]:
    items = draw.sample(sorted(pictures), min(wanted, len(pictures)))
    return tuple(
        Pair("", item, ("whole", "coarse"), (Picture(pictures[item]), Picture(pictures[item], coarse=True)), None, 0)
        for item in items
    )


def _pictures(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise BenchError(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in found:
                raise BenchError(f"{path}: the same name as {found[path.stem].name}; keep one")
            found[path.stem] = path
    if not found:
        raise BenchError(f"{folder}: no pictures ({', '.join(SUFFIXES)})")
    return found
