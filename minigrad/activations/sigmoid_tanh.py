"""Sigmoid and tanh. Derived in `chapters/activations/sigmoid-tanh.ipynb`."""

from __future__ import annotations

import numpy as np

from ..autograd.rules import logistic
from ..autograd.tensor import ArrayLike, Tensor, apply
from ..checks import real


def sigmoid(x: ArrayLike) -> Tensor:
    r"""The logistic function $\sigma(x) = 1 / (1 + e^{-x})$, without overflow for any x.

    Its derivative is $\sigma(x)(1 - \sigma(x)) \le 1/4$.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Derived in `chapters/activations/sigmoid-tanh.ipynb`.

    >>> sigmoid([0.0, 1000.0])
    Tensor([0.5, 1. ])
    """
    return apply(logistic, real("sigmoid", "x", x))


def tanh(x: ArrayLike) -> Tensor:
    r"""$\tanh x = (e^x - e^{-x}) / (e^x + e^{-x}) = 2\sigma(2x) - 1$.

    Its derivative is $1 - \tanh^2 x \le 1$.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Derived in `chapters/activations/sigmoid-tanh.ipynb`.

    >>> tanh([0.0, 1000.0])
    Tensor([0., 1.])
    """
    return apply(np.tanh, real("tanh", "x", x))
