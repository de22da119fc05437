"""Minimization under constraints.

Derived in `chapters/optimization/lagrange-multipliers.ipynb`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.calculus import hessian, jacobian
from ..autograd.tensor import Tensor
from .newton import solve
from .problem import STOPPED, Function, OptimizeResult, Point, largest, outcome, rounding
from .quasi_newton import bfgs


class Constraints:
    """c(x) = 0 and h(x) >= 0, of SciPy's dicts {"type": "eq" | "ineq", "fun": ..., "args": (...)}.

    All "eq" ones together make c, all "ineq" ones h.
    """

    def __init__(self, dicts: Any, start: Point) -> None:
        self.dicts = [dicts] if isinstance(dicts, dict) else list(dicts)
        self.shape = start.f.shape
        for i, d in enumerate(self.dicts):
            self.check(i, d)
        values = [self.value(d, start.leaf.detach()).data for d in self.dicts]
        for i, v in enumerate(values):
            if not np.isfinite(v).all():
                raise ValueError(f"minimize: constraint {i} must be finite at x0, got {v}")
        self.sizes = [v.size for v in values]
        if not all(np.isfinite(self.linearize(kind, start.x)[1]).all() for kind in ("eq", "ineq")):
            raise ValueError(
                "minimize: the constraints' derivatives must be finite at x0: start elsewhere"
            )

    def check(self, i: int, d: Any) -> None:
        if not isinstance(d, dict):
            raise TypeError(
                f"minimize: constraint {i} must be a dict, {{'type': 'eq', 'fun': f}}, got {d!r}"
            )
        if unknown := d.keys() - {"type", "fun", "args"}:
            raise ValueError(
                f"minimize: constraint {i} has the unknown key {', '.join(map(repr, unknown))}; "
                "there are 'type', 'fun', 'args' (derivatives come from minigrad)"
            )
        if d.get("type") not in ("eq", "ineq"):
            raise ValueError(
                f"minimize: constraint {i} must have the type 'eq' (fun = 0) or 'ineq' "
                f"(fun >= 0), got {d.get('type')!r}"
            )
        if not callable(d.get("fun")):
            raise TypeError(
                f"minimize: constraint {i} needs a function 'fun' of a Tensor, got {d.get('fun')!r}"
            )

    @staticmethod
    def value(d: Any, x: Tensor) -> Tensor:
        y = d["fun"](x, *d.get("args", ()))
        if not isinstance(y, Tensor):
            raise TypeError(
                "minimize: a constraint's fun must give a Tensor, computed from x with operators "
                f"and NumPy functions, got {type(y).__name__}"
            )
        return y.reshape(-1)

    def function(self, kind: str) -> Callable[[Tensor], Tensor]:
        """c ("eq") or h ("ineq") as a function of a Tensor: all values in one vector."""

        def together(x: Tensor) -> Tensor:
            parts = [self.value(d, x) for d in self.dicts if d["type"] == kind]
            values: Any = np.concatenate(parts) if parts else np.zeros(0, x.dtype)
            return values if parts else Tensor(values)

        return together

    def linearize(self, kind: str, x: Array) -> tuple[Array, Array]:
        """The values at x, and their Jacobian, a row each."""
        f, leaf = self.function(kind), Tensor(x.reshape(self.shape))
        value = f(leaf).data
        return value, jacobian(f, leaf).data.reshape(value.size, x.size)

    def split(self, equality: Array, inequality: Array) -> list[Array]:
        """The multipliers of c and h, handed back to the constraints they belong to."""
        rest = {"eq": equality, "ineq": inequality}
        parts = []
        for d, n in zip(self.dicts, self.sizes):
            parts.append(rest[d["type"]][:n])
            rest[d["type"]] = rest[d["type"]][n:]
        return parts


def lagrangian(
    f: Function,
    c: Callable[[Tensor], Tensor],
    h: Callable[[Tensor], Tensor],
    nu: Array,
    lam: Array,
) -> Callable[[Tensor], Tensor]:
    """f − ν·c − λ·h"""
    return lambda x: f(x).reshape(()) - (nu * c(x)).sum() - (lam * h(x)).sum()


class KKT:
    """Where the primal-dual method stands: x, slacks s > 0 of h(x) − s = 0, multipliers ν, λ > 0.

    The Karush-Kuhn-Tucker conditions, with complementarity λ s = 0 loosened to λ s = μ:

        ∇f − Aᵀν − Bᵀλ = 0,   c = 0,   h − s = 0,   λ s − μ = 0      (A, B: Jacobians of c, h)
    """

    def __init__(self, at: Point, cons: Constraints, s: Any, nu: Any, lam: Any) -> None:
        self.at, self.nu, self.lam = at, nu, lam
        self.c, self.A = cons.linearize("eq", at.x)
        self.h, self.B = cons.linearize("ineq", at.x)
        if nu is None:
            # a start off the boundary; multipliers of c that fit ∇f best, of h from λ s = 1
            self.s = s = np.maximum(self.h, 1)
            self.lam = 1 / s
            self.nu = np.linalg.lstsq(self.A.T, at.jac - self.B.T @ self.lam)[0]
        self.s = s

    def residual(self, mu: float) -> tuple[Array, Array, Array, Array]:
        dual = self.at.jac - self.A.T @ self.nu - self.B.T @ self.lam
        return dual, self.c, self.h - self.s, self.lam * self.s - mu

    @property
    def finite(self) -> bool:
        return self.at.finite and bool(np.isfinite(self.A).all() and np.isfinite(self.B).all())

    def merit(self, mu: float, weight: float) -> float:
        """f with the slacks' barrier and the violation's price: what a step must lower."""
        violation = np.abs(self.c).sum() + np.abs(self.h - self.s).sum()
        return float(self.at.fun - mu * np.log(self.s).sum() + weight * violation)


def newton_kkt(
    at: Point, constraints: Constraints, *, maxiter: int = 200, gtol: float = 1e-5
) -> OptimizeResult:
    """method="newton-kkt": Newton's method on the Karush-Kuhn-Tucker conditions, see `KKT`.

    Inequalities get slacks and are kept off their boundary by μ, which falls to 0 (a primal-dual
    interior-point method; the start may be infeasible). With W the Hessian of f − ν·c − λ·h, and
    ds = −(λ∘s − μ + s∘dλ)/λ eliminated, each step solves

        [ W + τI   Aᵀ    Bᵀ  ] [ dx]       [ ∇f − Aᵀν − Bᵀλ ]
        [ A        0     0   ] [−dν]  =  − [ c              ]
        [ B        0    −s/λ ] [−dλ]       [ h − μ/λ        ]

    τ = 0 unless f − ν·c − λ·h curves down along the constraints (see `with_shift`). The step is
    shortened to keep s, λ > 0, and until f + μ-barrier + weight·violation falls, or the conditions
    are better satisfied. μ falls once they hold to within 10 μ.

    Reference: Nocedal & Wright 2006, sections 18.1, 19.2 and 19.3.
    Derived in `chapters/optimization/lagrange-multipliers.ipynb`.
    """
    now = KKT(at, constraints, None, None, None)
    path, n, q, m = [at.x], at.x.size, now.c.size, now.h.size
    mu, weight = (1.0 if m else 0.0), 1.0
    c, h = constraints.function("eq"), constraints.function("ineq")

    def finish(success: bool, message: str) -> OptimizeResult:
        violation = largest(now.c, np.minimum(now.h, 0))
        return outcome(
            now.at,
            path,
            success,
            f"{message}: the conditions miss by {largest(*now.residual(0)):.1e}, "
            f"the constraints by {violation:.1e}",
            multipliers=constraints.split(now.nu, now.lam),
        )

    while True:
        if largest(*now.residual(0)) <= gtol:
            return finish(True, "the Karush-Kuhn-Tucker conditions hold")
        if len(path) > maxiter:
            return finish(False, f"maxiter = {maxiter} steps were not enough")
        s, lam, A, B = now.s, now.lam, now.A, now.B
        while mu > gtol / 10 and largest(*now.residual(mu)) <= 10 * mu:
            mu = max(min(mu / 5, mu**1.5), gtol / 10)
        r_dual, r_c, r_h, r_s = now.residual(mu)

        # W = ∇²(f − ν·c − λ·h)
        at.f.nhev += 1
        W = hessian(lagrangian(at.f, c, h, now.nu, now.lam), now.at.leaf).data.reshape(n, n)
        K = np.block(
            [
                [W, A.T, B.T],
                [A, np.zeros((q, q + m))],
                [B, np.zeros((m, q)), -np.diag(s / lam)],
            ]
        )
        if not np.isfinite(K).all():
            return finish(False, "the second derivatives are not finite")
        K, tau = with_shift(K, n, np.concatenate([np.ones(n + q), np.sqrt(lam / s)]))
        step = solve(K, -np.concatenate([r_dual, r_c, r_h + r_s / lam])).astype(at.x.dtype)
        dx, dnu, dlam = step[:n], -step[n : n + q], -step[n + q :]
        ds = -(r_s + s * dlam) / lam

        # φ'(0) along the step is negative once the violation's price exceeds the multipliers
        weight = max(weight, 2 * largest(now.nu + dnu, lam + dlam))
        slope = float(
            now.at.jac @ dx - mu * (ds / s).sum() - weight * (np.abs(r_c).sum() + np.abs(r_h).sum())
        )
        alpha, alpha_dual = to_the_boundary(s, ds), to_the_boundary(lam, dlam)
        merit, size = now.merit(mu, weight), largest(r_dual, r_c, r_h, r_s)
        for _ in range(40):
            trial = KKT(
                Point(at.f, now.at.x + alpha * dx),
                constraints,
                s + alpha * ds,
                now.nu + alpha * dnu,
                lam + min(alpha, alpha_dual) * dlam,
            )
            fall = trial.merit(mu, weight) <= merit + 1e-4 * alpha * slope + rounding(now.at)
            closer = tau == 0 and largest(*trial.residual(mu)) <= 0.9 * size
            if (fall or closer) and trial.finite:
                break
            alpha /= 2
        else:
            return finish(False, "no step along Newton's direction is an improvement")
        now = trial
        path.append(now.at.x)
        if at.f.stopped_at(now.at.x):
            return finish(False, STOPPED)


def to_the_boundary(s: Array, ds: Array) -> float:
    """The step length, at most 1, that keeps at least 1/200 of every s."""
    shrinking = ds < 0
    return float(np.min(-0.995 * s[shrinking] / ds[shrinking], initial=1.0))


def with_shift(K: Array, n: int, scale: Array) -> tuple[Array, float]:
    """K with τ added to its first n diagonal entries, and τ: the first of 0, 10⁻³|K|, 10⁻²|K|, ...
    that gives K n positive eigenvalues, as many as where f is least along the constraints.

    Scaling rows and columns alike does not change the signs, but makes small eigenvalues visible.
    """
    scale = np.minimum(scale, 1)
    K, D = K.copy(), scale * scale[:, None]
    size = largest(K * D) or 1.0
    tau, more = 0.0, 1e-3 * size
    while True:
        eigenvalues = np.linalg.eigvalsh(K * D)
        if (eigenvalues > 100 * np.finfo(K.dtype).eps * size).sum() >= n:
            return K, tau
        K[range(n), range(n)] += more
        tau, more = tau + more, 10 * more


def augmented(
    f: Function,
    c: Callable[[Tensor], Tensor],
    h: Callable[[Tensor], Tensor],
    nu: Array,
    lam: Array,
    rho: float,
) -> Callable[[Tensor], Tensor]:
    """f − ν·c + ρ/2 |c|² + 1/(2ρ) Σ (max(0, λ − ρh)² − λ²)"""

    def L(x: Tensor) -> Tensor:
        cx = c(x)
        pushed: Any = np.maximum(lam - rho * h(x), 0)
        equality = rho / 2 * (cx * cx).sum() - (nu * cx).sum()
        inequality = ((pushed * pushed).sum() - (lam * lam).sum()) / (2 * rho)
        total: Tensor = f(x).reshape(()) + equality + inequality
        return total

    return L


def augmented_lagrangian(
    at: Point,
    constraints: Constraints,
    *,
    penalty: float = 10.0,
    maxiter: int = 50,
    gtol: float = 1e-5,
) -> OptimizeResult:
    """method="augmented-lagrangian": a sequence of problems without constraints, solved by "bfgs".

        minimize  f − ν·c + ρ/2 |c|² + 1/(2ρ) Σ (max(0, λ − ρh)² − λ²)
        then      ν ← ν − ρ c,   λ ← max(0, λ − ρ h)

    and ρ ← 10 ρ if the violation (above gtol) has not fallen to a quarter. ρ starts as `penalty`
    and need not go to infinity, because the multipliers take its part.

    Reference: Hestenes 1969; Powell 1969; Rockafellar 1973; Nocedal & Wright 2006, section 17.4.
    Derived in `chapters/optimization/lagrange-multipliers.ipynb`.
    """
    c, h = constraints.function("eq"), constraints.function("ineq")

    def values(x: Array) -> tuple[Array, Array]:
        leaf = Tensor(x.reshape(at.f.shape))
        return c(leaf).data, h(leaf).data

    c_x, h_x = values(at.x)
    nu, lam, rho = np.zeros_like(c_x), np.zeros_like(h_x), penalty
    path = [at.x]
    # what is left of  c = 0  and of  min(h, λ/ρ) = 0  (feasible, and λ = 0 where h > 0)
    violation = largest(c_x, np.minimum(h_x, 0))
    message = f"maxiter = {maxiter} steps were not enough"
    success, slope = False, math.inf
    for _ in range(maxiter):
        inner = Function(augmented(at.f, c, h, nu, lam, rho), at.f.shape)
        result = bfgs(Point(inner, path[-1]), gtol=gtol)
        at.f.nfev, at.f.njev = at.f.nfev + inner.nfev, at.f.njev + inner.njev
        c_x, h_x = values(result.x.ravel())
        before, now = violation, largest(c_x, np.minimum(h_x, lam / rho))
        if result.success or now <= max(before, gtol):
            path.append(result.x.ravel())
            if at.f.stopped_at(path[-1]):
                message = STOPPED
                break
            nu, lam = nu - rho * c_x, np.maximum(lam - rho * h_x, 0)
            violation, slope = now, largest(result.jac)
        # What the violation is worth in f, by the shadow prices. Where there are no multipliers
        # they grow as the violation falls, and the conditions hold nearly at points that are far.
        worth = float(np.abs(nu * c_x).sum() + np.abs(lam * h_x).sum())
        kept = max(violation, slope) <= gtol
        success = kept and worth <= 10 * gtol * max(1.0, abs(result.fun))
        if success:
            message = "the Karush-Kuhn-Tucker conditions hold"
            break
        if kept:
            message = (
                f"the multipliers grow as the violation falls, up to {largest(nu, lam):.1e}: "
                "perhaps there are none, since the constraints' gradients depend on each other"
            )
        falling = not result.success and "unbounded below" in result.message
        if falling or not now <= max(before / 4, gtol):
            rho *= 10
        if rho > 1e12:
            if falling:
                message = "f falls without end where the constraints hold, or nearly do"
            elif not kept:
                message = "no penalty brings the constraints together"
            break
    return outcome(
        Point(at.f, path[-1]),
        path,
        success,
        f"{message}: the constraints miss by {violation:.1e}, the Lagrangian's gradient is "
        f"{slope:.1e}",
        multipliers=constraints.split(nu, lam),
    )
