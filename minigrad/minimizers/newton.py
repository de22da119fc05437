"""Newton's method, with the Hessian or with products of it.

Derived in `chapters/optimization/newton.ipynb`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from .conjugate_gradient import linear_cg
from .gradient_descent import SteepestDescent, descend, searching, stepping
from .problem import OptimizeResult, Point, largest


class Newton(SteepestDescent):
    """p = −H⁻¹ g, the step to the minimum of the local quadratic model.

    Derived in `chapters/optimization/newton.ipynb`.
    """

    scaled = True

    def __init__(self, damping: bool) -> None:
        self.damping = damping

    def __call__(self, at: Point) -> Array:
        H = at.hessian()
        if not np.isfinite(H).all():
            return -at.jac
        if self.damping:
            # (H + τ I) p = −g, with τ = 0 wherever H is positive definite
            H = H + shift(H) * np.eye(len(H), dtype=H.dtype)
        return solve(H, -at.jac)


def shift(H: Array) -> float:
    """τ that makes H + τI positive definite: 0 if H is, else enough to turn the sign of H's most
    negative eigenvalue, so that a step along it is neither uphill nor wild."""
    if not H.size:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(H)
    least = float(eigenvalues[0])
    floor = negligible(H.dtype) * (largest(eigenvalues) or 1.0)
    return 0.0 if least > floor else max(-2 * least, floor - least)


def negligible(dtype: Any) -> float:
    """The part of the largest eigenvalue below which another counts as 0."""
    return math.sqrt(np.finfo(dtype).eps)


def solve(A: Array, b: Array) -> Array:
    """x with A x = b; if A is singular, the shortest x with the least error."""
    try:
        x = np.linalg.solve(A, b)
    except np.linalg.LinAlgError:
        x = np.linalg.lstsq(A, b)[0]
    return x


class NewtonCG(SteepestDescent):
    """p ≈ −H⁻¹ g by conjugate gradients, from products H v alone: H is never built.

    It is inexact: it stops at |H p + g| <= min(½, √|g|) |g|. A direction of negative curvature
    ends the inner iteration: p is what has been found by then (if that is 0, `descend` takes −g).
    Nocedal & Wright 2006, algorithm 7.1. Derived in `chapters/optimization/newton.ipynb`.
    """

    scaled = True

    def __call__(self, at: Point) -> Array:
        g = at.jac
        norm = float(np.linalg.norm(g))
        return linear_cg(at.hvp(), -g, rtol=min(0.5, norm**0.5), maxiter=20 * g.size).x


def newton(
    at: Point,
    *,
    damping: bool = True,
    lr: float | None = None,
    line_search: str = "strong_wolfe",
    maxiter: int = 1000,
    gtol: float = 1e-5,
) -> OptimizeResult:
    """method="newton": along −(H + τI)⁻¹ ∇f, τ = 0 unless H is not positive definite (see `shift`).

    `damping=False, lr=1` is the pure method, which goes to any stationary point. One that is not a
    minimum (H has a negative eigenvalue there) is no success.
    """
    search = searching(line_search) if lr is None else stepping(lr)
    result = descend(at, Newton(damping), search, maxiter, gtol, fixed=lr is not None)
    if result.success:
        H = Point(at.f, result.x.ravel()).hessian()
        eigenvalues = np.linalg.eigvalsh(H if np.isfinite(H).all() else np.eye(len(H)))
        if eigenvalues[0] < -negligible(H.dtype) * largest(eigenvalues):
            return replace(
                result,
                success=False,
                message=f"{result.message}, but at a saddle point or maximum: the Hessian has the "
                f"eigenvalue {eigenvalues[0]:.3g}; start elsewhere",
            )
    return result


def newton_cg(
    at: Point, *, line_search: str = "strong_wolfe", maxiter: int = 1000, gtol: float = 1e-5
) -> OptimizeResult:
    """method="newton-cg": Newton's direction by conjugate gradients, see `NewtonCG`."""
    return descend(at, NewtonCG(), searching(line_search), maxiter, gtol)
