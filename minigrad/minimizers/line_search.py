"""Line searches: how far to go along p; φ(α) = f(x + α p).

Derived in `chapters/optimization/gradient-descent.ipynb` (backtracking) and
`chapters/optimization/quasi-newton.ipynb` (strong Wolfe).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor
from ..checks import each, floats, number
from .problem import Point, quiet_with_grad, rounding, starting_point


class LineSearch(NamedTuple):
    """The step length found, or None and why; the Point there (.fun, flat .x .jac); evaluations."""

    alpha: float | None
    point: Point
    nfev: int
    message: str = ""
    unbounded: bool = False  # f kept decreasing: it is probably unbounded below


def backtracking(
    f: Callable[[Tensor], Any],
    x: ArrayLike | Point,
    p: ArrayLike,
    alpha: float = 1.0,
    c1: float = 1e-4,
    shrink: float = 0.5,
    maxiter: int = 60,
) -> LineSearch:
    r"""Shorten the step until f has fallen enough (Armijo's condition).

    $$f(x + \alpha p) \le f(x) + c_1 \alpha\, \nabla f(x)^T p$$

    Parameters
    ----------
    f: function of a Tensor that gives one number.
    x, p: start and direction, of equal shape; p must be a descent direction, ∇f(x)·p < 0.
    alpha: > 0, the first length tried.
    c1: in (0, 1), the part of the promised fall that is asked for.
    shrink: in (0, 1), factor from one trial to the next. A trial where f or its gradient is not
        finite is too long.
    maxiter: whole number >= 1, how many lengths are tried at most.

    Returns
    -------
    `.alpha` (None if no trial satisfied the condition, with a `.message`), `.point` with
    `.x .fun .jac` there, `.nfev`. Where the fall is within the rounding of f (100 ε |f(x)|), it is
    the slope that must get smaller, to 0.9 of what it was.

    Reference: Armijo 1966; Nocedal & Wright 2006, algorithm 3.1.
    Derived in `chapters/optimization/gradient-descent.ipynb`.

    >>> found = backtracking(lambda x: (x * x).sum(), [3.0], [-60.0])
    >>> found.alpha, found.point.x
    (0.0625, array([-0.75]))
    """
    alpha = number("backtracking", "alpha", alpha, "(0, inf)")
    each("backtracking", "(0, 1)", c1=c1, shrink=shrink)
    each("backtracking", "{1, 2, ...}", maxiter=maxiter)
    start, p, slope = prepare("backtracking", f, x, p)
    for trial in range(1, maxiter + 1):
        with quiet_with_grad():
            point = Point(start.f, start.x + alpha * p)
            # φ(α) <= φ(0) + c1 α φ'(0);   where rounding hides the fall, the slope must shrink
            fallen = point.fun <= start.fun + c1 * alpha * slope
            if not fallen and abs(point.fun - start.fun) <= rounding(start):
                fallen = abs(point.jac @ p) <= 0.9 * abs(slope)
            if fallen and point.finite:
                return LineSearch(alpha, point, trial)
        if np.array_equal(point.x, start.x):
            break
        alpha *= shrink
    return LineSearch(None, start, trial, f"f does not fall along p, down to α = {alpha:.1e}")


def strong_wolfe(
    f: Callable[[Tensor], Any],
    x: ArrayLike | Point,
    p: ArrayLike,
    alpha: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.9,
    maxiter: int = 50,
) -> LineSearch:
    r"""A step length with enough fall and not much slope left (the strong Wolfe conditions).

    $$f(x + \alpha p) \le f(x) + c_1 \alpha\, \nabla f(x)^T p, \qquad
      |\nabla f(x + \alpha p)^T p| \le c_2\, |\nabla f(x)^T p|$$

    The first keeps α from being too long, the second from being too short; together they make
    y·s > 0, which quasi-Newton methods need. The search widens until an interval must hold such
    an α, then narrows it; both at the minimum of the cubic through the two lengths at hand.

    Parameters
    ----------
    f: function of a Tensor that gives one number.
    x, p: start and direction, of equal shape; p must be a descent direction, ∇f(x)·p < 0.
    alpha: > 0, the first length tried. A trial where f or its gradient is not finite is too long.
    c1, c2: 0 < c1 < c2 < 1; c2 = 0.9 for Newton-like directions, 0.1 for conjugate gradients.
    maxiter: whole number >= 1, how many lengths are tried at most.

    Returns
    -------
    `.alpha` (None if none was found, with a `.message`), `.point` with `.x .fun .jac` there,
    `.nfev`. The comparisons of f allow for its rounding, 100 ε |f(x)|.

    Reference: Nocedal & Wright 2006, algorithms 3.5 and 3.6, equation 3.59.
    Derived in `chapters/optimization/quasi-newton.ipynb`.

    >>> found = strong_wolfe(lambda x: (x * x).sum(), [3.0], [-0.01], c2=0.1)
    >>> bool(abs(2 * found.point.x * 0.01) <= 0.1 * 6 * 0.01)
    True
    """
    alpha = number("strong_wolfe", "alpha", alpha, "(0, inf)")
    each("strong_wolfe", "(0, 1)", c1=c1, c2=c2)
    each("strong_wolfe", "{1, 2, ...}", maxiter=maxiter)
    if not c1 < c2:
        raise ValueError(f"strong_wolfe: c1 must be below c2, got {c1} and {c2}")
    start, p, slope0 = prepare("strong_wolfe", f, x, p)
    # lo: the best length so far with enough fall. Once hi is known, the interval between them
    # holds lengths that satisfy both conditions, and φ falls from lo towards hi.
    lo, hi = Trial(0.0, start, slope0), None
    before = lo  # the length that was lo until the latest took its place
    for trials in range(1, maxiter + 1):
        with quiet_with_grad():
            point = Point(start.f, start.x + alpha * p)
            if hi and np.array_equal(point.x, lo.point.x):
                break  # the interval has become too small for x
            if point.fun == -math.inf:
                return LineSearch(
                    None,
                    lo.point,
                    trials,
                    f"f is -inf at α = {alpha:.1e}: it is unbounded below",
                    True,
                )
            if not point.finite:
                now = Trial(alpha, point, math.nan)
                hi = now
            else:
                now = Trial(alpha, point, float(point.jac @ p))
                enough = start.fun + c1 * alpha * slope0
                if point.fun > min(enough, lo.point.fun) + rounding(start):
                    hi = now
                elif abs(now.slope) <= c2 * abs(slope0):
                    return LineSearch(alpha, point, trials)
                else:
                    if now.slope * ((hi.alpha if hi else math.inf) - lo.alpha) >= 0:
                        hi = lo  # the minimum has been passed
                    before, lo = lo, now
            if hi is None:
                # where the cubic expects the minimum, if it is ahead; not nearer, nor much further
                ahead = cubic_minimum(before, lo)
                alpha = min(max(ahead, 1.1 * alpha), 10 * alpha) if ahead > alpha else 5 * alpha
            elif trials % 3 == 0:
                alpha = (lo.alpha + hi.alpha) / 2  # bisect, so that the interval certainly shrinks
            else:
                # the cubic's minimum, kept off both ends
                t = (cubic_minimum(lo, hi) - lo.alpha) / (hi.alpha - lo.alpha)
                t = 0.5 if math.isnan(t) else min(max(t, 0.1), 0.9)
                alpha = lo.alpha + t * (hi.alpha - lo.alpha)
    if hi is None:
        message = f"f still falls at α = {lo.alpha:.1e}: is it unbounded below?"
        return LineSearch(None, lo.point, trials, message, True)
    message = f"no α with the strong Wolfe conditions near {lo.alpha:.1e}"
    return LineSearch(None, lo.point, trials, message)


class Trial(NamedTuple):
    """One length tried: α, the point there, and φ'(α)."""

    alpha: float
    point: Point
    slope: float


def cubic_minimum(a: Trial, b: Trial) -> float:
    """Where the cubic with a's and b's values and slopes is least; NaN if there is no such place.

    Nocedal & Wright 2006, equation 3.59.
    """
    # d1 = a' + b' − 3 (φ(a) − φ(b)) / (a − b),   d2 = ±√(d1² − a' b')
    d1 = a.slope + b.slope - 3 * (a.point.fun - b.point.fun) / (a.alpha - b.alpha)
    d2 = math.copysign(float(np.sqrt(d1 * d1 - a.slope * b.slope)), b.alpha - a.alpha)
    denominator = b.slope - a.slope + 2 * d2
    if not denominator:
        return math.nan
    return float(b.alpha - (b.alpha - a.alpha) * (b.slope + d2 - d1) / denominator)


def prepare(
    who: str, f: Callable[[Tensor], Any], x: ArrayLike | Point, p: ArrayLike
) -> tuple[Point, Array, float]:
    """The start as a Point, p as a flat array, and the slope φ'(0) = ∇f(x)·p; all checked."""
    start = x if isinstance(x, Point) else starting_point(who, f, x)
    direction = floats(who, "p", p)
    if direction.shape not in (start.x.shape, start.f.shape):
        raise ValueError(f"{who}: p must have x's shape {start.f.shape}, got {direction.shape}")
    direction = direction.ravel().astype(start.x.dtype, copy=False)
    with quiet_with_grad():
        slope = float(start.jac @ direction)
    if not slope < 0:
        raise ValueError(f"{who}: p must go downhill, ∇f(x)·p < 0, got {slope:.3g}: try p = -∇f(x)")
    return start, direction, slope
