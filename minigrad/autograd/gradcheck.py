"""Check a derivative against finite differences, to first and to second order.

Derived, with the best step and what can go wrong, in `chapters/autograd/gradient-checking.ipynb`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..checks import array, each, function, generator
from .arrays import Array
from .calculus import evaluate, grad
from .rearranging import join
from .tensor import ArrayLike, Tensor


def gradcheck(
    f: Callable[..., Tensor],
    inputs: ArrayLike | Sequence[ArrayLike],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> bool:
    """Compare every derivative of f with the central difference `(f(x+eps) - f(x-eps)) / (2 eps)`.

    Passes where |analytic - numeric| <= atol + rtol |numeric|, for each element of each input and
    of the output. At a kink (ReLU at 0) it fails, and rightly: there is no derivative to find.

    Parameters
    ----------
    inputs: the point, float64: one array or Tensor, or a tuple or list of them.

    Returns
    -------
    True. Raises AssertionError with the place and both numbers where they differ.

    Raises
    ------
    ValueError: inputs that are not float64 (at eps = 1e-6 float32 has no digits left).

    Example
    -------
    >>> gradcheck(lambda x: np.sin(x).sum(), np.array([0.1, 0.2]))
    True
    """
    check_tolerances("gradcheck", eps, atol, rtol)
    leaves = [Tensor(p, requires_grad=True) for p in points_of("gradcheck", inputs)]
    if not leaves:
        raise ValueError("gradcheck: no inputs, so there is nothing to check")
    function("gradcheck", "f", f, "a function of Tensors")
    y = evaluate("gradcheck", lambda *x: tensor_of("gradcheck", f(*x)), *leaves)
    for i, x in enumerate(leaves):
        analytic = np.zeros((y.size, x.size))
        if y.requires_grad:
            for k, u in enumerate(np.eye(y.size)):
                g = grad(y, x, u.reshape(y.shape), retain_graph=True, allow_unused=True)
                analytic[k] = 0 if g is None else g.numpy().ravel()
        numeric = np.zeros((y.size, x.size))
        for j in range(x.size):
            shift = np.zeros(x.size)
            shift[j] = eps
            shift = shift.reshape(x.shape)
            fs = []
            for moved in (x.numpy() + shift, x.numpy() - shift):
                fs.append(
                    f(*leaves[:i], Tensor(moved, requires_grad=True), *leaves[i + 1 :]).numpy()
                )
            numeric[:, j] = (fs[0] - fs[1]).ravel() / (2 * eps)
        wrong = ~(np.abs(analytic - numeric) <= atol + rtol * np.abs(numeric))
        if wrong.any():
            k, j = np.argwhere(wrong)[0]
            out, at = np.unravel_index(k, y.shape), np.unravel_index(j, x.shape)
            raise AssertionError(
                f"gradcheck: d output{list(map(int, out))} / d input {i}{list(map(int, at))} is "
                f"{analytic[k, j]:.8g} by the rules, {numeric[k, j]:.8g} by central difference "
                f"({wrong.sum()} of {wrong.size} derivatives differ)"
            )
    return True


def tensor_of(who: str, y: Any) -> Tensor:
    if not isinstance(y, Tensor):
        raise TypeError(f"{who}: f must return a Tensor, got {type(y).__name__}")
    return y


def check_tolerances(who: str, eps: float, atol: float, rtol: float) -> None:
    each(who, "(0, inf)", eps=eps)
    each(who, "[0, inf)", atol=atol, rtol=rtol)


def points_of(who: str, inputs: Any) -> list[Array]:
    """One array, or several in a tuple or list, which must be float64."""
    given = inputs if isinstance(inputs, (tuple, list)) else [inputs]
    points = []
    for i, p in enumerate(given):
        a = array(who, f"inputs[{i}]", p)
        if a.dtype != np.float64:
            raise ValueError(f"{who}: inputs must be float64, got {a.dtype} for input {i}")
        points.append(a.data if isinstance(a, Tensor) else a)
    return points


def gradgradcheck(
    f: Callable[..., Tensor],
    inputs: ArrayLike | Sequence[ArrayLike],
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    rng: np.random.Generator | None = None,
) -> bool:
    """The same for second derivatives: `gradcheck` of `(x, u) -> J(x)^T u`, with a random u.

    >>> gradgradcheck(lambda x: np.sin(x).sum(), np.array([0.1, 0.2]))
    True
    """
    check_tolerances("gradgradcheck", eps, atol, rtol)
    arrays = points_of("gradgradcheck", inputs)
    rng = np.random.default_rng(0) if rng is None else generator("gradgradcheck", rng)
    if not arrays:
        raise ValueError("gradgradcheck: no inputs, so there is nothing to check")
    u = rng.standard_normal(evaluate("gradgradcheck", f, *map(Tensor, arrays)).shape)

    def back(*args: Any, create_graph: bool = True) -> Tensor:
        *x, u = args
        gs = grad(f(*x), x, u, create_graph=create_graph, allow_unused=True)
        parts = [g.reshape(-1) for g in gs if g is not None]
        return join(parts) if parts else Tensor(np.zeros(0))

    points = [Tensor(a, requires_grad=True) for a in [*arrays, u]]
    plain, recorded = back(*points, create_graph=False), back(*points)
    if not np.allclose(plain.numpy(), recorded.numpy(), rtol, atol):
        raise AssertionError(
            "gradgradcheck: with create_graph=True the rules give another gradient than without: "
            f"{recorded.numpy()} in place of {plain.numpy()}"
        )
    return gradcheck(back, [*arrays, u], eps, atol, rtol)
