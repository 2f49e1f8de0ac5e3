"""May a number of ours be subtracted from a printed one? What stands between them, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmark.run.results import MetricRow, Results, RunView
from reports import compare
from reports.published import PublishedTable


def obstacles(view: RunView, printed: PublishedTable, metric: MetricRow, items: int) -> list[str]:
    """What differs from the paper's protocol; empty when our number and the printed one may be subtracted."""
    wanted, found = printed.protocol, []
    if wanted is None:
        return ["the paper's protocol is not known"]
    wanted_id = wanted.by_task.get(view.results.task, wanted.id)
    family, _, instrument = wanted_id.partition("[")
    family = family or compare.family(metric.id)
    if not metric.id.startswith(f"{family}[{instrument}"):
        found.append(f"the paper measured {family} with {instrument}")
    if is_rendered(view):
        found.append("the data are rendered, the paper's are recorded")
    size = image_size(view)
    if size != wanted.size:
        found.append(
            f"images of {size} px, the paper's have {wanted.size}" if size else "the image size is not recorded"
        )
    if items != wanted.items:
        found.append(f"N = {items}, the paper's scripts make {wanted.items}")
    if wanted.open:
        found.append(wanted.open)
    return found


def warnings(view: RunView) -> list[str]:
    """What every number of the run is to be read with: its own cautions, and what became of it afterwards."""
    found = list(view.results.cautions)
    if any(study.simulated for study in view.preferences):
        found.append("Votes on this page are simulated: programs answered, not people.")
    missing = [m.title for m in view.results.methods if m.problem and not m.problem.startswith("does not apply")]
    if missing:
        found.append(f"Failed, and so without numbers: {', '.join(missing)}.")
    if (view.manifest.get("git") or {}).get("dirty"):
        found.append("The code that ran differed from its commit: the same commit may give other numbers.")
    return found


def joint_warnings(labelled: Sequence[tuple[str, RunView]]) -> list[str]:
    """The warnings of several runs or tasks: each once, with the labels of those it is about unless that is all."""
    about: dict[str, list[str]] = {}
    for label, view in labelled:
        for warning in warnings(view):
            about.setdefault(warning, []).append(label)
    return [
        warning if len(labels) == len(labelled) else f"{', '.join(dict.fromkeys(labels))}: {warning}"
        for warning, labels in about.items()
    ]


def is_rendered(view: RunView) -> bool:
    """Whether the data are a rendered world: only there a true answer can exist."""
    name = str(view.manifest.get("data", {}).get("name", ""))
    return "procedural" in name or any(view.exam_image("truth", str(item["id"])).exists() for item in view.items[:1])


def image_size(view: RunView) -> int | None:
    """Image side in pixels, from the manifest."""
    size = view.manifest.get("config", {}).get("data", {}).get("size")
    return int(size) if size else None


def agreement(results: Results, metric: MetricRow, names: Sequence[str], printed: Mapping[str, float]) -> str:
    """How many pairs of methods come in the printed order here, and how many of those the data can tell apart."""
    found = [p for p in compare.pairs(results, metric, names, printed) if p.agrees is not None]
    if not found:
        return ""
    same, tested = [p for p in found if p.agrees], [p for p in found if p.test]
    text = f"Order: {len(same)} of {len(found)} {'pair' if len(found) == 1 else 'pairs'} of methods as in the paper"
    if not tested:
        return f"{text}, none of them tested."
    holds = sum(p.is_separable for p in tested if p.agrees)
    broken = sum(p.is_separable for p in tested if not p.agrees)
    against = f", {broken} reversed beyond doubt" if broken else ""
    return f"{text}; of {len(tested)} tested {holds} beyond doubt{against} (Holm, 5 %)."
