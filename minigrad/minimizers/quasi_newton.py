"""BFGS and L-BFGS: the Hessian learnt from the steps.

Derived in `chapters/optimization/quasi-newton.ipynb`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from .gradient_descent import SteepestDescent, descend, searching
from .problem import OptimizeResult, Point


class BFGS(SteepestDescent):
    """p = −H g with H an approximation of the *inverse* Hessian, learnt from the steps taken.

    Derived in `chapters/optimization/quasi-newton.ipynb`.
    """

    H: Any = None

    def __init__(self, scaling: str) -> None:
        self.scaling = scaling

    @property
    def scaled(self) -> bool:  # type: ignore[override]
        return self.H is not None

    def __call__(self, at: Point) -> Array:
        return -at.jac if self.H is None else -(self.H @ at.jac)

    def update(self, before: Point, after: Point, p: Array) -> None:
        s, y = after.x - before.x, after.jac - before.jac
        if not bends_up(s, y):
            return  # no positive definite H has H y = s
        if self.H is None:
            self.H = initial_scaling(self.scaling, s, y) * np.eye(s.size, dtype=s.dtype)
        # H <- (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ   with ρ = 1 / y·s,   multiplied out:
        rho, Hy = 1 / (y @ s), self.H @ y
        self.H = self.H + (rho + rho**2 * (y @ Hy)) * np.outer(s, s)
        self.H -= rho * (np.outer(Hy, s) + np.outer(s, Hy))

    def reset(self) -> None:
        self.H = None


class LBFGS(SteepestDescent):
    """p = −H g with BFGS's H, of which only the last `memory` steps are kept, and no matrix.

    Derived in `chapters/optimization/quasi-newton.ipynb`.
    """

    gamma: Any = 1.0

    def __init__(self, memory: int, scaling: str) -> None:
        self.memory, self.scaling = memory, scaling
        self.pairs: list[tuple[Array, Array]] = []  # (s, y), oldest first

    @property
    def scaled(self) -> bool:  # type: ignore[override]
        return bool(self.pairs)

    def __call__(self, at: Point) -> Array:
        # the two-loop recursion: newest pair first, then H_0 = γ I, then oldest pair first
        q: Array = at.jac
        alphas = []
        for s, y in reversed(self.pairs):
            alpha = (s @ q) / (y @ s)
            q = q - alpha * y
            alphas.append(alpha)
        r: Array = self.gamma * q
        for (s, y), alpha in zip(self.pairs, reversed(alphas)):
            beta = (y @ r) / (y @ s)
            r = r + (alpha - beta) * s
        return -r

    def update(self, before: Point, after: Point, p: Array) -> None:
        s, y = after.x - before.x, after.jac - before.jac
        if not bends_up(s, y):
            return
        if not self.pairs or self.scaling == "latest":
            self.gamma = initial_scaling(self.scaling, s, y)
        self.pairs = [*self.pairs, (s, y)][-self.memory :]

    def reset(self) -> None:
        self.pairs, self.gamma = [], 1.0


def bends_up(s: Array, y: Array) -> bool:
    """Whether the slope has risen along the step, y·s > 0, beyond rounding."""
    eps = np.finfo(s.dtype).eps
    return bool(y @ s > eps * np.linalg.norm(s) * np.linalg.norm(y))


def initial_scaling(scaling: str, s: Array, y: Array) -> Any:
    """γ = s·y / y·y, the inverse curvature along the step (or 1)."""
    return 1.0 if scaling == "none" else (s @ y) / (y @ y)


def bfgs(
    at: Point,
    *,
    scaling: str = "first",
    line_search: str = "strong_wolfe",
    maxiter: int = 1000,
    gtol: float = 1e-5,
) -> OptimizeResult:
    """method="bfgs": Broyden, Fletcher, Goldfarb, Shanno 1970.

    `scaling`: H_0 = γI with γ from the first step ("first"), or H_0 = I ("none").
    """
    direction = BFGS(scaling)
    result = descend(at, direction, searching(line_search), maxiter, gtol)
    return replace(result, hess_inv=direction.H)


def l_bfgs(
    at: Point,
    *,
    memory: int = 10,
    scaling: str = "latest",
    line_search: str = "strong_wolfe",
    maxiter: int = 1000,
    gtol: float = 1e-5,
) -> OptimizeResult:
    """method="l-bfgs": Nocedal 1980; Liu & Nocedal 1989.

    `scaling`: H_0 = γI with γ from the latest step ("latest"), the first one ("first"), or H_0 = I
    ("none").
    """
    return descend(at, LBFGS(memory, scaling), searching(line_search), maxiter, gtol)
