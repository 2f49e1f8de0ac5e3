"""What every estimate of this package is: a value with the ends of its interval."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its confidence interval."""

    value: float
    low: float
    high: float

    def excludes(self, point: float) -> bool:
        """True when `point` lies outside."""
        return not self.low <= point <= self.high


@dataclass(frozen=True)
class Difference(Interval):
    """Mean of a minus mean of b over the same items, its interval and two-sided p; `items` counts the pairs."""

    p: float
    items: int
