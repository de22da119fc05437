"""The loop that all unconstrained methods share, and the simplest of them.

Derived in `chapters/optimization/gradient-descent.ipynb`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..autograd.arrays import Array
from .line_search import LineSearch, backtracking, strong_wolfe
from .problem import STOPPED, OptimizeResult, Point, largest, outcome


class SteepestDescent:
    """p = −∇f, the negative gradient."""

    scaled = False  # whether α = 1 is the step to try first

    def __call__(self, at: Point) -> Array:
        """The direction to leave `at` by."""
        return -at.jac

    def update(self, before: Point, after: Point, p: Array) -> None:
        """Take the step along p from one point to the next into account."""

    def reset(self) -> None:
        """Forget what has been learnt, after a search along p has failed."""


def descend(
    at: Point,
    direction: SteepestDescent,
    search: Callable[[Point, Array, float], LineSearch],
    maxiter: int,
    gtol: float,
    fixed: bool = False,
) -> OptimizeResult:
    """x_{k+1} = x_k + α_k p_k, until the gradient vanishes.

    A p that does not go downhill is replaced by −∇f, and a search that finds nothing along p is
    followed by backtracking along −∇f; the direction's memory is then cleared. `fixed` steps are
    taken whatever f does.
    """
    path, before = [at.x], at
    alpha, stalled = 1.0, 0
    lowest = at.fun, largest(at.jac)  # f, and max |∇f|
    while True:
        size = largest(at.jac)
        if size <= gtol:
            return outcome(at, path, True, f"the gradient vanishes: max |∇f| = {size:.1e}")
        if len(path) > maxiter:
            message = f"maxiter = {maxiter} steps were not enough: max |∇f| = {size:.1e}"
            return outcome(at, path, False, message + obstacle(at))
        p = direction(at)
        if not fixed and not p @ at.jac < 0:
            direction.reset()
            p = -at.jac
        alpha = first_trial(direction, before, at, p, alpha)
        found = search(at, p, alpha)
        if found.alpha is None and not found.unbounded and not fixed:
            direction.reset()
            p = -at.jac
            again = backtracking(at.f, at, p, alpha=1 / max(1.0, float(np.linalg.norm(p))))
            found = again if again.alpha is not None else found
        if found.alpha is None:
            message = f"{found.message}; max |∇f| = {size:.1e}"
            return outcome(at, path, False, message + ("" if found.unbounded else obstacle(at)))
        alpha = found.alpha
        before, at = at, found.point
        direction.update(before, at, p)
        path.append(at.x)
        if at.f.stopped_at(at.x):
            return outcome(at, path, False, STOPPED)
        stalled = 0 if at.fun < lowest[0] or largest(at.jac) < lowest[1] else stalled + 1
        lowest = min(at.fun, lowest[0]), min(largest(at.jac), lowest[1])
        if stalled == 10 and not fixed:
            message = "rounding stops the descent: neither f nor its gradient gets smaller"
            return outcome(at, path, False, f"{message}; max |∇f| = {size:.1e}{obstacle(at)}")


def obstacle(at: Point, n: int = 20) -> str:
    """What may stand in the way there, by the Hessian; for few variables, where that is cheap."""
    if at.x.size > n:
        return ""
    try:
        H = at.hessian()
    except ValueError:  # the descent needed first derivatives only; there may be no second ones
        return ""
    if not np.isfinite(H).all():
        return ""
    eigenvalues = np.linalg.eigvalsh(H)
    least, most = np.abs(eigenvalues).min(), np.abs(eigenvalues).max()
    if eigenvalues[0] < -1e-6 * most:
        return f"; f curves down there (an eigenvalue is {eigenvalues[0]:.1e}), as at no minimum"
    if most <= 1e5 * least:
        return ""
    if least <= np.finfo(float).eps * most:
        return "; in some direction f does not curve there, within rounding"
    # would other units help? with each variable in the unit that makes its own curvature 1
    scale = np.abs(np.diag(H)) ** -0.5
    even = np.linalg.cond(scale[:, None] * H * scale) if np.isfinite(scale).all() else math.inf
    hint = ": measure x in other units" if even * least < 1e-3 * most else ""
    return f"; the curvatures there differ by a factor of {most / least:.0e}{hint}"


def first_trial(
    direction: SteepestDescent, before: Point, at: Point, p: Array, alpha: float
) -> float:
    """The step length to try first."""
    if direction.scaled:
        return 1.0
    if before is at:  # nothing is known yet: a step of length 1 at most
        return 1 / max(1.0, float(np.linalg.norm(p)))
    # the length at which a parabola falls as much as f fell in the last step
    guess = 2 * (at.fun - before.fun) / float(p @ at.jac)
    return guess if 0 < guess < math.inf else alpha


def searching(line_search: str, **constants: float) -> Callable[[Point, Array, float], LineSearch]:
    if line_search == "backtracking":
        return lambda at, p, alpha: backtracking(at.f, at, p, alpha)
    return lambda at, p, alpha: strong_wolfe(at.f, at, p, alpha, **constants)  # type: ignore[arg-type]


def stepping(lr: float) -> Callable[[Point, Array, float], LineSearch]:
    """The same α for every step, without a line search."""

    def step(at: Point, p: Array, _: float) -> LineSearch:
        point = Point(at.f, at.x + lr * p)
        if point.finite:
            return LineSearch(lr, point, 1)
        return LineSearch(None, at, 1, f"the steps with lr = {lr} lead to f = {point.fun}")

    return step


def gradient_descent(
    at: Point,
    *,
    lr: float | None = None,
    line_search: str = "backtracking",
    maxiter: int = 1000,
    gtol: float = 1e-5,
) -> OptimizeResult:
    """method="gradient-descent": along −∇f; with `lr`, by fixed steps −lr ∇f.

    Derived in `chapters/optimization/gradient-descent.ipynb`.
    """
    search = searching(line_search) if lr is None else stepping(lr)
    return descend(at, SteepestDescent(), search, maxiter, gtol, fixed=lr is not None)
