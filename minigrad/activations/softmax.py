"""Softmax, its logarithm, and the smooth maximum it is the derivative of.

Derived in `chapters/activations/softmax.ipynb`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.arrays import largest
from ..autograd.operators import array_of
from ..autograd.rules import restore_axes, sums
from ..autograd.tensor import ArrayLike, Tensor, apply, primitive
from ..checks import flag, one_axis, real, some_axes


def below_largest(x: Any, axis: Any = -1) -> Any:
    """x - max x; where the maximum is +inf, its limit: 0 for a single one, NaN for two, else -inf.

    -inf stays what it is, also where there is nothing else.
    """
    values = array_of(x)  # as a function of x it has softmax's derivatives whatever is subtracted
    top = largest(values, axis)
    if not np.isinf(top).any():
        return x - top
    at_top = np.isposinf(values)
    alone = at_top & (at_top.sum(axis=axis, keepdims=True) == 1)
    return np.where(alone, 0, x) - np.where(alone | (top == -np.inf), 0, top)


# dL/dx = y * (g - <g, y>): the Jacobian diag(y) - y y^T times g, derived in
# chapters/activations/softmax.ipynb.
@primitive(lambda g, y, x, axis=-1: y * (g - sums(g * y, axis)))
def _softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(below_largest(x, axis))
    return e / sums(e, axis)


def softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$p_i = e^{x_i} / \sum_j e^{x_j}$ along an axis, computed from $x - \max x$.

    Shape: any; returns the same, with sums of 1 along `axis`. Entries of $-\infty$ get 0,
    a single $+\infty$ gets 1; two have no limit, nor has a row of $-\infty$ only: NaN.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or it is empty.

    Derived in `chapters/activations/softmax.ipynb`.

    >>> softmax([1000.0, 1000.0, -1000.0])
    Tensor([0.5, 0.5, 0. ])
    """
    x = real("softmax", "x", x)
    return apply(_softmax, x, axis=one_axis("softmax", x, axis))


# y = x - log sum e^x:  dL/dx = g - softmax(x) sum(g), and softmax(x) = e^y.
@primitive(lambda g, y, x, axis=-1: g - np.exp(y) * sums(g, axis))
def _log_softmax(x: Any, axis: int = -1) -> Any:
    z = below_largest(x, axis)
    return z - np.log(sums(np.exp(z), axis))


def log_softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$\log p_i = x_i - \log \sum_j e^{x_j}$ along an axis: finite where softmax gives 0.

    Shape: any; returns the same. Infinite entries as in `softmax`.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or it is empty.

    Derived in `chapters/activations/softmax.ipynb`.

    >>> log_softmax([0.0, -1000.0])
    Tensor([    0., -1000.])
    """
    x = real("log_softmax", "x", x)
    return apply(_log_softmax, x, axis=one_axis("log_softmax", x, axis))


def _logsumexp_rule(g: Any, y: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """g softmax(x), and 0 where every x is -inf. Not g e^(x - y): y near 1e10 is rounded."""
    e = np.exp(below_largest(x, axis))
    total = sums(e, axis)
    return restore_axes(g, x, axis, keepdims) * (e / np.where(total == 0, 1, total))


@primitive(_logsumexp_rule)
def _logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    m = largest(x, axis)
    m = np.where(np.isfinite(m), m, 0)  # a sum of e^-inf only is 0, and its logarithm -inf
    with np.errstate(divide="ignore", over="ignore"):
        y = m + np.log(np.exp(x - m).sum(axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis)


def logsumexp(
    x: ArrayLike, axis: int | tuple[int, ...] | None = -1, keepdims: bool = False
) -> Tensor:
    r"""$\log \sum_i e^{x_i}$, a smooth maximum, computed as $m + \log\sum e^{x-m}$, $m = \max x$.

    Its derivative is softmax(x), infinite entries included. With weights $b_i>0$ before the
    exponentials it is `logsumexp(x + np.log(b))`.

    Shape: any; returns it without `axis`, or with 1 there if `keepdims`.

    Parameters
    ----------
    axis: an integer, several in a tuple, or None for all.
    keepdims: whether the axes stay, with size 1.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or it is empty.

    Derived in `chapters/activations/softmax.ipynb`.

    >>> round(logsumexp([1000.0, 1000.0]).item(), 4)
    1000.6931
    """
    x = real("logsumexp", "x", x)
    axis = some_axes("logsumexp", x, axis)
    return apply(_logsumexp, x, axis=axis, keepdims=flag("logsumexp", "keepdims", keepdims))
