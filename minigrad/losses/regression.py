"""Losses of real numbers. Derived in `chapters/losses/regression.ipynb`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor, apply, primitive
from ..checks import number, reals, same_shape
from .common import check_weights, reduce

LOG2 = float(np.log(2))


def _difference(label: str, input: ArrayLike, target: ArrayLike) -> Tensor:
    x, y = reals(label, input=input, target=target)
    same_shape(label, input=x, target=y)
    return x - y


def _element_weights(label: str, weight: ArrayLike, loss: Any) -> Array:
    w = check_weights(label, "weight", weight, loss.shape, loss.dtype)
    same_shape(label, weight=w, input=loss)
    return w


def mse_loss(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str = "mean",
    weight: ArrayLike | None = None,
) -> Tensor:
    r"""$(x - y)^2$: minus the log-likelihood of a Gaussian; the mean of y minimises it.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    weight: factors w ≥ 0 of that shape; the mean is then $\sum w\,l / \sum w$, as in PyTorch.

    Derived in `chapters/losses/regression.ipynb`.

    >>> mse_loss([1.0, 2.0], [1.0, 4.0])
    Tensor(2.)
    """
    loss = np.square(_difference("mse_loss", input, target))
    if weight is None:
        return reduce("mse_loss", loss, reduction)
    w = _element_weights("mse_loss", weight, loss)
    return reduce("mse_loss", loss * w, reduction, w.sum())


def l1_loss(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str = "mean",
    weight: ArrayLike | None = None,
) -> Tensor:
    r"""$|x - y|$, with derivative 0 at 0: Laplace's likelihood; the median of y minimises it.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    weight: factors w ≥ 0 of that shape; the mean is then $\sum w\,l / \sum w$, as in PyTorch.

    Derived in `chapters/losses/regression.ipynb`.

    >>> l1_loss([1.0, 2.0], [1.0, 4.0])
    Tensor(1.)
    """
    loss = np.abs(_difference("l1_loss", input, target))
    if weight is None:
        return reduce("l1_loss", loss, reduction)
    w = _element_weights("l1_loss", weight, loss)
    return reduce("l1_loss", loss * w, reduction, w.sum())


# With c = clip(d, -delta, delta), c (d - c/2) is d^2/2 inside and delta (|d| - delta/2) outside,
# and the derivative is c, the clipped residual.
@primitive(lambda g, y, d, delta: g * np.clip(d, -delta, delta), None)
def _huber(d: Any, delta: float) -> Any:
    c = np.clip(d, -delta, delta)
    return c * (d - c / 2)


def huber_loss(
    input: ArrayLike,
    target: ArrayLike,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: ArrayLike | None = None,
) -> Tensor:
    r"""$d^2/2$ for $|d| \le \delta$, else $\delta(|d| - \delta/2)$, with $d = x - y$.

    The derivative is d, clipped to ±δ.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    delta: δ > 0, the residual at which the loss becomes linear.
    weight: factors w ≥ 0 of that shape; the mean is $\sum w\,l / n$, as in PyTorch (for this loss,
        unlike `mse_loss`, it divides by the number of elements).

    Reference: Huber (1964), Robust estimation of a location parameter, section 4. Derived in
    `chapters/losses/regression.ipynb`.

    >>> huber_loss([0.5, 3.0], [0.0, 0.0], reduction="none")
    Tensor([0.125, 2.5  ])
    """
    delta = number("huber_loss", "delta", delta, "(0, inf)")
    loss = apply(_huber, _difference("huber_loss", input, target), delta)
    if weight is not None:
        loss = loss * _element_weights("huber_loss", weight, loss)
    return reduce("huber_loss", loss, reduction)


def smooth_l1_loss(
    input: ArrayLike, target: ArrayLike, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    r"""$d^2/(2\beta)$ for $|d| < \beta$, else $|d| - \beta/2$: Huber's loss with δ = β, over β.

    Shape: input x and target y of equal shape, $d = x - y$; one loss for each element.

    Parameters
    ----------
    beta: β ≥ 0; with 0 it is `l1_loss`.

    Reference: Girshick (2015), Fast R-CNN, eq. 3 (β = 1). Derived in
    `chapters/losses/regression.ipynb`.

    >>> smooth_l1_loss([0.5, 3.0], [0.0, 0.0], reduction="none", beta=2.0)
    Tensor([0.0625, 2.    ])
    """
    beta = number("smooth_l1_loss", "beta", beta, "[0, inf)")
    d = _difference("smooth_l1_loss", input, target)
    if beta < np.finfo(d.dtype).tiny:  # |d| - beta/2 is |d| to all digits, and 1/beta overflows
        return reduce("smooth_l1_loss", np.abs(d), reduction)
    return reduce("smooth_l1_loss", apply(_huber, d, beta) / beta, reduction)


# cosh d = 1 + 2 sinh^2(d/2) keeps the digits of a small d, cosh d = e^|d| (1 + e^-2|d|) / 2 cannot
# overflow for a large one.
@primitive(lambda g, y, d: g * np.tanh(d))
def _log_cosh(d: Any) -> Any:
    a = np.abs(d)
    small = np.log1p(2 * np.square(np.sinh(np.minimum(a, 1) / 2)))
    return np.where(a < 1, small, a + np.log1p(np.exp(-2 * a)) - LOG2)


def log_cosh_loss(input: ArrayLike, target: ArrayLike, reduction: str = "mean") -> Tensor:
    r"""$\log\cosh(x - y)$: about $d^2/2$ for small residuals d, $|d| - \log 2$ for large ones.

    The derivative is $\tanh d$.

    Shape: input x and target y of equal shape; one loss for each element.

    Derived in `chapters/losses/regression.ipynb`.

    >>> log_cosh_loss([0.0, 1000.0], [0.0, 0.0], reduction="none").numpy().round(4)
    array([  0.    , 999.3069])
    """
    return reduce(
        "log_cosh_loss", apply(_log_cosh, _difference("log_cosh_loss", input, target)), reduction
    )


def quantile_loss(
    input: ArrayLike, target: ArrayLike, q: float = 0.5, reduction: str = "mean"
) -> Tensor:
    r"""$\max(q d, (q - 1) d)$ with $d = y - x$: the q-quantile of y minimises it.

    Also called pinball loss. With q = 1/2 it is half of `l1_loss`. At d = 0 the derivative is the
    mean of the two slopes.

    Shape: input x and target y of equal shape; one loss for each element.

    Parameters
    ----------
    q: in (0, 1), the quantile to be found: 0.5 is the median.

    Reference: Koenker & Bassett (1978), Regression quantiles. Derived in
    `chapters/losses/regression.ipynb`.

    >>> quantile_loss([0.0, 0.0], [1.0, -1.0], q=0.9, reduction="none").numpy().round(4)
    array([0.9, 0.1])
    """
    q = number("quantile_loss", "q", q, "(0, 1)")
    d = -_difference("quantile_loss", input, target)
    return reduce("quantile_loss", np.maximum(q * d, (q - 1) * d), reduction)
