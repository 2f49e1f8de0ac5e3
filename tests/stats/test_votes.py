"""Statistics of people's votes against choix, statsmodels, SciPy, published cases and simulated studies."""

from __future__ import annotations

import choix
import numpy as np
import pytest
from scipy import stats as scipy_stats
from scipy.special import expit, logit
from statsmodels.stats.proportion import binom_test_reject_interval, proportion_confint

from benchmark import stats
from benchmark.errors import BenchError

NAN = float("nan")


def crossed_votes(
    rng: np.random.Generator, items: int, raters: int, sd_items: float, sd_raters: float, mean: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every rater votes on every item; normal effects of both on the logit."""
    effect = mean + rng.normal(0, sd_items, (items, 1)) + rng.normal(0, sd_raters, (1, raters))
    votes = rng.random((items, raters)) < expit(effect)
    item, rater = np.indices((items, raters))
    return votes.ravel(), item.ravel(), rater.ravel()


def by_hand(votes: np.ndarray, items: np.ndarray, raters: np.ndarray) -> float:
    """Spec: studies 6, item by item and rater by rater: the variance of the share."""
    n, residual = len(votes), votes - votes.mean()
    of_items = sum(residual[items == i].sum() ** 2 for i in set(items))
    of_raters = sum(residual[raters == r].sum() ** 2 for r in set(raters))
    p, r, own = len(set(items)), len(set(raters)), (residual**2).sum()
    return max(of_items * p / (p - 1) + of_raters * r / (r - 1) - own, own) / n**2


def test_crossed_rate_is_the_recipe() -> None:
    votes, items, raters = crossed_votes(np.random.default_rng(3), 12, 9, 1.0, 0.5, mean=0.7)
    kept = np.random.default_rng(4).random(len(votes)) < 0.7  # not everybody judged everything
    votes, items, raters = votes[kept], items[kept], raters[kept]
    found = stats.crossed_rate(votes, [f"pair {i}" for i in items], raters)
    share, variance = votes.mean(), by_hand(votes, items, raters)
    half = scipy_stats.t.ppf(0.975, 8) * np.sqrt(variance) / (share * (1 - share))
    assert (found.value, found.low, found.high) == pytest.approx(
        (share, expit(logit(share) - half), expit(logit(share) + half))
    )
    assert (found.votes, found.items, found.raters) == (len(votes), 12, 9)
    assert found.design_effect == pytest.approx(variance * len(votes) / (share * (1 - share)))
    assert found.design_effect > 1.5


def test_the_p_of_a_crossed_rate_and_its_interval_say_the_same() -> None:
    """At the level at which one half is the interval's end, p is one minus that level."""
    votes, items, raters = crossed_votes(np.random.default_rng(3), 12, 9, 0.7, 0.4, mean=0.6)
    found = stats.crossed_rate(votes, items, raters)
    assert 0.001 < found.p() < 0.9
    assert stats.crossed_rate(votes, items, raters, level=1 - found.p()).low == pytest.approx(0.5)
    assert found.p(against=found.value) == pytest.approx(1.0)
    assert found.p(against=found.high) == pytest.approx(0.05)
    one_voice = stats.crossed_rate([1] * 60, np.arange(60) % 20, np.arange(60) // 20)
    assert one_voice.p() == pytest.approx(2 * 0.5**3)


def test_crossed_rate_of_independent_votes_is_about_wilsons() -> None:
    votes, items, raters = crossed_votes(np.random.default_rng(1), 80, 30, 0, 0)
    found, plain = stats.crossed_rate(votes, items, raters), stats.wilson(int(votes.sum()), len(votes))
    assert found.high - found.low == pytest.approx(plain.high - plain.low, rel=0.3)
    assert found.design_effect >= 1


def test_crossed_rate_when_all_agree_counts_the_fewer_clusters() -> None:
    for vote in (0, 1):
        found = stats.crossed_rate([vote] * 60, np.arange(60) % 20, np.arange(60) // 20)
        assert found.low == stats.wilson(3 * vote, 3).low and found.high == stats.wilson(3 * vote, 3).high


def test_crossed_rate_refuses_what_has_no_interval() -> None:
    for votes, items, raters, said in (
        ([1, 0], [0, 1], [0, 0], "2 items by 1 raters"),
        ([1, 0, 1], [0, 1], [0, 1], "do not match"),
        ([1, 2], [0, 1], [0, 1], "0 or 1"),
    ):
        with pytest.raises(BenchError, match=said):
            stats.crossed_rate(votes, items, raters)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("items", "raters", "sd_items", "sd_raters", "mean"),
    [(80, 30, 0.5, 0.3, 0.0), (80, 30, 1.0, 0.5, 2.2), (40, 60, 0.3, 0.8, -0.5)],
)
def test_coverage_of_crossed_votes(items: int, raters: int, sd_items: float, sd_raters: float, mean: float) -> None:
    """95 % intervals hold the true share in 93 to 97 % of 1,500 simulated studies."""
    rng = np.random.default_rng(0)
    spread = np.hypot(sd_items, sd_raters)
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    truth = float((weight * expit(mean + spread * node)).sum() / weight.sum())
    hits = [
        not stats.crossed_rate(*crossed_votes(rng, items, raters, sd_items, sd_raters, mean)).excludes(truth)
        for _ in range(1500)
    ]
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.parametrize(("successes", "trials", "against"), [(0, 10, 0.5), (38, 60, 0.5), (7, 20, 0.2), (10, 10, 0.9)])
def test_exact_rate_equals_statsmodels(successes: int, trials: int, against: float) -> None:
    found = stats.exact_rate(successes, trials, against)
    assert (found.low, found.high) == pytest.approx(proportion_confint(successes, trials, method="beta"), abs=1e-12)
    # the two-sided p: everything that is no likelier than what was seen
    chance = scipy_stats.binom.pmf(np.arange(trials + 1), trials, against)
    assert found.p == pytest.approx(chance[chance <= chance[successes] * (1 + 1e-7)].sum())


def test_exact_rate_refuses_what_is_no_rate() -> None:
    with pytest.raises(BenchError, match="not a rate"):
        stats.exact_rate(11, 10)


def tournament(seed: int, votes: int = 3000) -> tuple[list[str], list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Four methods of strengths 0.8 .. -0.8 in random pairs, each vote on one of 50 items by one of 40 raters."""
    rng, truth = np.random.default_rng(seed), np.array([0.8, 0.3, -0.3, -0.8])
    a = rng.integers(0, 4, votes)
    b = (a + rng.integers(1, 4, votes)) % 4
    first = rng.random(votes) < expit(truth[a] - truth[b])
    won, lost = np.where(first, a, b), np.where(first, b, a)
    return (
        [f"m{k}" for k in won],
        [f"m{k}" for k in lost],
        rng.integers(0, 50, votes),
        rng.integers(0, 40, votes),
        truth,
    )


def test_bradley_terry_equals_choix() -> None:
    winners, losers, items, raters, truth = tournament(0)
    found = stats.bradley_terry(winners, losers, items, raters)
    theirs = choix.opt_pairwise(4, [(int(w[1]), int(x[1])) for w, x in zip(winners, losers, strict=True)], tol=1e-10)
    ours = [found[f"m{k}"].value for k in range(4)]
    assert ours == pytest.approx(theirs - theirs.mean(), abs=1e-6)
    assert sum(ours) == pytest.approx(0, abs=1e-9)
    assert list(found) == ["m0", "m1", "m2", "m3"]
    for k, strength in enumerate(truth):
        assert not found[f"m{k}"].excludes(strength)
        assert 0.05 < found[f"m{k}"].high - found[f"m{k}"].low < 0.4


def test_bradley_terry_of_two_methods_is_the_crossed_rate() -> None:
    votes, items, raters = crossed_votes(np.random.default_rng(5), 20, 15, 0.8, 0.6, mean=0.4)
    winners, losers = np.where(votes, "a", "b").tolist(), np.where(votes, "b", "a").tolist()
    found, rate = stats.bradley_terry(winners, losers, items, raters), stats.crossed_rate(votes, items, raters)
    ends = [expit(2 * end) for end in (found["a"].value, found["a"].low, found["a"].high)]
    assert ends == pytest.approx((rate.value, rate.low, rate.high), abs=1e-6)


def test_bradley_terry_refuses_what_is_on_no_scale() -> None:
    with pytest.raises(BenchError, match="c and the rest"):
        stats.bradley_terry(["a", "b", "a", "b"], ["b", "a", "c", "c"], [0, 1, 0, 1], [0, 0, 1, 1])
    with pytest.raises(BenchError, match="another loser"):
        stats.bradley_terry(["a", "a"], ["b", "a"], [0, 1], [0, 1])


# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", examples A, B and C
BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
LETTERS = [[ord(c) for c in row] for row in ("aabbdcccedda", "babbbccceddd")]
MISSING = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


@pytest.mark.parametrize(("ratings", "alpha"), [(BINARY, 0.095), (LETTERS, 0.692), (MISSING, 0.743)])
def test_alpha_of_the_published_examples(ratings: list[list[float]], alpha: float) -> None:
    found = stats.krippendorff_alpha(ratings)
    assert found.value == pytest.approx(alpha, abs=0.0005)
    assert found.low < found.value < found.high <= 1


def test_alpha_is_one_in_agreement_and_undefined_without_a_choice() -> None:
    assert stats.krippendorff_alpha([[0, 1, 0, 1], [0, 1, 0, 1], [0, NAN, 0, 1]]).value == pytest.approx(1)
    for ratings, said in (([[1, 1], [1, 1]], "every rating is the same"), ([[1, NAN], [NAN, 0]], "by two raters")):
        with pytest.raises(BenchError, match=said):
            stats.krippendorff_alpha(ratings)


@pytest.mark.parametrize("votes", [1, 5, 6, 23, 97, 210])
@pytest.mark.parametrize("share", [0.6, 0.8])
def test_power_is_the_chance_of_a_rejection(votes: int, share: float) -> None:
    low, high = binom_test_reject_interval(0.5, votes)
    seen = np.arange(votes + 1)
    chance = scipy_stats.binom.pmf(seen, votes, share)[(seen <= low) | (seen >= high)].sum()
    assert float(stats.share_power(share, votes)) == pytest.approx(chance, abs=1e-12)


def test_votes_needed_is_enough_and_no_more() -> None:
    """Spec: studies 6's table but for 55 %, where it has 807: of 819 votes only 79.9 % of studies find it."""
    needed = {share: stats.votes_needed(share) for share in (0.55, 0.575, 0.60, 0.65, 0.70, 0.75, 0.80)}
    assert needed == {0.55: 820, 0.575: 367, 0.60: 210, 0.65: 97, 0.70: 54, 0.75: 35, 0.80: 23}
    for share, votes in needed.items():
        power = stats.share_power(share, np.arange(votes - 1, 3 * votes))
        assert power[0] < 0.8 <= power[1:].min()
    assert stats.votes_needed(0.6, design_effect=4) == 840


def test_votes_needed_refuses_the_impossible() -> None:
    with pytest.raises(BenchError, match="nobody could tell"):
        stats.votes_needed(0.5001)
    with pytest.raises(BenchError, match=r"over 0\.5"):
        stats.votes_needed(0.5)


def test_design_effect_foretells_the_measured_one() -> None:
    """Shares of variance from the simulated effects, against what 60 studies of 80 x 30 votes show on average."""
    rng = np.random.default_rng(2)
    shown = [stats.crossed_rate(*crossed_votes(rng, 80, 30, 1.0, 0.5)).design_effect for _ in range(60)]
    sd = rng.normal(size=(2, 200_000))
    p_item = np.mean([expit(1.0 * sd[0] + 0.5 * z) for z in (-1.22, 0.0, 1.22)], axis=0)
    p_rater = np.mean([expit(0.5 * sd[1] + 1.0 * z) for z in (-1.22, 0.0, 1.22)], axis=0)
    expected = stats.design_effect(30, 80, p_item.var() / 0.25, p_rater.var() / 0.25)
    assert np.mean(shown) == pytest.approx(expected, rel=0.15)
    assert stats.design_effect(30, 80, 0, 0) == 1
    with pytest.raises(BenchError, match="from 0 to 1 together"):
        stats.design_effect(30, 80, 0.7, 0.6)
