"""Votes of people who came different ways have shares of their own."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import update

from benchmark.survey import export, tables, telling
from benchmark.survey.analysis import analyze
from benchmark.survey.folder import Study
from tests.survey.test_analysis import by_chance, fill

Make = Callable[..., Study]


def test_every_source_has_its_share_where_there_are_two(make: Make) -> None:
    study = make(pairs=4, raters=4, trials=4)
    fill(study, by_chance(2))
    assert analyze(study).comparisons[0].sources == () and "source" not in "\n".join(telling.lines(analyze(study)))
    with study.store.write() as connection:
        connection.execute(update(tables.rater).where(tables.rater.c.id == 1).values(source="prolific"))
    votes = export.table(study, "votes")[1]
    (only,) = (found := analyze(study)).comparisons
    for one, source, count in zip(only.sources, ("open", "prolific"), (12, 4), strict=True):
        won = sum(vote["chosen"] == 0 for vote in votes if vote["source"] == source)
        assert (one.source, one.share.won, one.share.votes) == (source, won, count)
    assert only.sources[0].share.low is not None and "two raters" in only.sources[1].share.problem
    told = "\n".join(telling.lines(found))
    assert f"source open: {100 * only.sources[0].share.value:.1f} %" in told and "source prolific: " in told
