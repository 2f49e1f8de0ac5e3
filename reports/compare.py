"""Who is better than whom, and whether the data can tell: the paired differences of results.json, read from both sides.

Nothing is tested here: intervals and Holm-adjusted p values come with the results, this module only turns them round.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.run.results import Difference, MethodRow, MetricRow, Results, Value

LEVEL = 0.05
HEADLINE = "pix2pixsc"  # the method that marks and verdicts are read against


def family(metric: str) -> str:
    """The part of a metric id before its protocol: "lepe" of "lepe[dlib-68,256px]"."""
    return metric.partition("[")[0]


def protocol(metric: str) -> str:
    """What stands inside the brackets."""
    return metric.partition("[")[2].removesuffix("]")


def find(results: Results, *families: str, inside: str = "") -> list[MetricRow]:
    """Metrics of these families, in the order of the families; `inside` must be the first word of the protocol."""
    return [
        metric
        for wanted in families
        for metric in results.metrics
        if family(metric.id) == wanted and (not inside or protocol(metric.id).split(",")[0] == inside)
    ]


def is_floor(results: Results, metric: MetricRow) -> bool:
    """Whether only references have values under this id while methods have theirs under another of the same family.

    A Frechet distance between two halves of the targets is one: half the N, hence an id of its own.
    """
    competing = {method.name for method in ranked(results)}

    def has_methods(other: MetricRow) -> bool:
        return any(v.metric == other.id and v.method in competing for v in results.values)

    return not has_methods(metric) and any(has_methods(m) for m in find(results, family(metric.id)))


def contested(results: Results, metrics: Sequence[MetricRow]) -> list[MetricRow]:
    """Those of `metrics` that deserve a column: all but the floors."""
    return [metric for metric in metrics if not is_floor(results, metric)]


def floors(results: Results, metric: MetricRow) -> list[tuple[MetricRow, Value]]:
    """Values of references that bound the scale of `metric` under an id of their own."""
    below = [other for other in find(results, family(metric.id)) if is_floor(results, other)]
    return [(other, value) for other in below for value in results.values if value.metric == other.id]


def ranked(results: Results) -> list[MethodRow]:
    """Methods that compete; references are shown but never ranked."""
    return [method for method in results.methods if method.kind != "reference"]


class Titles(dict[str, str]):
    """What methods are called, by name; what is no method of the run goes by its name."""

    def __missing__(self, name: str) -> str:
        return name


def titles(*results: Results) -> Titles:
    """Titles of all methods, of several runs the last one's."""
    return Titles({method.name: method.title for one in results for method in one.methods})


def anchor(results: Results) -> str:
    """The method others are marked against: pix2pixSC, or the first method of the run that has results."""
    names = [method.name for method in ranked(results) if not method.problem]
    return HEADLINE if HEADLINE in names or not names else names[0]


def difference(results: Results, metric: str, method: str, against: str) -> Difference | None:
    """`method` minus `against`; a difference stored the other way round is turned."""
    for found in results.differences:
        if found.metric != metric:
            continue
        if (found.method, found.against) == (method, against):
            return found
        if (found.method, found.against) == (against, method):
            return replace(found, method=method, against=against, value=-found.value, low=-found.high, high=-found.low)
    return None


def mark(metric: MetricRow, found: Difference | None) -> str:
    """ "better", "worse" or "not separable" at 5 % after Holm; "" where there is no test."""
    if found is None:
        return ""
    if found.p >= LEVEL:
        return "not separable"
    return "better" if (found.value < 0) == (metric.better == "lower") else "worse"


def mark_of(results: Results, metric: MetricRow, method: str) -> str:
    """The mark of a ranked method against the anchor."""
    if method not in {row.name for row in ranked(results)}:
        return ""
    return mark(metric, difference(results, metric.id, method, anchor(results)))


def legend(results: Results, metrics: Sequence[MetricRow]) -> str:
    """What marks and bold mean in a table of these metrics; "" where none of them was tested."""
    ids = {metric.id for metric in metrics}
    if not any(found.metric in ids for found in results.differences):
        return ""
    title = titles(results)[anchor(results)]
    return (
        f"Marks: better or worse than {title}, or not separable from it (paired over items, Holm-adjusted, 5 %). "
        "Bold: better than every other method beyond doubt. References are never ranked."
    )


def is_ahead(better: str, a: float, b: float) -> bool:
    return a < b if better == "lower" else a > b


def best(results: Results, metric: MetricRow) -> str:
    """The method that is better than every other ranked one beyond doubt, or ""."""
    rivals = [m.name for m in ranked(results) if results.value(m.name, metric.id)]
    for name in rivals:
        others = [other for other in rivals if other != name]
        if others and all(mark(metric, difference(results, metric.id, name, other)) == "better" for other in others):
            return name
    return ""


@dataclass(frozen=True)
class Pair:
    """Two methods on one metric: what the paper printed and what this run says."""

    method: str
    against: str
    ours: Value
    theirs: Value
    paper_ahead: bool | None  # is `method` ahead in the paper? None: no such pair there, or a tie
    ahead: bool  # is `method` ahead here?
    mark: str
    test: Difference | None

    @property
    def agrees(self) -> bool | None:
        return None if self.paper_ahead is None else self.ahead == self.paper_ahead

    @property
    def is_separable(self) -> bool:
        return self.mark in ("better", "worse")

    @property
    def overlap(self) -> bool:
        """Whether the two intervals share a value; False where one has none."""
        a, b = self.ours, self.theirs
        if a.low is None or a.high is None or b.low is None or b.high is None:
            return False
        return a.low <= b.high and b.low <= a.high

    @property
    def verdict(self) -> str:
        """In words; where the paper has the pair, the question is whether its order holds."""
        if self.mark == "not separable":
            return "not separable"
        if not self.mark and self.overlap:
            return "untested, intervals overlap"
        if self.agrees is None:
            said = "better" if self.ahead else "worse"
        else:
            said = "as in the paper" if self.agrees else "against the paper"
        return said if self.mark else f"{said}, untested"

    @property
    def sentence(self) -> str:
        """The verdict with its direction: being behind, as in the paper, is a claim that holds too."""
        if self.agrees is None or self.mark == "not separable" or (not self.mark and self.overlap):
            return self.verdict
        return f"{'ahead' if self.ahead else 'behind'}, {self.verdict}"


def pair(results: Results, metric: MetricRow, method: str, against: str, printed: Mapping[str, float]) -> Pair | None:
    """Compare two methods, or None where one of them has no value."""
    ours, theirs = results.value(method, metric.id), results.value(against, metric.id)
    if ours is None or theirs is None:
        return None
    test = difference(results, metric.id, method, against)
    in_paper = method in printed and against in printed and printed[method] != printed[against]
    tied = math.isclose(ours.value, theirs.value, rel_tol=1e-9)
    return Pair(
        method=method,
        against=against,
        ours=ours,
        theirs=theirs,
        paper_ahead=is_ahead(metric.better, printed[method], printed[against]) if in_paper and not tied else None,
        ahead=is_ahead(metric.better, ours.value, theirs.value),
        mark=mark(metric, test),
        test=test,
    )


def pairs(results: Results, metric: MetricRow, names: Sequence[str], printed: Mapping[str, float]) -> list[Pair]:
    """Every pair of `names` that has values."""
    found = [pair(results, metric, a, b, printed) for i, a in enumerate(names) for b in names[i + 1 :]]
    return [p for p in found if p]
