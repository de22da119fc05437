"""Conjugate gradients, for linear systems and for minimization.

Derived in `chapters/optimization/conjugate-gradient.ipynb`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike
from ..checks import each, floats, function
from .gradient_descent import SteepestDescent, descend, searching
from .problem import OptimizeResult, Point, largest, quiet_with_grad


class ConjugateGradient(SteepestDescent):
    """p_k = −g_k + β_k p_{k−1}, started afresh where it must be.

    With β by Fletcher and Reeves that is every n + 1 steps, as they did; by Polak and Ribière where
    p is not downhill enough, p·g > −σ g·g (Gilbert & Nocedal 1992; σ = 0.1).

    Derived in `chapters/optimization/conjugate-gradient.ipynb`.
    """

    g: Any = None  # the last point's gradient, and the direction taken from there
    p: Any = None
    age = 0  # steps since the last fresh start

    def __init__(self, beta: str) -> None:
        self.beta = beta

    def __call__(self, at: Point) -> Array:
        g: Array = at.jac
        if self.p is None:
            return self.afresh(g)
        if self.beta == "fletcher-reeves":
            # β = g_k·g_k / g_{k−1}·g_{k−1}
            beta = (g @ g) / (self.g @ self.g)
            if self.age > g.size:
                return self.afresh(g)
        else:
            # β = max(0, g_k·(g_k − g_{k−1}) / g_{k−1}·g_{k−1});   β = 0 starts afresh
            beta = max((g @ (g - self.g)) / (self.g @ self.g), 0)
        p: Array = -g + beta * self.p
        if self.beta == "polak-ribiere" and not p @ g <= -0.1 * (g @ g):
            return self.afresh(g)
        return p

    def afresh(self, g: Array) -> Array:
        self.age = 0
        return -g

    def update(self, before: Point, after: Point, p: Array) -> None:
        self.g, self.p, self.age = before.jac, p, self.age + 1

    def reset(self) -> None:
        self.p = None


def conjugate_gradient(
    at: Point,
    *,
    beta: str = "polak-ribiere",
    line_search: str = "strong_wolfe",
    maxiter: int = 1000,
    gtol: float = 1e-5,
) -> OptimizeResult:
    """method="cg": nonlinear conjugate gradients.

    `beta` by Fletcher & Reeves 1964 or Polak & Ribière 1969, c2 = 0.15 in the line search.
    """
    return descend(at, ConjugateGradient(beta), searching(line_search, c2=0.15), maxiter, gtol)


def linear_cg(
    A: ArrayLike | Callable[[Array], ArrayLike],
    b: ArrayLike,
    preconditioner: Callable[[Array], ArrayLike] | None = None,
    x0: ArrayLike | None = None,
    rtol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
) -> OptimizeResult:
    r"""Solve A x = b for a symmetric positive definite A by conjugate gradients.

    It is the minimum of $\tfrac12 x^T A x - b^T x$, approached along directions that are conjugate,
    $d_i^T A d_j = 0$, so that each needs to be gone along only once: n steps at most, were it not
    for rounding.

    Parameters
    ----------
    A: (n, n) symmetric positive definite, or the function v -> A v.
    b: (n,), the right-hand side of A x = b.
    preconditioner: the function r -> M⁻¹ r for a symmetric positive definite M near A; 1 by
        default.
    x0: (n,), where to start; 0 by default.
    rtol, atol: >= 0, success is |b − A x| <= max(rtol |b|, atol), with the residual that the steps
        carry along.
    maxiter: whole number >= 0, 10 n by default.

    Returns
    -------
    as `minimize`: `.x`, `.fun` = ½ xᵀA x − b·x, `.jac` = A x − b, `.nit`, `.nfev` (products with
    A), `.success`, `.message`, `.path`. It stops without success where dᵀA d <= 0: A is then not
    positive definite. If no direction shows it, a matrix is checked in the end (a function cannot
    be): an x with A x = b is no minimum if A is indefinite.

    Reference: Hestenes & Stiefel 1952; Nocedal & Wright 2006, algorithm 5.3.
    Derived in `chapters/optimization/conjugate-gradient.ipynb`.

    >>> result = linear_cg([[4.0, 1.0], [1.0, 3.0]], [1.0, 2.0])
    >>> result.nit, result.x.round(4)
    (2, array([0.0909, 0.6364]))
    """
    b = floats("linear_cg", "b", b)
    if b.ndim != 1 or not np.isfinite(b).all():
        raise ValueError(
            f"linear_cg: b must be a vector of finite numbers, got shape {b.shape}"
            + (", with others among them" if b.ndim == 1 else "")
        )
    n = b.size
    matrix: Any = None if callable(A) else symmetric(floats("linear_cg", "A", A), n)
    product: Any = A if callable(A) else lambda v: matrix @ v
    x = np.zeros_like(b) if x0 is None else floats("linear_cg", "x0", x0).astype(b.dtype)
    if x.shape != (n,) or not np.isfinite(x).all():
        raise ValueError(f"linear_cg: x0 must be {n} finite numbers, as b, got shape {x.shape}")
    each("linear_cg", "[0, inf)", rtol=rtol, atol=atol)
    if maxiter is None:
        maxiter = 10 * n
    each("linear_cg", "{0, 1, ...}", maxiter=maxiter)
    if preconditioner is not None:
        function("linear_cg", "preconditioner", preconditioner)

    def vector(who: str, v: ArrayLike) -> Array:
        """What a function of the user gave, checked."""
        array = floats("linear_cg", who, v)
        if array.shape != (n,):
            raise ValueError(f"linear_cg: {who} must have b's shape {(n,)}, got {array.shape}")
        return array

    with quiet_with_grad():
        r = b - vector("A v", product(x)) if x.any() else b
        z = vector("M⁻¹ r", preconditioner(r)) if preconditioner else r
        d, rz = z, r @ z
        path, nfev = [x], int(x.any())
        tolerance = max(rtol * float(np.linalg.norm(b)), atol)
        while True:
            size = float(np.linalg.norm(r))
            success = size <= tolerance
            if success and matrix is not None and not definite(matrix):
                success, message = False, "A is not positive definite: x solves A x = b, no more"
                break
            if success:
                message = f"|b − A x| = {size:.1e} is within {tolerance:.1e}"
                break
            if len(path) > maxiter:
                message = f"maxiter = {maxiter} steps were not enough: |b − A x| = {size:.1e}"
                break
            if not 0 < rz < math.inf:
                message = f"rᵀM⁻¹r = {rz:.3g}: the preconditioner is not positive definite"
                break
            Ad = vector("A v", product(d))
            nfev += 1
            curvature = d @ Ad
            if not 0 < curvature < math.inf:
                message = f"dᵀA d = {curvature:.3g}: A is not positive definite"
                break
            # to the minimum along d:  α = rᵀz / dᵀA d
            alpha = rz / curvature
            x = x + alpha * d
            r = r - alpha * Ad
            z = vector("M⁻¹ r", preconditioner(r)) if preconditioner else r
            # the next direction, conjugate to all before:  d ← z + β d,  β = rᵀz (new) / rᵀz (old)
            rz, rz_old = r @ z, rz
            d = z + (rz / rz_old) * d
            path.append(x)
    return OptimizeResult(
        x=x,
        fun=float(-(x @ (b + r)) / 2),  # ½ xᵀA x − b·x, for A x = b − r
        jac=-r,
        success=success,
        message=message,
        nit=len(path) - 1,
        nfev=nfev,
        njev=0,
        nhev=0,
        path=np.stack(path),
    )


def definite(A: Array) -> bool:
    """Whether A is positive definite, or but for rounding semidefinite."""
    n = len(A)
    rounding = 10 * n * float(np.finfo(A.dtype).eps) * largest(A)
    try:
        np.linalg.cholesky(A + rounding * np.eye(n, dtype=A.dtype))
    except np.linalg.LinAlgError:
        return False
    return True


def symmetric(A: Array, n: int) -> Array:
    if A.shape != (n, n):
        raise ValueError(f"linear_cg: A must be {(n, n)} to fit b, got {A.shape}")
    tolerance = 100 * float(np.finfo(A.dtype).eps) * largest(A)
    if not largest(A - A.T) <= tolerance:  # also for NaN
        raise ValueError(
            f"linear_cg: A must be symmetric and finite, got max |A - Aᵀ| = {largest(A - A.T):.3g}"
        )
    return A
