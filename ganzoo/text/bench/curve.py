"""The quality-diversity curve of a baseline, and where a model lies beside it (Caccia et al. 2020)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ganzoo.errors import InvalidValueError
from ganzoo.text.oracle.estimate import Estimate

_SURE = 2  # standard errors from which on a difference is called one


@dataclass(frozen=True)
class Point:
    """A model in the plane; lower is better in both directions.

    Attributes:
        name: What it is called.
        nll_test: Of held-out sentences under the model: how much it covers.
        nll_oracle: Of its sentences under the oracle: how good they are.
        temperature: At which its words are drawn.
    """

    name: str
    nll_test: Estimate
    nll_oracle: Estimate
    temperature: float = 1.0


class Curve:
    """A baseline swept through temperatures.

    Where the baseline is calibrated, NLL_test is at its minimum: around it a change of the temperature moves NLL_oracle in
    proportion, and NLL_test by its square. So from point to point NLL_oracle is taken to be linear in the root of what NLL_test
    has above its minimum. A straight line in NLL_test would run above the curve and flatter models beside it.

    Args:
        points: Any number from one on; they are put in the order of their temperatures, highest first.

    Raises:
        InvalidValueError: no points.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        if not points:
            raise InvalidValueError("A curve needs at least one point.")
        self.points = tuple(sorted(points, key=lambda point: -point.temperature))

    @property
    def lowest(self) -> Point:
        """The point with the lowest NLL_test."""
        return min(self.points, key=lambda point: point.nll_test.value)

    @property
    def highest(self) -> Point:
        """The point with the highest NLL_test."""
        return max(self.points, key=lambda point: point.nll_test.value)

    def at(self, nll_test: float) -> Estimate | None:
        """The NLL_oracle of the curve where its NLL_test is ``nll_test``; the best one where it passes there several times.

        None where the curve does not reach.
        """
        found = [self._between(a, b, nll_test) for a, b in pairwise(self.points)]
        found += [point.nll_oracle for point in self.points if point.nll_test.value == nll_test]
        return min((each for each in found if each is not None), key=lambda each: each.value, default=None)

    def _between(self, one: Point, other: Point, nll_test: float) -> Estimate | None:
        a, b, wanted = one.nll_test.value, other.nll_test.value, nll_test
        if a == b or not min(a, b) <= wanted <= max(a, b):
            return None
        start, end, place = (math.sqrt(value - self.lowest.nll_test.value) for value in (a, b, wanted))
        share = (place - start) / (end - start)
        return one.nll_oracle * (1 - share) + other.nll_oracle * share


@dataclass(frozen=True)
class Verdict:
    """Where a model lies beside a baseline's curve.

    Attributes:
        name: Of the model.
        difference: Its NLL_oracle minus the curve's at equal NLL_test, below 0 where the model is better; None where no
            temperature of the baseline gives that NLL_test. Its error counts that of both NLL_oracle; NLL_test is of the same
            held-out sentences for both.
        words: What that means, for a person.
    """

    name: str
    difference: Estimate | None
    words: str


def judge(point: Point, curve: Curve, baseline: str = "MLE") -> Verdict:
    """How far above or below ``curve`` the model ``point`` lies at equal NLL_test, also in words.

    Just outside the curve, by no more than chance, its lowest point is the one to compare with.
    """
    wanted = curve.at(point.nll_test.value)
    if wanted is None and _same(point.nll_test, curve.lowest.nll_test):
        wanted = curve.lowest.nll_oracle
    if wanted is None:
        return Verdict(point.name, None, _outside(point, curve, baseline))
    difference = point.nll_oracle - wanted
    size = abs(difference.value)
    if _same(point.nll_oracle, wanted):
        verdict = "no difference that can be told from chance"
    else:
        verdict = f"{size:.3f} {'below the curve: better' if difference.value < 0 else 'above the curve: worse'}"
    words = (
        f"{point.name}: NLL_oracle {point.nll_oracle} at NLL_test {point.nll_test.value:.3f}; {baseline} at the temperature "
        f"with that NLL_test has {wanted}: {verdict}."
    )
    return Verdict(point.name, difference, words)


def _same(one: Estimate, other: Estimate) -> bool:
    """Whether chance explains the difference."""
    difference = one - other
    return abs(difference.value) <= _SURE * difference.error


def _outside(point: Point, curve: Curve, baseline: str) -> str:
    low, high = curve.lowest, curve.highest
    if point.nll_test.value < low.nll_test.value:
        quality = _compared(point, low)
        return (
            f"{point.name}: its NLL_test {point.nll_test} is below that of {baseline} at every temperature (best: "
            f"{low.nll_test}, {low.name}), beside which its NLL_oracle {point.nll_oracle} is {quality}."
        )
    return (
        f"{point.name}: its NLL_test {point.nll_test} is above that of {baseline} down to temperature {high.temperature:g} "
        f"({high.nll_test}), beside which its NLL_oracle {point.nll_oracle} is {_compared(point, high)}."
    )


def _compared(point: Point, other: Point) -> str:
    difference = point.nll_oracle - other.nll_oracle
    if _same(point.nll_oracle, other.nll_oracle):
        return f"the same within chance ({other.nll_oracle.value:.3f})"
    return f"{'better' if difference.value < 0 else 'worse'} by {abs(difference.value):.3f} ({other.nll_oracle.value:.3f})"
