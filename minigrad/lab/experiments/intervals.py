"""What the scores of several seeds say, and how far that can be trusted."""

import math
from typing import NamedTuple

import numpy as np
from scipy import special, stats


class Interval(NamedTuple):
    """A value and the ends of its confidence interval; numbers, or arrays of one shape.

    Formatted, it reads ``1.3 ± 0.2``, or ``1.3 [1.2, 1.7]`` where the two sides differ.
    """

    center: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def half(self):
        """Half the width: the smallest effect that this interval could have told from none."""
        return (self.high - self.low) / 2

    def __format__(self, spec):
        if np.ndim(self.center):
            raise TypeError(f"an interval of shape {np.shape(self.center)}: select one entry first")
        plain = spec.replace("+", "")
        center, low, high = map(float, self)
        if math.isclose(center - low, high - center, rel_tol=1e-6):
            return f"{center:{spec}} ± {(high - low) / 2:{plain}}"
        return f"{center:{spec}} [{low:{spec}}, {high:{spec}}]"


def interval(values, axis=0, of="mean", level=0.95):
    """What the seeds along ``axis`` say, and its confidence interval.

    Args:
        of: ``"mean"``, with Student's interval ``m ± t s/√n``. ``"geometric"``, the same of the
            logarithms: for scores that differ by factors, as training losses do. ``"median"``, with
            the interval between two order statistics that the binomial distribution gives
            (conservative, and free of any assumption on the distribution): for scores of which
            some are ``inf``, and it takes six seeds.
        level: of confidence. For several comparisons at once divide what is missing to 1 by their
            number (Bonferroni): ``1 - 0.05 / 4`` for four.

    Returns:
        An :class:`Interval`. A mean over a score that is ``inf`` is ``inf``, and its interval all
        numbers: that experiment says nothing about a mean.

    Raises:
        ValueError: fewer than two seeds, or six for a median; a geometric mean of scores ≤ 0.

    >>> print(f"{interval([1.0, 2.0, 3.0]):.2f}")
    2.00 ± 2.48
    >>> print(f"{interval([1.0, 2.0, 4.0], of='geometric'):.2f}")
    2.00 [0.36, 11.19]
    >>> print(f"{interval([1, 2, 3, 4, 5, np.inf], of='median'):.1f}")
    3.5 [1.0, inf]
    """
    values = np.moveaxis(np.asarray(values, float), axis, 0)
    n = len(values)
    if n < 2:
        raise ValueError(f"interval: needs at least two seeds along axis {axis}, got {n}")
    if of == "median":
        k = int(stats.binom.ppf((1 - level) / 2, n, 0.5))  # P(fewer than k below) < (1 - level)/2
        if k == 0:
            raise ValueError(f"interval: a median's at level {level} needs more than {n} seeds")
        ordered = np.sort(values, axis=0)
        with np.errstate(invalid="ignore"):  # between -inf and inf lies no number
            middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
        return Interval(middle, ordered[k - 1], ordered[n - k])
    if of == "geometric":
        if not (values > 0).all():
            raise ValueError(f"interval: a geometric mean needs scores > 0, got {values.min()}")
        return Interval(*np.exp(interval(np.log(values), of="mean", level=level)))
    if of != "mean":
        raise ValueError(f'interval: of must be "mean", "geometric" or "median", got {of!r}')
    lost = ~np.isfinite(values).all(axis=0)
    finite = np.where(lost, 0, values)
    mean = np.where(lost, np.inf, finite.mean(axis=0))
    half = special.stdtrit(n - 1, (1 + level) / 2) * finite.std(axis=0, ddof=1) / np.sqrt(n)
    low, high = np.where(lost, -np.inf, mean - half), np.where(lost, np.inf, mean + half)
    return Interval(mean[()], low[()], high[()])
