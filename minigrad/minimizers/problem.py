"""f as the methods see it, and what they give back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.calculus import grad, gradient, hessian
from ..autograd.recording import recording
from ..autograd.tensor import ArrayLike, Tensor
from ..checks import floats, function


class Function:
    """f with its evaluations counted: values, gradients, Hessians or their products."""

    def __init__(
        self,
        f: Callable[..., Any],
        shape: tuple[int, ...],
        args: tuple[Any, ...] = (),
        callback: Callable[[Array], Any] | None = None,
    ) -> None:
        self.f, self.shape, self.args, self.callback = f, shape, args, callback
        self.nfev = self.njev = self.nhev = 0

    def stopped_at(self, x: Array) -> bool:
        """Show a point to the callback; whether that asks to stop."""
        try:
            return self.callback is not None and bool(self.callback(x.reshape(self.shape).copy()))
        except StopIteration:
            return True

    def __call__(self, x: Tensor) -> Tensor:
        y = self.f(x, *self.args)
        if not isinstance(y, Tensor):
            raise TypeError(
                f"f must give a Tensor, computed from x with operators and NumPy functions, "
                f"got {type(y).__name__}"
            )
        if y.size != 1:
            raise ValueError(
                f"f must give one number, got shape {y.shape}: take its .sum() or .mean()"
            )
        return y


class Point:
    """A point x, the value f(x), and on demand the derivatives of f there (of x made flat)."""

    def __init__(self, f: Function, x: Array) -> None:
        self.f, self.x = f, x
        f.nfev += 1
        self.leaf = Tensor(x.reshape(f.shape), requires_grad=True)
        self.y = f(self.leaf)
        self.fun = float(self.y.item())

    @cached_property
    def jac(self) -> Array:
        """∇f(x), by walking back the graph that f(x) has left."""
        self.f.njev += 1
        g = grad(self.y, self.leaf, allow_unused=True) if self.y.requires_grad else None
        return np.zeros_like(self.x) if g is None else g.data.ravel()

    def hessian(self) -> Array:
        """∇²f(x), n by n."""
        self.f.nhev += 1
        n = self.x.size
        return hessian(self.f, self.leaf).data.reshape(n, n)

    def hvp(self) -> Callable[[Array], Array]:
        """The function v -> ∇²f(x) v, as the gradient of ∇f(x)·v: no Hessian is built."""
        leaf = Tensor(self.leaf, requires_grad=True)
        g = gradient(self.f, leaf)

        def product(v: Array) -> Array:
            self.f.nhev += 1
            v = v.reshape(leaf.shape)
            Hv = grad(g, leaf, v, retain_graph=True, allow_unused=True) if g.requires_grad else None
            return np.zeros_like(self.x) if Hv is None else Hv.data.ravel()

        return product

    @property
    def finite(self) -> bool:
        return math.isfinite(self.fun) and bool(np.isfinite(self.jac).all())


@contextmanager
def quiet_with_grad() -> Iterator[None]:
    """Record, also inside no_grad(), without NumPy's warnings: trial points of a line search may
    overflow, and callers test `Point.finite`."""
    with recording(True), np.errstate(all="ignore"):
        yield


@dataclass(frozen=True)
class OptimizeResult:
    """What `minimize` and `linear_cg` found; SciPy's names.

    Attributes
    ----------
    x, fun, jac: the last point, f and ∇f there (plain arrays, x of x0's shape).
    success, message: whether x is what was asked for, and why the run ended.
    nit: iterations. nfev, njev, nhev: evaluations of f, of its gradient, of its Hessian (or
        products with it).
    path: the points x_0 ... x_nit, of shape (nit + 1, *x0.shape).
    multipliers: one array for each constraint: how fast f's minimum rises with the constraint's
        level (its shadow price), d f(x*) / d b for fun(x) = b or fun(x) >= b at b = 0.
    hess_inv: the last approximation of the inverse Hessian ("bfgs").
    """

    x: Array
    fun: float
    jac: Array
    success: bool
    message: str
    nit: int
    nfev: int
    njev: int
    nhev: int
    path: Array = field(repr=False)
    multipliers: list[Array] | None = None
    hess_inv: Array | None = field(default=None, repr=False)

    def __getitem__(self, key: str) -> Any:
        """result["x"] is result.x, as in SciPy."""
        if key not in self.__dataclass_fields__:
            raise KeyError(f"{key!r} is none of {', '.join(self.__dataclass_fields__)}")
        return getattr(self, key)


def outcome(
    at: Point, path: list[Array], success: bool, message: str, **more: Any
) -> OptimizeResult:
    f = at.f
    return OptimizeResult(
        x=at.x.reshape(f.shape),
        fun=at.fun,
        jac=at.jac.reshape(f.shape),
        success=success,
        message=message,
        nit=len(path) - 1,
        nfev=f.nfev,
        njev=f.njev,
        nhev=f.nhev,
        path=np.stack(path).reshape(len(path), *f.shape),
        **more,
    )


STOPPED = "the callback has asked to stop"


def starting_point(
    who: str,
    f: Callable[..., Any],
    x0: ArrayLike,
    args: tuple[Any, ...] = (),
    callback: Callable[[Array], Any] | None = None,
) -> Point:
    """f as a Function, at x0: something to start from, or an error that says why not."""
    function(who, "f", f, "a function of a Tensor")
    x = floats(who, "x0" if who == "minimize" else "x", x0)
    if not np.isfinite(x).all():
        raise ValueError(f"{who}: the start must be finite, got {x}")
    if not x.size:
        raise ValueError(f"{who}: the start has no elements, shape {x.shape}: nothing to vary")
    with quiet_with_grad():
        at = Point(Function(f, x.shape, args, callback), x.flatten())
        if not at.y.requires_grad:
            raise ValueError(
                f"{who}: the result of f does not come from x, so it has no gradient: compute it "
                "from the Tensor that f is given, without .data, .numpy() or .detach()"
            )
        if not at.finite:
            raise ValueError(
                f"{who}: f and its gradient must be finite at the start, got f = {at.fun} and "
                f"max |∇f| = {largest(at.jac)}: start elsewhere"
            )
    return at


def largest(*arrays: Array) -> float:
    """The largest absolute value among them; NaN if there is one."""
    return float(np.max([np.abs(a).max(initial=0) for a in arrays]))


def rounding(at: Point) -> float:
    """The rounding error of f there: a smaller decrease cannot be told from none."""
    return 100 * float(np.finfo(at.x.dtype).eps) * abs(at.fun)
