"""A model of raters: taste that differs by pair and by rater, a liking for the left side, lapses, and leaving early.

    crowd = Crowd(taste={"pix2pixhd": 0.8})
    crowd.expected("pix2pixhd")      # 0.776: the share of votes that taste, side bias and lapses come to
    Mind(crowd, number=1).chooses_first("pix2pixhd", pair=3, first_on_left=True)

Taste is a share; on the logit it varies normally between pairs and between raters, so that votes are clustered as those
of people are (spec: studies 6).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from benchmark.errors import BenchError

NODES = 60
MEDIAN_MS, SPREAD = 1500.0, 0.4  # of answer times, log-normal


@dataclass(frozen=True)
class Crowd:
    """What all raters share. Shares and chances from 0 to 1; `taste` for each comparison, for the main method."""

    taste: Mapping[str, float]
    side_bias: float = 0.05  # chance of taking the left picture without looking
    lapse: float = 0.03  # chance of taking either without looking
    drop_out: float = 0.1  # chance of leaving half-way
    pair_sd: float = 0.5  # standard deviations of taste on the logit
    rater_sd: float = 0.3
    seed: int = 1

    def __post_init__(self) -> None:
        for against, share in self.taste.items():
            if not 0 < share < 1:
                raise BenchError(f"--taste {against}={share}: between 0 and 1")
        for name in ("side_bias", "lapse", "drop_out"):
            if not 0 <= getattr(self, name) <= 0.9:
                raise BenchError(f"--{name.replace('_', '-')}: from 0 to 0.9, got {getattr(self, name)}")
        if self.side_bias + self.lapse > 1:
            raise BenchError(f"--side-bias and --lapse: at most 1 together, got {self.side_bias + self.lapse:g}")
        for name in ("pair_sd", "rater_sd"):
            if not 0 <= getattr(self, name) <= 5:
                raise BenchError(f"--{name.replace('_', '-')}: from 0 to 5, got {getattr(self, name)}")

    def expected(self, against: str) -> float:
        """The share of votes for the main method, over all pairs and raters that there could be."""
        blind = self.side_bias + self.lapse
        return (1 - blind) * self.taste[against] + blind / 2

    @property
    def expected_left(self) -> float:
        """The share of votes for the left picture, as each method is there equally often."""
        return 0.5 + self.side_bias / 2

    @cached_property
    def centres(self) -> dict[str, float]:
        """For each comparison the logit around which tastes lie so that their mean is the share asked for."""
        spread = math.hypot(self.pair_sd, self.rater_sd)
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        weights = weights / weights.sum()

        def mean(centre: float) -> float:
            return float(weights @ expit(centre + spread * nodes))

        return {
            against: float(logit(share)) if not spread else float(brentq(lambda x: mean(x) - share, -60, 60))  # noqa: B023
            for against, share in self.taste.items()
        }

    def pair_leans(self, pair: int) -> float:
        """How much this pair favours the main method, on the logit; the same for every rater."""
        return _normal(f"{self.seed}|pair|{pair}") * self.pair_sd


@lru_cache(maxsize=65_536)
def _normal(seed: str) -> float:
    return random.Random(seed).gauss(0, 1)


class Mind:
    """One rater. What they are like depends on the crowd's seed and their number only."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.crowd, self.draw = crowd, random.Random(f"{crowd.seed}|rater|{number}")
        self.leans = self.draw.gauss(0, crowd.rater_sd)
        leaves = self.draw.random() < crowd.drop_out
        self.stays = self.draw.random() if leaves else 1.0  # the part of the trials after which they leave

    def chooses_first(self, against: str, pair: int, first_on_left: bool) -> bool:
        """Whether they choose the main method's picture."""
        p = expit(self.crowd.centres[against] + self.crowd.pair_leans(pair) + self.leans)
        return self._unless_blind(self.draw.random() < p, first_on_left)

    def chooses_right_one(self, right_on_left: bool) -> bool:
        """Whether they answer a trial with a known answer as they should: always, where they look."""
        return self._unless_blind(True, right_on_left)

    def milliseconds(self) -> float:
        """Until the answer."""
        return MEDIAN_MS * math.exp(self.draw.gauss(0, SPREAD))

    def _unless_blind(self, seen: bool, on_left: bool) -> bool:
        blind = self.draw.random()
        if blind < self.crowd.lapse:
            return self.draw.random() < 0.5
        return on_left if blind < self.crowd.lapse + self.crowd.side_bias else seen
